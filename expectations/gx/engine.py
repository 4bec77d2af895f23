"""Great Expectations on the pipeline's own DuckDB connection, by its own extension points.

Stock Great Expectations does not know DuckDB: it fetches rows after closing the connection block, and has no regular
expressions for it. Here: one connection that stays open, whole numbers kept whole, and patterns.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import sqlalchemy as sa
from duckdb import DuckDBPyConnection
from duckdb_sqlalchemy import ConnectionWrapper
from sqlalchemy import event
from typing_extensions import override

from expectations.gx.library import (
    Batch,
    EphemeralDataContext,
    MetricConfiguration,
    MetricConfigurationID,
    ProgressBarsConfig,
    SqlAlchemyExecutionEngine,
    SQLDatasource,
    gx,
)
from expectations.gx.patterns import register_patterns
from expectations.sql import LOAD_ID, quote, table

SCHEMA = "source"


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Keeps its connection, because DuckDB answers rows only while the connection that asked is open.

    ``conditions``: for every map metric it resolved, the SQL condition of the rows it counts as unexpected.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dialect_module = sa  # where names of column types are looked up
        self.conditions: dict[MetricConfigurationID, sa.ColumnElement[bool]] = {}

    @override
    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[MetricConfigurationID, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[MetricConfigurationID, Any]:
        resolved = super().resolve_metrics(metrics_to_resolve, metrics, runtime_configuration)
        found = {metric: value for metric, value in resolved.items() if metric.metric_name.endswith(".condition")}
        self.conditions |= {metric: condition for metric, (condition, *_) in found.items()}
        return resolved

    @override
    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        connection = self._connection or self.engine.connect()
        self._connection = connection
        yield connection


class DuckDBDatasource(SQLDatasource):
    """The ``source`` schema of an open DuckDB connection; datasource and execution engine share one engine."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]

    @classmethod
    def on(cls, engine: sa.Engine, context: EphemeralDataContext) -> DuckDBDatasource:
        """A datasource on ``engine`` that belongs to ``context``."""
        datasource = cls(name="warehouse", connection_string="duckdb://")  # type: ignore[call-arg]
        datasource._data_context = context
        datasource._engine = engine
        datasource._execution_engine = DuckDBExecutionEngine(engine=engine, create_temp_table=False)
        return datasource

    @property
    @override
    def schema_(self) -> str:
        return SCHEMA

    @property
    @override
    def execution_engine_type(self) -> type[SqlAlchemyExecutionEngine]:
        return DuckDBExecutionEngine

    @override
    def get_engine(self) -> sa.Engine:
        assert self._engine is not None
        return self._engine

    @override
    def get_execution_engine(self) -> DuckDBExecutionEngine:
        assert isinstance(self._execution_engine, DuckDBExecutionEngine)
        return self._execution_engine

    def batch(self, source: str, since: int | None) -> Batch:
        """All rows of ``source``, or those of loads after ``since``."""
        if since is None:
            asset = self.add_table_asset(source, table_name=quote(source))
        else:
            query = f"SELECT * FROM {table(SCHEMA, source)} WHERE {quote(LOAD_ID)} > {since:d}"  # noqa: S608
            asset = self.add_query_asset(f"{source} after {since:d}", query=query)
        return asset.get_batch(asset.build_batch_request())


@contextmanager
def opened(con: DuckDBPyConnection) -> Iterator[DuckDBDatasource]:
    """A datasource on a cursor of ``con``, released afterwards. It reads what is committed, and writes nothing."""
    register_patterns(DuckDBExecutionEngine)
    # AUTOCOMMIT: in a transaction one failed CAST would fail every later metric, and a second look would be stale.
    engine = sa.create_engine(
        "duckdb://",
        creator=lambda: ConnectionWrapper(_cursor(con)),
        poolclass=sa.StaticPool,
        isolation_level="AUTOCOMMIT",
    )
    event.listen(engine, "before_cursor_execute", _with_whole_numbers, retval=True)
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    datasource = DuckDBDatasource.on(engine, context)
    try:
        yield datasource
    finally:
        datasource.get_execution_engine().close()
        engine.dispose()


def _cursor(con: DuckDBPyConnection) -> DuckDBPyConnection:
    """A second connection to the same database that reads times as ``con`` does."""
    cursor = con.cursor()
    cursor.execute("SET TimeZone = $1", con.execute("SELECT current_setting('TimeZone')").fetchone())
    return cursor


def whole_numbers(values: Iterable[Any]) -> tuple[Any, ...]:
    """Parameters with 1.0 as 1.

    Great Expectations makes every bound a float. Compared with one, DuckDB turns the whole column into doubles, which
    takes longer and is not exact for large numbers.
    """
    return tuple(int(value) if isinstance(value, float) and value.is_integer() else value for value in values)


def _with_whole_numbers(
    connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> tuple[str, Any]:
    return statement, parameters if many else whole_numbers(parameters)
