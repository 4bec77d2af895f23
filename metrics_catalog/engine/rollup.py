"""The metric models: mergeable components of a mart by day and dimensions, as dbt models written by us.

One for each set of dimensions that some metric is sliced by together, as small as can be: a set within a larger one is
read from that, and what a key decides (a store its region) is joined after grouping by the key. The text is an ordinary
dbt model, reviewed and built like any other; `metrics generate` writes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import yaml
from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.components import Component
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.engine.scan import DAY, Scan, with_imports
from metrics_catalog.engine.text import readable
from metrics_catalog.engine.tree import named
from metrics_catalog.expressions import attribute_sql, qualified
from metrics_catalog.semantic import Join, Semantics

_MARK = "-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.\n"
_CONFIG = f"{{{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='{DAY}') }}}}\n"
_GROUPED, _FINAL = "grouped", "final"


@dataclass(frozen=True)
class Rollup:
    """A metric model: its semantic model, the keys it groups by, what those decide, the components it stores."""

    model: str
    keys: tuple[str, ...]
    decided: tuple[str, ...]
    components: tuple[Component, ...]

    @property
    def name(self) -> str:
        """The same for as long as it is grouped by the same."""
        return "_by_".join((self.model, "_".join(self.keys))) if self.keys else self.model

    @property
    def table(self) -> str:
        """Name of the dbt model and its table."""
        return f"{self.name}_daily"

    @property
    def dimensions(self) -> tuple[str, ...]:
        """All it can be sliced by."""
        return (*self.keys, *self.decided)


@dataclass(frozen=True)
class Rollups:
    """Those of a catalog, of each semantic model the smallest first."""

    every: tuple[Rollup, ...]

    def holding(self, model: str, dimensions: Collection[str]) -> Rollup | None:
        """The smallest rollup of a semantic model by which it can be sliced so."""
        return next((one for one in self.of([model]) if set(dimensions) <= set(one.dimensions)), None)

    def of(self, models: Collection[str]) -> tuple[Rollup, ...]:
        """The rollups of some semantic models."""
        return tuple(one for one in self.every if one.model in models)


def rollups(catalog: Catalog) -> Rollups:
    """What must be stored so that every metric can be put together at all its slices, by each of its definitions."""
    return catalog.once(rollups, lambda: rollups_of(catalog.semantics, _sliced(catalog)))


def rollups_of(semantics: Semantics, sliced: Iterable[tuple[Formula, Iterable[str]]]) -> Rollups:
    """The least that must be stored for formulas, each at a slice."""
    components: dict[str, dict[Component, None]] = {}
    wanted: dict[str, set[frozenset[str]]] = {}
    for formula, cut in sliced:
        for component in formula.components:
            if component.merge is not None:
                components.setdefault(component.model, {})[component] = None
                wanted.setdefault(component.model, set()).add(slice_of(component, cut))
    found: list[Rollup] = []
    for model, cuts in sorted(wanted.items()):
        stored = tuple(sorted(components[model], key=lambda one: one.name))
        found += [Rollup(model, *dimensions, stored) for dimensions in covering(semantics, model, cuts)]
    return Rollups(tuple(found))


def _sliced(catalog: Catalog) -> Iterator[tuple[Formula, Iterable[str]]]:
    for one in (catalog, *(era.catalog for era in catalog.eras)):
        for metric, formula in formulas(one).items():
            yield from ((formula, cut) for cut in ((), *one.metrics[metric].spec.slices))


def slice_of(component: Component, cut: Iterable[str]) -> frozenset[str]:
    """The dimensions that must be stored together for a component at a slice."""
    per = component.semi_additive.per if component.semi_additive else ()
    return frozenset((*cut, *per))


def rollup_query(catalog: Catalog, rollup: Rollup, where: exp.Expr | None = None) -> exp.Select:
    """The rollup as a query over the marts: what its dbt model computes, of all rows or some."""
    scan, (grouped, final) = _scan(catalog, rollup), _parts(catalog, rollup)
    grouped = grouped if where is None else grouped.where(where)
    marts = [(name, catalog.semantics.model(name)) for name in _models(catalog, rollup, scan)]
    tables = [(name, exp.select("*").from_(exp.table_(mart.table, db=mart.schema))) for name, mart in marts]
    return with_imports(grouped, tables) if final is None else with_imports(final, [*tables, (_GROUPED, grouped)])


def dbt_files(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """(file name, text) of everything under ``dbt_project/models/metrics``."""
    for rollup in rollups(catalog).every:
        yield f"{rollup.table}.sql", _sql(catalog, rollup)
        yield f"{rollup.table}.yml", _yaml(rollup)


def covering(
    semantics: Semantics, model: str, cuts: Collection[frozenset[str]]
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(keys, what they decide) of the fewest sets that hold all ``cuts``, those of fewest keys first."""
    every = sorted({name for cut in cuts for name in cut})
    found: dict[frozenset[str], frozenset[str]] = {}
    for cut in cuts:
        keys = cut - {name for name in cut if _deciding(semantics, model, name, cut)}
        decided = {name for name in every if _deciding(semantics, model, name, keys)}
        found[frozenset(keys)] = keys | decided
    largest = [keys for keys, held in found.items() if not any(held < other for other in found.values())]
    return sorted(
        ((tuple(sorted(keys)), tuple(sorted(found[keys] - keys))) for keys in largest),
        key=lambda one: (len(one[0]), one),
    )


