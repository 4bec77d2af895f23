"""A parsed dbt project -> `DbtMetrics`. The one entrance of this room."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pydantic import RootModel, ValidationError

from metrics_catalog.dbt_metrics.definitions import Calculation, Definitions
from metrics_catalog.dbt_metrics.embedded import embedded
from metrics_catalog.dbt_metrics.governance import Governance, governance
from metrics_catalog.dbt_metrics.measures import measures_of
from metrics_catalog.dbt_metrics.parts import DbtMetric, DbtMetrics, NotRead
from metrics_catalog.dbt_metrics.places import Places
from metrics_catalog.located import Document, Problem
from metrics_catalog.project import Project
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.metric import Metric


class _Spec(RootModel[Metric]):
    pass


def read_dbt_metrics(project: Project, semantics: Semantics) -> DbtMetrics:
    """Every metric of the dbt project that `project.manifest` was parsed from."""
    data = json.loads(project.manifest.read_bytes())
    unnamed = tuple(embedded(project))
    if not data.get("metrics"):
        return DbtMetrics(unnamed=unnamed)
    return _Reader(project, semantics, data).all(unnamed)


class _Reader:
    """Reads metrics after those they are made of."""

    def __init__(self, project: Project, semantics: Semantics, data: Mapping[str, Any]) -> None:
        self._semantics, self._places = semantics, Places(project)
        self._raw = {one["name"]: one for one in data["metrics"].values()}
        self._package = data["metadata"].get("project_name") or ""
        self._definitions = Definitions(semantics, measures_of(data), self._known)
        self._made: dict[str, Calculation | NotRead] = {}
        self._under_way: list[str] = []

    def all(self, unnamed: tuple[Problem, ...]) -> DbtMetrics:
        metrics: dict[str, DbtMetric] = {}
        not_read: dict[str, Problem] = {}
        for name, raw in sorted(self._raw.items()):
            document, last = self._places.document(raw, self._package)
            try:
                metrics[name] = self._metric(raw, self._known(name), document, last)
            except NotRead as why:
                not_read[name] = document.problem(why.loc, f'metric "{name}" is not read: {why}')
        return DbtMetrics(metrics, not_read, unnamed)

    def _known(self, name: str) -> Calculation:
        if name in self._under_way:
            way = [*self._under_way[self._under_way.index(name) :], name]
            raise NotRead(f"is made of itself: {' -> '.join(way)}")
        if name not in self._made:
            self._made[name] = self._calculated(name)
        made = self._made[name]
        if isinstance(made, NotRead):
            if self._under_way:
                raise NotRead(f'its part "{name}" is not read', ("inputs",))
            raise made
        return made

    def _calculated(self, name: str) -> Calculation | NotRead:
        if name not in self._raw:
            return NotRead(f'there is no metric "{name}"')
        self._under_way.append(name)
        try:
            return self._definitions.calculation(self._raw[name])
        except NotRead as why:
            return why
        finally:
            self._under_way.pop()

    def _metric(self, raw: Mapping[str, Any], made: Calculation, document: Document, last: int) -> DbtMetric:
        known = [set(self._semantics.attributes(model)) for model in made.models]
        said = governance(raw, made.fits, set.intersection(*known), self._semantics.own_grains.keys())
        try:
            spec = _Spec.model_validate({**said.keys, **made.keys}).root
        except ValidationError as error:
            raise NotRead(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        notes = [(loc, f'metric "{raw["name"]}": {text}') for loc, text in (*said.notes, *made.notes)]
        problems = [*_missing(raw["name"], said, document)]
        problems += [document.problem(loc, text, "warning") for loc, text in notes]
        return DbtMetric(raw["name"], _domain(raw), spec, document, last, tuple(said.missing), tuple(problems))


def _missing(name: str, said: Governance, document: Document) -> list[Problem]:
    if not said.missing:
        return []
    defaults = ", ".join(
        f"{key} {said.keys[key]}" for key in said.missing if key in ("owner", "tier", "unit", "direction")
    )
    told = f" ({defaults} assumed)" if defaults else ""
    text = f'metric "{name}" does not say its {", ".join(said.missing)} in config.meta{told}'
    return [document.problem((), text, "warning")]


def _domain(raw: Mapping[str, Any]) -> str:
    """``config.meta.domain``, or dbt's group, or the folder of its file."""
    config = raw.get("config") or {}
    said = (config.get("meta") or {}).get("domain") or config.get("group") or raw.get("group")
    name = said or PurePosixPath(raw["original_file_path"]).parent.name
    return re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_") or "metrics"
