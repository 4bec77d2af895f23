"""Great Expectations' answers about one batch, and the statements that find the rows it counted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from expectations import conditions
from expectations.gx.engine import SCHEMA, DuckDBDatasource, whole_numbers
from expectations.gx.library import (
    Batch,
    Expectation,
    MetricConfiguration,
    SqlAlchemyExecutionEngine,
    ValidationError,
    get_expectation_impl,
    get_metric_kwargs,
    gx,
)
from expectations.gx.types import REPEATS
from expectations.sql import LOAD_ID, ROW_ID
from expectations.suite import ExpectationSpec

# Exact counts and no examples: the rows themselves come from the statements below.
_RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0, "return_unexpected_index_query": False}
_ROW = (sa.column(ROW_ID), sa.column(LOAD_ID))


Query: TypeAlias = "sa.Select[*tuple[Any, ...]]"


@dataclass(frozen=True)
class Answer:
    """What Great Expectations says of one expectation; counts are rows, None when it is not about rows."""

    name: str
    success: bool
    unexpected_count: int | None = None
    element_count: int | None = None
    observed: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Statement:
    """A query for (row id, load id, name of the expectation the row fails), with its numbered parameters."""

    sql: str
    values: tuple[Any, ...]


def build(spec: ExpectationSpec) -> Expectation:
    """The expectation as Great Expectations understands it. Raises its ValidationError for malformed kwargs."""
    kwargs = dict(spec.kwargs)
    if kwargs.get("row_condition") is not None:
        kwargs["row_condition"] = conditions.parse(kwargs["row_condition"])
    return get_expectation_impl(spec.type)(**kwargs, meta={"name": spec.name})


def refused(spec: ExpectationSpec) -> list[tuple[tuple[str | int, ...], str]]:
    """What Great Expectations has against the kwargs of ``spec``: (place in them, message)."""
    try:
        build(spec)
    except ValidationError as error:
        return [(tuple(part for part in item["loc"] if part != "__root__"), item["msg"]) for item in error.errors()]
    except (TypeError, ValueError) as error:
        return [((), str(error))]
    return []


def answers(batch: Batch, specs: Sequence[ExpectationSpec]) -> dict[str, Answer]:
    """One answer per expectation, by name; their queries are bundled, so columns are read once."""
    found = _ask(batch, specs)
    failed = [spec for spec in specs if found[spec.name].error is not None]
    if len(specs) > 1:  # a query that fails takes all down that were bundled with it: only alone is it their own fault
        for spec in failed:
            found |= _ask(batch, [spec])
    return found


def statements(
    datasource: DuckDBDatasource, batch: Batch, source: str, since: int | None, specs: Iterable[ExpectationSpec]
) -> list[Statement]:
    """What finds the bad rows of ``specs`` in a batch that was answered: one scan, and one more per uniqueness."""
    engine = datasource.get_execution_engine()
    found: dict[str, sa.ColumnElement[bool]] = {}
    queries: list[Query] = []
    for spec in specs:
        metric = _condition_metric(spec, batch)
        domain = engine.get_domain_records(metric.metric_domain_kwargs)
        if spec.type in REPEATS:
            queries.append(_repeated(spec, domain))
        else:
            found[spec.name] = sa.and_(*_scope(domain), engine.conditions[metric.id])
    if found:
        queries.append(_scan(source, since, found))
    return [_compiled(query, engine) for query in queries]


def _ask(batch: Batch, specs: Sequence[ExpectationSpec]) -> dict[str, Answer]:
    suite = gx.ExpectationSuite("suite", expectations=[build(spec) for spec in specs])
    results = batch.validate(suite, result_format=_RESULT_FORMAT).results
    found = {answer.name: answer for answer in map(_answer, results)}
    # Great Expectations has dropped expectations without a word before: then nobody has judged them.
    missing = {spec.name for spec in specs} - found.keys()
    return found | {name: Answer(name, False, error="Great Expectations returned no result") for name in missing}


def _answer(result: Any) -> Answer:
    name, details = result.expectation_config.meta["name"], result.result
    error = _error(result.exception_info)
    if error is not None:
        return Answer(name, False, error=error)
    observed = details.get("observed_value")
    return Answer(
        name,
        bool(result.success),
        details.get("unexpected_count"),
        details.get("element_count"),
        None if observed is None else _text(observed),
    )


def _error(info: Mapping[str, Any]) -> str | None:
    """First line of the first exception; Great Expectations nests them by metric, or not."""
    nested = [item for item in info.values() if isinstance(item, Mapping)] or [info]
    messages = [str(item.get("exception_message")) for item in nested if item.get("raised_exception")]
    return messages[0].strip().splitlines()[0] if messages else None


def _text(observed: Any) -> str:
    return observed if isinstance(observed, str) else json.dumps(observed, ensure_ascii=False, default=str)


def _condition_metric(spec: ExpectationSpec, batch: Batch) -> MetricConfiguration:
    """The metric by which the rows that ``spec`` does not expect were told from the others."""
    expectation = build(spec)
    name = f"{expectation.map_metric}.condition"  # type: ignore[attr-defined]
    configuration = expectation.configuration
    configuration.kwargs["batch_id"] = batch.id
    kwargs = get_metric_kwargs(name, configuration=configuration)
    return MetricConfiguration(name, kwargs["metric_domain_kwargs"], kwargs["metric_value_kwargs"])


def _scope(selectable: Any) -> list[sa.ColumnElement[bool]]:
    """Conditions that narrow the batch to a domain (row_condition, ignore_row_if), from the outermost in."""
    if isinstance(selectable, sa.Subquery):
        return _scope(selectable.element)
    if not isinstance(selectable, sa.Select):
        return []
    own = [] if selectable.whereclause is None else [selectable.whereclause]
    return own + [condition for inner in selectable.get_final_froms() for condition in _scope(inner)]


def _scan(source: str, since: int | None, bad: Mapping[str, sa.ColumnElement[bool]]) -> Query:
    """(row id, load id, reason) for every condition that holds, reading the batch once."""
    reasons = [sa.case((condition, sa.literal(name))) for name, condition in bad.items()]
    rows = (
        sa.select(*_ROW, sa.func.unnest(sa.func.list_value(*reasons)).label("reason"))
        .select_from(sa.table(sa.quoted_name(source, quote=True), schema=SCHEMA))
        .where(sa.or_(*bad.values()))  # few rows are bad: only for those the list is made
    )
    if since is not None:
        rows = rows.where(sa.column(LOAD_ID) > since)
    found = rows.subquery("found")
    return sa.select(found).where(found.c.reason.is_not(None))


def _repeated(spec: ExpectationSpec, domain: Any) -> Query:
    """(row id, load id, reason) for every row whose values occur more than once in the domain."""
    names = spec.kwargs.get("column_list") or [spec.kwargs["column"]]
    keys = [sa.column(name) for name in names]
    copies = sa.func.count().over(partition_by=keys).label("copies")
    rows = sa.select(*_ROW, copies).select_from(domain.subquery() if isinstance(domain, sa.Select) else domain)
    if "column" in spec.kwargs:  # a missing value repeats nothing
        rows = rows.where(keys[0].is_not(None))
    counted = rows.subquery("counted")
    return sa.select(counted.c[ROW_ID], counted.c[LOAD_ID], sa.literal(spec.name)).where(counted.c.copies > 1)


def _compiled(query: Query, engine: SqlAlchemyExecutionEngine) -> Statement:
    compiled = query.compile(dialect=engine.dialect, compile_kwargs={"render_postcompile": True})
    values = compiled.params
    return Statement(str(compiled), whole_numbers(values[name] for name in getattr(compiled, "positiontup", ())))
