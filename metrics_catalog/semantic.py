"""The dbt project as the catalog sees it: semantic models, columns, lineage. Reads manifest.json, never runs dbt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from metrics_catalog.located import InvalidFiles, Problem


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
    """An attribute to slice and filter by."""

    name: str
    expr: str
    is_time: bool


@dataclass(frozen=True)
class Validity:
    """When a row of a slowly changing model holds: from ``start`` up to, and without, ``end`` (null: to this day)."""

    start: str
    end: str


@dataclass(frozen=True)
class SemanticModel:
    """One mart: its keys, dimensions and time. ``columns`` maps names to SQL types ("" when dbt does not say).

    ``replaced_by``: the mart declares that a changed day of its sources changes only rows of that day (or of its week
    and the ``following_weeks``); None: any row may change.
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

    def attribute(self, name: str) -> str | None:
        """Expression of a dimension, or of a key, by name."""
        if name in self.dimensions:
            return self.dimensions[name].expr
        return self.entities[name].expr if name in self.entities else None


@dataclass(frozen=True)
class Join:
    """``left.left_expr = right.right_expr``: many rows of left, at most one of right.

    With ``valid``, the one that holds on the day of the fact.
    """

    left: str
    left_expr: str
    right: str
    right_expr: str
    valid: Validity | None = None


@dataclass(frozen=True)
class Attribute:
    """A dimension reached from a model: the model that has it, and the joins on the way."""

    name: str
    model: str
    expr: str
    joins: tuple[Join, ...]


class UnknownName(Exception):
    """A dimension or model that does not exist or cannot be reached; the message says what can."""


@dataclass(frozen=True)
class Semantics:
    """Every semantic model of a dbt project, and which dbt nodes and sources are upstream of each node."""

    models: Mapping[str, SemanticModel]
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)

    def model(self, name: str) -> SemanticModel:
        """A semantic model by name. Raises `UnknownName`."""
        if name not in self.models:
            raise UnknownName(f'there is no semantic model "{name}" in the dbt project')
        return self.models[name]

    def attributes(self, model: str) -> Mapping[str, Attribute]:
        """Every dimension and key reachable from ``model`` by many-to-one joins, nearest first; own names win."""
        return self._attributes[model]

    def attribute(self, model: str, name: str) -> Attribute:
        """One dimension reachable from ``model``. Raises `UnknownName`."""
        known = self.attributes(self.model(model).name)
        if name not in known:
            holder = next((m.name for m in self.models.values() if m.attribute(name) is not None), None)
            where = f'; it belongs to "{holder}", which "{model}" has no key to' if holder else ""
            raise UnknownName(f'"{name}" is not a dimension of semantic model "{model}"{where}')
        return known[name]

    def upstream(self, node: str) -> frozenset[str]:
        """Ids of all dbt models, seeds and sources that ``node`` is built from, itself included."""
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
        return {name: dict(_reachable(self.models, name)) for name in self.models}


def read_semantics(manifest: Path) -> Semantics:
    """Semantic models of a parsed dbt project. Raises `InvalidFiles` when it was never parsed."""
    try:
        data = json.loads(manifest.read_bytes())
    except FileNotFoundError:
        problem = Problem("dbt_project/target/manifest.json", 1, "does not exist; run `metrics check`")
        raise InvalidFiles([problem]) from None
    nodes = data["nodes"] | data["sources"]
    models = (_model(item, nodes) for item in data["semantic_models"].values())
    return Semantics(
        {model.name: model for model in sorted(models, key=lambda model: model.name)},
        {key: tuple(node.get("depends_on", {}).get("nodes", ())) for key, node in nodes.items()},
        {key: node.get("checksum", {}).get("checksum", "") for key, node in nodes.items()},
    )


def _model(item: Mapping[str, Any], nodes: Mapping[str, Any]) -> SemanticModel:
    node = next(name for name in item["depends_on"]["nodes"] if name in nodes)
    columns = {name.lower(): (column.get("data_type") or "").lower() for name, column in nodes[node]["columns"].items()}
    time = (item.get("defaults") or {}).get("agg_time_dimension")
    return SemanticModel(
        name=item["name"],
        node=node,
        schema=nodes[node]["schema"],
        table=nodes[node].get("alias") or nodes[node]["name"],
        path=item["original_file_path"],
        time=time,
        entities={
            entity["name"]: Entity(
                entity["name"], entity["expr"] or entity["name"], entity["type"] in ("primary", "unique", "natural")
            )
            for entity in item["entities"]
        },
        dimensions={
            one["name"]: Dimension(one["name"], one["expr"] or one["name"], one["type"] == "time")
            for one in item["dimensions"]
        },
        columns=columns,
        validity=_validity(item["dimensions"]),
        **_replaced(nodes[node]["config"]),
    )


def _validity(dimensions: Sequence[Mapping[str, Any]]) -> Validity | None:
    edges: dict[str, str] = {}
    for one in dimensions:
        marked = (one.get("type_params") or {}).get("validity_params") or {}
        edges |= {edge: one["expr"] or one["name"] for edge in ("is_start", "is_end") if marked.get(edge)}
    return Validity(edges["is_start"], edges["is_end"]) if len(edges) == 2 else None


def _replaced(config: Mapping[str, Any]) -> dict[str, Any]:
    if config.get("incremental_strategy") != "changed_days":
        return {}
    meta = config.get("meta") or {}
    return {"replaced_by": meta.get("changed", "day"), "following_weeks": int(meta.get("following", 0))}


def _reachable(models: Mapping[str, SemanticModel], start: str) -> Iterator[tuple[str, Attribute]]:
    """Breadth first over keys: foreign or unique on the left, unique on the right, so no join can add rows."""
    seen_names: set[str] = set()
    seen_models = {start}
    todo: list[tuple[str, tuple[Join, ...]]] = [(start, ())]
    for name, joins in todo:
        model = models[name]
        own = [(dim.name, dim.expr) for dim in model.dimensions.values()]
        own += [(entity.name, entity.expr) for entity in model.entities.values()]
        for attribute, expr in own:
            if attribute not in seen_names:
                seen_names.add(attribute)
                yield attribute, Attribute(attribute, name, expr, joins)
        for entity in model.entities.values():
            for other in models.values():
                key = other.entities.get(entity.name)
                timeless = other.validity is not None and models[start].time is None
                if key is not None and key.unique and not timeless and other.name not in seen_models:
                    seen_models.add(other.name)
                    todo.append((other.name, (*joins, Join(name, entity.expr, other.name, key.expr, other.validity))))
