"""Components that must see rows: distinct keys and order statistics, in as few passes as their keys allow.

Distinct keys with a condition on their rows of the period (``having``), or over longer reaches, are counted in two
levels: one group for each period, slice and key, then a count of the groups; components with one key share the pass.
A dimension reached through the counted key itself is decided by it (the key is unique there), so it is joined to the
groups, not to the rows, and one pass serves all such slices.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from metrics_catalog.engine.components import Component
from metrics_catalog.engine.scan import DAY, Scan, conditional
from metrics_catalog.engine.terms import Term
from metrics_catalog.engine.tree import case, column, is_present, named, positions, typed
from metrics_catalog.expressions import attribute_sql, qualified
from metrics_catalog.semantic import Attribute, Semantics

ENTITY = "entity"
# Interpolated with six digits to spare: with six in all the last one comes out a unit low (130.991999 for 130.992).
_INTERPOLATED = "decimal(34,12)"
_WHOLE = ("tinyint", "smallint", "integer", "int", "bigint")
_DECIMAL = re.compile(r"(?:decimal|numeric)\((\d+), ?(\d+)\)")
# 18 digits fit a bigint; beyond four decimals the last of six digits would be a rounding of doubles.
_MOST_DIGITS, _MOST_DECIMALS = 18, 4
_MEDIAN = 0.5


@dataclass(frozen=True)
class SlimColumns:
    """Columns of the slim rows: each component's value and test, and the columns its ``having`` reads.

    ``scale``: how many decimals a value has that is stored as a whole number.
    """

    value: dict[Component, str] = field(default_factory=dict)
    keep: dict[Component, str] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    scale: dict[Component, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Groups:
    """One row for each period, slice and key: the query, and the components counted from it for each slice."""

    query: exp.Select
    counted: Mapping[tuple[str, ...], tuple[Component, ...]]


def slim(scan: Scan) -> tuple[exp.Select, SlimColumns]:
    """One pass over the mart that keeps only what the components of ``scan`` need."""
    columns = SlimColumns()
    items: dict[str, exp.Expr] = {}
    for component in scan.components:
        assert component.expr is not None
        value = component.expr
        if component.agg == "quantile" and (scale := _scale(scan.semantics, value)) is not None:
            columns.scale[component] = scale
            value = _whole(value, scale)
        columns.value[component] = _column(items, value, f"value{len(items)}")
        if component.filter is not None:
            columns.keep[component] = _column(items, component.filter, f"keep{len(items)}")
        for read in component.having.find_all(exp.Column) if component.having is not None else ():
            columns.raw[read.name] = _column(items, read, f"raw{len(items)}")
    return scan.select([*scan.keys(), *(named(tree.copy(), name) for name, tree in items.items())]), columns


def _scale(semantics: Semantics, value: exp.Expr) -> int | None:
    """Decimals of a column that fits a whole number when multiplied by a power of ten; None for anything else."""
    if not isinstance(value, exp.Column):
        return None
    kind = semantics.model(value.table).columns.get(value.name.lower(), "")
    if kind in _WHOLE:
        return 0
    found = _DECIMAL.fullmatch(kind)
    digits, scale = (int(found[1]), int(found[2])) if found else (0, 0)
    return scale if found and digits <= _MOST_DIGITS and scale <= _MOST_DECIMALS else None


def _whole(value: exp.Expr, scale: int) -> exp.Expr:
    if not scale:
        return value
    return typed(exp.Mul(this=value.copy(), expression=exp.Literal.number(10**scale)), "bigint")


def row_dimensions(semantics: Semantics, component: Component, cut: Sequence[str]) -> tuple[str, ...]:
    """The dimensions of a slice that each row must carry for ``component``: all but those its key decides."""
    return tuple(name for name in cut if not _decided(semantics.attribute(component.model, name), component))


def _decided(attribute: Attribute, component: Component) -> bool:
    if component.agg != "count_distinct" or not attribute.joins or any(join.valid for join in attribute.joins):
        return False
    first = attribute.joins[0]
    return component.expr == qualified(first.left_expr, first.left)


def quantiles(
    source: exp.Select, keys: Sequence[exp.Expr], components: Mapping[Component, Term], columns: SlimColumns
) -> exp.Select:
    """Order statistics of every component in one query, by ``keys``; each column is called as its term."""
    items = [named(_quantile(component, columns), term.name) for component, term in components.items()]
    return _grouped(source.select(*(key.copy() for key in keys), *items), len(keys))


def groups(
    semantics: Semantics,
    source: exp.Select,
    period: exp.Expr,
    wanted: Mapping[tuple[str, ...], Iterable[Component]],
    columns: SlimColumns,
) -> Iterator[Groups]:
    """The grouping passes over ``source`` for distinct components, by slice; slices that can share one do."""
    shared: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], list[Component]]] = defaultdict(dict)
    for cut, components in wanted.items():
        for component in components:
            key = columns.value[component], row_dimensions(semantics, component, cut)
            shared[key].setdefault(cut, []).append(component)
    for (key, carried), counted in shared.items():
        every = dict.fromkeys(component for components in counted.values() for component in components)
        tests = [(component, _test(component, columns)) for component in every]
        flags = [named(test, f"is_{component.name}") for component, test in tests if test is not None]
        keys = [period.copy(), *(column(name) for name in carried), named(column(key), ENTITY)]
        query = _grouped(source.select(*keys, *flags).where(is_present(column(key))), len(keys))
        yield Groups(query, {cut: tuple(components) for cut, components in counted.items()})


def counts(
    semantics: Semantics, table: str, period: str, cut: Sequence[str], components: Mapping[Component, Term]
) -> tuple[exp.Select, tuple[str, ...]]:
    """How many groups of ``table`` pass, by period and slice; also the semantic models that must be at hand."""
    items = [named(_counted(component), term.name) for component, term in components.items()]
    return by_members(semantics, exp.to_table(table), column(period), cut, next(iter(components)), items)


def by_members(
    semantics: Semantics,
    source: exp.Expr,
    key: exp.Expr,
    cut: Sequence[str],
    component: Component,
    items: Sequence[exp.Expr],
) -> tuple[exp.Select, tuple[str, ...]]:
    """Aggregates of keys by ``key`` and slice; dimensions that the key decides are joined to it.

    Also the semantic models that must be at hand.
    """
    attributes = [semantics.attribute(component.model, name) for name in cut]
    decided = [attribute for attribute in attributes if _decided(attribute, component)]
    keys = [key]
    keys += [
        named(attribute_sql(semantics, one), one.name) if one in decided else column(one.name) for one in attributes
    ]
    query = exp.select(*keys, *items).from_(source)
    joins = list(dict.fromkeys(join for attribute in decided for join in attribute.joins))
    for join in joins:
        near = join.left == component.model
        left = column(ENTITY) if near else qualified(join.left_expr, join.left)
        on = exp.EQ(this=left, expression=qualified(join.right_expr, join.right))
        query = query.join(exp.to_table(join.right), on=on, join_type="left")
    return _grouped(query, len(keys)), tuple(dict.fromkeys(join.right for join in joins))


def touched(rows: exp.Expr, cut: Sequence[str], component: Component, columns: SlimColumns) -> exp.Select:
    """The days on which each key of a slice is seen; that one may be there more than once makes no difference."""
    key = column(columns.value[component])
    items = [column(DAY), *(column(name) for name in cut), named(key, ENTITY)]
    tests = [is_present(key.copy())]
    if component in columns.keep:
        tests.append(column(columns.keep[component]))
    return exp.Select(expressions=items).from_(rows, copy=False).where(*tests, copy=False)


def _counted(component: Component) -> exp.Expr:
    """Groups that pass; null (no data) rather than 0 when none does."""
    if component.filter is None and component.having is None:
        return exp.Count(this=exp.Star())
    return exp.Sum(this=conditional(exp.Literal.number(1), column(f"is_{component.name}")))


def _test(component: Component, columns: SlimColumns) -> exp.Expr | None:
    keep = column(columns.keep[component]) if component in columns.keep else None
    tests: list[exp.Expr] = [] if keep is None else [passing(keep)]
    if component.having is not None:
        tests.append(_over_kept_rows(component.having, keep, columns))
    return exp.and_(*tests) if tests else None


def _over_kept_rows(having: exp.Expr, keep: exp.Expr | None, columns: SlimColumns) -> exp.Expr:
    """The condition with each aggregate reading the slim rows that pass the component's filter."""

    def rewrite(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            return column(columns.raw[node.name])
        if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
            return exp.Coalesce(
                this=exp.Sum(this=conditional(exp.Literal.number(1), keep)), expressions=[exp.Literal.number(0)]
            )
        if isinstance(node, exp.AggFunc) and keep is not None:
            inner = node.this
            if isinstance(inner, exp.Distinct):
                kept = [conditional(one, keep) for one in inner.expressions]
                return type(node)(this=exp.Distinct(expressions=kept))
            return type(node)(this=conditional(inner, keep))
        return node

    return _bottom_up(having.copy(), rewrite)


def _bottom_up(tree: exp.Expr, rewrite: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Rewrite leaves before what holds them, so that nothing new is visited twice."""
    for node in sorted(tree.walk(), key=lambda one: -one.depth):
        if node.parent is None:
            return rewrite(node)
        node.replace(rewrite(node))
    return tree


def _quantile(component: Component, columns: SlimColumns) -> exp.Expr:
    """Over whole numbers interpolated as doubles, which hold all digits there are; else over wide decimals."""
    keep, scale = column(columns.keep[component]) if component in columns.keep else None, columns.scale.get(component)
    value = column(columns.value[component])
    exact = typed(value, _INTERPOLATED) if scale is None else value
    order = exp.Order(expressions=[exp.Ordered(this=conditional(exact, keep))])
    fraction = exp.PercentileCont(this=exp.Literal.number(component.quantile))
    found = exp.WithinGroup(this=fraction, expression=order)
    if scale is None:
        return found
    decimals = 1 if component.quantile == _MEDIAN else 6 - scale  # as few as there can be: the more, the less digits
    whole = typed(found, f"decimal(28,{decimals})")
    return exp.Mul(this=whole, expression=exp.Literal.number(f"{10**-scale:.{scale}f}")) if scale else whole


def passing(test: exp.Expr) -> exp.Expr:
    """Whether any row passes a test."""
    number = case(test.copy(), exp.Literal.number(1), exp.Literal.number(0))
    return exp.EQ(this=exp.Max(this=number), expression=exp.Literal.number(1))


def _grouped(query: exp.Select, count: int) -> exp.Select:
    return query.group_by(*positions(count), copy=False)


def _column(items: dict[str, exp.Expr], tree: exp.Expr, name: str) -> str:
    for known, other in items.items():
        if other == tree:
            return known
    items[name] = tree
    return name
