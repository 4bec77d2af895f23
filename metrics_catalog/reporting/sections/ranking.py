"""The best and the last members of a dimension; of a copy for one member, its own place."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from metrics_catalog.reporting.body import Block
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.facts import Fact
from metrics_catalog.reporting.numbers import Cell
from metrics_catalog.reporting.sections.rows import of, row, split, table
from metrics_catalog.spec.report import (
    AnySection,
    Ranking,
)
from metrics_catalog.wording import alike


def blocks(copy: Copy, section: AnySection) -> Iterator[Block]:
    """The two ends, or the place of one member."""
    assert isinstance(section, Ranking)
    one = copy.fact(section.metric)
    if one is None:
        return
    own = dict(copy.members).get(section.by)
    cells = split(copy, section)
    down = one.spec.direction == "down"
    values = {member: value for member, (now, _) in cells.items() if (value := of(now)) is not None}
    ordered = sorted(values, key=lambda member: ((values[member] if down else -values[member]), str(member)))
    place = {member: at for at, member in enumerate(ordered, 1)}
    biggest = max((abs(value) for value in values.values()), default=0.0) or 1.0
    if own is not None:
        yield _place(copy, section, one, list(values.values()), place.get(own), len(ordered))
        return
    picked = ordered[: section.top]
    picked += ordered[max(section.top, len(ordered) - section.bottom) :] if section.bottom else []
    write = alike([values[member] for member in picked], one.spec.unit, copy.language)
    rows = [
        row(copy, one, member, cells[member], values[member] / biggest, write, place=place[member]) for member in picked
    ]
    yield table(copy, section, one, rows)


def _place(copy: Copy, section: Ranking, one: Fact, values: list[float], place: int | None, count: int) -> Block:
    """Where one member stands among the others, which are not named: their numbers are theirs."""
    label = one.spec.label.to(copy.language)
    title = copy.titled(section.title, "place", label=label, subject=copy.subject)
    if place is None:
        return Block("place", title, note=copy.say("nothing"), metric=one.metric)
    middle = alike([one.value, median(values)], one.spec.unit, copy.language)(median(values))
    note = copy.say("place_note", place=place, count=count, median=middle)
    size = 1 - (place - 1) / max(count - 1, 1)
    write = alike([one.value], one.spec.unit, copy.language)
    own = row(copy, one, copy.subject, (Cell(one.value), Cell(one.before)), size, write, place=place)
    return Block("place", title, note=note, metric=one.metric, columns=(str(count), "1"), rows=(own,))
