"""Which members made a change; what they gave adds up to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from metrics_catalog.reporting import words
from metrics_catalog.reporting.body import Block, Row
from metrics_catalog.reporting.contributions import Share, contributions
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.facts import Fact, tone
from metrics_catalog.reporting.findings import of_shares
from metrics_catalog.reporting.sections.rows import Write, split
from metrics_catalog.spec.report import (
    AnySection,
    Contribution,
)
from metrics_catalog.wording import alike


def blocks(copy: Copy, section: AnySection) -> Iterator[Block]:
    """What each gave, or why it cannot be said."""
    assert isinstance(section, Contribution)
    one = copy.fact(section.metric)
    if one is None:
        return
    title = copy.titled(section.title, "contribution", label=words.inner(one.spec.label.to(copy.language)))
    before = one.against(section.compare)
    shares = _shares(copy, section, one) if one.value is not None and before is not None else None
    if shares and one.value is not None and before is not None:
        if section.compare == "previous":
            copy.found += of_shares(one, section.by, shares)
        write = alike([one.value, before], one.spec.unit, copy.language)
        note = _total(copy, one.spec.unit, one.value, before, write)
        note = copy.with_days(note, section.compare)
        rows = tuple(_rows(copy, section, one, shares, write))
        yield Block("contribution", title, note=note, metric=one.metric, rows=rows)
    else:
        key = "nothing" if one.value is None or before is None else "unsplit"
        note = copy.say(key, by=words.dimension(section.by, copy.language))
        yield Block("contribution", title, note=note, metric=one.metric)


def _shares(copy: Copy, section: Contribution, one: Fact) -> list[Share] | None:
    now, before = (
        copy.issue.numbers.value(one.metric, one.grain, day, copy.members) for day in copy.days(section.compare)
    )
    return contributions(split(copy, section), (now, before))


def _rows(copy: Copy, section: Contribution, one: Fact, shares: Sequence[Share], write: Write) -> Iterator[Row]:
    shown, rest = shares[: section.top], shares[section.top :]
    parts = [(words.member(share.member, copy.language), share.given) for share in shown]
    if rest:
        parts.append((copy.say("others", count=len(rest)), sum(share.given for share in rest)))
    biggest = max(abs(given) for _, given in parts) or 1.0
    for name, given in parts:
        judged = tone(given, 0.0, one.spec.direction)
        yield Row(name, words.signed(given, one.spec.unit, copy.language, write), "", "", judged, given / biggest)


def _total(copy: Copy, unit: str, value: float, before: float, write: Write) -> str:
    change = words.signed(value - before, unit, copy.language, write)
    return copy.say("total", change=change, before=write(before), value=write(value))
