"""Change requests that took, or take, longer than the policy gives for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from metrics_catalog.governance.record import Request
from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene
from metrics_catalog.spec.governance import Approver


def found(scene: Scene) -> Iterator[Item]:
    """One item for each, the slowest first."""
    record = scene.definitions.record
    limit = timedelta(days=scene.catalog.policy.governance.answer_days)
    for one in () if record is None else record.requests.values():
        end = one.decided_at or scene.now
        if end < scene.since or one.opened_at > scene.now or end - one.opened_at <= limit:
            continue
        days = (end - one.opened_at).days
        places = _places(one.need, one)
        waits, asked = one.decided_at is None, f"{one.opened_at:%Y-%m-%d}"
        yield Item(
            key=f"approval/{one.name}",
            kind="slow approval",
            subject=one.metric or one.subject,
            title={
                "en": f"{one.name} on {one.metric or one.subject} {'has waited' if waits else 'took'} {days} days",
                "zh": f"{one.metric or one.subject} 的 {one.name} {'已等待' if waits else '用了'}{days}天",
            },
            evidence=(
                {
                    "en": f"Asked by {one.author} on {asked}, {one.state}; answers are due in {limit.days} days.",
                    "zh": f"{one.author} 于 {asked} 提出，状态 {one.state}；应在{limit.days}天内答复。",
                },
                {"en": f"Needs: {places}.", "zh": f"需要：{places}。"},
            ),
            proposed=(
                {"en": f"Answer it: metrics request {one.name}", "zh": f"请答复：metrics request {one.name}"}
                if waits
                else {"en": "See that somebody can stand in next time.", "zh": "安排代理审批人。"}
            ),
            proposal=_proposal(scene, one, days),
            weight=float(days),
        )


def _places(need: tuple[Approver, ...], one: Request) -> str:
    return ", ".join(need) + (f" ({len(one.approvals)}/{len(need)})" if need else "")


def _proposal(scene: Scene, one: Request, days: int) -> Proposal | None:
    if one.metric not in scene.catalog.metrics:
        return None
    action = {"en": f"answer {one.name}, or name who stands in", "zh": f"答复 {one.name}，或指定代理审批人"}
    return Proposal("decide", one.metric or "", f"{one.name} took {days} days", action=action)
