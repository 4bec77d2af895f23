"""Keys that metrics are joined along, in the data: one row each, or one at a time. Reads marts, changes nothing.

The engine counts on it: a key with two rows would count everything that names it twice, in every metric of the mart
that is joined, since those share one scan. dbt tests (``unique``,
``one_row_at_a_time``) name all such rows; this looks at what was built, tested or not, whenever a metric is computed.
"""

# ruff: noqa: S608 - names are quoted by sqlglot

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.days import day_of
from metrics_catalog.engine.reads import joins_from
from metrics_catalog.expressions import qualified
from metrics_catalog.semantic import Join, Semantics

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class JoinedKeys:
    """Says of metrics which key they are joined along is not one row's; each key is looked at once.

    ``sound``: semantic models that hold what they held when they were last looked at, and were found to be sound.
    """

    def __init__(self, con: DuckDBPyConnection, sound: Collection[str] = ()) -> None:
        self._con, self._sound = con, sound
        self._known: dict[tuple[str, str], str | None] = {}

    def faults(self, catalog: Catalog, metrics: Iterable[str]) -> Mapping[str, str]:
        """What is wrong, by metric, of those of ``metrics`` that count rows of a mart with such a key."""
        found: dict[str, str] = {}
        for metric in metrics:
            joins = (join for model in catalog.counted(metric) for join in joins_from(catalog).get(model, ()))
            said = (self._fault(catalog.semantics, join) for join in joins)
            if fault := next((one for one in said if one is not None), None):
                found[metric] = fault
        return found

    def _fault(self, semantics: Semantics, join: Join) -> str | None:
        if join.right in self._sound or semantics.is_values(join.right):  # those have one row by the way they are made
            return None
        place = join.right, join.right_expr
        if place not in self._known:
            query = _twice(semantics, join) if join.valid is None else _at_a_time(semantics, join)
            row = self._con.execute(query).fetchone()
            self._known[place] = None if row is None else _said(semantics, join, row)
        return self._known[place]


def _said(semantics: Semantics, join: Join, row: tuple[object, ...]) -> str:
    model = semantics.model(join.right)
    when, test = ("", "unique") if join.valid is None else (f" on {row[1]}", "one_row_at_a_time")
    return (
        f'{join.right_expr} "{row[0]}" has more than one row of semantic model "{join.right}"{when}, '
        f"and all that names it would count more than once; mend {model.schema}.{model.table} ({model.path}), "
        f"where a dbt test {test} names all such keys"
    )


def _rows(semantics: Semantics, join: Join) -> tuple[str, str]:
    """The key, and the table that has it."""
    model = semantics.model(join.right)
    source = exp.alias_(exp.table_(model.table, db=model.schema), join.right, table=True)
    return qualified(join.right_expr, join.right).sql("duckdb"), source.sql("duckdb")


def _twice(semantics: Semantics, join: Join) -> str:
    key, source = _rows(semantics, join)
    return f"select {key} from {source} where {key} is not null group by 1 having count(*) > 1 order by 1 limit 1"


def _at_a_time(semantics: Semantics, join: Join) -> str:
    """In the order of their beginnings, rows overlap when one begins before the one before it has ended."""
    assert join.valid is not None
    key, source = _rows(semantics, join)
    start, end = (day_of(semantics, join.right, edge).sql("duckdb") for edge in (join.valid.start, join.valid.end))
    return f"""
        with held as (
            select {key} as key, {start} as start, {end} as until from {source}
            where {key} is not null and {start} is not null and ({end} is null or {start} < {end})
        ),
        followed as (
            select *, lead(start) over (partition by key order by start, until) as next from held
        )
        select key, next from followed where next is not null and (until is null or next < until)
        order by key, next limit 1"""
