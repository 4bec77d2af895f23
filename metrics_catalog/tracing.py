"""Where the columns and the rows of a dbt model come from: its raw SQL with refs replaced, read by sqlglot. Pure.

Nothing is guessed: what cannot be followed comes from every column, ``*``, of the tables it may come from.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

Origin = tuple[str, str]  # id of a parent, and its column in lower case; "*" for all of them
WHOLE = "*"

_REF = re.compile(r"\{\{-?\s*ref\(([^()]*)\)\s*-?\}\}")
_SOURCE = re.compile(r"\{\{-?\s*source\(([^()]*)\)\s*-?\}\}")
_CONFIG = re.compile(r"\{\{-?\s*config\(.*?\)\s*-?\}\}", re.DOTALL)
# On a full build these rows are not left out, and what a column means is the same.
_INCREMENTAL = re.compile(r"\{%-?\s*if is_incremental\(\)\s*-?%\}(?:(?!\{%).)*\{%-?\s*endif\s*-?%\}", re.DOTALL)
_SET = re.compile(r"\{%-?\s*set\s+\w+\s*=.*?%\}", re.DOTALL)
_OTHER = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_MARK = "jinja_expression_"


@dataclass(frozen=True)
class Traced:
    """``columns``: what each is computed from. ``rows``: what decides which rows there are (joins, filters, groups).

    ``is_whole``: the SQL could not be read, or not all its columns be named.
    """

    columns: Mapping[str, frozenset[Origin]]
    rows: frozenset[Origin]
    is_whole: bool = False

    def origins(self, column: str) -> frozenset[Origin]:
        """What one column is computed from; of a column that is not known, anything."""
        found = self.columns.get(column)
        return frozenset((parent, WHOLE) for parent, _ in self.rows) if found is None else found


def trace(
    raw_sql: str, parents: Mapping[str, str], columns: Mapping[str, Iterable[str]], dialect: str = "duckdb"
) -> Traced:
    """Where a model's columns come from; never raises for any SQL.

    ``parents``: id by the name of a ref, or by "source.table"; ``columns``: those of parents that are known, by id.
    """
    tables, marks = _Tables(parents), dict[str, str]()
    scope = _scope(raw_sql, tables, marks, columns, dialect)
    if scope is None:
        return Traced({}, frozenset((parent, WHOLE) for parent in parents.values()), is_whole=True)
    return _Tracer(scope, {key: id_ for key, (id_, _) in tables.used.items()}, marks).traced()


def _scope(
    raw_sql: str, tables: _Tables, marks: dict[str, str], columns: Mapping[str, Iterable[str]], dialect: str
) -> Scope | None:
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        tree = parse_one(_without_jinja(raw_sql, tables, marks), dialect=dialect)
        known = {key: (id_, name) for key, (id_, name) in tables.used.items() if columns.get(id_)}
        tree = qualify(
            tree,
            schema={key: {name: dict.fromkeys(columns[id_], "text")} for key, (id_, name) in known.items()} or None,
            dialect=dialect,
            quote_identifiers=False,
            identify=False,
            validate_qualify_columns=False,
        )
        return build_scope(tree) if isinstance(tree, exp.Query) else None
    except (SqlglotError, ValueError, KeyError, AttributeError, RecursionError):
        return None


class _Tables:
    """Names for the parents in SQL: a schema of its own for each, and the table's name, which may qualify columns."""

    def __init__(self, parents: Mapping[str, str]) -> None:
        self._parents = parents
        self.used: dict[str, tuple[str, str]] = {}

    def named(self, call: re.Match[str]) -> str:
        """SQL for a ref or source. Raises `KeyError` when it is no parent."""
        given = re.findall(r"""['"]([^'"]+)['"]""", call[1])
        name = given[-1]
        id_ = self._parents[".".join(given) if "source" in call[0] else name]
        key = next((key for key, (one, _) in self.used.items() if one == id_), f"parent_{len(self.used)}")
        self.used[key] = (id_, name)
        return f'{key}."{name}"'


def _without_jinja(raw: str, tables: _Tables, marks: dict[str, str]) -> str:
    """SQL with a name for each expression; raises `ValueError` for blocks whose text may be there or not."""

    def mark(tag: re.Match[str]) -> str:
        marks[name := f"{_MARK}{len(marks)}"] = tag[0]
        return name

    text = re.sub(r"\{#.*?#\}", "", raw, flags=re.DOTALL)
    for pattern in (_CONFIG, _INCREMENTAL, _SET):
        text = pattern.sub("", text)
    text = _OTHER.sub(mark, _SOURCE.sub(tables.named, _REF.sub(tables.named, text)))
    if "{%" in text:
        raise ValueError("a block")
    return text


