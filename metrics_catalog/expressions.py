"""Expressions people write in metric files: parsed, checked against known columns and functions, never pasted.

What comes out is a sqlglot tree whose columns are `exp.Column` qualified by the semantic model they were found in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types

from metrics_catalog.located import suggest
from metrics_catalog.semantic import VALUE, Attribute, EntityValues, Semantics, UnknownName

Kind = Literal["row", "filter", "having"]

_NODES: tuple[type[exp.Expr], ...] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Tuple,
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Is, exp.Like,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Abs, exp.Round,
    exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Var,
    exp.Year, exp.Quarter, exp.Month, exp.DayOfWeekIso, exp.DateTrunc, exp.TimestampTrunc,
)  # fmt: skip
_AGGREGATES: tuple[type[exp.Expr], ...] = (exp.Count, exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Distinct, exp.Star)
_METRIC = "metric"  # metric(receipts, by=household): the value of another metric for the entity that the row names
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CONDITIONS = (
    exp.And,
    exp.Or,
    exp.Not,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.In,
    exp.Between,
    exp.Is,
    exp.Like,
)


class InvalidExpression(Exception):
    """An expression that cannot be used; the message says what is wrong and what was meant."""


@lru_cache(maxsize=1024)
def parse(text: str, kind: Kind = "row") -> exp.Expr:
    """Parse one scalar expression. Raises `InvalidExpression` on bad syntax or anything not on the list.

    Trees are kept for the next who asks, as all that come out of here are: copy what you mean to change.
    """
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except SqlglotError as error:
        raise InvalidExpression(f'"{text}" is not an expression: {_first_line(error)}') from None
    if len(trees) != 1 or trees[0] is None:
        raise InvalidExpression(f'"{text}" must be exactly one expression')
    tree = trees[0]
    allowed = _NODES + (_AGGREGATES if kind == "having" else ())
    for node in tree.walk():
        if kind == "filter" and is_metric_call(node):
            entity_values(node)
            continue
        if not isinstance(node, allowed) or node.comments:
            raise InvalidExpression(f'"{text}" uses {_name(node)}, which is not allowed here')
    return tree


def is_metric_call(node: exp.Expr) -> bool:
    """Whether a node is ``metric(…)``, which only filters may ask."""
    return isinstance(node, exp.Anonymous) and str(node.this).lower() == _METRIC


def entity_values(call: exp.Expr) -> EntityValues:
    """What ``metric(receipts, by=household)`` asks for. Raises `InvalidExpression` when it is written otherwise."""
    parts = call.expressions
    if len(parts) == 2 and isinstance(parts[1], exp.EQ) and isinstance(parts[1].this, exp.Column):
        words = [parts[1].this, parts[0], parts[1].expression]
        plain = all(isinstance(one, exp.Column) and not one.table and not one.comments for one in words)
        by, metric, entity = (one.name for one in words)
        if plain and by.lower() == "by" and _NAME.fullmatch(metric) and _NAME.fullmatch(entity):
            return EntityValues(metric, entity)
    raise InvalidExpression("the value of another metric is written metric(<metric>, by=<entity>)")


def values_asked(text: str) -> tuple[EntityValues, ...]:
    """The values of other metrics that a filter asks for, each once; none when it is no filter."""
    try:
        calls = (node for node in parse(text, "filter").walk() if is_metric_call(node))
        return tuple(dict.fromkeys(map(entity_values, calls)))
    except InvalidExpression:
        return ()


def names(text: str) -> tuple[str, ...]:
    """Names in an expression, each once; none when it is not one."""
    try:
        return tuple(dict.fromkeys(column.name for column in parse(text).find_all(exp.Column)))
    except InvalidExpression:
        return ()


def linear(tree: exp.Expr) -> bool:
    """Whether it only adds, subtracts, and scales by numbers: then its value for a whole is the sum of its parts'."""
    if isinstance(tree, (exp.Paren, exp.Neg)):
        return linear(tree.this)
    if isinstance(tree, (exp.Add, exp.Sub)):
        return linear(tree.this) and linear(tree.expression)
    if isinstance(tree, exp.Mul) and isinstance(tree.this, exp.Literal):
        return linear(tree.expression)
    if isinstance(tree, (exp.Mul, exp.Div)) and isinstance(tree.expression, exp.Literal):
        return linear(tree.this)
    return isinstance(tree, exp.Column)


def row_expression(semantics: Semantics, model: str, text: str) -> tuple[exp.Expr, tuple[Attribute, ...]]:
    """A value of each row of ``model``, columns qualified, and the joined attributes it needs."""
    return semantics.once((row_expression, model, text), lambda: _bind(parse(text), semantics, model, text))


