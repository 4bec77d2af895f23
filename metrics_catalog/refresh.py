"""From marts to official values: what changed is computed, audited and published in one commit.

Says nothing of how data came in: the pipeline hands over what it knows as `Inputs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from metrics_catalog.apart import apart
from metrics_catalog.catalog import Catalog
from metrics_catalog.changes import Changes, Inputs
from metrics_catalog.engine.compute import Progress, build_values, computed, data_span
from metrics_catalog.engine.eras import definitions
from metrics_catalog.engine.fingerprint import calculations, table_contents
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.plan import plan
from metrics_catalog.engine.rollup import Rollup, rollups
from metrics_catalog.engine.windows import Windows
from metrics_catalog.members import Members
from metrics_catalog.outcome import PublishOutcome, holds_of, outcome_of
from metrics_catalog.own_grains import OutsideSpine
from metrics_catalog.published.model import AuditReport, AuditRules, Days, Finding, PublishInfo, Scope
from metrics_catalog.published.of_data import must_be_of_data
from metrics_catalog.semantic import AT
from metrics_catalog.spec.base import Grain, ordered
from metrics_catalog.unsound import unsound

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from metrics_catalog.governance.gate import Moved
    from metrics_catalog.governance.record import Record
    from metrics_catalog.governance.requests import Desk
    from metrics_catalog.published.differences import Difference
    from metrics_catalog.published.publisher import Draft

_ALWAYS = (date.min, date.max)


@dataclass(frozen=True)
class _Group:
    """Metrics whose same periods are computed together, by the definitions of ``catalog``."""

    catalog: Catalog
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
    desk: Desk | None = None,
    versions: Mapping[str, int] | None = None,
) -> PublishOutcome:
    """Compute and publish every official value whose input, definition or period changed since the last publish.

    ``catalog`` holds the certified definitions, by default the newest of ``desk``, else ``versions``: something may
    have been certified since they were read. Without a desk nothing is governed. A metric whose values fail the audit,
    or would restate published ones without a reason, keeps what was last published for it. Raises `PublishedError`
    when the system fails; published values are then as they were.
    """
    from metrics_catalog.governance.gate import judge
    from metrics_catalog.published.history import latest
    from metrics_catalog.published.places import values_folder
    from metrics_catalog.published.publisher import Publisher

    last = latest(values_folder(catalog.project.published))
    publisher = Publisher(catalog.project.published)
    record = _record(desk, None if last is None else last.info)
    if versions is None:
        versions = {name: version.number for name, version in record.metrics().items()}
    no_values: dict[str, str] = {}
    if catalog.project.is_dbt:  # its dbt does not make them
        build_values(con, catalog, lambda table, error: no_values.update({table: must_be_of_data(error)}))
    changes = _changes(con, catalog, inputs, None if last is None else last.info, now, versions, record)
    faults: dict[str, str] = {}
    groups = _groups(changes, faults)
    faults |= unsound(con, changes, [(group.catalog, group.metrics) for group in groups], no_values)
    groups = _without(groups, faults)
    if not groups and not changes.removed:
        marks = {} if last is None else {metric: last.info.marks[metric] for metric in changes.waiting}
        return outcome_of(changes, None, {}, {}, _also(AuditReport((), {}), faults), holds_of(marks, record), {})
    rows: Counter[str] = Counter()
    with publisher.open(_info(changes, run_id, now)) as draft:
        for group in groups:
            rows += _stage(con, draft, changes, group, progress, faults)
        groups = _without(groups, faults)
        draft.replaces(_scopes(changes, groups))
        for rollup, days in _rollup_days(changes, groups):
            progress(f"rollup {rollup.name}")
            draft.add_rollup(rollup.name, _rollup_rows(con, rollup, days), days)
        progress("audit")
        report = _also(draft.audit(_rules(changes)), faults)
        progress("compare")
        differences = draft.differences(float(catalog.policy.governance.tolerance))
        verdict = judge(list(_moved(changes, groups, differences)), record, catalog.people, catalog.policy)
        if desk is not None:
            record = desk.report(verdict.cleared, verdict.asks)
        progress("publish")
        held = {**verdict.held, **changes.waiting}
        draft.info = _told(draft.info, changes, record, verdict.notes, held, differences)
        draft.info = replace(draft.info, faults=_faults(report, faults))
        failed = {metric for metric in report.failed if metric is not None}
        result = draft.commit(leave_out=sorted(failed | set(held)))
    holds = holds_of(result.info.marks, record)
    return outcome_of(changes, result.version, _periods(changes, groups), rows, report, holds, result.info.notes)


def _record(desk: Desk | None, last: PublishInfo | None) -> Record:
    """What is certified, once overdue requests are closed.

    Raises `Lost` when the last publish was governed by what is not there any more.
    """
    from metrics_catalog.governance.ledger import Head, Lost
    from metrics_catalog.governance.record import Record

    if last is not None and last.ledger:
        if desk is None:
            raise Lost("values were published under a ledger that this project does not have; restore its ops store")
        desk.must_hold(Head(last.ledger["seq"], last.ledger["hash"]))
    if desk is None:
        return Record()
    desk.expire()
    return desk.record()


def _moved(changes: Changes, groups: Iterable[_Group], differences: Mapping[str, Difference]) -> Iterator[Moved]:
    from metrics_catalog.governance.gate import Moved

    for metric in (metric for group in groups for metric in group.metrics):
        spec, difference = changes.catalog.metrics[metric].spec, differences.get(metric)
        yield Moved(metric, spec.tier, spec.owner, tuple(changes.why(metric, difference)), difference)


def _told(
    info: PublishInfo,
    changes: Changes,
    record: Record,
    notes: Mapping[str, str],
    held: Mapping[str, str],
    differences: Mapping[str, Difference],
) -> PublishInfo:
    """What the publish says of itself once it is judged."""
    before = {} if changes.last is None else changes.last.marks
    marks = {metric: dict(before[metric]) for metric in held if metric in before}
    for metric in held:
        if metric in differences:
            digest = differences[metric].digest
            marks[metric] = {"why": held[metric], "prints": changes.prints[metric], "digest": digest}
            if asked := record.restatement(metric, digest):
                marks[metric]["request"] = asked.name
    ledger = {"seq": record.head.seq, "hash": record.head.hash} if record.begun else None
    restated = {
        metric: {grain: (str(min(days)), str(max(days))) for grain, days in differences[metric].periods.items() if days}
        for metric in notes
        if metric in differences
    }
    return replace(info, notes=notes, restated=restated, marks=marks, ledger=ledger)


def _faults(report: AuditReport, uncomputed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each metric, in words: it could not be computed, or the first of what the audit found."""
    found = {one.metric: f"its new values failed the audit: {one}" for one in reversed(report.findings) if one.metric}
    return {**found, **{metric: f"it cannot be computed: {said}" for metric, said in uncomputed.items()}}


