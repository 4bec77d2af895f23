"""The dbt project as the catalog sees it: semantic models, columns, lineage. Read by `read_semantics`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from metrics_catalog.code_prints import code_prints
from metrics_catalog.dbt_tests import Partner
from metrics_catalog.derived import Unchanging
from metrics_catalog.manifest import read_manifest, variables
from metrics_catalog.own_grains import OwnGrain


@dataclass(frozen=True)
class Entity:
    """A key of a semantic model; ``unique`` when one row has each value (primary or unique).

    A natural key, of a model whose rows are valid for a time only, is unique at each time.
    """

    name: str
    expr: str
    unique: bool


@dataclass(frozen=True)
class Dimension:
    """An attribute to slice and filter by. ``grain``: the finest a time is known at; "" for what is no time.

    ``timezone``: the zone a timestamp that does not say it was written in; "" where that is the company's own.
    """

    name: str
    expr: str
    is_time: bool
    grain: str = ""
    timezone: str = ""

    @property
    def tells_hours(self) -> bool:
        """Whether it is a time that is known to the hour."""
        return self.grain in _TO_THE_HOUR


@dataclass(frozen=True)
class Validity:
    """When a row of a slowly changing model holds: from ``start`` up to, and without, ``end`` (null: to this day)."""

    start: str
    end: str


@dataclass(frozen=True)
class SemanticModel:
    """One mart: its keys, dimensions and time. ``columns`` maps names to SQL types ("" when dbt does not say).

    ``key``: the entity whose one row this is, which dbt puts before a dimension: ``order__size``. ``is_open``: there
    may be more columns than dbt declares. ``replaced_by``: the mart declares that a changed day of its sources changes
    only rows of that day (or of its week and the ``following_weeks``); None: any row may change. ``filled``: columns
    that dbt tests to have a value; ``partners``: those with that value in a column of another node.
    """

    name: str
    node: str
    schema: str
    table: str
    path: str
    time: str | None
    entities: Mapping[str, Entity]
    dimensions: Mapping[str, Dimension]
    columns: Mapping[str, str]
    replaced_by: Literal["day", "week"] | None = None
    following_weeks: int = 0
    validity: Validity | None = None
    key: str | None = None
    is_open: bool = False
    filled: frozenset[str] = frozenset()
    partners: frozenset[Partner] = frozenset()

    def attribute(self, name: str) -> str | None:
        """Expression of a dimension, or of a key, by name."""
        if name in self.dimensions:
            return self.dimensions[name].expr
        return self.entities[name].expr if name in self.entities else None


@dataclass(frozen=True)
class Join:
    """``left.left_expr = right.right_expr``: many rows of left, at most one of right.

    With ``valid``, the one that holds on the day of the fact. ``total``: every row of the model where the joins began
    has its one, as dbt tests see to.
    """

    left: str
    left_expr: str
    right: str
    right_expr: str
    valid: Validity | None = None
    total: bool = False


@dataclass(frozen=True)
class Attribute:
    """A dimension reached from a model: the model that has it, and the joins on the way."""

    name: str
    model: str
    expr: str
    joins: tuple[Join, ...]


@dataclass(frozen=True)
class EntityValues:
    """The value of a metric for each entity, over all days: what a filter on ``metric(receipts, by=household)`` reads.

    To all that joins it, it is a semantic model: a table with one row for each ``MEMBER`` that has a ``VALUE``.
    """

    metric: str
    entity: str

    @property
    def model(self) -> str:
        """Name of the semantic model, of its dbt model and its table."""
        return f"{self.metric}{OF_EACH}{self.entity}"


_TO_THE_HOUR = ("hour", "minute", "second", "millisecond", "microsecond", "nanosecond")
AT = "at"  # the hour that a row is in, as if it were a dimension
MEMBER, VALUE, OF_EACH = "member", "value", "_of_each_"
VALUES_SCHEMA = "metrics"
_VALUES = re.compile(rf"[a-z]\w*{OF_EACH}[a-z]\w*")


def _values_model(name: str) -> SemanticModel:
    return SemanticModel(
        name=name,
        node="",
        schema=VALUES_SCHEMA,
        table=name,
        path=f"models/{VALUES_SCHEMA}/{name}.sql",
        time=None,
        entities={},
        dimensions={},
        columns={MEMBER: "", VALUE: ""},
    )


class UnknownName(Exception):
    """A dimension or model that does not exist or cannot be reached; the message says what can."""


@dataclass(frozen=True)
class Semantics(Unchanging):
    """Every semantic model of a dbt project, and which dbt nodes and sources are upstream of each node.

    ``project_file``: its dbt_project.yml, whose variables SQL may read. ``timezone``: in which points in time fall on
    days. ``own_grains``: those its time spine declares.
    """

    models: Mapping[str, SemanticModel]
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    manifest: Path | None = None
    project_file: Path | None = None
    timezone: str = "UTC"
    own_grains: Mapping[str, OwnGrain] = field(default_factory=dict)

    def model(self, name: str) -> SemanticModel:
        """A semantic model by name. Raises `UnknownName`."""
        if name in self.models:
            return self.models[name]
        if self.is_values(name):
            return _values_model(name)
        raise UnknownName(f'there is no semantic model "{name}" in the dbt project')

    def attributes(self, model: str) -> Mapping[str, Attribute]:
        """Every dimension and key reachable from ``model`` by many-to-one joins, nearest first; own names win.

        Each is also known by dbt's longer name, which says on what way: ``customer__country``, ``store__country``.
        """
        return self._attributes[model]

    def attribute(self, model: str, name: str) -> Attribute:
        """One dimension reachable from ``model``, or its hour (`AT`). Raises `UnknownName`."""
        holder = self.model(model)
        if name == AT and holder.time is not None:
            return Attribute(AT, holder.name, holder.dimensions[holder.time].expr, ())
        known = self.attributes(self.model(model).name)
        if name not in known:
            holder = next((m.name for m in self.models.values() if m.attribute(name) is not None), None)
            where = f'; it belongs to "{holder}", which "{model}" has no key to' if holder else ""
            raise UnknownName(f'"{name}" is not a dimension of semantic model "{model}"{where}')
        return known[name]

    def is_values(self, model: str) -> bool:
        """Whether a semantic model is one of `EntityValues`: the dbt project declares none that is called so."""
        return model not in self.models and _VALUES.fullmatch(model) is not None

    def key(self, model: str, entity: str) -> Attribute:
        """The nearest key of an entity reachable from ``model``; no dimension that is called so. Raises `UnknownName`.

        By dbt's longer name the entity is reached on the way it says: ``product__maker``.
        """
        return self.once((Semantics.key, model, entity), lambda: self._key(model, entity))

    def _key(self, model: str, entity: str) -> Attribute:
        for holder, way, joins in _reached(self.models, self.model(model).name):
            for one in holder.entities.values():
                if entity in (one.name, f"{way}__{one.name}"):
                    return Attribute(one.name, holder.name, one.expr, joins)
        known = {one for holder in self.models.values() for one in holder.entities}
        what = "is no key reached from" if entity in known else "is no entity of the dbt project, so not of"
        raise UnknownName(f'"{entity}" {what} semantic model "{model}"')

    def values_from(self, model: str, values: EntityValues) -> Attribute:
        """What rows of ``model`` look up: the value of the entity that each names. Raises `UnknownName`."""
        key = self.key(model, values.entity)
        join = Join(key.model, key.expr, values.model, MEMBER)
        return Attribute(values.model, values.model, VALUE, (*key.joins, join))

    @cached_property
    def code(self) -> Mapping[str, str]:
        """Fingerprint of what each dbt node does, which reformatting leaves as it is; worked out when first asked."""
        if self.manifest is None:
            return self.checksums
        return {**self.checksums, **code_prints(read_manifest(self.manifest), variables(self.project_file))}

    def upstream(self, node: str) -> frozenset[str]:
        """Ids of all dbt models, seeds and sources that ``node`` is built from, itself included."""
        return self.once((Semantics.upstream, node), lambda: self._upstream(node))

    def _upstream(self, node: str) -> frozenset[str]:
        seen: set[str] = set()
        todo = [node]
        while todo:
            current = todo.pop()
            if current not in seen:
                seen.add(current)
                todo += self.parents.get(current, ())
        return frozenset(seen)

    @cached_property
    def _attributes(self) -> dict[str, dict[str, Attribute]]:
        return {name: _names(self.models, name) for name in self.models}


def _names(models: Mapping[str, SemanticModel], start: str) -> dict[str, Attribute]:
    """Dimensions and keys by their own names, nearest first, and by dbt's: the way from ``start``, then the name."""
    plain: dict[str, Attribute] = {}
    by_way: dict[str, Attribute] = {}
    for model, way, joins in _reached(models, start):
        for one in (*model.dimensions.values(), *model.entities.values()):
            plain.setdefault(one.name, Attribute(one.name, model.name, one.expr, joins))
            if way is not None:
                by_way.setdefault(f"{way}__{one.name}", Attribute(f"{way}__{one.name}", model.name, one.expr, joins))
    return {**by_way, **plain}


def _reached(
    models: Mapping[str, SemanticModel], start: str
) -> Iterator[tuple[SemanticModel, str | None, tuple[Join, ...]]]:
    """Breadth first over keys: foreign or unique on the left, unique on the right, so no join can add rows."""
    seen = {start}
    todo: list[tuple[str, str | None, tuple[Join, ...]]] = [(start, models[start].key, ())]
    for name, way, joins in todo:
        yield models[name], way, joins
        for entity in models[name].entities.values():
            further = entity.name if name == start else f"{way}__{entity.name}"
            for other in models.values():
                key = other.entities.get(entity.name)
                timeless = other.validity is not None and models[start].time is None
                if key is not None and key.unique and not timeless and other.name not in seen:
                    seen.add(other.name)
                    total = (entity.expr, other.node, key.expr) in models[name].partners and other.validity is None
                    total = total and all(one.total for one in joins)
                    join = Join(name, entity.expr, other.name, key.expr, other.validity, total)
                    todo.append((other.name, further, (*joins, join)))