def row_filter(semantics: Semantics, model: str, text: str) -> tuple[exp.Expr, tuple[Attribute, ...]]:
    """A condition on each row of ``model``. Raises `InvalidExpression` when it is not one."""
    tree = parse(text, "filter")
    _condition(tree, text, semantics, model)
    return semantics.once((row_filter, model, text), lambda: _bind(tree, semantics, model, text))


def having_filter(semantics: Semantics, model: str, text: str) -> exp.Expr:
    """A condition on aggregates over one entity's rows of ``model`` (own columns only)."""
    tree = parse(text, "having")
    _condition(tree, text, semantics, model)
    tree, joined = _bind(tree, semantics, model, text)
    if joined:
        raise InvalidExpression(f'"{text}" may only use columns of "{model}"')
    inside = {id(column) for call in tree.find_all(exp.AggFunc) for column in call.find_all(exp.Column)}
    loose = [column.name for column in tree.find_all(exp.Column) if id(column) not in inside]
    if loose or not any(tree.find_all(exp.AggFunc)):
        raise InvalidExpression(f'"{text}" must compare aggregates such as count(*) or sum(x)')
    return tree


def is_text(tree: exp.Expr, columns: Mapping[str, str]) -> bool:
    """Whether a bound expression gives text, as far as the column types tell."""
    if isinstance(tree, exp.Column):
        kind = columns.get(tree.name, "")
    else:
        kind = str(annotate_types(tree.copy(), schema=None).type or "").lower()
    return kind.startswith(("varchar", "text", "string", "char"))


def _condition(tree: exp.Expr, text: str, semantics: Semantics, model: str) -> None:
    inner = tree.unnest()
    boolean_column = (
        isinstance(inner, exp.Column) and semantics.model(model).columns.get(inner.name.lower(), "boolean") == "boolean"
    )
    if not isinstance(inner, (*_CONDITIONS, exp.Boolean)) and not boolean_column:
        raise InvalidExpression(f'"{text}" is not a condition (it must be true or false for each row)')


def _bind(tree: exp.Expr, semantics: Semantics, model: str, text: str) -> tuple[exp.Expr, tuple[Attribute, ...]]:
    joined: dict[str, Attribute] = {}

    def bind(node: exp.Expr) -> exp.Expr:
        if is_metric_call(node):
            return _looked_up(entity_values(node), semantics, model, text, joined)
        if not isinstance(node, exp.Column):
            return node
        if node.table:
            raise InvalidExpression(f'"{text}": write "{node.name}" without "{node.table}."')
        if isinstance(node.this, exp.Star):
            return node
        return _resolve(node.name.lower(), semantics, model, text, joined)

    return tree.transform(bind), tuple(joined.values())


def _resolve(name: str, semantics: Semantics, model: str, text: str, joined: dict[str, Attribute]) -> exp.Expr:
    own = semantics.model(model)
    if name in own.columns:
        return exp.column(name, table=model)
    try:
        attribute = semantics.attribute(model, name)
    except UnknownName:
        if own.is_open:
            return exp.column(name, table=model)
        known = [*own.columns, *semantics.attributes(model)]
        raise InvalidExpression(f'"{text}": "{name}" is not a column of "{model}"{suggest(name, known)}') from None
    if attribute.joins:
        joined[name] = attribute
    tree = attribute_sql(semantics, attribute)
    return exp.Paren(this=tree) if isinstance(tree, (exp.Binary, exp.Not, exp.Between, exp.In)) else tree


def _looked_up(
    values: EntityValues, semantics: Semantics, model: str, text: str, joined: dict[str, Attribute]
) -> exp.Expr:
    try:
        joined[values.model] = semantics.values_from(model, values)
    except UnknownName as error:
        raise InvalidExpression(f'"{text}": {error}') from None
    return exp.column(VALUE, table=values.model)


def attribute_sql(semantics: Semantics, attribute: Attribute) -> exp.Expr:
    """SQL of a dimension or key: its expression with columns qualified by the model that has it."""
    return qualified(attribute.expr, attribute.model)


def qualified(text: str, table: str) -> exp.Expr:
    """An expression of the dbt project (trusted), each bare column qualified by ``table``; the caller's own copy."""
    return _qualified(text, table).copy()


@lru_cache(maxsize=1024)
def _qualified(text: str, table: str) -> exp.Expr:
    qualify: Callable[[exp.Expr], exp.Expr] = lambda node: (  # noqa: E731
        exp.column(node.name, table=table) if isinstance(node, exp.Column) and not node.table else node
    )
    return sqlglot.parse_one(text, read="duckdb").transform(qualify)


def columns_of(trees: Iterable[exp.Expr]) -> set[tuple[str, str]]:
    """(table, column) pairs that bound expressions read."""
    return {(column.table, column.name) for tree in trees for column in tree.find_all(exp.Column)}


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return f"the function {node.name}()"
    if isinstance(node, exp.Func):
        return f"the function {node.sql_name().lower()}()"
    return f"a {type(node).__name__.lower()}"
