"""Rows of a source as one SQL relation: raw columns in, typed columns with a bad-row mark out. Pure."""

# ruff: noqa: S608 - names are quoted, values are parameters

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from expectations.sql import ROW_ID, SOURCE_FILE, quote
from metrics_catalog.located import suggest
from orchestration.ingest.casting import TEXT, Cast, Raw, cast, sql_type
from orchestration.ingest.result import SourceError
from orchestration.ingest.spec import Source


@dataclass(frozen=True)
class Relation:
    """A table expression and what its columns mean, as SQL expressions over it.

    ``raw`` by target column (a column not in it is null); ``file`` and ``line`` place a row; ``defect`` says why a row
    is unreadable as a whole (null: it is not), ``text`` is then its text. ``parameters`` are those the SQL names.
    """

    sql: str
    raw: Mapping[str, Raw]
    file: str
    line: str = "NULL"
    defect: str | None = None
    text: str = "NULL"
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A column of `source.<name>` and its DuckDB type."""

    name: str
    type: str


def targets(spec: Source, relations: Iterable[Relation], kept: Iterable[str] = ()) -> list[Target]:
    """Declared columns, then those found beside them: ``kept`` from earlier loads and new ones, as text."""
    found = [*kept, *(name for relation in relations for name in relation.raw)]
    extra = [name for name in dict.fromkeys(found) if name not in spec.columns]
    return [
        *(Target(name, sql_type(column.type)) for name, column in spec.columns.items()),
        *(Target(name, TEXT) for name in extra),
    ]


def match(spec: Source, found: Sequence[str], place: str, complete: bool = True) -> dict[str, str]:
    """Target column -> found column. Case and outer blanks of names do not matter.

    With ``on_new_column: add`` a found column nobody declared is its own target. Raises `SourceError` naming ``place``
    for a declared column that is missing (unless not ``complete``), one found twice, or a new one that is refused.
    """
    present = {_plain(name): name for name in found}
    if len(present) < len(found):
        twice = next(name for name in found if [_plain(other) for other in found].count(_plain(name)) > 1)
        raise SourceError(f'{place} column "{twice}" is there twice; names must differ by more than case')
    columns: dict[str, str] = {}
    for name, column in spec.columns.items():
        actual = present.pop(_plain(spec.origin(name)), None)
        if actual is not None:
            columns[name] = actual
        elif complete and not column.optional:
            hint = suggest(spec.origin(name), present.values())
            raise SourceError(f'{place} column "{spec.origin(name)}" is missing{hint}; found: {", ".join(found)}')
    if present and spec.on_new_column == "fail":
        remedy = f"declare it in {spec.name}.yml, or set on_new_column: add or ignore"
        raise SourceError(f'{place} column "{next(iter(present.values()))}" is not declared; {remedy}')
    return columns | (_additions(spec, present.values(), place) if spec.on_new_column == "add" else {})


def select(relation: Relation, columns: Sequence[Target], spec: Source, row_id: str) -> str:
    """Every row of ``relation``: target columns typed, its file, and ``row_id``, negative where the row is bad.

    ``row_id`` is an expression over ``_row_number``, the row's place in the relation from 1 on. Rows are numbered as
    they are read: numbering them once they are cast takes DuckDB twice the time of reading and casting.
    """
    casts = [(column, _cast(relation, column, spec)) for column in columns]
    values = [f"{made.value if made else f'CAST(NULL AS {to.type})'} AS {quote(to.name)}" for to, made in casts]
    tests = [made.bad for _, made in casts if made and made.bad]
    if relation.defect:
        tests.append(f"({relation.defect}) IS NOT NULL")
    bad = " OR ".join(f"coalesce({test}, false)" for test in tests) or "false"
    number = f"CASE WHEN {bad} THEN -({row_id}) ELSE {row_id} END AS {ROW_ID}"
    rows = f"(SELECT *, row_number() OVER () AS _row_number FROM {relation.sql})"
    return f"SELECT {', '.join(values)}, {relation.file} AS {SOURCE_FILE}, {number} FROM {rows}"


def complaints(relation: Relation, columns: Sequence[Target], spec: Source) -> str:
    """What is wrong with the bad rows of ``relation``: file, line, column, reason, raw text of each bad value."""
    sound = f"({relation.defect}) IS NULL AND " if relation.defect else ""
    items = [
        f"CASE WHEN {sound}{made.bad}"
        f" THEN {{'name': {literal(column.name)}, 'reason': {made.reason}, 'raw': {made.raw}}} END"
        for column in columns
        if (made := _cast(relation, column, spec)) and made.bad
    ]
    if relation.defect:
        whole = f"{{'name': NULL, 'reason': {relation.defect}, 'raw': {relation.text}}}"
        items.append(f"CASE WHEN ({relation.defect}) IS NOT NULL THEN {whole} END")
    return (
        f"SELECT file, line, c.name, c.reason, c.raw FROM (SELECT {relation.file} AS file, {relation.line} AS line,"
        f" unnest([{', '.join(items)}]) AS c FROM {relation.sql}) WHERE c IS NOT NULL"
    )


def literal(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _plain(name: str) -> str:
    return name.strip().casefold()


def _additions(spec: Source, found: Iterable[str], place: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for name in found:
        target = re.sub(r"\W+", "_", name).strip("_").lower()
        if not target or target in names or target in spec.columns:
            raise SourceError(f'{place} column "{name}" cannot be added under a name of its own; declare it with from:')
        names[target] = name
    return names


def _cast(relation: Relation, target: Target, spec: Source) -> Cast | None:
    raw = relation.raw.get(target.name)
    if raw is None:
        return None
    column = spec.columns.get(target.name)
    declared = column.type if column else "varchar"
    return cast(raw, declared, spec.options, required=target.name in spec.required)
