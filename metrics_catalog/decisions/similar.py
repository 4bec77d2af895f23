"""Incidents of the past that are like a new one, with what was decided then and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metrics_catalog.decisions.expected import Members
from metrics_catalog.decisions.incident import Incident, incidents_of
from metrics_catalog.decisions.outcome import Outcome
from metrics_catalog.decisions.record import Decision, listed
from metrics_catalog.decisions.words import verdict
from metrics_catalog.ops.store import reading
from metrics_catalog.wording import day

if TYPE_CHECKING:
    from sqlalchemy import Engine

CLOSED = ("resolved", "recovered")


@dataclass(frozen=True)
class Past:
    """One incident that is over, and the decisions taken about it."""

    incident: Incident
    decisions: tuple[Decision, ...]

    def words(self, language: str) -> str:
        """In one line: which, when, why, what was done, and how that came out."""
        chinese = language == "zh"
        when = day(self.incident.opened_at.date(), language)
        why = self.incident.reason or self.incident.cause
        said = [
            f"{self.incident.name}（{when}）" if chinese else f"{self.incident.name} ({when})",
            *([why] if why else []),
        ]
        for one in self.decisions:
            came = "" if one.outcome is None else verdict(Outcome.read(one.outcome), language)
            came = (f"（{came}）" if chinese else f" ({came})") if came else ""
            said.append(f"{one.action}{came}")
        if not self.decisions:
            said.append("未记录措施" if chinese else "nothing was recorded as done")
        return ("：" if chinese else ": ").join([said[0], ("；" if chinese else "; ").join(said[1:])])


def similar(
    engine: Engine,
    metric: str,
    members: Members = (),
    cause: str = "",
    rule: str = "",
    but: int | None = None,
    limit: int = 3,
) -> list[Past]:
    """Past incidents of a metric, the most alike first: same cause, same member, something was done, then the newest.

    ``but``: number of the incident itself. Raises `OpsUnavailable`.
    """
    with reading(engine) as con:
        found = [one for one in incidents_of(con, metric) if one.number != but and one.state in CLOSED]
    if not found:
        return []
    acted: dict[int | None, list[Decision]] = {}
    for one in listed(engine, metric=metric):
        if one.state != "dropped":
            acted.setdefault(one.incident, []).append(one)

    def alike(one: Incident) -> tuple[float, int]:
        score = 2.0 * bool(cause and one.cause == cause) + bool(rule and one.rule == rule)
        score += 2.0 * bool(members and one.members == members) + 1.5 * (one.number in acted)
        return (score + 0.5 * _share(members, one.members), one.number)

    best = sorted(found, key=alike, reverse=True)[:limit]
    return [Past(one, tuple(acted.get(one.number, ()))) for one in best]


def _share(mine: Sequence[tuple[str, str | None]], theirs: Sequence[tuple[str, str | None]]) -> float:
    """Whether both are of the same dimensions."""
    return float([name for name, _ in mine] == [name for name, _ in theirs])
