"""What a metric is made of exists, is of a kind that fits, and does not lead back to the metric itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.expressions import InvalidExpression, names, parse
from metrics_catalog.located import Loc, Problem, suggest
from metrics_catalog.spec.metric import (
    ConversionMetric,
    CumulativeMetric,
    DerivedMetric,
    Input,
    Measure,
    RatioMetric,
    SimpleMetric,
    metric_of,
)

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog, Entry


def check(catalog: Catalog) -> Iterator[Problem]:
    """Unknown metrics, cycles, parts of the wrong kind, offsets no period has."""
    for entry in catalog.metrics.values():
        unknown = list(_unknown(catalog, entry))
        yield from unknown
        if cycle := _cycle(catalog, entry.name):
            yield entry.document.problem((), f"is made of itself: {' -> '.join(cycle)}")
        elif not unknown:
            yield from _kinds(catalog, entry)
            yield from _offsets(entry)


def cyclic(catalog: Catalog, name: str) -> bool:
    """Whether a metric leads back to itself; other rules cannot follow such a one."""
    return bool(_cycle(catalog, name))


def _written(loc: Loc) -> str:
    return ".".join(map(str, loc))


def _unknown(catalog: Catalog, entry: Entry) -> Iterator[Problem]:
    if isinstance(entry.spec, DerivedMetric):
        try:
            parse(entry.spec.expr)
        except InvalidExpression as error:
            yield entry.document.problem(("expr",), f"expr: {error}")
    for loc, part in entry.parts:
        metric = metric_of(part)
        if metric is not None and metric not in catalog.metrics:
            hint = suggest(metric, catalog.metrics)
            yield entry.document.problem(loc, f'{_written(loc)}: there is no metric "{metric}"{hint}')
    if isinstance(entry.spec, DerivedMetric):
        used = names(entry.spec.expr)
        for name in entry.spec.inputs:
            if used and name not in used:
                yield entry.document.problem(("inputs", name), f'inputs: "{name}" is not in expr')


def _cycle(catalog: Catalog, start: str) -> list[str]:
    """The way from a metric back to itself, or nothing."""
    todo, seen = [[start]], set[str]()
    while todo:
        way = todo.pop()
        for name in catalog.inputs(way[-1]) if way[-1] in catalog.metrics else ():
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                todo.append([*way, name])
    return []


def _kinds(catalog: Catalog, entry: Entry) -> Iterator[Problem]:
    for loc, part in entry.parts:
        if (problem := _misfit(catalog, entry, part)) is not None:
            yield entry.document.problem(loc, f"{_written(loc)}: {problem}")


def _misfit(catalog: Catalog, entry: Entry, part: str | Measure | Input) -> str | None:
    name = metric_of(part)
    spec = part if name is None else catalog.metrics[name].spec
    if isinstance(entry.spec, RatioMetric) and isinstance(spec, RatioMetric):
        return f'"{name}" is a ratio itself; name its parts instead'
    if isinstance(entry.spec, CumulativeMetric):
        return _not_cumulated(catalog, name, spec)
    if isinstance(entry.spec, ConversionMetric):
        measure = spec if isinstance(spec, Measure) else None
        if measure is None or measure.agg not in ("count", "sum", "count_distinct") or measure.having:
            return "events are counted or summed: name a simple metric, or a measure, with agg count or sum"
        if part is entry.spec.conversion and measure.agg == "count_distinct":
            return "conversions are counted or summed, each event once; use agg count or sum"
    return None


def _not_cumulated(catalog: Catalog, name: str | None, spec: object) -> str | None:
    if isinstance(spec, (CumulativeMetric, ConversionMetric)) or (isinstance(spec, DerivedMetric) and _moves(spec)):
        return f'"{name}" is not of one period only, so it cannot be cumulated'
    if isinstance(spec, Measure) and spec.semi_additive is not None:
        return "a stock does not add up over days, so it cannot be cumulated"
    parts = () if name is None or isinstance(spec, SimpleMetric) else catalog.metrics[name].parts
    inner = (named for _, part in parts if (named := metric_of(part)))
    found = (_not_cumulated(catalog, one, catalog.metrics[one].spec) for one in inner if one in catalog.metrics)
    return next((problem for problem in found if problem is not None), None)


def _moves(spec: DerivedMetric) -> bool:
    return any(part.offset is not None for part in spec.inputs.values())


def _offsets(entry: Entry) -> Iterator[Problem]:
    for loc, part in entry.parts:
        if isinstance(part, Input) and part.offset is not None:
            for grain in entry.spec.grains:
                if not part.offset.sees(grain):
                    message = f'{_written(loc)}: a {grain} has no {grain} that is "{part.offset}" before it'
                    yield entry.document.problem((*loc, "offset"), message)
