"""Semantic models that metrics read declare their columns, have a time, and dimensions over columns that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from metrics_catalog.located import InvalidFiles, Problem, read, suggest
from metrics_catalog.semantic import Dimension, SemanticModel
from metrics_catalog.spec.metric import Measure

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check(catalog: Catalog) -> Iterator[Problem]:
    """Faults of the dbt project that dbt itself passes over, and that would make every metric of a model fail."""
    for name in sorted(_read(catalog)):
        yield from _model(catalog, catalog.semantics.models[name])


def _read(catalog: Catalog) -> set[str]:
    """Known models that some metric names."""
    parts = (part for entry in catalog.metrics.values() for _, part in entry.parts)
    named = {part.model for part in parts if isinstance(part, Measure)}
    return named & set(catalog.semantics.models)


def _model(catalog: Catalog, model: SemanticModel) -> Iterator[Problem]:
    if not model.columns and not model.is_open:
        message = f'no columns are declared for {model.table}; check its name under "models:", give each its data_type'
        yield _problem(catalog, model, "model", message)
        return
    times = [one.name for one in model.dimensions.values() if one.is_time]
    if model.time is not None and model.time not in times:
        message = f'agg_time_dimension: "{model.time}" is not a time dimension{suggest(model.time, times)}'
        yield _problem(catalog, model, model.time, message)
    for one in model.dimensions.values():
        if one.timezone and (fault := _zone_fault(model, one)):
            yield _problem(catalog, model, one.timezone, f"{one.name}: timezone: {fault}")
    for attribute in (*model.dimensions.values(), *model.entities.values()):
        for column in () if model.is_open else _columns(attribute.expr):
            if column not in model.columns:
                hint = suggest(column, model.columns)
                message = f'{attribute.name}: "{column}" is not a column of {model.table}{hint}'
                yield _problem(catalog, model, column, message)


def _zone_fault(model: SemanticModel, time: Dimension) -> str | None:
    """What is wrong with the zone a time is said to be written in."""
    if time.timezone not in available_timezones():
        return f'"{time.timezone}" is not a time zone (use a name such as "Asia/Shanghai")'
    kind = model.columns.get(time.expr.lower(), "")
    if kind == "date" or "time zone" in kind or kind.startswith("timestamptz"):
        return f"a {kind} needs none; leave it out"
    return None


def _columns(expr: str) -> set[str]:
    try:
        return {column.name.lower() for column in sqlglot.parse_one(expr, read="duckdb").find_all(exp.Column)}
    except SqlglotError:  # the dbt project's own language: not ours to judge
        return set()


def _problem(catalog: Catalog, model: SemanticModel, word: str, message: str) -> Problem:
    """At the line of the semantic model's part that says ``word``, or is called so."""
    project = catalog.project
    said = f'semantic model "{model.name}": {message}'
    try:
        document = read(project.dbt / model.path, project.root)
    except InvalidFiles:
        return Problem(project.named(model.path), 1, said)
    for index, item in enumerate(document.data.get("semantic_models") or ()):
        if item.get("name") == model.name:
            return document.problem(_loc(item, word, ("semantic_models", index)), said)
    return document.problem(("semantic_models",), said)


def _loc(item: object, word: str, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    pairs = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    for key, value in pairs:
        if word in (key, value):
            return (*loc, key)
        if (inner := _loc(value, word, (*loc, key))) != (*loc, key):
            return inner
    return loc
