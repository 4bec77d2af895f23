"""What must be computed again: the last publish against what the pipeline knows now. Reads, writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.fingerprint import calculations, digest
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.windows import Coverage, Windows, touched_days, windows
from metrics_catalog.members import Members, joined
from metrics_catalog.published.model import PublishInfo


@dataclass(frozen=True)
class Inputs:
    """What the pipeline knows of the data under the marts, by source.

    ``loads``: newest load. ``contracts``: fingerprint of what its rows are judged by. ``coverages``: days of daily
    sources. ``changed_since(source, load)``: business days changed after that load; None when anything may have.
    """

    loads: Mapping[str, int] = field(default_factory=dict)
    contracts: Mapping[str, str] = field(default_factory=dict)
    coverages: Mapping[str, Coverage] = field(default_factory=dict)
    changed_since: Callable[[str, int], frozenset[date] | None] = lambda source, load: None


@dataclass(frozen=True)
class Changes:
    """Compares. ``spans``: days each semantic model has rows for; ``members``: of the dimensions joined.

    ``contents``: fingerprints of facts whose rows alone say what changed in them.
    """

    catalog: Catalog
    inputs: Inputs
    last: PublishInfo | None
    closed_through: date
    spans: Mapping[str, Span | None]
    contents: Mapping[str, str]
    members: Members

    @cached_property
    def calendar(self) -> Calendar:
        """The company's calendar."""
        return Calendar(self.catalog.policy.week_start)

    @cached_property
    def formulas(self) -> dict[str, Formula]:
        """Formula of every metric."""
        return formulas(self.catalog, self.catalog.metrics)

    @cached_property
    def definitions(self) -> dict[str, str]:
        """Fingerprint of every calculation."""
        return calculations(self.catalog)

    @cached_property
    def prints(self) -> dict[str, str]:
        """Fingerprint of everything but data behind each metric: calculation, upstream SQL, contracts."""
        return {metric: self._print(metric) for metric in self.catalog.metrics}

    @property
    def removed(self) -> list[str]:
        """Metrics that were published and are gone; one of dbt's that only cannot be read now keeps its values."""
        gone = set(self.last.definitions if self.last else ()) - set(self.catalog.metrics)
        return sorted(gone - set(self.catalog.not_read))

    def renewed(self, metric: str) -> bool:
        """Whether the metric is new, or anything but its data changed: then all its history is computed again."""
        return self.last is None or self.last.inputs.get(metric) != self.prints[metric]

    def days(self, metric: str) -> Collection[date] | Span:
        """Days of the metric's marts to compute again; a span means all of them."""
        spans = [span for model in self.catalog.models(metric) if (span := self.spans[model]) is not None]
        if not spans:
            return frozenset()
        everything = Span(min(span.start for span in spans), self.closed_through + timedelta(days=1))
        if self.last is None or self.renewed(metric):
            return everything
        days = {*_between(self.last.closed_through, self.closed_through), *self._arrived(metric)}
        for model in (self.catalog.semantics.model(name) for name in self.catalog.models(metric)):
            for source in self._sources(model.node):
                changed = self._changed(source)
                touched = None if changed is None else touched_days(model, changed)
                if touched is None:
                    return everything
                days |= touched
        for attribute in joined(self.catalog, metric, self.formulas[metric]):
            named = self.members.days(attribute.joins)
            if named is None:
                return everything
            days |= named
        return days

    def windows(self, metric: str) -> Windows:
        """Official periods of the metric to compute again."""
        grains = self.catalog.metrics[metric].spec.grains
        days, coverages = self.days(metric), self.coverages(metric).values()
        terms = self.formulas[metric].terms
        return windows(self.calendar, grains, days, self.closed_through, coverages, terms) if days else {}

    def coverages(self, metric: str) -> dict[str, Coverage]:
        """Daily sources behind a metric."""
        semantics = self.catalog.semantics
        names = {name for model in self.catalog.models(metric) for name in self._sources(semantics.model(model).node)}
        return {name: coverage for name, coverage in self.inputs.coverages.items() if name in names}

    def _changed(self, source: str) -> frozenset[date] | None:
        seen = self.last.loads.get(source, 0) if self.last else 0
        return self.inputs.changed_since(source, seen) if self.inputs.loads.get(source, 0) > seen else frozenset()

    def _arrived(self, metric: str) -> set[date]:
        """Days that were missing at the last publish and no longer are, or the other way round."""
        before = {} if self.last is None else self.last.coverages
        found: set[date] = set()
        for source, coverage in self.coverages(metric).items():
            missing = before.get(source, {}).get("missing", ())
            found |= coverage.missing ^ {date.fromisoformat(day) for day in missing}
        return found

    def _print(self, metric: str) -> str:
        semantics = self.catalog.semantics
        attributes = joined(self.catalog, metric, self.formulas[metric])
        facts = self.catalog.models(metric)
        models = {*facts, *(join.right for attribute in attributes for join in attribute.joins)}
        nodes = sorted({node for model in models for node in semantics.upstream(semantics.model(model).node)})
        code = [f"{node} {semantics.checksums.get(node, '')}" for node in nodes]
        contracts = [f"{name} {self.inputs.contracts.get(name, '')}" for node in nodes for name in _source(node)]
        rows = [f"{model} {self.contents[model]}" for model in sorted(facts) if model in self.contents]
        return digest([self.definitions[metric], *code, *contracts, *rows, self.calendar.week_start])

    def _sources(self, node: str) -> list[str]:
        return [name for upstream in self.catalog.semantics.upstream(node) for name in _source(upstream)]


def _between(after: date, until: date) -> Iterator[date]:
    return (after + timedelta(days=number) for number in range(1, (until - after).days + 1))


def _source(node: str) -> list[str]:
    return [node.rsplit(".", 1)[1]] if node.startswith("source.") else []
