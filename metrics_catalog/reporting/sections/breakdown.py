"""A metric by the members of a dimension, the largest first, the rest together."""

from __future__ import annotations

from collections.abc import Iterator

from metrics_catalog.reporting.body import Block, Row
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.facts import Fact
from metrics_catalog.reporting.numbers import Cell
from metrics_catalog.reporting.sections.rows import Pair, Write, of, row, split, table
from metrics_catalog.spec.report import (
    AnySection,
    Breakdown,
)
from metrics_catalog.wording import alike


def blocks(copy: Copy, section: AnySection) -> Iterator[Block]:
    """Value, share and change of each."""
    assert isinstance(section, Breakdown)
    one = copy.fact(section.metric)
    if one is None:
        return
    cells = split(copy, section)
    values = {member: of(now) for member, (now, _) in cells.items() if of(now) is not None}
    ordered = sorted(values, key=lambda member: (-(values[member] or 0), str(member)))
    biggest = max((abs(value or 0.0) for value in values.values()), default=0.0) or 1.0
    adds_up = _adds_up(one.value, list(values.values()))
    others = [cells[member] for member in ordered[section.top :]]
    rest = sum(of(now) or 0.0 for now, _ in others)
    write = alike([rest, *(values[member] for member in ordered[: section.top])], one.spec.unit, copy.language)
    rows = []
    for member in ordered[: section.top]:
        share = f"{(values[member] or 0) / one.value:.1%}" if adds_up and one.value else ""
        size = (values[member] or 0.0) / biggest
        rows.append(row(copy, one, member, cells[member], size, write, share))
    if adds_up and one.value and others:
        rows.append(_others(copy, one, others, biggest, write))
    yield table(copy, section, one, rows, share=adds_up)


def _others(copy: Copy, one: Fact, cells: list[Pair], biggest: float, write: Write) -> Row:
    now, before = (sum(of(pair[at]) or 0.0 for pair in cells) for at in (0, 1))
    name, share = copy.say("others", count=len(cells)), f"{now / (one.value or 1.0):.1%}"
    return row(copy, one, name, (Cell(now), Cell(before)), min(now / biggest, 1.0), write, share)


def _adds_up(whole: float | None, parts: list[float | None]) -> bool:
    total = sum(part or 0.0 for part in parts)
    return whole is not None and abs(total - whole) <= 1e-6 * (abs(whole) + abs(total))
