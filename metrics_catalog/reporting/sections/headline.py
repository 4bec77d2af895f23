"""The main numbers, each with what it was, its target and its course."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from metrics_catalog.own_grains import called
from metrics_catalog.reporting import words
from metrics_catalog.reporting.body import Block, Card
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.day_words import per_day
from metrics_catalog.reporting.facts import Fact
from metrics_catalog.spec.report import (
    AnySection,
    Headline,
)
from metrics_catalog.wording import number


def blocks(copy: Copy, section: AnySection) -> Iterator[Block]:
    """A card for each metric."""
    assert isinstance(section, Headline)
    cards = tuple(_card(copy, one, section.compare) for name in section.metrics if (one := copy.fact(name)))
    title = copy.titled(section.title, "key")
    yield Block("headline", title, note=copy.compared(section.compare), cards=cards)


def _card(copy: Copy, one: Fact, compare: str) -> Card:
    language, unit = copy.language, one.spec.unit
    before = one.against(compare)
    against = copy.say("no_before")
    if before is not None:
        shown = number(before, unit, language, short=True)
        against = copy.say("against", before=shown)
    target, judged = _target(copy, one)
    year = None
    if compare != "year" and one.year is not None:
        year = copy.say("year", change=words.delta(one.value, one.year, unit, language))
    why = copy.issue.numbers.snapshot.info.why_held(one.metric)
    mark = copy.say("held", why=why) if why else _missing(copy, one) if one.value is None else None
    daily = per_day(one, language, compare, copy.open_days(one.metric, compare))
    return Card(
        metric=one.metric,
        label=one.spec.label.to(language),
        value=number(one.value, unit, language, short=True),
        change=words.delta(one.value, before, unit, language),
        tone=one.tone(compare),
        against=against,
        target=target,
        target_tone=judged,
        year=year,
        mark=mark or daily,
        spark=tuple(value for _, value in one.course[-13:]),
    )


def _missing(copy: Copy, one: Fact) -> str:
    """Why there is no value: it is to come, as data is late or nothing was published yet, or there is none."""
    numbers = copy.issue.numbers
    over = numbers.calendar.span(one.grain, one.period).end <= numbers.snapshot.info.closed_through + timedelta(days=1)
    has_course = bool(numbers.series(one.metric, one.grain, copy.members))
    return copy.say("no_data" if over and has_course and not copy.issue.trust.is_late else "not_yet")


def _target(copy: Copy, one: Fact) -> tuple[str | None, Any]:
    found = copy.pace(one.metric)
    if found is None:
        return None, "muted"
    language, unit = copy.language, one.spec.unit
    target = number(found.target, unit, language, short=True)
    key = "target_rate" if unit == "percent" else "target"
    text = copy.say(key, share=f"{found.share:.0%}", target=target)
    if found.grain != copy.issue.grain:
        value = "" if unit != "percent" else f" {number(found.value, unit, language)},"
        when = called(found.own, found.grain, found.start, language)
        text = f"{when}:{value} {text}"
        text = text.replace(": ", "：").replace(", ", "，") if language == "zh" else text
    return text, found.tone
