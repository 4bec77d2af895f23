"""From marts to official values: what changed is computed, audited and published in one commit.

Says nothing of how data came in: the pipeline hands over what it knows as `Inputs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from metrics_catalog.catalog import Catalog
from metrics_catalog.changes import Changes, Inputs
from metrics_catalog.engine.compute import Progress, build_rollups, computed, data_span
from metrics_catalog.engine.fingerprint import table_contents
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.plan import plan
from metrics_catalog.engine.rollup import rollups
from metrics_catalog.engine.windows import Windows
from metrics_catalog.members import Members
from metrics_catalog.published.model import AuditReport, AuditRules, Days, PublishInfo, Scope
from metrics_catalog.spec.base import GRAINS, Grain, ordered

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from metrics_catalog.published.publisher import Draft

__all__ = ["Inputs", "MetricOutcome", "PublishOutcome", "publish"]

_ALWAYS = (date.min, date.max)
State = Literal["published", "unchanged", "held", "no data"]


@dataclass(frozen=True)
class MetricOutcome:
    """What became of one metric: ``periods`` computed (over all grains), ``rows`` of all slices."""

    metric: str
    state: State
    periods: int = 0
    rows: int = 0
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishOutcome:
    """What a publish did; ``version`` is None when nothing changed. ``waiting``: days each source has not delivered."""

    version: int | None
    closed_through: date
    metrics: Mapping[str, MetricOutcome]
    waiting: Mapping[str, tuple[date, ...]]
    rows: int = 0


@dataclass(frozen=True)
class _Group:
    """Metrics whose same periods are computed together."""

    windows: Windows
    metrics: tuple[str, ...]

    def periods(self, calendar: Calendar) -> int:
        spans: list[tuple[Grain, Span]] = [(one, span) for one in ordered(self.windows) for span in self.windows[one]]
        return sum(1 for grain, span in spans for _ in calendar.spans(grain, span.start, span.end))


def publish(
    con: DuckDBPyConnection,
    catalog: Catalog,
    inputs: Inputs,
    run_id: str,
    now: datetime,
    progress: Progress = lambda step: None,
) -> PublishOutcome:
    """Compute and publish every official value whose input, definition or period changed since the last publish.

    A metric whose values fail the audit keeps what was last published for it. Raises `PublishedError` when the system
    fails; published values are then as they were.
    """
    from metrics_catalog.published.history import latest
    from metrics_catalog.published.places import values_folder
    from metrics_catalog.published.publisher import Publisher

    last = latest(values_folder(catalog.project.published))
    publisher = Publisher(catalog.project.published)
    changes = _changes(con, catalog, inputs, None if last is None else last.info, now)
    groups = _groups(changes)
    if not groups and not changes.removed:
        return _outcome(changes, None, (), {}, AuditReport((), {}))
    if catalog.project.is_dbt:
        build_rollups(con, catalog)
    rows: Counter[str] = Counter()
    with publisher.open(_info(changes, run_id, now)) as draft:
        for group in groups:
            rows += _stage(con, draft, changes, group, progress)
        draft.replaces(_scopes(changes, groups))
        for model, days in _rollup_days(changes, groups):
            progress(f"rollup {model}")
            draft.add_rollup(model, _rollup_rows(con, catalog, model, days), days)
        progress("audit")
        report = draft.audit(_rules(changes))
        progress("publish")
        result = draft.commit(leave_out=sorted(metric for metric in report.failed if metric is not None))
    return _outcome(changes, result.version, groups, rows, report)


def _changes(
    con: DuckDBPyConnection, catalog: Catalog, inputs: Inputs, last: PublishInfo | None, now: datetime
) -> Changes:
    facts = {model for metric in catalog.metrics for model in catalog.models(metric)}
    spans = {model: data_span(con, catalog, model) for model in facts}
    closed_through = catalog.policy.closed_through(now)
    # What is under the tables of an existing dbt project is not ours to know; so their rows say what changed.
    contents = table_contents(con, catalog, facts) if catalog.project.is_dbt else {}
    members = Members(con, catalog, {} if last is None else last.members)
    members.keep()
    return Changes(catalog, inputs, last, closed_through, spans, contents, members)


def _groups(changes: Changes) -> list[_Group]:
    found: dict[tuple[Any, ...], _Group] = {}
    for metric in changes.catalog.metrics:
        wanted = changes.windows(metric)
        if wanted or (changes.renewed(metric) and changes.days(metric)):
            key = tuple(sorted(wanted.items()))
            before = found[key].metrics if key in found else ()
            found[key] = _Group(wanted, (*before, metric))
    return list(found.values())


def _stage(con: DuckDBPyConnection, draft: Draft, changes: Changes, group: _Group, progress: Progress) -> Counter[str]:
    steps = plan(changes.catalog, group.metrics, group.windows, changes.calendar)
    with computed(con, steps, progress) as selects:
        if not selects:
            return Counter()
        draft.add(con.sql(" union all ".join(selects)))
    staged = str(draft.staged_files[-1])
    rows = con.execute("select metric, count(*) from read_parquet($1) group by 1", [staged]).fetchall()
    return Counter(dict(rows))


def _scopes(changes: Changes, groups: Iterable[_Group]) -> Iterator[Scope]:
    for group in groups:
        for metric in group.metrics:
            if changes.renewed(metric):
                yield from _everything(metric)
            else:
                for grain, spans in group.windows.items():
                    yield from (Scope(metric, grain, span.start, span.end) for span in spans)
    for metric in changes.removed:
        yield from _everything(metric)


def _everything(metric: str) -> Iterator[Scope]:
    return (Scope(metric, grain, *_ALWAYS) for grain in GRAINS)


def _rollup_days(changes: Changes, groups: Iterable[_Group]) -> Iterator[tuple[str, Days | None]]:
    """Rollups to publish, each with the days to replace, or all of them."""
    metrics = [metric for group in groups for metric in group.metrics]
    for model in rollups(changes.catalog):
        days = [changes.days(metric) for metric in metrics if model in changes.catalog.models(metric)]
        if any(isinstance(one, Span) for one in days):
            yield model, None
        elif flat := sorted({day for one in days if not isinstance(one, Span) for day in one}):
            yield model, Days(flat[0], flat[-1] + timedelta(days=1))


def _rollup_rows(con: DuckDBPyConnection, catalog: Catalog, model: str, days: Days | None) -> Any:
    relation = con.table(f"metrics.{rollups(catalog)[model].name}")
    if days is None:
        return relation
    return relation.filter(f"day >= date '{days.start.isoformat()}' and day < date '{days.end.isoformat()}'")


def _rules(changes: Changes) -> AuditRules:
    cuts = [cut for entry in changes.catalog.metrics.values() for cut in entry.spec.slices]
    return AuditRules(
        additive=frozenset(metric for metric, formula in changes.formulas.items() if formula.adds_up),
        dimensions=frozenset(name for cut in cuts for name in cut),
        week_start=0 if changes.calendar.week_start == "monday" else 6,
    )


def _info(changes: Changes, run_id: str, now: datetime) -> PublishInfo:
    coverages = {
        source: {"start": one.start.isoformat(), "missing": sorted(day.isoformat() for day in one.missing)}
        for source, one in changes.inputs.coverages.items()
    }
    return PublishInfo(
        run_id=run_id,
        published_at=now,
        closed_through=changes.closed_through,
        loads=dict(changes.inputs.loads),
        definitions=changes.definitions,
        inputs=changes.prints,
        coverages=coverages,
        members=changes.members.prints,
    )


def _outcome(
    changes: Changes, version: int | None, groups: Sequence[_Group], rows: Mapping[str, int], report: AuditReport
) -> PublishOutcome:
    periods = {metric: group.periods(changes.calendar) for group in groups for metric in group.metrics}
    metrics = {metric: _metric_outcome(metric, periods, rows, report) for metric in changes.catalog.metrics}
    owed = {
        source: tuple(sorted(day for day in coverage.missing if day <= changes.closed_through))
        for source, coverage in changes.inputs.coverages.items()
    }
    total = sum(one.rows for one in metrics.values() if one.state == "published")
    waiting = {source: days for source, days in owed.items() if days}
    return PublishOutcome(version, changes.closed_through, metrics, waiting, total)


def _metric_outcome(
    metric: str, periods: Mapping[str, int], rows: Mapping[str, int], report: AuditReport
) -> MetricOutcome:
    findings = tuple(str(finding) for finding in report.findings if finding.metric == metric)
    state: State = "published"
    if findings:
        state = "held"
    elif metric not in periods:
        state = "unchanged"
    elif not rows.get(metric):
        state = "no data"
    return MetricOutcome(metric, state, periods.get(metric, 0), rows.get(metric, 0), findings)
