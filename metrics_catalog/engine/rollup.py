"""What is stored of a mart: its mergeable components by day and dimensions, as few and as narrow as the slices allow.

A rollup for each set of dimensions that some metric is sliced by together: a set within a larger one is read from that,
and what a key decides (a store its region) is joined after grouping by the key. Those of one semantic model lie in one
table, made in one scan (`metric_models`). Pure: knows no SQL but the place of its rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.components import Component
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.engine.needs import cell
from metrics_catalog.engine.scan import DAY, SLICE, Scan
from metrics_catalog.engine.tree import column, named, text, typed
from metrics_catalog.semantic import AT, Join, Semantics


@dataclass(frozen=True)
class Rollup:
    """Its semantic model, the keys it groups by, what those decide, the components it stores.

    ``shared``: there are others of the semantic model in its table, told apart by column ``slice``.
    """

    model: str
    keys: tuple[str, ...]
    decided: tuple[str, ...]
    components: tuple[Component, ...]
    shared: bool = False

    @property
    def name(self) -> str:
        """The same for as long as it is grouped by the same."""
        return "_by_".join((self.model, "_".join(self.keys))) if self.keys else self.model

    @property
    def table(self) -> str:
        """Name of the dbt model and its table."""
        return f"{self.model if self.shared else self.name}_daily"

    @property
    def slice(self) -> str:
        """What column ``slice`` says of its rows."""
        return ",".join(self.keys)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """All it can be sliced by."""
        return (*self.keys, *self.decided)

    def rows(self, place: exp.Expr) -> exp.Expr:
        """Its rows, to select from; ``place``: its table."""
        if not self.shared:
            return place
        mine = exp.EQ(this=column(SLICE), expression=text(self.slice))
        every = exp.Select(expressions=[exp.Star()]).from_(place, copy=False)
        return every.where(mine, copy=False).subquery(self.name, copy=False)

    def select(self, schema: str) -> exp.Select:
        """Its rows and columns, of the table in ``schema``."""
        stored = (one.name for one in self.components)
        columns = {name: column(name) for name in (DAY, *self.keys, *stored, *self.decided)}
        if AT in columns:
            columns[AT] = named(typed(columns[AT], "varchar"), AT)  # as in published values
        rows = self.rows(exp.table_(self.table, db=schema))
        return exp.Select(expressions=list(columns.values())).from_(rows, copy=False)


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

    @property
    def tables(self) -> tuple[tuple[Rollup, ...], ...]:
        """The rollups of each table."""
        found: dict[str, list[Rollup]] = defaultdict(list)
        for one in self.every:
            found[one.table].append(one)
        return tuple(map(tuple, found.values()))


def rollups(catalog: Catalog) -> Rollups:
    """What must be stored so that every metric can be put together at all its slices, by each of its definitions."""
    return catalog.once(rollups, lambda: rollups_of(catalog.semantics, _sliced(catalog)))


def rollups_of(semantics: Semantics, sliced: Iterable[tuple[Formula, Iterable[str]]], picked: bool = False) -> Rollups:
    """The least that must be stored for formulas, each at a slice; ``picked``: of what is not stored, but as if."""
    components: dict[str, dict[Component, None]] = {}
    wanted: dict[str, set[frozenset[str]]] = {}
    for formula, cut in sliced:
        for component in formula.components:
            if component.merge is not None and bool(component.lookups) is picked:
                components.setdefault(component.model, {})[component] = None
                wanted.setdefault(component.model, set()).add(slice_of(component, cut))
    found: list[Rollup] = []
    for model, cuts in sorted(wanted.items()):
        stored = tuple(sorted(components[model], key=lambda one: one.name))
        hours = {cut for cut in cuts if AT in cut}  # apart: days are not put together from hours
        sets = [*covering(semantics, model, cuts - hours), *covering(semantics, model, hours)]
        some = [Rollup(model, *dimensions, stored) for dimensions in sets]
        shared = len(some) > 1 and _told_apart(semantics, some)
        found += [replace(one, shared=shared) for one in some]
    return Rollups(tuple(found))


def _told_apart(semantics: Semantics, some: Sequence[Rollup]) -> bool:
    """Whether one grouping can make several: two names of one column it would take for one."""
    names = tuple({name: None for one in some for name in one.keys})
    scan = Scan(semantics, some[0].model, names, ())
    keys = [one.this.sql("duckdb") for one in scan.keys()]  # noqa: SIM118 - no dict
    return len(set(keys)) == len(keys)


def _sliced(catalog: Catalog) -> Iterator[tuple[Formula, Iterable[str]]]:
    for one in (catalog, *(era.catalog for era in catalog.eras)):
        for metric, formula in formulas(one).items():
            spec = one.metrics[metric].spec
            cells = (cell(grain, cut) for grain in spec.grains for cut in ((), *spec.slices))
            yield from ((formula, cut) for cut in dict.fromkeys(cut for _, cut in cells))


def slice_of(component: Component, cut: Iterable[str]) -> frozenset[str]:
    """The dimensions that must be stored together for a component at a slice."""
    per = component.semi_additive.per if component.semi_additive else ()
    return frozenset((*cut, *per))


def covering(
    semantics: Semantics, model: str, cuts: Collection[frozenset[str]]
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(keys, what they decide) of the fewest sets that hold all ``cuts``, those of fewest keys first."""
    every = sorted({name for cut in cuts for name in cut})
    found: dict[frozenset[str], frozenset[str]] = {}
    for cut in cuts:
        keys = cut - {name for name in cut if deciding(semantics, model, name, cut)}
        decided = {name for name in every if deciding(semantics, model, name, keys)}
        found[frozenset(keys)] = keys | decided
    largest = [keys for keys, held in found.items() if not any(held < other for other in found.values())]
    return sorted(
        ((tuple(sorted(keys)), tuple(sorted(found[keys] - keys))) for keys in largest),
        key=lambda one: (len(one[0]), one),
    )


def deciding(semantics: Semantics, model: str, name: str, keys: Iterable[str]) -> tuple[str, tuple[Join, ...]] | None:
    """The key among ``keys`` that decides a dimension, at all times, and the joins that lead on from it."""
    joins = semantics.attribute(model, name).joins
    for key in sorted(keys):
        one = semantics.attribute(model, key)
        before, after = joins[: len(one.joins)], joins[len(one.joins) :]
        if after and before == one.joins and (after[0].left, after[0].left_expr) == (one.model, one.expr):
            return None if any(join.valid for join in after) else (key, after)
    return None
