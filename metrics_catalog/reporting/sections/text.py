"""A text with facts filled in."""

from __future__ import annotations

from collections.abc import Iterator

from metrics_catalog.reporting import words
from metrics_catalog.reporting.body import Block
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.spec.report import (
    AnySection,
    Prose,
    filled,
    holes,
)
from metrics_catalog.wording import number


def blocks(copy: Copy, section: AnySection) -> Iterator[Block]:
    """One paragraph."""
    assert isinstance(section, Prose)
    text = section.text.to(copy.language)
    facts = {hole: _said(copy, hole) for hole in holes(text)}
    title = section.title.to(copy.language) if section.title else ""
    yield Block("text", title, paragraphs=(words.begun(filled(text, facts)),))


def _said(copy: Copy, hole: str) -> str:
    """What a text says of a metric."""
    if hole == "period":
        return copy.named(copy.issue.grain, copy.issue.period)
    name, _, which = hole.partition(".")
    one = copy.fact(name)
    if one is None:
        return "–"
    if which == "change":
        return words.delta(one.value, one.before, one.spec.unit, copy.language)
    values = {"": one.value, "value": one.value, "before": one.before, "year": one.year, "target": one.target}
    return number(values[which], one.spec.unit, copy.language, short=True)
