"""What staged values must satisfy before they become official. One function per audit, each a query of its offenders.

An audit returns SQL giving (metric, grain, period, slice, message) for every offence, over the views ``staged`` and
``scopes``, or None when it does not apply. Adding one: write the function and name it in `AUDITS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from metrics_catalog.published.model import AuditReport, AuditRules, Finding
from metrics_catalog.published.sql import listed, literal, quoted
from metrics_catalog.semantic import AT
from metrics_catalog.spec.base import GRAINS, HOUR, OF_DAYS

# ruff: noqa: S608 - names go through quoted(), values are parameters

_NO_PERIOD = {"of": "", "first": date.min, "last": date.min}
SHOWN = 20  # findings kept per audit and metric; all are counted


@dataclass(frozen=True)
class Staged:
    """What an audit may ask about the staged rows."""

    dimensions: tuple[str, ...]
    slices: tuple[str, ...]
    closed_through: date
    rules: AuditRules


Query = tuple[str, dict[str, Any]]


def keys_present(staged: Staged) -> Query | None:
    """Every row names its metric, grain, period, slice and definition."""
    empty = "metric is null or grain is null or period is null or slice is null or definition is null"
    return f"select metric, grain, period, slice, 'a key column is empty' as message from staged where {empty}", {}


def numbers_fit(staged: Staged) -> Query | None:
    """Values are finite and fit decimal(28, 6)."""
    message = "'not a finite decimal(28,6): ' || _unfit as message"
    return f"select metric, grain, period, slice, {message} from staged where _unfit is not null", {}


def periods_closed(staged: Staged) -> Query | None:
    """Periods begin where their grain does and have ended by the closing day; those of hours are their days."""
    week = "date_trunc('week', period - $shift::int)::date + $shift::int"
    lengths = {HOUR: "day", **{grain: grain for grain in OF_DAYS}}
    starts = [f"when {literal(grain)} then date_trunc('{one}', period)::date" for grain, one in lengths.items()]
    ends = [f"when {literal(grain)} then (period + interval 1 {one})::date" for grain, one in lengths.items()]
    sql = f"""
        with periods as (
            select distinct metric, grain, period from staged where grain is not null and period is not null
        ),
        own as (select unnest($own, recursive := true)),
        judged as (
            select p.*, case grain {" ".join(starts)} else o.first end as plain_begin,
                case grain {" ".join(ends)} else o.last end as finish,
                case grain when 'week' then {week} else plain_begin end as begin
            from periods p
            left join own o on o.of = p.grain and p.period >= o.first and p.period < o.last
        )
        select metric, grain, period, null as slice,
            case when begin is null then 'grain is not one of ' || $grains || ', or has no such period that is closed'
                 when begin <> period then 'period does not begin a ' || grain || ', which begins ' || begin
                 else 'period is not closed: it ends before ' || finish || ', closed through ' || $closed::date
            end as message
        from judged where begin is null or begin <> period or finish > $closed::date + 1"""
    grains = ", ".join((*GRAINS, *staged.rules.periods))
    known = [(grain, *period) for grain, periods in staged.rules.periods.items() for period in periods]
    own = [dict(zip(("of", "first", "last"), one, strict=True)) for one in known] or [_NO_PERIOD]
    return sql, {"closed": staged.closed_through, "grains": grains, "shift": staged.rules.week_start, "own": own}


def members_match_slice(staged: Staged) -> Query | None:
    """A row has members of its slice's dimensions only, and the slice names known dimensions once each."""
    known = set(staged.dimensions if staged.rules.dimensions is None else staged.rules.dimensions)
    wrong, stray = [], []
    for name in staged.slices:
        names = name.split(",") if name else []
        if len(set(names)) < len(names) or not known.intersection(staged.dimensions).issuperset(names):
            wrong.append(name)
        elif outside := [f"{quoted(column)} is not null" for column in staged.dimensions if column not in names]:
            stray.append(f"(slice = {literal(name)} and ({' or '.join(outside)}))")
    return (
        f"""
        select metric, grain, period, slice, 'slice names a dimension twice or one that is unknown' as message
        from staged where list_contains($wrong, slice)
        union all
        select metric, grain, period, slice, 'has a member of a dimension that is not in its slice' as message
        from staged where {" or ".join(stray) or "false"}""",
        {"wrong": wrong},
    )


