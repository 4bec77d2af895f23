"""The metric models: the rollups of a mart as one dbt model written by us, made in one scan.

Joined dimensions are grouped by as codes, conditions on them are flags, and what a key decides is joined after
grouping. The text is an ordinary dbt model, reviewed and built like any other; `metrics generate` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import yaml
from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.codes import CODE, Place, Relation, codes, placed
from metrics_catalog.engine.components import Component
from metrics_catalog.engine.flags import flagged
from metrics_catalog.engine.pieces import table
from metrics_catalog.engine.rollup import Rollup, deciding, rollups
from metrics_catalog.engine.scan import DAY, SLICE, Scan, with_imports
from metrics_catalog.engine.text import readable
from metrics_catalog.engine.tree import named
from metrics_catalog.expressions import attribute_sql, qualified
from metrics_catalog.semantic import Join, SemanticModel, Semantics

MARK = "-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.\n"
_BY_DAY = f"materialized='incremental', incremental_strategy='changed_days', unique_key='{DAY}'"
_GROUPED, _FINAL = "grouped", "final"
_REF = "__ref__"


def stored_query(
    catalog: Catalog, together: Sequence[Rollup], where: exp.Expr | None = None, place: Place = placed
) -> exp.Select:
    """The rollups of a table as a query over the marts: what their dbt model computes, of all rows or some.

    ``place``: where the tables of semantic models are.
    """
    made = _Made(catalog.semantics, together)
    grouped = made.grouped if where is None else made.grouped.where(where)
    if made.final is None:
        return with_imports(grouped, made.imports(place))
    return with_imports(made.final, [*made.imports(place), (_GROUPED, grouped)])


def rollup_files(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """(file name, text) of every metric model."""
    for together in rollups(catalog).tables:
        made = _Made(catalog.semantics, together)
        yield f"{made.table}.sql", _sql(made)
        yield f"{made.table}.yml", _yaml(made)


class _Made:
    """The parts of a metric model."""

    def __init__(self, semantics: Semantics, together: Sequence[Rollup]) -> None:
        self.semantics, self.together = semantics, together
        self.table, self.model = together[0].table, together[0].model
        self.keys = tuple(dict.fromkeys(name for one in together for name in one.keys))
        self.dimensions = tuple(dict.fromkeys((*self.keys, *(name for one in together for name in one.decided))))
        self.codes = codes(semantics, self.model, self.keys)
        self.components = together[0].components
        self.flags = flagged(self.components)
        self.scan = Scan(semantics, self.model, self.keys, self.flags.components, self.codes.tables)

    @cached_property
    def grouped(self) -> exp.Select:
        """By day and each set of keys."""
        return self.scan.grouped([one.keys for one in self.together])

    @cached_property
    def joins(self) -> Mapping[Join, exp.Expr]:
        """The joins after grouping, each with its left side."""
        found: dict[Join, exp.Expr] = {}
        for rollup in self.together:
            for name in rollup.decided:
                key, joins = deciding(self.semantics, self.model, name, rollup.keys) or ("", ())
                for number, join in enumerate(joins):
                    left = qualified(join.left_expr, join.left) if number else exp.column(key, table=_GROUPED)
                    found.setdefault(join, left)
        return found

    @cached_property
    def final(self) -> exp.Select | None:
        """The grouping with members instead of codes, and with what its keys decide; None if it has all."""
        if not self.joins and not self.codes.tables:
            return None
        fixed = [DAY, SLICE] if self.together[0].shared else [DAY]
        items = [exp.column(name, table=_GROUPED) for name in fixed]
        items += [self._dimension(name) for name in self.dimensions]
        items += [exp.column(one.name, table=_GROUPED) for one in self.components]
        query = exp.Select(expressions=items).from_(table(_GROUPED), copy=False)
        for name, numbers in self.codes.tables.items():
            on = exp.EQ(this=exp.column(name, table=_GROUPED), expression=exp.column(CODE, table=numbers))
            query = query.join(table(numbers), on=on, join_type="left", copy=False)
        for join, left in self.joins.items():
            on = exp.EQ(this=left, expression=qualified(join.right_expr, join.right))
            query = query.join(table(join.right), on=on, join_type="left", copy=False)
        return query

    def _dimension(self, name: str) -> exp.Expr:
        """Grouped by in one rollup, decided by a key in another, or both."""
        found = []
        if name in self.keys:
            found.append(exp.column(name, table=self.codes.tables.get(name, _GROUPED)))
        if any(name in one.decided for one in self.together):
            found.append(attribute_sql(self.semantics, self.semantics.attribute(self.model, name)))
        if len(found) > 1:
            return named(exp.Coalesce(this=found[0], expressions=found[1:]), name)
        return found[0] if isinstance(found[0], exp.Column) and found[0].name == name else named(found[0], name)

    @property
    def models(self) -> tuple[str, ...]:
        """Semantic models read, the fact first."""
        return tuple(dict.fromkeys((*self.scan.models, *(join.right for join in self.joins))))

    def imports(self, place: Place) -> list[Relation]:
        """The fact, codes and other semantic models, as CTEs."""
        fact, *others = self.codes.relations(self.semantics, self.models, place, self.flags.tests)
        return [fact, *self.codes.numbered(self.semantics, place), *others]


def _sql(made: _Made) -> str:
    config, changed = _replaced(*map(made.semantics.model, made.models))
    day = readable(made.scan.day).replace(f"{made.model}.", "")
    only = (
        f"\n    {{% if is_incremental() %}}where {{{{ in_dates('{day}', {changed}) }}}}{{% endif %}}" if changed else ""
    )
    parts = [cte(name, query, only if name == made.model else "") for name, query in made.imports(reference)]
    parts += [cte(_FINAL if made.final is None else _GROUPED, made.grouped)]
    parts += [cte(_FINAL, made.final)] if made.final is not None else []
    every = ",\n\n".join(parts)
    return f"{MARK}{{{{ config({config}) }}}}\n\nwith {every}\n\nselect * from {_FINAL}\n"


def _replaced(mart: SemanticModel, *joined: SemanticModel) -> tuple[str, str]:
    """dbt's config, and the days to replace: those on which rows of the mart may be others; "": it is built whole.

    What a changed table of those ``joined`` says may be of rows of any day, so the config names them: the pipeline
    builds the model whole when one of them was built again.
    """
    if mart.replaced_by is None:
        return "materialized='table'", ""
    meta: dict[str, object] = {"joins": sorted({one.table for one in joined})} if joined else {}
    changed = "changed_days()"
    if mart.replaced_by == "week":
        meta = {"changed": "days of the week", "following": mart.following_weeks, **meta}
        changed = f"changed_week_days(following={mart.following_weeks})"
    return f"{_BY_DAY}, meta={meta}" if meta else _BY_DAY, changed


def reference(model: SemanticModel) -> exp.Expr:
    """The table of a semantic model, which `cte` writes as a ref."""
    return exp.table_(model.table, db=_REF)


def cte(name: str, query: exp.Expr, only: str = "") -> str:
    """A CTE as dbt's SQL; ``only``: a condition to add to it."""
    body = readable(query).replace("\n", "\n    ")
    body = body.replace("select\n      *\n    from", "select * from")
    words = re.sub(rf"{_REF}\.(\w+)", r"{{ ref('\1') }}", body)
    return f"{name} as (\n    {words}{only}\n)"


def _yaml(made: _Made) -> str:
    sliced = [{"name": name, "description": f"Dimension {name}."} for name in made.dimensions]
    stored = [{"name": one.name, "description": _meaning(one)} for one in made.components]
    which = [{"name": SLICE, "description": "The dimensions a row is of."}] if made.together[0].shared else []
    by = ", or by ".join(" and ".join(["day", *one.keys]) for one in made.together)
    model = {
        "name": made.table,
        "description": f"Metric model of {made.model}: additive components by {by}.",
        "columns": [
            {"name": DAY, "description": "Business day.", "data_tests": ["not_null"]}, *which, *sliced, *stored
        ],
    }  # fmt: skip
    text = yaml.safe_dump({"version": 2, "models": [model]}, sort_keys=False, allow_unicode=True, width=120)
    return MARK.replace("--", "#") + text


def _meaning(component: Component) -> str:
    inner = "*" if component.expr is None else component.expr.sql("duckdb")
    rows = "" if component.filter is None else f" where {component.filter.sql('duckdb')}"
    return f"{component.agg}({inner}){rows}"
