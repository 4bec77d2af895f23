"""The publish gate: which metrics may become official, and what is asked or noted about the others. Pure.

A value of a closed period that would come out different from what is published must have a reason: a definition that
was certified, a restatement that was approved, or a cause the policy lets pass. All else keeps what is published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from metrics_catalog.governance.approval import required
from metrics_catalog.governance.comparison import compared
from metrics_catalog.governance.effects import Ask, Seen
from metrics_catalog.governance.ledger import Event
from metrics_catalog.governance.preview import BEST_SHOWN
from metrics_catalog.governance.record import METRIC, Record
from metrics_catalog.published.differences import Cell, Difference
from metrics_catalog.spec.governance import Cause, Tier
from metrics_catalog.spec.people import PLATFORM, People
from metrics_catalog.spec.policy import Policy

SHOWN = 12


@dataclass(frozen=True)
class Why:
    """One thing that changed under a metric since its last publish. ``definition`` is one that was certified."""

    cause: Cause
    text: str


@dataclass(frozen=True)
class Moved:
    """A metric that was computed again: what changed under it, and what differs from what is published, if anything."""

    metric: str
    tier: Tier
    owner: str
    why: tuple[Why, ...]
    difference: Difference | None


@dataclass(frozen=True)
class Verdict:
    """What is published and what is not.

    ``notes``: why published values change, by metric. ``held``: metrics that keep theirs, and why; ``asks``: what must
    be approved for them. ``cleared``: of metrics whose code changed and whose values did not.
    """

    notes: Mapping[str, str]
    held: Mapping[str, str]
    asks: tuple[Ask, ...]
    cleared: tuple[Event, ...]


def judge(moved: Sequence[Moved], record: Record, people: People, policy: Policy) -> Verdict:
    """What becomes of metrics computed again. While nothing is certified every value passes, with its note."""
    notes: dict[str, str] = {}
    held: dict[str, str] = {}
    asks: list[Ask] = []
    for one in moved:
        if one.difference is None:
            continue
        reason = "; ".join(dict.fromkeys(why.text for why in one.why)) or _UNKNOWN.text
        if not record.begun or _passes(one, record, policy):
            notes[one.metric] = reason
        else:
            held[one.metric] = reason
            asks.append(Ask(one.metric, reason, _seen(one, people, policy)))
    return Verdict(notes, held, tuple(asks), tuple(_cleared(moved)))


_UNKNOWN = Why("unknown", "published values would change, and nothing that is known to have changed explains it")
_BY_CODE: tuple[Cause, ...] = ("changed code", "unknown")


def _passes(one: Moved, record: Record, policy: Policy) -> bool:
    assert one.difference is not None
    if one.difference.digest in record.releases.get(one.metric, ()):
        return True
    causes: list[Cause] = [why.cause for why in one.why] or [_UNKNOWN.cause]
    asked = policy.governance.restatements
    return not any(asked.asks(cause, one.tier) for cause in causes)


def _cleared(moved: Sequence[Moved]) -> Iterator[Event]:
    for one in moved:
        texts = [why.text for why in one.why if why.cause in _BY_CODE]
        if texts and one.difference is None:
            yield Event("cleared", METRIC + one.metric, PLATFORM, {"reason": "; ".join(texts)})


def _seen(one: Moved, people: People, policy: Policy) -> Seen:
    difference = one.difference
    assert difference is not None
    effect = Decimal(str(difference.total_change))
    requirement = required(policy.governance, ["restate"], [one.tier], effect)
    moved = {cell.grain for cell in difference.totals or difference.worst}
    grain = next(one for one in BEST_SHOWN if one in moved)
    totals = [cell for cell in difference.totals if cell.grain == grain]
    slices = [cell for cell in difference.worst if cell.slice]
    preview = {
        "grain": grain,
        "periods": [_row(cell) for cell in totals[-policy.governance.preview_periods :]],
        "slices": [{**_row(cell), "members": dict(cell.members)} for cell in slices[:SHOWN]],
        "downstream": [],
        "flips": [],
        "people": sorted(people.behind(one.owner)),
        "effect": str(effect),
        "values": difference.total,
    }
    return Seen(difference.digest, preview, requirement)


def _row(cell: Cell) -> dict[str, Any]:
    return {"grain": cell.grain, "period": cell.period.isoformat(), **compared(cell.old, cell.new)}