def _changes(
    con: DuckDBPyConnection,
    catalog: Catalog,
    inputs: Inputs,
    last: PublishInfo | None,
    now: datetime,
    versions: Mapping[str, int],
    record: Record,
) -> Changes:
    from metrics_catalog.published.history import settled
    from metrics_catalog.published.places import values_folder

    every = (catalog, *(era.catalog for era in catalog.eras))
    facts = {model for one in every for metric in one.metrics for model in one.models(metric)}
    spans = {model: data_span(con, catalog, model) for model in facts}
    closed_through = catalog.policy.closed_through(now)
    # What is under the tables of an existing dbt project is not ours to know; so their rows say what changed.
    contents = table_contents(con, catalog, facts) if catalog.project.is_dbt else {}
    members = Members(con, catalog, {} if last is None else last.members)
    members.keep()
    values = settled(values_folder(catalog.project.published)) if last is not None and last.held else {}
    return Changes(catalog, inputs, last, closed_through, spans, contents, members, versions, record.releases, values)


def _groups(changes: Changes, faults: dict[str, str]) -> list[_Group]:
    """What is computed together; ``faults`` is told of metrics whose periods the time spine does not say."""
    found: dict[tuple[Any, ...], _Group] = {}
    for metric in changes.catalog.metrics:
        try:
            wanted = list(changes.windows(metric))
        except OutsideSpine as error:
            faults[metric] = str(error)
            continue
        if not wanted and changes.renewed(metric) and changes.days(metric):
            wanted = [(changes.catalog, {})]
        for catalog, periods in wanted:
            key = id(catalog), tuple(sorted(periods.items()))
            before = found[key].metrics if key in found else ()
            found[key] = _Group(catalog, periods, (*before, metric))
    return list(found.values())


