"""What came over from a dbt project's semantic layer, metric by metric, and what did not. Data, text, no decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from metrics_catalog.catalog import examine
from metrics_catalog.dbt_metrics.parts import DbtMetric
from metrics_catalog.dbt_metrics.read import read_dbt_metrics
from metrics_catalog.located import InvalidFiles, Problem
from metrics_catalog.project import Project


@dataclass(frozen=True)
class Imported:
    """``metrics``: taken over, each with what it lacks; ``not_read``: all that was not, and why."""

    metrics: tuple[DbtMetric, ...]
    not_read: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "metrics": [_described(metric) for metric in self.metrics],
            "not_read": [_place(problem) for problem in self.not_read],
        }

    def lines(self) -> Iterator[str]:
        """For a terminal: a paragraph per metric, then what was not read, then the count."""
        for metric in self.metrics:
            yield f"{metric.name}  {metric.spec.type}, by {', '.join(metric.spec.grains)}  {_where(metric)}"
            if metric.missing:
                yield f"    missing in config.meta: {', '.join(metric.missing)}"
            yield from (f"    {note.message}" for note in metric.notes if "does not say" not in note.message)
        yield from map(str, self.not_read)
        whole = sum(not metric.missing for metric in self.metrics)
        came = f"{len(self.metrics)} metrics came over, {whole} of them with all of their governance"
        yield f"{came}; {len(self.not_read)} not"


def imported(project: Project) -> Imported:
    """The report on a parsed dbt project. Raises `InvalidFiles` when it has no manifest."""
    catalog, problems = examine(project)
    if catalog is None:
        raise InvalidFiles(problems)
    read = read_dbt_metrics(project, catalog.semantics)
    kept = tuple(metric for name, metric in read.metrics.items() if name in catalog.metrics)
    return Imported(kept, tuple(sorted(catalog.not_read.values())))


def _described(metric: DbtMetric) -> dict[str, Any]:
    spec = metric.spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    notes = [_place(note) for note in metric.notes]
    about = {
        "metric": metric.name,
        "domain": metric.domain,
        "file": metric.document.path,
        "line": metric.document.line(),
    }
    return {**about, "definition": spec, "missing": list(metric.missing), "notes": notes}


def _place(problem: Problem) -> dict[str, Any]:
    return {"file": problem.path, "line": problem.line, "message": problem.message}


def _where(metric: DbtMetric) -> str:
    return f"{metric.document.path}:{metric.document.line()}"
