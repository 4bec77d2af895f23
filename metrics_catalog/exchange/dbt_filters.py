"""The catalog's filters -> dbt's.

A condition on dimensions becomes a template; one on columns that are none goes into the measure.
"""

from __future__ import annotations

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.expressions import entity_values, is_metric_call, parse, row_expression
from metrics_catalog.semantic import EntityValues, SemanticModel, UnknownName
from metrics_catalog.spec.metric import Measure


class NotExported(Exception):
    """A metric has no equal in the other format; the message says why."""


def templates(catalog: Catalog, measure: Measure, whole_rows: bool) -> tuple[list[str], str | None]:
    """Filter templates, and the condition on the table's own columns that goes into the measure, if any.

    ``whole_rows``: nothing may go into the measure. Raises `NotExported`.
    """
    if measure.filter is None:
        return [], None
    outside, own = [], []
    for tree in _conjuncts(parse(measure.filter, "filter")):
        written = _template(catalog, measure.model, tree)
        if written is not None:
            outside.append(written)
        elif whole_rows or any(map(is_metric_call, tree.walk())):
            raise NotExported(f'the filter "{tree.sql("duckdb")}" is on a column that is no dimension')
        else:
            own.append(inside(catalog, measure.model, tree.sql("duckdb")))
    return outside, " and ".join(f"({one})" if len(own) > 1 else one for one in own) or None


def inside(catalog: Catalog, model: str, text: str) -> str:
    """An expression over the table's own columns. Raises `NotExported` when it reads another table."""
    tree, joined = row_expression(catalog.semantics, model, text)
    if joined:
        raise NotExported(f'"{text}" reads another table than the measure, which only a filter can in dbt')
    bare = tree.transform(lambda node: exp.column(node.name) if isinstance(node, exp.Column) else node)
    return text if bare == parse(text) else bare.sql("duckdb")


def _conjuncts(tree: exp.Expr) -> list[exp.Expr]:
    inner = tree.unnest()
    if isinstance(inner, exp.And):
        return [*_conjuncts(inner.this), *_conjuncts(inner.expression)]
    return [inner]


def _template(catalog: Catalog, model: str, tree: exp.Expr) -> str | None:
    """The condition with a call for each name; None when some name is a column and no dimension."""
    calls: dict[str, str] = {}
    tree = tree.copy()
    for asked in [node for node in tree.walk() if is_metric_call(node)]:
        calls[f"metric_{len(calls)}"] = _metric(catalog, model, entity_values(asked))
        asked.replace(exp.column(f"call_metric_{len(calls) - 1}"))
    for cut in list(tree.find_all(exp.TimestampTrunc, exp.DateTrunc)):
        if isinstance(cut.this, exp.Column) and (
            call := _time(catalog, model, cut.this.name.lower(), cut.text("unit"))
        ):
            calls[f"time_{len(calls)}"] = call
            cut.replace(exp.column(f"call_time_{len(calls) - 1}"))
    for column in tree.find_all(exp.Column):
        if column.name.startswith("call_"):
            continue
        call = _call(catalog, catalog.semantics.model(model), column.name.lower())
        if call is None:
            return None
        calls[column.name] = call
    mark = lambda node: exp.column(f"call_{node.name}") if node.name in calls else node  # noqa: E731
    marked = tree.transform(lambda node: mark(node) if isinstance(node, exp.Column) else node)
    text = marked.sql("duckdb")
    for name in sorted(calls, key=len, reverse=True):
        text = text.replace(f"call_{name}", calls[name])
    return text


def _metric(catalog: Catalog, model: str, values: EntityValues) -> str:
    """``{{ Metric('receipts', group_by=['household']) }}``, where both tables have the key themselves."""
    for one in (model, *catalog.models(values.metric)):
        if catalog.semantics.key(one, values.entity).joins:
            by = f'"{values.entity}", to which "{one}" has no key'
            raise NotExported(f"dbt does not look up {values.metric} by {by}")
    return f"{{{{ Metric('{values.metric}', group_by=['{values.entity}']) }}}}"


def _time(catalog: Catalog, model: str, name: str, grain: str) -> str | None:
    """``{{ TimeDimension('order__ordered_at', 'month') }}``."""
    try:
        attribute = catalog.semantics.attribute(model, name)
    except UnknownName:
        return None
    dimension = catalog.semantics.model(attribute.model).dimensions.get(name.rsplit("__", 1)[-1])
    long = _long(catalog, model, name, attribute.model)
    if dimension is None or not dimension.is_time or long is None:
        return None
    return f"{{{{ TimeDimension('{long}', '{grain.lower()}') }}}}"


def _long(catalog: Catalog, model: str, name: str, holder: str) -> str | None:
    """dbt's name of a dimension, which says on what way it is reached."""
    if "__" in name:
        return name
    ways = catalog.semantics.attributes(model)
    return next((one for one, other in ways.items() if one.endswith(f"__{name}") and other.model == holder), None)


def _call(catalog: Catalog, model: SemanticModel, name: str) -> str | None:
    """``{{ Dimension('customer__country') }}`` for a name of the catalog."""
    try:
        attribute = catalog.semantics.attribute(model.name, name)
    except UnknownName:
        return None
    own = not attribute.joins
    if name in model.columns and not (own and attribute.expr.lower() == name):
        return None  # the column is meant, and what is called like it is another thing
    holder = catalog.semantics.model(attribute.model)
    last = name.rsplit("__", 1)[-1]
    dimension = holder.dimensions.get(last)
    if dimension is not None and dimension.is_time:
        return None  # dbt would cut it to its grain
    if dimension is None:
        return f"{{{{ Entity('{last}') }}}}" if own else None
    long = _long(catalog, model.name, name, holder.name)
    return f"{{{{ Dimension('{long}') }}}}" if long else None
