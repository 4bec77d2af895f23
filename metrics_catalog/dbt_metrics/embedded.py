"""The newer spec, where a model says ``semantic_model:`` and ``metrics:`` itself: dbt 1.11 passes over it, not we."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from metrics_catalog.located import InvalidFiles, Problem, read
from metrics_catalog.project import DBT_FILE, Project

_SIGN = re.compile(rb"^[ \t-]+(semantic_model|metrics|derived_semantics|agg_time_dimension)\s*:", re.MULTILINE)
_KEYS = ("semantic_model", "metrics", "derived_semantics", "agg_time_dimension")
NEWER = "needs a newer dbt (1.12): the one here passes over it; write it under semantic_models: and metrics: there"


def embedded(project: Project) -> Iterator[Problem]:
    """A problem for each model with semantics inside it, and for each metric that stands there."""
    folders = [project.dbt / name for name in _model_paths(project)]
    for path in sorted(path for folder in folders for kind in ("*.yml", "*.yaml") for path in folder.rglob(kind)):
        if not _SIGN.search(path.read_bytes()):
            continue
        try:
            document = read(path, project.root)
        except InvalidFiles:  # dbt says it better
            continue
        for index, model in enumerate(document.data.get("models") or ()):
            if not isinstance(model, Mapping):
                continue
            for key in (one for one in _KEYS if one in model):
                yield document.problem(("models", index, key), f"{_what(model, key)} {NEWER}")


def _what(model: Mapping[str, Any], key: str) -> str:
    if key != "metrics":
        return f'"{key}" of model "{model.get("name")}"'
    named = [one.get("name") for one in model[key] or () if isinstance(one, Mapping)]
    return f'metrics of model "{model.get("name")}" ({", ".join(map(str, named))})'


def _model_paths(project: Project) -> list[str]:
    try:
        said = read(project.dbt / DBT_FILE, project.root).data.get("model-paths")
    except InvalidFiles:
        said = None
    return said if isinstance(said, list) else ["models"]
