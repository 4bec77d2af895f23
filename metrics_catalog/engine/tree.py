"""Small makers of sqlglot nodes. They own what they are given and parse nothing: ten times faster.

Trees of one type share its node.
"""

from __future__ import annotations

from functools import cache

from sqlglot import exp


def named(tree: exp.Expr, name: str) -> exp.Expr:
    """``tree as name``."""
    return exp.Alias(this=tree, alias=exp.to_identifier(name))


def typed(tree: exp.Expr, kind: str) -> exp.Expr:
    """``cast(tree as kind)``."""
    return exp.Cast(this=tree, to=_type(kind))


def column(name: str) -> exp.Expr:
    """A column by name."""
    return exp.Column(this=exp.to_identifier(name))


def text(value: str) -> exp.Expr:
    """A text literal."""
    return exp.Literal.string(value)


def is_present(tree: exp.Expr) -> exp.Expr:
    """``tree is not null``."""
    shown = tree if isinstance(tree, (exp.Column, exp.Cast)) else exp.Paren(this=tree)
    return exp.Not(this=exp.Is(this=shown, expression=exp.Null()))


def case(test: exp.Expr, value: exp.Expr, otherwise: exp.Expr | None = None) -> exp.Expr:
    """``case when test then value else otherwise end``."""
    return exp.Case(ifs=[exp.If(this=test, true=value)], default=otherwise)


def positions(count: int) -> list[exp.Expr]:
    """1, 2, … for ``group by``."""
    return [exp.Literal.number(number + 1) for number in range(count)]


@cache
def _type(kind: str) -> exp.DataType:
    return exp.DataType.build(kind)
