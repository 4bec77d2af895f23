"""Conditions on a joined model alone, evaluated once for each of its rows instead of for each row of the fact. Pure.

Only those that nothing known does not pass: a fact without a partner has none of the flags either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sqlglot import exp

from metrics_catalog.engine.components import Component

_COMPARES = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.Like)
_LINKS = (exp.And, exp.Or, exp.Not, exp.Paren)
_TERMS = (exp.Column, exp.Identifier, exp.Literal)


@dataclass(frozen=True)
class Flags:
    """Of each joined model the flags and what they say; and the components, reading them."""

    components: tuple[Component, ...]
    tests: dict[str, dict[str, exp.Expr]] = field(default_factory=dict)


def flagged(components: Iterable[Component]) -> Flags:
    """The components with flags in place of the conditions that can be."""
    tests: dict[str, dict[str, exp.Expr]] = {}
    return Flags(tuple(_flagged(one, tests) for one in components), tests)


def tests_on(component: Component, model: str) -> list[exp.Expr]:
    """What a component reads of a joined model: whether conditions hold where flags say it all, else its columns."""
    flags = flagged([component])
    left = [] if flags.components[0].filter is None else flags.components[0].filter.find_all(exp.Column)
    read = {one.name: one for one in left if one.table == model}
    tests = flags.tests.get(model, {})
    return [*tests.values(), *(one.copy() for name, one in read.items() if name not in tests)]


def _flagged(component: Component, tests: dict[str, dict[str, exp.Expr]]) -> Component:
    if component.filter is None:
        return component
    left: list[exp.Expr] = []
    for test in component.filter.flatten() if isinstance(component.filter, exp.And) else [component.filter]:
        model = _only_model(test)
        if model is None or model == component.model or isinstance(test, exp.Column):
            left.append(test.copy())
            continue
        known = tests.setdefault(model, {})
        name = next((name for name, other in known.items() if other == test), f"{component.name}__test{len(known)}")
        known.setdefault(name, test.copy())
        left.append(exp.column(name, table=model))
    return replace(component, filter=exp.and_(*left, copy=False))


def _only_model(test: exp.Expr) -> str | None:
    """The one model whose columns a condition reads, if it is not true where all of those are null."""
    models = {column.table for column in test.find_all(exp.Column)}
    return models.pop() if len(models) == 1 and _rejects_null(test) else None


def _rejects_null(test: exp.Expr) -> bool:
    if isinstance(test, _LINKS):
        return all(_rejects_null(one) for one in test.iter_expressions())
    if isinstance(test, _COMPARES):
        return test.find(exp.Column) is not None and all(
            isinstance(one, _TERMS) for one in test.walk() if one is not test
        )
    return isinstance(test, exp.Column)
