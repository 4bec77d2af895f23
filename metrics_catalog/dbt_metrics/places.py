"""Where a dbt metric stands: its file, and a line for each key a metric file would have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from metrics_catalog.located import Document, InvalidFiles, Loc, read
from metrics_catalog.project import Project

# Keys of dbt's YAML -> keys of a metric file.
_ALIKE: tuple[tuple[Loc, Loc], ...] = (
    (("config", "meta"), ()),
    (("meta",), ()),
    (("type_params",), ()),
    (("type_params", "measure"), ("metric",)),
    (("type_params", "measure"), ("model",)),
    (("type_params", "conversion_type_params"), ()),
    (("type_params", "conversion_type_params", "base_measure"), ("base",)),
    (("type_params", "conversion_type_params", "conversion_measure"), ("conversion",)),
    (("type_params", "cumulative_type_params"), ()),
)


class Places:
    """Documents of the metrics of one project; each file is read once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._read = cache(self._file)

    def document(self, metric: Mapping[str, Any], root_package: str) -> tuple[Document, int]:
        """The metric's own part of its file, and its last line; line 1 when the file cannot be read as YAML."""
        path = metric["original_file_path"]
        if metric["package_name"] != root_package:
            path = f"dbt_packages/{metric['package_name']}/{path}"
        whole = self._read(path)
        loc = _loc(whole, metric["name"]) if whole else None
        if whole is None or loc is None:
            return Document(self._project.named(path), {}, {(): 1}), 1
        inner = {one[len(loc) :]: line for one, line in whole.lines.items() if one[: len(loc)] == loc}
        return Document(whole.path, {}, dict(_translated(inner, metric))), max(inner.values())

    def _file(self, path: str) -> Document | None:
        try:
            return read(self._project.dbt / path, self._project.root)
        except InvalidFiles:
            return None


def _loc(whole: Document, name: str) -> Loc | None:
    """Of the metric, or of the measure it was made from."""
    for index, item in enumerate(whole.data.get("metrics") or ()):
        if isinstance(item, Mapping) and item.get("name") == name:
            return ("metrics", index)
    for index, model in enumerate(whole.data.get("semantic_models") or ()):
        for position, item in enumerate(model.get("measures") or () if isinstance(model, Mapping) else ()):
            if isinstance(item, Mapping) and item.get("name") == name:
                return ("semantic_models", index, "measures", position)
    return None


def _translated(inner: Mapping[Loc, int], metric: Mapping[str, Any]) -> Iterator[tuple[Loc, int]]:
    for loc, line in inner.items():
        yield loc, line
        for theirs, ours in _ALIKE:
            if loc[: len(theirs)] == theirs:
                yield (*ours, *loc[len(theirs) :]), line
        if loc[:2] == ("type_params", "metrics") and len(loc) == 3:
            given = metric["type_params"]["metrics"][int(loc[2])]
            yield ("inputs", given.get("alias") or given["name"]), line
    yield (), inner[()]
