"""The catalog in the open interchange format (Open Semantic Interchange, now Apache Ossie), core spec 0.2.0.dev0.

There a metric is one SQL expression of aggregates over datasets' fields. What needs time (to date, rolling windows,
other periods, stocks, conversions) has no expression in it and is left out and named; governance goes in an extension.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sqlglot import exp

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.engine.components import Component
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.exchange.dbt_yaml import Exported
from metrics_catalog.expressions import qualified
from metrics_catalog.semantic import SemanticModel
from metrics_catalog.spec.base import Label, said

VERSION = "0.2.0.dev0"
VENDOR = "METRIC_CENTER"
_PLAIN = re.compile(r"[A-Za-z_]\w*")
_GOVERNED = ("owner", "tier", "unit", "direction", "grains", "slices", "bounds", "target", "playbook")


def to_osi(catalog: Catalog) -> Exported:
    """Every metric of the catalog that is an expression, and the datasets under all of them."""
    left_out: dict[str, str] = {}
    metrics, used = [], set[tuple[str, str]]()
    for name, formula in formulas(catalog).items():
        if reason := _no_expression(formula):
            left_out[name] = reason
            continue
        tree = _whole(catalog, formula)
        used |= {(column.table, column.name) for column in tree.find_all(exp.Column)}
        metrics.append(_metric(catalog.metrics[name], tree))
    models = list(_models(catalog))
    model: dict[str, Any] = {
        "name": re.sub(r"\W+", "_", catalog.project.root.name).strip("_") or "metrics",
        "datasets": [_dataset(catalog, one, {name for table, name in used if table == one.name}) for one in models],
    }
    if relationships := list(_relationships(models)):
        model["relationships"] = relationships
    if metrics:
        model["metrics"] = metrics
    return Exported({"version": VERSION, "semantic_model": [model]}, left_out)


def _no_expression(formula: Formula) -> str | None:
    for term in formula.terms:
        if term.shifts or term.reach is not None:
            return "it looks at other periods, which an expression cannot"
        if term.component.conversion is not None:
            return "it follows events of one entity, which an expression cannot"
        if term.component.semi_additive is not None:
            return "it takes the last day of a stock, which an expression cannot"
        if term.component.having is not None:
            return "it counts entities by a condition on all their rows, which an expression cannot"
        if term.component.lookups:
            return "it picks entities by the value of another metric, which an expression cannot"
        if "_by_" in term.component.model:
            return "it counts by another time than its dataset's"
    return None


def _whole(catalog: Catalog, formula: Formula) -> exp.Expr:
    """The value with the aggregate of each component in its place."""
    aggregates = {term.name: _aggregate(term.component) for term in formula.terms}
    return _fields(
        catalog,
        formula.value.transform(lambda node: aggregates[node.name].copy() if isinstance(node, exp.Column) else node),
    )


def _aggregate(component: Component) -> exp.Expr:
    value = component.expr.copy() if component.expr is not None else exp.Literal.number(1)
    if component.filter is not None:
        value = exp.Case().when(component.filter.copy(), value)
    if component.quantile is not None:
        fraction = exp.PercentileCont(this=exp.Literal.number(component.quantile))
        return exp.WithinGroup(this=fraction, expression=exp.Order(expressions=[exp.Ordered(this=value)]))
    if component.agg == "count_distinct":
        return exp.Count(this=exp.Distinct(expressions=[value]))
    kinds: dict[str, type[exp.AggFunc]] = {"sum": exp.Sum, "count": exp.Count, "min": exp.Min, "max": exp.Max}
    return kinds[component.agg](this=value)


def _fields(catalog: Catalog, tree: exp.Expr) -> exp.Expr:
    """Columns by the name of the field that is the column itself."""

    def field(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        return exp.column(_field_of(catalog.semantics.model(node.table), node.name), table=node.table)

    return tree.transform(field)


def _field_of(model: SemanticModel, column: str) -> str:
    """A dimension may be called like a column and be something else."""
    expr = model.attribute(column)
    return column if expr is None or expr.lower() == column.lower() else f"{column}_column"


def _metric(entry: Entry, tree: exp.Expr) -> dict[str, Any]:
    spec = entry.spec
    given = spec.model_dump(mode="json", exclude_none=True, include=set(_GOVERNED))
    governed = {"domain": entry.domain, "label": {"en": spec.label.en, "zh": spec.label.zh}, **given}
    if isinstance(spec.description, Label):
        governed["description"] = spec.description.model_dump()
    return {
        "name": entry.name,
        "expression": _expression(_standard(tree)),
        "description": said(spec.description, "en"),
        "ai_context": {"synonyms": list(dict.fromkeys([spec.label.en, spec.label.zh, *spec.synonyms]))},
        "custom_extensions": [{"vendor_name": VENDOR, "data": json.dumps(governed, ensure_ascii=False)}],
    }


def _standard(tree: exp.Expr) -> str:
    """As near to standard SQL as a dialect comes; what a denominator of nothing means is already in the expression."""
    plain = tree.copy()
    for node in plain.find_all(exp.Div):
        node.set("safe", False)
    return plain.sql("postgres")


def _expression(text: str) -> dict[str, Any]:
    return {"dialects": [{"dialect": "ANSI_SQL", "expression": text}]}


def _models(catalog: Catalog) -> Iterator[SemanticModel]:
    """Each table once."""
    seen: set[str] = set()
    for model in catalog.semantics.models.values():
        if model.node not in seen:
            seen.add(model.node)
            yield model


def _dataset(catalog: Catalog, model: SemanticModel, columns: Iterable[str]) -> dict[str, Any]:
    keys = [one for one in model.entities.values() if one.unique and _PLAIN.fullmatch(one.expr)]
    primary = [one.expr for one in keys if one.name == model.key]
    unique = [[one.expr] for one in keys if one.name != model.key]
    fields = {one.name: _dimension(one.name, model, one.expr, one.is_time) for one in model.dimensions.values()}
    for one in model.entities.values():
        fields.setdefault(one.name, _dimension(one.name, model, one.expr, False))
    for name in sorted(columns):
        plain = name.removesuffix("_column") if name not in model.columns else name
        fields.setdefault(name, {"name": name, "expression": _expression(plain)})
    made: dict[str, Any] = {
        "name": model.name,
        "source": f"{catalog.project.warehouse.stem}.{model.schema}.{model.table}",
    }
    made |= {"primary_key": primary} if primary else {}
    made |= {"unique_keys": unique} if unique else {}
    return {**made, "fields": list(fields.values())}


def _dimension(name: str, model: SemanticModel, expr: str, is_time: bool) -> dict[str, Any]:
    bare = qualified(expr, model.name).transform(
        lambda node: exp.column(node.name) if isinstance(node, exp.Column) else node
    )
    return {"name": name, "expression": _expression(_standard(bare)), "dimension": {"is_time": is_time}}


def _relationships(models: Iterable[SemanticModel]) -> Iterator[dict[str, Any]]:
    """Each way from a key to the dataset it is unique in."""
    every = list(models)
    for left in every:
        for entity in left.entities.values():
            for right in every:
                key = right.entities.get(entity.name)
                if right is left or key is None or not key.unique or (entity.unique and left.name > right.name):
                    continue
                if _PLAIN.fullmatch(entity.expr) and _PLAIN.fullmatch(key.expr):
                    name = f"{left.name}_{entity.name}_{right.name}"
                    yield {
                        "name": name,
                        "from": left.name,
                        "to": right.name,
                        "from_columns": [entity.expr],
                        "to_columns": [key.expr],
                    }
