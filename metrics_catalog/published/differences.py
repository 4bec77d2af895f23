"""What a draft would change among values already published. Reads staged and published files, writes nothing.

A value counts when something was published for its metric, grain and period: it differs, is dropped, or appears. A
period nothing was published for is no difference. Rows are first compared by a checksum for each metric, grain and
period, so that only periods that differ are joined row by row (figures in tests/benchmarks/README.md).
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb

from metrics_catalog.published import arrow
from metrics_catalog.published.model import KEY, NUMBERS, Scope
from metrics_catalog.published.places import values_schema
from metrics_catalog.published.sql import listed, literal, quoted
from metrics_catalog.published.table import DataFile

# ruff: noqa: S608 - names go through quoted(), values are parameters

Kind = Literal["changed", "dropped", "appeared", "parts"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TOLERANCE = 1e-9
WORST = 20
TOTALS = 120  # the most periods a preview ever shows


@dataclass(frozen=True)
class Cell:
    """A published value and what it would become. ``change``: |new - old| / |old|; 1 from or to no data, or from 0.

    ``kind`` is "parts" where the value stays and its numerator or denominator does not.
    """

    kind: Kind
    grain: str
    period: date
    slice: str
    members: Mapping[str, str | None]
    old: Decimal | None
    new: Decimal | None
    change: float


@dataclass(frozen=True)
class Difference:
    """How published values of one metric would change; at least one does.

    ``periods`` by grain. ``total_change``: the largest `Cell.change` of a total (slice ''). ``worst``: the largest
    changes, largest first. ``totals``: those of the newest periods of each grain, oldest first. ``digest``: 16 hex
    digits that stand for exactly these cells with exactly their new values.
    """

    counts: Mapping[Kind, int]
    periods: Mapping[str, tuple[date, ...]]
    total_change: float
    worst: tuple[Cell, ...]
    digest: str
    totals: tuple[Cell, ...] = ()

    @property
    def total(self) -> int:
        """Number of values that would change, in all ways."""
        return sum(self.counts.values())


def differences(
    con: duckdb.DuckDBPyConnection,
    staged: Sequence[Path],
    published: Iterable[tuple[Path, DataFile]],
    scopes: Sequence[Scope],
    dimensions: Iterable[str],
    tolerance: float = TOLERANCE,
    worst: int = WORST,
) -> dict[str, Difference]:
    """Differences by metric within ``scopes``, without metrics that have none.

    ``con`` has the scopes as table ``scopes``; ``dimensions`` are those of both sides; ``tolerance`` is relative to the
    larger of two numbers.
    """
    old = _old(published, scopes)
    if not old:
        return {}
    names = sorted(dimensions)
    con.register("shape", arrow.empty(values_schema(names)))
    columns = listed([*KEY, *NUMBERS, *names])
    try:
        new = f"select * from {_parquet(staged)}" if staged else "select * from shape"
        for view, source in ("new_rows", new), ("old_rows", old):
            rows = f"select {columns} from (from shape union all by name {source})"
            con.execute(f"create or replace temp view {view} as {rows}")
        con.execute(_moved(names))
        found = []
        if con.execute("from moved limit 1").fetchone():
            asked = {"tolerance": tolerance, "worst": worst, "totals": TOTALS}
            found = con.execute(_cells(names), asked).fetchall()
    finally:
        con.execute("drop view if exists old_rows; drop view if exists new_rows; drop table if exists moved")
        con.unregister("shape")
    metrics = groupby(sorted(found, key=itemgetter(0, 1)), key=itemgetter(0))
    return {metric: _difference(metric, list(parts), worst) for metric, parts in metrics}


def _old(published: Iterable[tuple[Path, DataFile]], scopes: Iterable[Scope]) -> str:
    """The published rows near the scopes, read from no more files and row groups than these touch."""
    of_grain: dict[str, list[Scope]] = {}
    for scope in scopes:
        of_grain.setdefault(scope.grain, []).append(scope)
    files: dict[str, list[Path]] = {}
    for path, file in published:
        if any(_touches(scope, file) for scope in of_grain.get(file.grain, ())):
            files.setdefault(file.grain, []).append(path)
    parts = []
    for grain, paths in files.items():
        low, high = min(scope.start for scope in of_grain[grain]), max(scope.end for scope in of_grain[grain])
        near = f"period >= {literal(low)}::date and period < {literal(high)}::date"
        parts.append(f"select * from {_parquet(paths)} where {near}")
    return " union all by name ".join(parts)


def _parquet(paths: Iterable[Path]) -> str:
    return f"read_parquet([{', '.join(literal(path) for path in paths)}], union_by_name = true)"


def _touches(scope: Scope, file: DataFile) -> bool:
    return file.first <= scope.metric <= file.last and scope.start <= file.high and file.low < scope.end


def _moved(dimensions: Sequence[str]) -> str:
    """Published periods whose rows are not the same.

    Hashed twice: DuckDB's hash of several columns is linear in the last, so that two members which change places
    would leave the sum as it was.
    """
    content = listed([*NUMBERS, "slice", *dimensions])
    summed = f"select metric, grain, period, count(*) as n, sum(hash(hash({content}))::hugeint) as content"
    return f"""
        create or replace temp table moved as
        with old as ({summed} from old_rows group by all), new as ({summed} from new_rows group by all)
        select o.metric, o.grain, o.period from old o left join new n using (metric, grain, period)
        where (o.n, o.content) is distinct from (n.n, n.content) and exists (
            from scopes s where s.metric = o.metric and s.grain = o.grain and o.period >= s.start and o.period < s."end"
        )"""


def _cells(dimensions: Sequence[str]) -> str:
    """What differs, a row for each metric and grain."""
    key = [*KEY, *dimensions]
    on = " and ".join(f"o.{quoted(name)} is not distinct from n.{quoted(name)}" for name in key)
    keys = ", ".join(f"coalesce(n.{quoted(name)}, o.{quoted(name)}) as {quoted(name)}" for name in key)
    numbers = ", ".join(f"{side}.{name} as {side}_{name}" for side in "on" for name in NUMBERS)
    counts = ", ".join(f"count(*) filter (kind = {literal(kind)})" for kind in KINDS)
    members = ", ".join(f"{literal(name)}: {quoted(name)}" for name in dimensions)
    said = f"kind: kind, slice: slice, old: o_value, new: n_value, members: {{{members or '_: null'}}}"
    size = "abs(coalesce(n_value, 0) - coalesce(o_value, 0))"
    cell = f"{{change: change, size: {size}, period: period, {said}}}"
    total = f"{{period: period, change: change, {said}}}"
    return f"""
        with joined as (
            select {keys}, {numbers}, case when n.metric is null then 'dropped' when o.metric is null then 'appeared'
                when {_differs("value")} then 'changed'
                when {_differs("numerator")} or {_differs("denominator")} then 'parts' end as kind
            from (from old_rows semi join moved using (metric, grain, period)) o
            full join (from new_rows semi join moved using (metric, grain, period)) n on {on}
        ),
        cells as (
            select *, md5_number({_text(dimensions)}) as mark,
                case when o_value is not distinct from n_value then 0
                    when o_value is null or n_value is null or o_value = 0 then 1
                    else abs(n_value - o_value)::double / abs(o_value)::double end as change
            from joined where kind is not null
        )
        select metric, grain, {counts}, list_sort(list(distinct period)),
            coalesce(max(change) filter (slice = ''), 0),
            max({total}, $totals) filter (slice = ''), max({cell}, $worst),
            sum((mark & 18446744073709551615::uhugeint)::hugeint), sum((mark >> 64)::hugeint)
        from cells group by metric, grain"""


def _differs(name: str) -> str:
    old, new = f"o.{name}", f"n.{name}"
    larger = f"greatest(abs({old}), abs({new}))::double"
    return (
        f"({old} is distinct from {new} and"
        f" ({old} is null or {new} is null or abs({new} - {old})::double > $tolerance * {larger}))"
    )


def _text(dimensions: Iterable[str]) -> str:
    """A cell and its new numbers as one text; what may hold anything stands with its length: no two have the same."""

    def sized(column: str) -> str:
        return f"length({column}) || ':' || {column}"

    given = [sized("metric"), "grain", "period", sized("slice"), "kind = 'dropped'"]
    given += [f"'/', n_{name}" for name in NUMBERS]  # concat passes over nulls
    given += [f"{literal(f'/{len(name)}:{name}=')} || {sized(quoted(name))}" for name in dimensions]
    return f"concat({', '.join(given)})"


def _difference(metric: str, rows: Sequence[Sequence[Any]], worst: int) -> Difference:
    counts: Counter[Kind] = Counter()
    for row in rows:
        counts.update(dict(zip(KINDS, row[2 : 2 + len(KINDS)], strict=True)))
    cells = chain.from_iterable(((found["change"], found["size"], row[1], found) for found in row[-3]) for row in rows)
    largest = heapq.nlargest(worst, cells, key=itemgetter(0, 1))
    totals = (_cell(row[1], found) for row in rows for found in reversed(row[-4] or ()))
    marks = [metric, counts.total(), sum(row[-2] for row in rows), sum(row[-1] for row in rows)]
    return Difference(
        counts={kind: counts[kind] for kind in KINDS},
        periods={row[1]: tuple(row[-6]) for row in rows},
        total_change=float(max(row[-5] for row in rows)),
        worst=tuple(_cell(grain, found) for _, _, grain, found in largest),
        digest=sha256(" ".join(map(str, marks)).encode()).hexdigest()[:16],
        totals=tuple(totals),
    )


def _cell(grain: str, found: Mapping[str, Any]) -> Cell:
    members = {name: found["members"][name] for name in found["slice"].split(",") if name}
    return Cell(
        kind=found["kind"],
        grain=grain,
        period=found["period"],
        slice=found["slice"],
        members=members,
        old=found["old"],
        new=found["new"],
        change=float(found["change"]),
    )
