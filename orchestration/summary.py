"""What a refresh did, in one table or as JSON. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult
    from rich.table import Table

    from metrics_catalog.governance.begun import Definitions
    from metrics_catalog.outcome import MetricOutcome
    from orchestration.refresh import Report


@dataclass(frozen=True)
class SourceLine:
    """One source: rows that came in, could not be read, were quarantined; ``changed``: anything came."""

    source: str
    changed: bool
    rows: int
    rejected: int
    quarantined: int
    duplicates: tuple[str, ...]


@dataclass(frozen=True)
class HeldLine:
    """A metric that keeps its published values: why, and the request that asks for its new ones."""

    metric: str
    why: tuple[str, ...]
    request: str | None


@dataclass(frozen=True)
class Summary:
    """One refresh. ``checks`` failed as warnings only, but for those of ``held`` metrics, or it would have failed.

    ``proposed``: definitions that differ from what is certified. ``certified``: something is. ``not_read``: what the
    dbt project's semantic layer has that is no metric here, with file, line and reason. ``notices``: what governance
    did or wants people to do. ``published``, ``no_data``: metrics that were computed, with a result and without any.
    """

    run_id: str
    sources: tuple[SourceLine, ...]
    models_built: int
    checks: int
    checks_warned: int
    metrics_published: int
    metrics: int
    values: int
    version: int | None
    closed_through: str | None
    waiting: dict[str, list[str]]
    seconds: dict[str, float]
    held: tuple[HeldLine, ...] = ()
    proposed: int = 0
    certified: bool = True
    not_read: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    is_dbt: bool = False
    published: tuple[str, ...] = ()
    no_data: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def summarize(report: Report, result: ExecuteInProcessResult, definitions: Definitions) -> Summary:
    """The summary of a finished run."""
    catalog = definitions.official
    evaluations = result.get_asset_check_evaluations()
    published = report.published
    states = {name: one.state for name, one in published.metrics.items()} if published else {}
    built = report.transformed.built if report.transformed else frozenset()
    return Summary(
        run_id=result.run_id,
        sources=tuple(_line(report, name) for name in sorted({*report.loads, *report.cleans})),
        models_built=sum(id_.split(".", 1)[0] in ("model", "seed", "snapshot") for id_ in built),
        checks=len(evaluations),
        checks_warned=sum(not one.passed for one in evaluations),
        metrics_published=list(states.values()).count("published"),
        metrics=len(states),
        values=published.rows if published else 0,
        version=published.version if published else None,
        closed_through=published.closed_through.isoformat() if published else None,
        waiting={name: [day.isoformat() for day in days] for name, days in published.waiting.items()}
        if published
        else {},
        seconds={stage: round(spent, 2) for stage, spent in report.seconds.items()},
        held=tuple(_held(one) for one in published.metrics.values() if one.state == "held") if published else (),
        proposed=_proposed(definitions),
        certified=definitions.record is not None,
        not_read=tuple(f"{one.path}:{one.line} {one.message}" for one in catalog.not_read.values()),
        notices=tuple(report.notices),
        is_dbt=catalog.project.is_dbt,
        published=tuple(name for name, state in states.items() if state == "published"),
        no_data=tuple(name for name, state in states.items() if state == "no data"),
    )


def together(first: Summary, second: Summary) -> Summary:
    """Two refreshes, the second of a part, as one; ``checks`` are those of the first, which the second's are among."""
    published = tuple(dict.fromkeys((*first.published, *second.published)))
    lines = {line.source: line for line in first.sources}
    lines |= {line.source: line for line in second.sources if line.changed}
    stages = dict.fromkeys((*first.seconds, *second.seconds))
    return replace(
        first,
        sources=tuple(lines[name] for name in sorted(lines)),
        models_built=first.models_built + second.models_built,
        metrics_published=len(published),
        values=first.values + second.values,
        version=first.version if second.version is None else second.version,
        seconds={one: round(first.seconds.get(one, 0.0) + second.seconds.get(one, 0.0), 2) for one in stages},
        held=(*first.held, *(one for one in second.held if one not in first.held)),
        notices=tuple(dict.fromkeys((*first.notices, *second.notices))),
        published=published,
        no_data=tuple(name for name in dict.fromkeys((*first.no_data, *second.no_data)) if name not in published),
    )


def _held(metric: MetricOutcome) -> HeldLine:
    request = None if metric.hold is None else metric.hold.request
    return HeldLine(metric.metric, metric.reasons, None if request is None else request.name)


def _proposed(definitions: Definitions) -> int:
    if definitions.record is None:
        return 0
    from metrics_catalog.governance.proposals import proposals

    return len(list(proposals(definitions.files, definitions.record, definitions.official)))


def _line(report: Report, name: str) -> SourceLine:
    load, clean = report.loads.get(name), report.cleans.get(name)
    return SourceLine(
        source=name,
        changed=load is not None and load.changed,
        rows=load.rows_loaded if load else 0,
        rejected=load.rows_rejected if load else 0,
        quarantined=clean.quarantined_rows if clean else 0,
        duplicates=tuple(f"{file} (same as {other})" for file, other in load.duplicates.items()) if load else (),
    )


def table(summary: Summary) -> Table:
    """For a terminal."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("source", no_wrap=True)
    for column in ("rows in", "rejected", "quarantined"):
        shown.add_column(column, justify="right")
    for line in summary.sources:
        numbers = (line.rows, line.rejected, line.quarantined)
        shown.add_row(line.source, *(f"{number:,}" if line.changed or number else "-" for number in numbers))
    return shown


def footer(summary: Summary) -> list[str]:
    """The lines under the table."""
    total = sum(summary.seconds.values())
    stages = ", ".join(f"{stage} {spent:.1f}" for stage, spent in summary.seconds.items())
    warned = f", {summary.checks_warned} with warnings" if summary.checks_warned else ""
    lines = [
        f"models built       {summary.models_built}",
        f"checks             {summary.checks}{warned}",
        f"metrics published  {summary.metrics_published} of {summary.metrics} ({summary.values:,} values)",
        f"closed through     {summary.closed_through}" if summary.closed_through else "",
        f"time               {total:.1f} s ({stages})",
    ]
    if summary.no_data:
        lines.append(f"no data yet        {', '.join(summary.no_data)}")
    if summary.held:
        held = [f"{one.metric} ({one.request})" if one.request else one.metric for one in summary.held]
        lines.append(f"held back          {', '.join(held)}")
    if not summary.certified and summary.metrics:
        lines.append("not official       nothing is certified yet; `metrics certify` begins that")
    if summary.proposed:
        lines.append(f"proposed           {summary.proposed} not as certified; `metrics propose` lists them")
    lines += [f"governance         {one}" for one in summary.notices]
    lines += [f"not read           {one}" for one in summary.not_read]
    if not summary.sources and not summary.is_dbt:
        lines.append("no sources yet      add one: orchestration/sources/<name>.yml")
    for source, days in summary.waiting.items():
        more = f" and {len(days) - 1} more" if len(days) > 1 else ""
        lines.append(f"waiting for        {source} of {days[0]}{more}; periods with these days are not published")
    for line in summary.sources:
        lines += [f"not loaded twice   {line.source}: {duplicate}" for duplicate in line.duplicates]
    return [line for line in lines if line]
