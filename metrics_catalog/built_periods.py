"""Periods of a project's own grains: read from the time spine when it is built, kept for who has no warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from metrics_catalog.located import Problem
from metrics_catalog.own_grains import OwnGrain
from metrics_catalog.project import Project
from metrics_catalog.semantic import Semantics

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Days = Sequence[tuple[date, str | None]]


def with_built_periods(semantics: Semantics, project: Project) -> Semantics:
    """The semantic models with the periods of own grains, as far as these were built."""
    known = _known(project)
    own = {name: _filled(grain, known.get(name, {})) for name, grain in semantics.own_grains.items()}
    return replace(semantics, own_grains=own)


def keep_built_periods(con: DuckDBPyConnection, own: Mapping[str, OwnGrain], project: Project) -> list[Problem]:
    """Remember the periods of ``own`` grains that the time spines say now; gives what is wrong with them."""
    known, kept, problems = _known(project), dict[str, Any](), list[Problem]()
    for name, grain in own.items():
        if not _is_built(con, grain):
            continue
        try:
            kept[name] = _kept(periods(grain, _days(con, grain)), known.get(name, {}))
        except InvalidSpine as error:
            problems.append(Problem(project.named(grain.spine.path), _line(project, grain), str(error)))
    if kept or known:
        project.periods.parent.mkdir(parents=True, exist_ok=True)
        project.periods.write_text(json.dumps(kept, ensure_ascii=False), "utf-8")
    return problems


class InvalidSpine(ValueError):
    """A time spine whose column makes no periods."""


@dataclass(frozen=True)
class Periods:
    """``of``: the column they were read from. See `OwnGrain` for the others."""

    of: str
    starts: tuple[date, ...]
    texts: tuple[str, ...]
    until: date


def periods(grain: OwnGrain, days: Days) -> Periods:
    """Stretches of days with the same value; ``days``: in order, each once. Raises `InvalidSpine`."""
    name, column = grain.name, grain.column
    if not days:
        raise InvalidSpine(f"{name}: the time spine has no rows")
    if empty := next((day for day, value in days if value is None), None):
        raise InvalidSpine(f'{name}: column "{column}" is empty on {empty}')
    if twice := next((day for (day, _), (after, _) in pairwise(days) if day == after), None):
        raise InvalidSpine(f'{name}: column "{column}" has two values on {twice}')
    runs = [(str(value), next(run)[0]) for value, run in groupby(days, lambda one: one[1])]
    seen: dict[str, date] = {}
    for value, start in runs:
        if value in seen:
            raise InvalidSpine(
                f'{name}: column "{column}" is "{value}" from {seen[value]} and again from {start}; '
                "give each period a value of its own, with the year in it"
            )
        seen[value] = start
    known = runs[1:]
    until = days[-1][0] + timedelta(days=1)
    return Periods(
        f"{grain.spine.node} {column}", tuple(start for _, start in known), tuple(text for text, _ in known), until
    )


def _is_built(con: DuckDBPyConnection, grain: OwnGrain) -> bool:
    query = "select 1 from information_schema.tables where (table_schema, table_name) = ($1, $2)"
    return con.execute(query, [grain.spine.schema, grain.spine.table]).fetchone() is not None


def _days(con: DuckDBPyConnection, grain: OwnGrain) -> Days:
    from sqlglot import exp

    day, value = (exp.to_identifier(name, quoted=True).sql("duckdb") for name in (grain.spine.day, grain.column))
    table = exp.table_(grain.spine.table, db=grain.spine.schema, quoted=True).sql("duckdb")
    query = f"select distinct cast({day} as date), cast({value} as varchar) from {table} order by all"  # noqa: S608
    return con.execute(query).fetchall()


def _kept(now: Periods, before: Mapping[str, Any]) -> dict[str, Any]:
    """As kept in the file. The print stays when periods were only added."""
    starts = [day.isoformat() for day in now.starts]
    until = before.get("until", "")
    same = before.get("of") == now.of and before["starts"] == [
        day for day in starts if before["starts"][:1] <= [day] and day < until
    ]
    made = before["print"] if same else sha256(" ".join(starts).encode()).hexdigest()[:16]
    return {"of": now.of, "print": made, "until": now.until.isoformat(), "starts": starts, "texts": list(now.texts)}


def _filled(grain: OwnGrain, kept: Mapping[str, Any]) -> OwnGrain:
    if kept.get("of") != f"{grain.spine.node} {grain.column}":
        return grain
    starts = tuple(map(date.fromisoformat, kept["starts"]))
    until = date.fromisoformat(kept["until"])
    return replace(grain, starts=starts, texts=tuple(kept["texts"]), until=until, print=kept["print"])


def _known(project: Project) -> dict[str, Any]:
    return json.loads(project.periods.read_text("utf-8")) if project.periods.is_file() else {}


def _line(project: Project, grain: OwnGrain) -> int:
    """Where the YAML names the column."""
    path = project.dbt / grain.spine.path
    lines: Iterator[str] = iter(path.read_text("utf-8").splitlines()) if path.is_file() else iter(())
    return next((number for number, line in enumerate(lines, 1) if grain.column in line), 1)
