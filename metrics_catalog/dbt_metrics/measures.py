"""dbt's measures -> `Measure`. Says what MetricFlow does with each: ``count`` adds up ones, so a row with none is 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from metrics_catalog.dbt_metrics.parts import NotRead
from metrics_catalog.expressions import InvalidExpression, row_expression
from metrics_catalog.read_semantics import by_time
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.metric import Measure, SemiAdditive

_SAME = {"sum", "average", "min", "max", "median", "count_distinct", "percentile"}


def measures_of(data: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Every measure of a manifest by name, with the name of its semantic model; names are unique in a dbt project."""
    models = data["semantic_models"].values()
    return {measure["name"]: (model["name"], measure) for model in models for measure in model.get("measures", ())}


def measure(semantics: Semantics, model: str, given: Mapping[str, Any]) -> Measure:
    """The measure of a semantic model, none counted as no data. Raises `NotRead`."""
    holder = semantics.model(model)
    time = given.get("agg_time_dimension")
    if time is not None and time != holder.time:
        model = by_time(model, time)
    agg, expr, params = given["agg"], given.get("expr") or given["name"], given.get("agg_params") or {}
    said = f'measure "{given["name"]}"'
    if agg == "count":
        agg, expr = "sum", "1" if expr in ("1", "*") else f"case when {expr} is not null then 1 else 0 end"
    elif agg == "sum_boolean":
        agg, expr = "sum", f"case when {expr} then 1 else 0 end"
    elif agg not in _SAME:
        raise NotRead(f'{said}: the aggregation "{agg}" is not supported')
    if params.get("use_discrete_percentile"):
        raise NotRead(f"{said}: a discrete percentile is not supported; a continuous one is")
    try:
        row_expression(semantics, model, expr)
        return Measure(
            model=model,
            agg=agg,
            expr=expr,
            percentile=params.get("percentile") if agg == "percentile" else None,
            semi_additive=_stock(semantics, model, given),
            missing="none",
        )
    except InvalidExpression as error:
        raise NotRead(f"{said}: {error}") from None
    except ValidationError as error:
        raise NotRead(f"{said}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _stock(semantics: Semantics, model: str, given: Mapping[str, Any]) -> SemiAdditive | None:
    stock = given.get("non_additive_dimension")
    if stock is None:
        return None
    if stock["name"] != semantics.model(model).time:
        raise NotRead(f'measure "{given["name"]}" is not additive over "{stock["name"]}", which is not its time')
    take = {"max": "last", "min": "first"}.get(stock.get("window_choice", "min"))
    return SemiAdditive.model_validate({"take": take, "per": tuple(stock.get("window_groupings", ()))})


def lost(given: Mapping[str, Any], use: Mapping[str, Any]) -> Iterator[str]:
    """What MetricFlow would do with a measure, as a metric uses it, and nothing here does."""
    if (given.get("agg_params") or {}).get("use_approximate_percentile"):
        yield "the percentile is exact here, not approximate"
    if use.get("join_to_timespine"):
        yield "join_to_timespine is not carried over: a period without rows has no value here"
    if use.get("fill_nulls_with") not in (None, 0):
        yield f"fill_nulls_with {use['fill_nulls_with']} is not carried over: only 0 is"