def _deciding(semantics: Semantics, model: str, name: str, keys: Iterable[str]) -> tuple[str, tuple[Join, ...]] | None:
    """The key among ``keys`` that decides a dimension, at all times, and the joins that lead on from it."""
    joins = semantics.attribute(model, name).joins
    for key in sorted(keys):
        one = semantics.attribute(model, key)
        before, after = joins[: len(one.joins)], joins[len(one.joins) :]
        if after and before == one.joins and (after[0].left, after[0].left_expr) == (one.model, one.expr):
            return None if any(join.valid for join in after) else (key, after)
    return None


def _scan(catalog: Catalog, rollup: Rollup) -> Scan:
    return Scan(catalog.semantics, rollup.model, rollup.keys, rollup.components)


def _parts(catalog: Catalog, rollup: Rollup) -> tuple[exp.Select, exp.Select | None]:
    """The grouping, and if there is anything to join to it, the join."""
    grouped = _scan(catalog, rollup).grouped()
    if not rollup.decided:
        return grouped, None
    semantics = catalog.semantics
    items = [exp.Column(this=exp.Star(), table=exp.to_identifier(_GROUPED))]
    attributes = [semantics.attribute(rollup.model, name) for name in rollup.decided]
    items += [named(attribute_sql(semantics, one), one.name) for one in attributes]
    query = exp.select(*items).from_(_GROUPED)
    for join, left in _joined_after(semantics, rollup).items():
        on = exp.EQ(this=left, expression=qualified(join.right_expr, join.right))
        query = query.join(exp.to_table(join.right), on=on, join_type="left")
    return grouped, query


def _joined_after(semantics: Semantics, rollup: Rollup) -> Mapping[Join, exp.Expr]:
    """The joins after grouping, each with its left side."""
    found: dict[Join, exp.Expr] = {}
    for name in rollup.decided:
        key, joins = _deciding(semantics, rollup.model, name, rollup.keys) or ("", ())
        for number, join in enumerate(joins):
            left = qualified(join.left_expr, join.left) if number else exp.column(key, table=_GROUPED)
            found.setdefault(join, left)
    return found


def _models(catalog: Catalog, rollup: Rollup, scan: Scan) -> list[str]:
    """Semantic models read, the fact first."""
    return list(dict.fromkeys((*scan.models, *(join.right for join in _joined_after(catalog.semantics, rollup)))))


def _sql(catalog: Catalog, rollup: Rollup) -> str:
    scan, (grouped, final) = _scan(catalog, rollup), _parts(catalog, rollup)
    parts = [_import(catalog, name, scan) for name in _models(catalog, rollup, scan)]
    parts += [_cte(_FINAL, grouped)] if final is None else [_cte(_GROUPED, grouped), _cte(_FINAL, final)]
    every = ",\n\n".join(parts)
    return f"{_MARK}{_CONFIG}\nwith {every}\n\nselect * from {_FINAL}\n"


def _cte(name: str, query: exp.Select) -> str:
    body = readable(query).replace("\n", "\n    ")
    return f"{name} as (\n    {body}\n)"


def _import(catalog: Catalog, name: str, scan: Scan) -> str:
    table = catalog.semantics.model(name).table
    day = scan.day.sql("duckdb").replace(f"{scan.model}.", "")
    only = f"\n    {{% if is_incremental() %}}where {{{{ in_dates('{day}', changed_days()) }}}}{{% endif %}}"
    return f"{name} as (\n    select * from {{{{ ref('{table}') }}}}{only if name == scan.model else ''}\n)"  # noqa: S608


def _yaml(rollup: Rollup) -> str:
    sliced = [{"name": name, "description": f"Dimension {name}."} for name in rollup.dimensions]
    stored = [{"name": one.name, "description": _meaning(one)} for one in rollup.components]
    by = " and ".join(["day", *rollup.keys])
    model = {
        "name": rollup.table,
        "description": f"Metric model of {rollup.model}: additive components by {by}.",
        "columns": [{"name": DAY, "description": "Business day.", "data_tests": ["not_null"]}, *sliced, *stored],
    }
    text = yaml.safe_dump({"version": 2, "models": [model]}, sort_keys=False, allow_unicode=True, width=120)
    return _MARK.replace("--", "#") + text


def _meaning(component: Component) -> str:
    inner = "*" if component.expr is None else component.expr.sql("duckdb")
    rows = "" if component.filter is None else f" where {component.filter.sql('duckdb')}"
    return f"{component.agg}({inner}){rows}"
