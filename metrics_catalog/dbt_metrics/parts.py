"""What the readers of this room hand each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from metrics_catalog.located import Document, Loc, Problem
from metrics_catalog.spec.metric import AnyMetric


class NotRead(Exception):
    """A part of a metric that has no equal here; the message says why, ``loc`` where in the metric's file."""

    def __init__(self, message: str, loc: Loc = ()) -> None:
        super().__init__(message)
        self.loc = loc


@dataclass(frozen=True)
class DbtMetric:
    """A metric taken over. ``document`` answers for its lines of the dbt YAML.

    ``missing``: keys that ``config.meta`` does not say; ``notes``: that, and what was lost, with its place.
    """

    name: str
    domain: str
    spec: AnyMetric
    document: Document
    last_line: int
    missing: tuple[str, ...] = ()
    notes: tuple[Problem, ...] = ()

    def holds(self, problem: Problem) -> bool:
        """Whether a problem is in this metric's lines."""
        return problem.path == self.document.path and self.document.line() <= problem.line <= self.last_line


@dataclass(frozen=True)
class DbtMetrics:
    """All metrics of a dbt project: those taken over, and by name why another was not.

    ``unnamed``: parts of the project that could not be looked into, so what they define has no name yet.
    """

    metrics: Mapping[str, DbtMetric] = field(default_factory=dict)
    not_read: Mapping[str, Problem] = field(default_factory=dict)
    unnamed: tuple[Problem, ...] = ()
