"""Published rows -> one number for a run of periods, for the slice decided about and for all others beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from metrics_catalog.engine.periods import Calendar
from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    import pyarrow as pa

Member = tuple[str | None, ...]
MOST: Mapping[Grain, int] = {"day": 28, "week": 4, "month": 3, "quarter": 2, "year": 1}  # periods looked at, at most
_WEEK = 7


@dataclass(frozen=True)
class Numbers:
    """Published numbers of one series by period: value, numerator, denominator (None where it is no ratio).

    ``adds_up``: a sum or count, so that a period without a value is one in which nothing happened.
    """

    rows: Mapping[date, tuple[float, float | None, float | None]]
    adds_up: bool = False

    @cached_property
    def first(self) -> date:
        """Its first period with a value."""
        return min(self.rows)

    def level(self, periods: Iterable[date]) -> float | None:
        """The mean of the values; of a ratio, all numerators over all denominators.

        None: everything is missing; half or more is, of what does not add up; it had not begun, of what does.
        """
        periods = list(periods)
        found = [self.rows[one] for one in periods if one in self.rows]
        if self.adds_up:
            begun = bool(found) and periods[0] >= self.first
            return sum(value for value, _, _ in found) / len(periods) if begun else None
        if 2 * len(found) <= len(periods):
            return None
        parts = [(top, under) for _, top, under in found if top is not None and under is not None]
        below = sum(under for _, under in parts)
        if len(parts) == len(found) and below:
            return sum(top for top, _ in parts) / below
        return sum(value for value, _, _ in found) / len(found)


@dataclass(frozen=True)
class Windows:
    """The periods compared: ``before`` the decision, and as many up to the due date, ``after``, as late as can be."""

    before: tuple[date, ...]
    after: tuple[date, ...]


def windows(calendar: Calendar, grain: Grain, since: date, due: date) -> Windows:
    """Whole periods from ``since`` to ``due`` (both count), the last `MOST` of them; of days, whole weeks if any."""
    after = _whole(calendar, grain, since, due)
    count = min(len(after), MOST[calendar.like(grain)])
    if grain == "day" and count >= _WEEK:
        count -= count % _WEEK
    first = calendar.start(grain, since)
    before: list[date] = []
    for _ in range(count):
        first = calendar.back(grain, first, 1, grain)
        before.append(first)
    return Windows(tuple(reversed(before)), tuple(after[len(after) - count :]))


def _whole(calendar: Calendar, grain: Grain, since: date, due: date) -> list[date]:
    end = due + timedelta(days=1)
    return [one.start for one in calendar.spans(grain, since, end) if one.start >= since and one.end <= end]


def by_member(table: pa.Table, cut: Sequence[str], adds_up: bool = False) -> dict[Member, Numbers]:
    """Rows of `Snapshot.values` as numbers of each member of the slice ``cut``."""
    names = ("period", "value", "numerator", "denominator")
    columns = [table.column(name).to_pylist() for name in names]
    members = (
        list(zip(*(table.column(name).to_pylist() for name in cut), strict=True)) if cut else [()] * len(columns[0])
    )
    found: dict[Member, dict[date, tuple[float, float | None, float | None]]] = {}
    for member, period, value, top, under in zip(members, *columns, strict=True):
        if value is not None:
            row = (float(value), None if top is None else float(top), None if under is None else float(under))
            found.setdefault(member, {})[period] = row
    return {member: Numbers(rows, adds_up) for member, rows in found.items()}
