"""The semantic models of a parsed dbt project, out of its manifest. Never runs dbt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from metrics_catalog.dbt_tests import Vouched, vouched
from metrics_catalog.manifest import read_manifest
from metrics_catalog.own_grains import declared
from metrics_catalog.semantic import Dimension, Entity, SemanticModel, Semantics, Validity


def read_semantics(manifest: Path, project_file: Path | None = None) -> Semantics:
    """Semantic models of a parsed dbt project. Raises `InvalidFiles` when it was never parsed."""
    data = read_manifest(manifest)
    nodes = data["nodes"] | data["sources"]
    found = vouched(data["nodes"])
    models = [
        model for item in data["semantic_models"].values() for model in _by_time(item, _model(item, nodes, found))
    ]
    return Semantics(
        {model.name: model for model in sorted(models, key=lambda model: model.name)},
        {key: tuple(node.get("depends_on", {}).get("nodes", ())) for key, node in nodes.items()},
        {key: node.get("checksum", {}).get("checksum", "") for key, node in nodes.items()},
        manifest,
        project_file,
        own_grains=declared(data["nodes"]),
    )


def _model(item: Mapping[str, Any], nodes: Mapping[str, Any], found: Vouched) -> SemanticModel:
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
            one["name"]: Dimension(
                one["name"], one["expr"] or one["name"], one["type"] == "time", _grain(one), _timezone(one)
            )
            for one in item["dimensions"]
        },
        columns=columns,
        validity=_validity(item["dimensions"]),
        key=item.get("primary_entity")
        or next((one["name"] for one in item["entities"] if one["type"] == "primary"), None),
        filled=found.filled.get(node, frozenset()),
        partners=found.partners.get(node, frozenset()),
        **_replaced(nodes[node]["config"]),
    )


def _validity(dimensions: Sequence[Mapping[str, Any]]) -> Validity | None:
    edges: dict[str, str] = {}
    for one in dimensions:
        marked = (one.get("type_params") or {}).get("validity_params") or {}
        edges |= {edge: one["expr"] or one["name"] for edge in ("is_start", "is_end") if marked.get(edge)}
    return Validity(edges["is_start"], edges["is_end"]) if len(edges) == 2 else None


def _grain(dimension: Mapping[str, Any]) -> str:
    return (dimension.get("type_params") or {}).get("time_granularity", "day") if dimension["type"] == "time" else ""


def _timezone(dimension: Mapping[str, Any]) -> str:
    return str(((dimension.get("config") or {}).get("meta") or {}).get("timezone") or "")


def by_time(model: str, time: str) -> str:
    """What a semantic model is called where another of its times counts than its default."""
    return f"{model}_by_{time}"


def _by_time(item: Mapping[str, Any], model: SemanticModel) -> Iterator[SemanticModel]:
    """The model, and once more for each other time its measures name; nothing is joined to those by their keys."""
    times = dict.fromkeys(
        one["agg_time_dimension"] for one in item.get("measures", ()) if one.get("agg_time_dimension")
    )
    yield model if model.time is not None or not times else replace(model, time=next(iter(times)))
    keys = {name: replace(key, unique=False) for name, key in model.entities.items()}
    for time in times if model.time is not None else list(times)[1:]:
        if time != model.time:
            # Which of its days change with a day of the sources, only the default time says.
            yield replace(model, name=by_time(model.name, time), time=time, entities=keys, replaced_by=None)


def _replaced(config: Mapping[str, Any]) -> dict[str, Any]:
    if config.get("incremental_strategy") != "changed_days":
        return {}
    meta = config.get("meta") or {}
    return {"replaced_by": meta.get("changed", "day"), "following_weeks": int(meta.get("following", 0))}
