"""Rows by members, as breakdowns and rankings have them. No section of its own."""

from __future__ import annotations

from collections.abc import Callable

from metrics_catalog.reporting import words
from metrics_catalog.reporting.body import Block, Row
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.facts import Fact, tone
from metrics_catalog.reporting.numbers import Cell
from metrics_catalog.spec.report import (
    Breakdown,
    Contribution,
    Ranking,
)
from metrics_catalog.wording import Number

Write = Callable[[Number | None], str]
Pair = tuple[Cell | None, Cell | None]  # now, before


def split(copy: Copy, section: Breakdown | Ranking | Contribution) -> dict[str | None, Pair]:
    """A section's metric by members within the copy's slice: now, and in the period compared with."""
    inside = tuple(one for one in copy.members if one[0] != section.by)
    days = copy.days(section.compare)
    found = copy.issue.numbers.split(section.metric, copy.issue.grain, section.by, days, inside)
    return {member: (now, before) for member, (now, before) in found.items()}


def row(
    copy: Copy,
    one: Fact,
    member: str | None,
    cells: Pair,
    size: float,
    write: Write,
    share: str = "",
    place: int | None = None,
) -> Row:
    """One member's value and change; ``write``: how the values of its column are written."""
    now, before = of(cells[0]), of(cells[1])
    change = words.delta(now, before, one.spec.unit, copy.language)
    judged = tone(now, before, one.spec.direction)
    return Row(words.member(member, copy.language), write(now), share, change, judged, size, place)


def table(copy: Copy, section: Breakdown | Ranking, one: Fact, rows: list[Row], share: bool = False) -> Block:
    """Rows under their headings."""
    by, label = words.dimension(section.by, copy.language), one.spec.label.to(copy.language)
    kind = section.type
    title = copy.titled(section.title, kind, label=label, by=by)
    if not rows:
        return Block(kind, title, note=copy.say("nothing"), metric=one.metric)
    compared = copy.say(f"than_{section.compare}", grain=copy.issue.grain)
    columns = (by, label, copy.say("share") if share else "", compared)
    note = copy.with_days("", section.compare) or None
    return Block(kind, title, note=note, metric=one.metric, columns=columns, rows=tuple(rows))


def of(cell: Cell | None) -> float | None:
    """The value of a cell that may not be."""
    return None if cell is None else cell.value
