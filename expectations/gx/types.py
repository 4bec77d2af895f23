"""What the installed Great Expectations can do on DuckDB: the source of ``vocabulary.json``."""

from __future__ import annotations

from typing import Any

import duckdb

from expectations.gx.engine import opened
from expectations.gx.library import (
    Expectation,
    MetricProviderError,
    SqlAlchemyExecutionEngine,
    get_expectation_impl,
    get_metric_provider,
    gx,
    list_registered_expectation_implementations,
)
from expectations.vocabulary import ExpectationType, Level

# A row is judged against the rows with equal values.
REPEATS = {"expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique"}
# On SQL these ask for the column's declared type: the table is right or wrong, not its rows.
_DECLARED_TYPE = {"expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list"}
# A row is judged against mean and deviation, or quartiles, of all rows.
_AGAINST_ALL = {"expect_column_value_z_scores_to_be_less_than", "expect_column_values_to_not_be_outliers"}
# Compares with a second datasource; a suite judges one source (``references`` is the way to look at another).
_NOT_HERE = {"expect_query_results_to_match_comparison"}


def version() -> str:
    """Version of Great Expectations."""
    return str(gx.__version__)


def read_types() -> dict[str, ExpectationType]:
    """Every type that runs on DuckDB, by name."""
    with duckdb.connect() as con, opened(con) as datasource:
        engine = datasource.get_execution_engine()
        names = [name for name in list_registered_expectation_implementations() if name not in _NOT_HERE]
        levels: dict[str, Level | None] = {name: _level(name, engine) for name in names}
    return {name: _described(get_expectation_impl(name), level) for name, level in levels.items() if level}


def _fields(implementation: type[Expectation]) -> dict[str, Any]:
    return implementation.__fields__  # type: ignore[return-value]  # pydantic 1 has it as a class attribute


def _level(name: str, engine: SqlAlchemyExecutionEngine) -> Level | None:
    map_metric = getattr(get_expectation_impl(name), "map_metric", None)
    if map_metric is None or name in _DECLARED_TYPE:
        return "table"
    try:
        get_metric_provider(f"{map_metric}.condition", engine)
    except MetricProviderError:  # only pandas or Spark can
        return None
    return "set" if name in REPEATS | _AGAINST_ALL else "row"


def _described(implementation: type[Expectation], level: Level) -> ExpectationType:
    # What every expectation has says nothing about the data, or the suite says it in its own words.
    common = {"batch_id", "condition_parser", *_fields(Expectation)}
    fields = {name: item for name, item in _fields(implementation).items() if name not in common}
    required = tuple(sorted(name for name, item in fields.items() if item.required))
    return ExpectationType(level, required, tuple(sorted(fields)))
