"""Regular expressions and LIKE on DuckDB, as Great Expectations' metric providers.

Its own ask the dialect for an operator, and know none for DuckDB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from expectations.gx.library import ColumnMapMetricProvider, SqlAlchemyExecutionEngine, column_condition_partial

Condition = Callable[..., sa.ColumnElement[bool]]


def _matches(column: sa.ColumnElement[str], regex: str) -> sa.ColumnElement[bool]:
    # Found anywhere, as in Great Expectations elsewhere; DuckDB's ~ would want the whole value to match.
    return sa.func.regexp_matches(column, regex)


def _like(column: sa.ColumnElement[str], like_pattern: str, escape: str | None) -> sa.ColumnElement[bool]:
    return column.like(like_pattern, escape=escape)


def _combined(conditions: Sequence[sa.ColumnElement[bool]], match_on: str | None) -> sa.ColumnElement[bool]:
    return sa.and_(*conditions) if match_on == "all" else sa.or_(*conditions)


def _any_regex(column: Any, regex_list: list[str], match_on: str | None = None) -> sa.ColumnElement[bool]:
    return _combined([_matches(column, regex) for regex in regex_list], match_on)


def _any_like(
    column: Any, like_pattern_list: list[str], match_on: str | None = None, escape: str | None = None
) -> sa.ColumnElement[bool]:
    return _combined([_like(column, pattern, escape) for pattern in like_pattern_list], match_on)


def _negated(condition: Condition) -> Condition:
    return lambda *args, **kwargs: sa.not_(condition(*args, **kwargs))


def _provide(engine: type[SqlAlchemyExecutionEngine], metric: str, keys: tuple[str, ...], condition: Condition) -> None:
    """Register ``condition`` as what ``metric`` means on ``engine``; Great Expectations does it on class creation."""

    class Provider(ColumnMapMetricProvider):
        condition_metric_name = metric
        condition_value_keys = keys

        @column_condition_partial(engine=engine)
        def _duckdb(cls, column: Any, **kwargs: Any) -> sa.ColumnElement[bool]:  # noqa: N805
            return condition(column, **{key: kwargs.get(key) for key in keys})


@cache
def register_patterns(engine: type[SqlAlchemyExecutionEngine]) -> None:
    """Teach ``engine`` the eight pattern metrics, once."""
    _provide(engine, "column_values.match_regex", ("regex",), _matches)
    _provide(engine, "column_values.not_match_regex", ("regex",), _negated(_matches))
    _provide(engine, "column_values.match_regex_list", ("regex_list", "match_on"), _any_regex)
    _provide(engine, "column_values.not_match_regex_list", ("regex_list",), _negated(_any_regex))
    _provide(engine, "column_values.match_like_pattern", ("like_pattern", "escape"), _like)
    _provide(engine, "column_values.not_match_like_pattern", ("like_pattern", "escape"), _negated(_like))
    _provide(engine, "column_values.match_like_pattern_list", ("like_pattern_list", "match_on", "escape"), _any_like)
    _provide(engine, "column_values.not_match_like_pattern_list", ("like_pattern_list", "escape"), _negated(_any_like))