class _Tracer:
    """Follows columns from the outermost query to the parents' tables, by ``ids`` of their schemas."""

    def __init__(self, root: Scope, ids: Mapping[str, str], marks: Mapping[str, str]) -> None:
        self._root, self._ids, self._marks = root, ids, marks
        self._scopes = list(root.traverse())
        self._known: dict[tuple[int, str], frozenset[Origin]] = {}
        self._home = {
            id(column): scope
            for scope in self._scopes
            for column in scope.columns
            if column.table in scope.selected_sources
        }

    def traced(self) -> Traced:
        """Every column of the outermost query, and what decides its rows."""
        names = _selected(self._root)
        rows = frozenset(origin for scope in self._scopes for origin in self._deciding(scope))
        tables = frozenset((parent, "") for scope in self._scopes for parent in self._tables(scope))
        columns = {name: self._column(self._root, name) for name in names if name != WHOLE}
        return Traced(columns, rows | tables, is_whole=WHOLE in names or not names)

    def _deciding(self, scope: Scope) -> Iterator[Origin]:
        from sqlglot import exp

        query = scope.expression
        if isinstance(query, exp.SetOperation):
            if query.args.get("distinct"):
                for name in _selected(scope):
                    yield from self._column(scope, name)
            return
        clauses = [query.args.get(name) for name in ("where", "group", "having", "qualify", "distinct", "limit")]
        joins = query.args.get("joins") or ()
        clauses += [one.args.get("on") for one in joins]
        clauses += query.expressions if query.args.get("distinct") else []
        for clause in clauses:
            if isinstance(clause, exp.Expr):
                yield from self._within(clause, scope)

    def _tables(self, scope: Scope) -> Iterator[str]:
        for _, source in scope.selected_sources.values():
            if parent := self._parent(source):
                yield parent

    def _within(self, expression: exp.Expr, scope: Scope) -> Iterator[Origin]:
        from sqlglot import exp

        for column in expression.find_all(exp.Column):
            yield from self._origins(column, self._home.get(id(column), scope))

    def _origins(self, column: exp.Column, scope: Scope) -> frozenset[Origin]:
        name = column.name.lower()
        if name in self._marks:
            return self._of_jinja(self._marks[name], scope)
        sources = scope.selected_sources
        if column.table in sources:
            return self._of_source(sources[column.table][1], name)
        known = [source for _, source in sources.values() if len(sources) == 1 or self._has(source, name)]
        maybe = [] if known else [source for _, source in sources.values()]
        return frozenset().union(
            *(self._of_source(source, name) for source in known),
            *(self._of_source(source, name, WHOLE) for source in maybe),
        )

    def _of_source(self, source: object, name: str, unknown: str | None = None) -> frozenset[Origin]:
        """Origins of a column of a table or query; ``unknown``: it may be of another one."""
        from sqlglot.optimizer.scope import Scope

        if isinstance(source, Scope):
            return self._column(source, name)
        parent = self._parent(source)
        return frozenset([(parent, unknown or name)]) if parent else frozenset()

    def _parent(self, source: object) -> str | None:
        from sqlglot import exp

        return self._ids.get(source.db) if isinstance(source, exp.Table) else None

    def _column(self, scope: Scope, name: str) -> frozenset[Origin]:
        key = (id(scope), name)
        if key not in self._known:
            self._known[key] = frozenset()  # a recursive CTE comes here again
            self._known[key] = frozenset(self._traced(scope, name))
        return self._known[key]

    def _traced(self, scope: Scope, name: str) -> Iterator[Origin]:
        from sqlglot import exp

        query = scope.expression
        if isinstance(query, exp.SetOperation):
            names = _selected(scope)
            for side in scope.set_operation_scopes:
                theirs = _selected(side)
                by_place = name in names and names.index(name) < len(theirs) and WHOLE not in (*names, *theirs)
                yield from self._column(side, theirs[names.index(name)] if by_place else name)
            return
        if not isinstance(query, exp.Select):
            yield from self._within(query, scope)
            return
        found = [one for one in query.expressions if one.alias_or_name.lower() == name]
        for one in found:
            yield from self._within(one, scope)
        for star in () if found else (one for one in query.expressions if one.is_star):
            of = star.table if isinstance(star, exp.Column) else ""
            for alias, (_, source) in scope.selected_sources.items():
                if of in ("", alias):
                    yield from self._of_source(source, name)

    def _of_jinja(self, tag: str, scope: Scope) -> frozenset[Origin]:
        """Columns a tag names, with their table or alone in a string; all of the tables there when it names none."""
        found: set[Origin] = set()
        sources = {alias.lower(): source for alias, (_, source) in scope.selected_sources.items()}
        for table, name in re.findall(r"(\w+)\.(\w+)", tag):
            if table.lower() in sources:
                found |= self._of_source(sources[table.lower()], name.lower())
        for name in () if found else re.findall(r"""['"](\w+)['"]""", tag):
            for source in sources.values():
                if self._has(source, name.lower()):
                    found |= self._of_source(source, name.lower())
        return frozenset(found) or frozenset(
            origin for source in sources.values() for origin in self._of_source(source, WHOLE)
        )

    def _has(self, source: object, name: str) -> bool:
        from sqlglot.optimizer.scope import Scope

        return isinstance(source, Scope) and name in _selected(source)


def _selected(scope: Scope) -> list[str]:
    """Names of a query's columns; "*" for those that are not known, none for what is no query."""
    from sqlglot import exp

    query = scope.expression
    return [name.lower() for name in query.named_selects] if isinstance(query, exp.Query) else []
