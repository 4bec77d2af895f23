"""Members of joined dimensions: which say something else than at the last publish, and on which days rows name them.

A publish notes the fingerprint of every dimension it joined; what the dimension said is kept in the warehouse under
that fingerprint. So a new member, and there is one on most days, costs the days it has rows on and not all of history.
Where what was said is not there (another warehouse, other columns) nothing is known of the days.
"""

# ruff: noqa: S608 - names are quoted by sqlglot

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.fingerprint import dimension_contents, joined_columns
from metrics_catalog.engine.scan import DAY, Scan, with_imports
from metrics_catalog.engine.tree import named
from metrics_catalog.expressions import qualified
from metrics_catalog.semantic import Join

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SCHEMA = "members"
_CHANGED = "changed_members"


class Members:
    """Dimensions as they are now, against the fingerprints ``before`` of the last publish."""

    def __init__(self, con: DuckDBPyConnection, catalog: Catalog, before: Mapping[str, str]) -> None:
        self._con, self._catalog, self._before = con, catalog, before
        self._known: dict[tuple[Join, ...], frozenset[date] | None] = {}
        self.prints = dimension_contents(con, catalog)

    def keep(self) -> None:
        """Keep what the dimensions say now; what neither now nor the last publish has a fingerprint of goes."""
        self._con.execute(f"create schema if not exists {SCHEMA}")
        wanted = {_name(model, content) for prints in (self._before, self.prints) for model, content in prints.items()}
        there = self._tables()
        for table in there - wanted:
            self._con.execute(f"drop table {_sql(table)}")
        for model, columns in joined_columns(self._catalog).items():
            table = _name(model, self.prints[model])
            if table not in there:
                rows = exp.select(*(named(expr, name) for name, expr in sorted(columns.items())))
                rows = rows.from_(exp.alias_(self._mart(model), model, table=True))
                self._con.execute(f"create table {_sql(table)} as {rows.sql('duckdb')}")

    def days(self, joins: tuple[Join, ...]) -> frozenset[date] | None:
        """Days with rows that name a changed member on this way from their table; None when any may have changed."""
        if joins not in self._known:
            found = [self._days(joins[: place + 1]) for place in range(len(joins))]
            whole = [one for one in found if one is not None]
            self._known[joins] = frozenset().union(*whole) if len(whole) == len(found) else None
        return self._known[joins]

    def _days(self, joins: tuple[Join, ...]) -> frozenset[date] | None:
        """Days with rows that name a changed member of the last table on the way."""
        last = joins[-1]
        if self._before.get(last.right) == self.prints[last.right]:
            return frozenset()
        if not self._show_changed(last):
            return None
        rows = self._con.execute(self._naming(joins).sql("duckdb")).fetchall()
        return frozenset(day for (day,) in rows)

    def _show_changed(self, join: Join) -> bool:
        """Put the keys whose rows changed into a temporary table; whether they are known."""
        old, new = (_name(join.right, prints.get(join.right, "")) for prints in (self._before, self.prints))
        if old not in self._tables() or self._columns(old) != self._columns(new):
            return False
        old, new = _sql(old), _sql(new)
        changed = f"(from {old} except all from {new}) union all (from {new} except all from {old})"
        key = exp.to_identifier(f"key {join.right_expr}").sql("duckdb")
        self._con.execute(f"create or replace temp table {_CHANGED} as select {key} as key from ({changed})")
        return True

    def _naming(self, joins: tuple[Join, ...]) -> exp.Select:
        *way, last = joins
        scan = Scan(self._catalog.semantics, joins[0].left, (), ())
        query = scan.select([named(scan.day, DAY)]).distinct()
        for join in way:  # whichever row holds on the day: a day too many costs time, one too few would be wrong
            on = exp.EQ(this=qualified(join.left_expr, join.left), expression=qualified(join.right_expr, join.right))
            query = query.join(exp.to_table(join.right), on=on, join_type="left")
        keys = exp.select("key").from_(_CHANGED).subquery()
        query = query.where(exp.In(this=qualified(last.left_expr, last.left), query=keys))
        models = (joins[0].left, *(join.right for join in way))
        return with_imports(query, [(name, exp.select("*").from_(self._mart(name))) for name in models])

    def _mart(self, model: str) -> exp.Table:
        holder = self._catalog.semantics.model(model)
        return exp.table_(holder.table, db=holder.schema)

    def _tables(self) -> set[str]:
        query = "select table_name from duckdb_tables() where database_name = current_database() and schema_name = $1"
        return {name for (name,) in self._con.execute(query, [SCHEMA]).fetchall()}

    def _columns(self, table: str) -> list[tuple[str, str]]:
        return [(name, kind) for name, kind, *_ in self._con.execute(f"describe {_sql(table)}").fetchall()]


def _name(model: str, content: str) -> str:
    return f"{model}_{content}"


def _sql(table: str) -> str:
    return exp.table_(table, db=SCHEMA).sql("duckdb")