def _periods(changes: Changes, groups: Iterable[_Group]) -> Mapping[str, int]:
    """How many periods of each metric are computed, over all grains."""
    found: Counter[str] = Counter()
    for group in groups:
        found.update(dict.fromkeys(group.metrics, group.periods(changes.calendar)))
    return found


def _without(groups: Iterable[_Group], faults: Mapping[str, str]) -> list[_Group]:
    left = [replace(one, metrics=tuple(name for name in one.metrics if name not in faults)) for one in groups]
    return [one for one in left if one.metrics]


def _also(report: AuditReport, faults: Mapping[str, str]) -> AuditReport:
    """With what kept metrics from being computed at all."""
    return report.also(Finding("computable", metric, None, None, None, said) for metric, said in faults.items())


def _stage(
    con: DuckDBPyConnection,
    draft: Draft,
    changes: Changes,
    group: _Group,
    progress: Progress,
    faults: dict[str, str],
) -> Counter[str]:
    """Rows staged of each metric; ``faults`` is told of those that the data cannot be computed for."""
    rows: Counter[str] = Counter()

    def compute(metrics: Sequence[str]) -> None:
        steps = plan(group.catalog, metrics, group.windows, changes.calendar, rollups(changes.catalog))
        with computed(con, steps, progress) as selects:
            if not selects:
                return
            draft.add(con.sql(" union all ".join(selects)))
        staged = str(draft.staged_files[-1])
        counts = con.execute("select metric, count(*) from read_parquet($1) group by 1", [staged]).fetchall()
        rows.update(dict(counts))

    faults.update(apart(group.metrics, compute))
    return rows


def _scopes(changes: Changes, groups: Iterable[_Group]) -> Iterator[Scope]:
    renewed = {metric for group in groups for metric in group.metrics if changes.renewed(metric)}
    for metric in (*sorted(renewed), *changes.removed):
        yield from (Scope(metric, grain, *_ALWAYS) for grain in changes.grains)
    for group in groups:
        for metric in (one for one in group.metrics if one not in renewed):
            for grain, spans in group.windows.items():
                yield from (Scope(metric, grain, span.start, span.end) for span in spans)


def _rollup_days(changes: Changes, groups: Iterable[_Group]) -> Iterator[tuple[Rollup, Days | None]]:
    """Rollups to publish, each with the days to replace, or all of them."""
    metrics = [metric for group in groups for metric in group.metrics]
    published = {} if changes.last is None else changes.last.rollups
    for rollup in rollups(changes.catalog).every:
        days = [changes.days(metric) for metric in metrics if rollup.model in changes.models(metric)]
        if any(isinstance(one, Span) for one in days) or (days and rollup.name not in published):
            yield rollup, None
        elif flat := sorted({day for one in days if not isinstance(one, Span) for day in one}):
            yield rollup, Days(flat[0], flat[-1] + timedelta(days=1))


def _rollup_rows(con: DuckDBPyConnection, rollup: Rollup, days: Days | None) -> Any:
    relation = con.sql(rollup.select("metrics").sql("duckdb"))
    if days is None:
        return relation
    return relation.filter(f"day >= date '{days.start.isoformat()}' and day < date '{days.end.isoformat()}'")


def _rules(changes: Changes) -> AuditRules:
    holding = {metric: [one for _, one in definitions(changes.catalog, metric)] for metric in changes.catalog.metrics}
    cuts = [cut for metric, some in holding.items() for one in some for cut in one.metrics[metric].spec.slices]
    return AuditRules(
        additive=frozenset(
            metric for metric, some in holding.items() if all(formulas(one)[metric].adds_up for one in some)
        ),
        dimensions=frozenset((AT, *(name for cut in cuts for name in cut))),
        week_start=0 if changes.calendar.week_start == "monday" else 6,
        periods={name: one.periods for name, one in changes.calendar.own.items()},
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
        definitions=dict(calculations(changes.catalog)),
        inputs=changes.prints,
        coverages=coverages,
        members=changes.members.prints,
        code=changes.code,
        versions=changes.versions,
        grains=tuple(changes.calendar.own),
    )
