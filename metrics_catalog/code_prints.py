"""A fingerprint of what each dbt model does: canonical SQL, the project's macros in it, how it is built. Pure.

Reformatting a model, or changing its tags or words, leaves it; so does a new release of dbt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from metrics_catalog.canonical import canonical

KINDS = ("model", "snapshot", "seed")
# What a table is called, where it lies, who may read it and what is said of it moves no value.
_NO_MEANING = {
    *("access", "alias", "concurrent_batches", "contract", "database", "docs", "enabled", "event_time", "freshness"),
    *("grants", "group", "meta", "packages", "persist_docs", "quoting", "schema", "static_analysis", "tags"),
}
_VARIABLE = re.compile(r"\bvar\s*\(\s*(?:['\"]([\w.-]+)['\"])?")


def code_prints(manifest: Mapping[str, Any], variables: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Node id -> 16 hex digits, for every model, snapshot and seed. ``variables``: `vars` of dbt_project.yml."""
    adapter = manifest["metadata"]["adapter_type"]
    own = {key: one for key, one in manifest["macros"].items() if one["package_name"] not in ("dbt", f"dbt_{adapter}")}
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] in KINDS}
    return {key: _print(node, own, variables or {}, adapter) for key, node in nodes.items()}


def _print(node: Mapping[str, Any], own: Mapping[str, Any], variables: Mapping[str, Any], adapter: str) -> str:
    raw, config = node.get("raw_code") or "", node["config"]
    macros = _macros(node, own)
    asked = _variables([raw, *macros.values()], variables)
    words = json.dumps([list(macros.values()), asked], ensure_ascii=False, default=str)
    parts = {
        "code": canonical(raw, adapter, words) if node.get("language", "sql") == "sql" else raw,
        "macros": macros,
        "variables": asked,
        "config": {key: value for key, value in config.items() if key not in _NO_MEANING},
    }
    if node["resource_type"] == "seed":
        parts["code"] = node["checksum"]
    if config.get("materialized") == "incremental":
        parts["meta"] = config.get("meta")  # an incremental strategy may read it
    if (config.get("contract") or {}).get("enforced"):
        parts["columns"] = {name: column.get("data_type") for name, column in node["columns"].items()}
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _macros(node: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, str]:
    """The project's macros that may run for a node: those it or they name, and how its kind of table is built.

    By name, since dbt notes only the macros that ran while it parsed, without those behind `is_incremental()`.
    """
    config = node["config"]
    built = (
        f"materialization_{config.get('materialized')}_",
        f"get_incremental_{config.get('incremental_strategy')}_sql",
    )
    found = {key for key, one in own.items() if one["name"].startswith(built)}
    found |= {key for key in node.get("depends_on", {}).get("macros", ()) if key in own}
    todo = [node.get("raw_code") or "", *(own[key]["macro_sql"] for key in found)]
    while todo:
        words = set(re.findall(r"\w+", todo.pop()))
        new = {key for key, one in own.items() if one["name"].split("__")[-1] in words and key not in found}
        found |= new
        todo += [own[key]["macro_sql"] for key in new]
    return {key: own[key]["macro_sql"].strip() for key in sorted(found)}


def _variables(texts: Iterable[str], variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The variables that texts read, of the project and of its packages; all when a name is put together."""
    names = {name for text in texts for name in _VARIABLE.findall(text)}
    if "" in names:
        return variables
    packages = {key: value for key, value in variables.items() if isinstance(value, Mapping)}
    given = {name: variables[name] for name in names if name in variables}
    of_packages = {key: {name: value[name] for name in names if name in value} for key, value in packages.items()}
    return given | {key: value for key, value in of_packages.items() if value}
