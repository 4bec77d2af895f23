"""dbt's manifest as a graph: what depends on what, and a fingerprint of each node. Pure but for reading the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

# The dbt source whose tables are the pipeline's own clean views.
CLEAN = "clean"
TABLES = ("model", "seed", "snapshot")
TESTS = ("test", "unit_test")


@dataclass(frozen=True)
class Node:
    """A model, seed, snapshot, test or unit test. ``parents`` are ids of nodes and sources."""

    id: str
    name: str
    kind: str
    path: str
    selector: str
    parents: tuple[str, ...]
    fingerprint: str
    raw: Mapping[str, Any]

    @property
    def is_table(self) -> bool:
        """Builds a table or view, rather than testing one."""
        return self.kind in TABLES

    @property
    def is_ephemeral(self) -> bool:
        """A model that is no table of its own: part of the SQL of those that refer to it."""
        return self.is_table and self.raw["config"].get("materialized") == "ephemeral"

    @property
    def is_view(self) -> bool:
        """Keeps no rows of its own."""
        return self.is_table and self.raw["config"].get("materialized") == "view"

    @property
    def joins(self) -> tuple[str, ...]:
        """Of a metric model: the models joined to the rows of its mart, each of which bears on rows of all days."""
        return tuple((self.raw["config"].get("meta") or {}).get("joins", ()))

    @property
    def relation(self) -> tuple[str, str] | None:
        """Schema and table in the warehouse; none for what builds nothing."""
        if not self.is_table or self.is_ephemeral:
            return None
        return self.raw["schema"], self.raw.get("alias") or self.name


@dataclass(frozen=True)
class DbtGraph:
    """Every enabled node of a parsed dbt project, parents before children.

    ``sources``: dbt source id -> (source, table); ``relations``: dbt source id -> (schema, table) in the warehouse;
    ``source_paths``: dbt source id -> file that declares it.
    """

    nodes: Mapping[str, Node]
    sources: Mapping[str, tuple[str, str]]
    relations: Mapping[str, tuple[str, str]]
    source_paths: Mapping[str, str]

    @cached_property
    def tables(self) -> tuple[Node, ...]:
        """Nodes that build something in the warehouse, parents first."""
        return tuple(node for node in self.nodes.values() if node.relation is not None)

    @cached_property
    def tests(self) -> Mapping[str, tuple[Node, ...]]:
        """Tests by the table they belong to; a test of several tables belongs to the last one built."""
        found: dict[str, list[Node]] = {}
        order = {node.id: index for index, node in enumerate(self.tables)}
        for node in self.nodes.values():
            if node.is_table:
                continue
            attached = node.raw.get("attached_node")
            parents = [parent for parent in node.parents if parent in order]
            owner = attached if attached in order else max(parents, key=lambda parent: order[parent], default=None)
            if owner is not None:
                found.setdefault(owner, []).append(node)
        return {key: tuple(value) for key, value in found.items()}

    def downstream(self, starts: Iterable[str]) -> set[str]:
        """Ids of all nodes below ``starts``, those that are nodes included."""
        found = set(starts)
        for node in self.nodes.values():
            if found.intersection(node.parents):
                found.add(node.id)
        return {node for node in found if node in self.nodes}

    def joining(self, changed: Set[str]) -> set[str]:
        """Ids of metric models that join one of the ``changed`` nodes to their mart."""
        return {
            node.id
            for node in self.nodes.values()
            if any(parent in changed and self.nodes[parent].name in node.joins for parent in node.parents)
        }

    def clean_sources(self) -> dict[str, str]:
        """Names of the pipeline's sources this project reads, by dbt id."""
        return {id_: table for id_, (source, table) in self.sources.items() if source == CLEAN}

    def foreign_sources(self) -> set[str]:
        """Ids of sources that something else fills: whether their rows changed is not known here."""
        return {id_ for id_, (source, _) in self.sources.items() if source != CLEAN}


def read_graph(manifest: Path, folder: Path | None = None) -> DbtGraph:
    """The graph of a manifest.json written by dbt; ``folder``: the dbt project's, where it is not above that."""
    data = json.loads(manifest.read_bytes())
    shared = _shared(folder or manifest.parent.parent, data)
    raw = {key: value for key, value in data["nodes"].items() if value["resource_type"] in (*TABLES, "test")}
    raw |= data.get("unit_tests", {})
    nodes = {
        key: Node(
            id=key,
            name=value["name"],
            kind=value["resource_type"],
            path=value["original_file_path"],
            selector=_selector(value),
            parents=tuple(value["depends_on"].get("nodes", ())),
            fingerprint=_fingerprint(value, shared),
            raw=value,
        )
        for key, value in raw.items()
    }
    sources = {key: (value["source_name"], value["name"]) for key, value in data["sources"].items()}
    relations = {key: (value["schema"], value["identifier"]) for key, value in data["sources"].items()}
    paths = {key: value["original_file_path"] for key, value in data["sources"].items()}
    return DbtGraph(_parents_first(nodes), sources, relations, paths)


def _selector(value: Mapping[str, Any]) -> str:
    method = "unit_test" if value["resource_type"] == "unit_test" else "fqn"
    return f"{method}:{value['name'] if method == 'unit_test' else '.'.join(value['fqn'])}"


def _shared(project: Path, data: Mapping[str, Any]) -> str:
    """What bears on every node: dbt itself, the project file, the profile, every macro that is not dbt's own.

    Macros are also reached by name alone (overrides, strategies), so it cannot be told which nodes one bears on.
    """
    about = data["metadata"]
    own = ("dbt", f"dbt_{about['adapter_type']}")
    macros = [one["macro_sql"] for _, one in sorted(data["macros"].items()) if one["package_name"] not in own]
    names = ("dbt_project.yml", "profiles.yml", "packages.yml", "package-lock.yml")
    files = [(project / name).read_text("utf-8") for name in names if (project / name).is_file()]
    return sha256("\0".join([about["dbt_version"], *macros, *files]).encode()).hexdigest()


def _fingerprint(value: Mapping[str, Any], shared: str) -> str:
    """Changes when the node would compile to other SQL or be built otherwise; not with its wording."""
    parts = {
        "checksum": value.get("checksum"),
        "raw": value.get("raw_code") or [value.get("given"), value.get("expect")],
        "config": {key: item for key, item in value["config"].items() if key not in ("meta", "docs", "tags", "group")},
        "columns": {name: column.get("data_type") for name, column in value.get("columns", {}).items()},
        "test": value.get("test_metadata"),
        "shared": shared,
    }
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _parents_first(nodes: Mapping[str, Node]) -> dict[str, Node]:
    ordered: dict[str, Node] = {}
    waiting = dict(nodes)
    while waiting:
        ready = [node for node in waiting.values() if not any(parent in waiting for parent in node.parents)]
        for node in ready or list(waiting.values()):
            ordered[node.id] = waiting.pop(node.id)
    return ordered
