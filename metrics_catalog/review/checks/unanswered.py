"""Incidents nobody answered, and series that keep breaking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from metrics_catalog.decisions.incident import Incident
from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene


def found(scene: Scene) -> Iterator[Item]:
    """One item for each incident, and each series that broke as often as the policy's trigger says."""
    hours = scene.policy.triggers.unanswered_hours
    for one in scene.incidents:
        if one.state == "open" and scene.now - one.opened_at >= timedelta(hours=hours):
            yield _unanswered(scene, one)
    for some in repeated(scene).values():
        yield _repeated(scene, some)


def repeated(scene: Scene) -> dict[str, list[Incident]]:
    """Incidents by what they are about, where that came as often as the trigger says."""
    since = scene.now - timedelta(days=scene.policy.triggers.within_days)
    by_key: dict[str, list[Incident]] = {}
    for one in scene.incidents:
        if one.opened_at >= since and one.reason != "false alarm":
            by_key.setdefault(one.key, []).append(one)
    return {key: some for key, some in by_key.items() if len(some) >= scene.policy.triggers.breaches}


def _unanswered(scene: Scene, one: Incident) -> Item:
    days = (scene.now - one.opened_at).days
    who = one.assignee or "–"
    action = {"en": f"answer {one.name}: say why, and what is done", "zh": f"答复 {one.name}：说明原因和措施"}
    return Item(
        key=f"unanswered/{one.name}",
        kind="unanswered",
        subject=one.metric or one.key,
        title={
            "en": f"{one.name} ({one.metric or one.key}) has had no answer for {days} days",
            "zh": f"{one.name}（{one.metric or one.key}）已{days}天无人处理",
        },
        evidence=(
            {
                "en": f"Severity {one.severity}, {one.cause or 'no cause known'}; asked: {who}.",
                "zh": f"级别 {one.severity}，{one.cause or '原因未知'}；负责人：{who}。",
            },
        ),
        proposed={"en": f"metrics alerts ack {one.name}", "zh": f"metrics alerts ack {one.name}"},
        proposal=_decide(scene, one.metric, f"{one.name} has no answer", action),
        weight=10.0 * (6 - one.severity) + days,
    )


def _repeated(scene: Scene, some: list[Incident]) -> Item:
    last = some[-1]
    names = ", ".join(one.name for one in some[-5:])
    action = {"en": "find the cause behind the repeated alerts", "zh": "查明反复预警的根本原因"}
    return Item(
        key=f"repeated/{last.key}",
        kind="unanswered",
        subject=last.metric or last.key,
        title={
            "en": f"{last.metric or last.key} broke {len(some)} times in {scene.policy.triggers.within_days} days",
            "zh": f"{last.metric or last.key} 在{scene.policy.triggers.within_days}天内预警{len(some)}次",
        },
        evidence=({"en": f"{names}.", "zh": f"{names}。"},),
        proposed={"en": "Mend the cause, not each alert.", "zh": "解决根本原因，而非逐条处理。"},
        proposal=_decide(scene, last.metric, f"{len(some)} alerts on the same series", action),
        weight=float(len(some)),
    )


def _decide(scene: Scene, metric: str | None, reason: str, action: dict[str, str]) -> Proposal | None:
    return Proposal("decide", metric, reason, action=action) if metric in scene.catalog.metrics and metric else None