def keys_unique(staged: Staged) -> Query | None:
    """No metric, grain, period, slice and members twice. Compared by hash first: a third of the memory."""
    key = listed(["metric", "grain", "period", "slice", *staged.dimensions])
    return (
        f"""
        with suspects as (select hash({key}) from staged group by 1 having count(*) > 1)
        select metric, grain, period, slice, 'appears ' || count(*) || ' times' as message
        from staged where hash({key}) in (from suspects) group by {key} having count(*) > 1""",
        {},
    )


def values_have_denominators(staged: Staged) -> Query | None:
    """No value over a denominator of nothing."""
    where = "denominator = 0 and value is not null"
    message = "'has a value but its denominator is 0' as message"
    return f"select metric, grain, period, slice, {message} from staged where {where}", {}


def rows_in_scope(staged: Staged) -> Query | None:
    """Every row falls in a scope the publish replaces."""
    return (
        """
        select r.metric, r.grain, r.period, null as slice, 'lies outside the periods this publish replaces' as message
        from (select distinct metric, grain, period from staged) r
        anti join scopes s on r.metric = s.metric and r.grain = s.grain and r.period >= s.start and r.period < s."end"
        where r.metric is not null and r.grain is not null and r.period is not null""",
        {},
    )


def slices_add_up(staged: Staged) -> Query | None:
    """Slices of additive metrics (and additive numerators, denominators) add up to the total, exactly."""
    rules = staged.rules
    sets = {"value": rules.additive, "numerator": rules.additive_numerators, "denominator": rules.additive_denominators}
    if not any(sets.values()):
        return None
    differs = [
        f"when list_contains(${part}s, t.metric) and coalesce(s.{part}, 0) <> coalesce(t.{part}, 0)"
        f" then '{part}s add up to ' || coalesce(s.{part}, 0) || ', the total is ' || coalesce(t.{part}, 0)"
        for part in sets
    ]
    sums = ", ".join(f"sum({part}) as {part}" for part in sets)
    total = f"case grain when {literal(HOUR)} then {literal(AT)} else '' end"
    sql = f"""
        with sums as (
            select metric, grain, period, slice, {sums} from staged
            where list_contains($any, metric) group by all
        ),
        totals as (from sums where slice = {total}),
        slices as (select distinct metric, grain, slice from sums where slice <> {total}),
        compared as (
            select t.metric, t.grain, t.period, k.slice, case {" ".join(differs)} end as message
            from totals t join slices k using (metric, grain)
            left join sums s on (s.metric, s.grain, s.period, s.slice) = (t.metric, t.grain, t.period, k.slice)
        )
        select * from compared where message is not null
        union all
        select metric, grain, period, slice, 'has slices but no total' from sums
        anti join totals using (metric, grain, period)"""
    named = {f"{part}s": sorted(metrics) for part, metrics in sets.items()}
    return sql, {**named, "any": sorted(frozenset().union(*sets.values()))}


AUDITS: tuple[Callable[[Staged], Query | None], ...] = (
    keys_present,
    keys_unique,
    numbers_fit,
    periods_closed,
    members_match_slice,
    values_have_denominators,
    rows_in_scope,
    slices_add_up,
)


def audit(con: duckdb.DuckDBPyConnection, staged: Staged) -> AuditReport:
    """Run every audit over the views ``staged`` and ``scopes`` of ``con``."""
    findings: list[Finding] = []
    counts: dict[tuple[str, str | None], int] = {}
    for check in AUDITS:
        if query := check(staged):
            for metric, grain, period, name, message, count in _offences(con, query):
                findings.append(Finding(check.__name__, metric, grain, period, name, message))
                counts[check.__name__, metric] = count
    return AuditReport(tuple(findings), counts)


def _offences(con: duckdb.DuckDBPyConnection, query: Query) -> Sequence[tuple[Any, ...]]:
    sql, params = query
    ranked = f"""
        select metric, grain, period::varchar, slice, message, count(*) over (partition by metric) as offences
        from ({sql})
        qualify row_number() over (partition by metric order by grain, period, slice, message) <= {SHOWN}
        order by metric, grain, period, slice, message"""
    return con.execute(ranked, params).fetchall()
