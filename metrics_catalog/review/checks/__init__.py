"""What a review looks for, one check per module: ``found(scene)`` gives its items. A new check is a new module here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from metrics_catalog.review.checks import (
    approvals,
    changed,
    core_set,
    duplicates,
    noisy,
    outcomes,
    restatements,
    sources,
    targets,
    unanswered,
    unused,
)
from metrics_catalog.review.item import Item
from metrics_catalog.review.scene import Scene

# In the order in which a reader wants them: what is wrong with the numbers, with the people's answers, with the system.
CHECKS: tuple[Callable[[Scene], Iterator[Item]], ...] = (
    targets.found,
    outcomes.found,
    unanswered.found,
    noisy.found,
    restatements.found,
    sources.found,
    approvals.found,
    core_set.found,
    unused.found,
    duplicates.found,
    changed.found,
)


def found(scene: Scene) -> tuple[Item, ...]:
    """All items, those of one check by weight."""
    return tuple(item for check in CHECKS for item in sorted(check(scene), key=lambda one: (-one.weight, one.key)))
