"""A report, its numbers and what is known of them -> the body of one copy. Pure: reads nothing but `Numbers`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from metrics_catalog.own_grains import called
from metrics_catalog.reporting.body import Block, Body, Insight
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.defined import defined
from metrics_catalog.reporting.findings import of_fact, ranked
from metrics_catalog.reporting.sections import breakdown, contribution, headline, ranking, text, trend
from metrics_catalog.reporting.sentences import sentence
from metrics_catalog.reporting.trust import banner
from metrics_catalog.spec.base import said
from metrics_catalog.spec.report import AnySection


def compose(copy: Copy) -> Body:
    """The body of one copy."""
    issue, language = copy.issue, copy.language
    spec = issue.report.spec
    blocks = tuple(block for section in spec.sections for block in _blocks(copy, section))
    shown = [name for name in spec.metrics if name in issue.numbers.catalog.metrics]
    for name in shown:
        if (known := copy.fact(name)) is not None:
            copy.found += of_fact(known, copy.pace(name))
    best, own = ranked(copy.found, spec.insights), issue.numbers.calendar.own.get(issue.grain)
    return Body(
        report=issue.report.name,
        title=spec.label.to(language),
        description=None if spec.description is None else said(spec.description, language),
        period=issue.period.isoformat(),
        period_label=called(own, issue.grain, issue.period, language),
        grain=issue.grain,
        audience=copy.audience,
        subject=copy.subject,
        language=language,
        version=issue.numbers.snapshot.version,
        made=issue.made.isoformat(timespec="seconds"),
        banner=banner(issue.trust, language),
        insights=tuple(
            Insight(sentence(one, language), one.fact.metric, one.tone, round(one.score, 3)) for one in best
        ),
        blocks=blocks,
        definitions=tuple(defined(issue.definitions, issue.numbers.catalog, name, language) for name in shown),
        versions={name: number for name, number in issue.numbers.snapshot.info.versions.items() if name in shown},
    )


def _blocks(copy: Copy, section: AnySection) -> Iterator[Block]:
    made: Callable[[Copy, AnySection], Iterator[Block]] = _KINDS[section.type].blocks
    return made(copy, section)


_KINDS = {
    "headline": headline,
    "trend": trend,
    "breakdown": breakdown,
    "ranking": ranking,
    "contribution": contribution,
    "text": text,
}
