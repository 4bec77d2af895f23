"""What starts a review before the month is over, each cause once. Pure: a scene in, events out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from metrics_catalog.review.checks.changed import changed_definitions
from metrics_catalog.review.checks.targets import missed_targets
from metrics_catalog.review.checks.unanswered import repeated
from metrics_catalog.review.scene import Scene


@dataclass(frozen=True, order=True)
class Trigger:
    """``cause``: as in `words.CAUSES`; ``event``: what exactly, the same however often it is looked at."""

    cause: str
    event: str


def triggers(scene: Scene) -> Iterator[Trigger]:
    """Everything that asks for a review now."""
    policy = scene.policy.triggers
    for key, some in repeated(scene).items():
        yield Trigger("breach", f"{key}/{some[policy.breaches - 1].number}")
    for one in scene.incidents:
        if one.state == "open" and scene.now - one.opened_at >= timedelta(hours=policy.unanswered_hours):
            yield Trigger("unanswered", one.name)
    for version, _ in changed_definitions(scene) if policy.definition_changed else ():
        yield Trigger("definition", f"{version.subject}/{version.number}")
    for metric, _, grain, _, missed in missed_targets(scene):
        if len(missed) >= policy.missed_targets:
            yield Trigger("target", f"{metric}/{grain}/{missed[len(missed) - policy.missed_targets][0]}")
