"""What must be computed again: the last publish against what the pipeline knows now. Reads, writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.eras import beginning_in, definitions
from metrics_catalog.engine.fingerprint import calculations, digest
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.reads import joined, models_read, own_grains
from metrics_catalog.engine.windows import Coverage, Windows, touched_days, windows
from metrics_catalog.governance.gate import Why
from metrics_catalog.members import Members
from metrics_catalog.own_grains import OwnGrain
from metrics_catalog.published.model import PublishInfo
from metrics_catalog.semantic import Join
from metrics_catalog.spec.base import Grain
from metrics_catalog.spec.governance import Cause

if TYPE_CHECKING:
    from metrics_catalog.published.differences import Difference

_PARTS = ("definition", "code", "rows")  # of what is kept of each metric's inputs


@dataclass(frozen=True)
class Inputs:
    """What the pipeline knows of the data under the marts, by source.

    ``loads``: newest load. ``contracts``: fingerprint of what its rows are judged by. ``coverages``: days of daily
    sources. ``changed_since(source, load)``: business days changed after that load; None when anything may have.
    ``corrected_since(source, load)``: whether rows that were there before were removed or replaced after that load.
    ``origin(node)``: in which commit the files of a dbt node or source were last changed, in words; None: not known.
    """

    loads: Mapping[str, int] = field(default_factory=dict)
    contracts: Mapping[str, str] = field(default_factory=dict)
    coverages: Mapping[str, Coverage] = field(default_factory=dict)
    changed_since: Callable[[str, int], frozenset[date] | None] = lambda source, load: None
    corrected_since: Callable[[str, int], bool] = lambda source, load: True
    origin: Callable[[str], str | None] = lambda node: None


@dataclass(frozen=True)
class Changes:
    """Compares. ``spans``: days each semantic model has rows for; ``members``: of the dimensions joined.

    ``contents``: fingerprints of facts whose rows alone say what changed in them. ``versions``: the certified version
    of each metric; ``released``: digests of restatements approved for it. ``settled``: of each metric that is held, the
    publish that its values are from.
    """

    catalog: Catalog
    inputs: Inputs
    last: PublishInfo | None
    closed_through: date
    spans: Mapping[str, Span | None]
    contents: Mapping[str, str]
    members: Members
    versions: Mapping[str, int] = field(default_factory=dict)
    released: Mapping[str, Collection[str]] = field(default_factory=dict)
    settled: Mapping[str, PublishInfo] = field(default_factory=dict)

    @cached_property
    def calendar(self) -> Calendar:
        """The company's calendar."""
        return Calendar.of(self.catalog)

    @property
    def grains(self) -> tuple[Grain, ...]:
        """All grains that values may have, those of the last publish too."""
        before = () if self.last is None else self.last.grains
        return tuple(dict.fromkeys((*self.calendar.grains, *before)))

    @cached_property
    def prints(self) -> dict[str, str]:
        """Fingerprint of everything but data behind each metric: calculation, upstream SQL, contracts."""
        return {metric: self._print(metric) for metric in self.catalog.metrics}

    @property
    def removed(self) -> list[str]:
        """Metrics that were published and are gone; one of dbt's that only cannot be read now keeps its values."""
        gone = set(self.last.definitions if self.last else ()) - set(self.catalog.metrics)
        return sorted(gone - set(self.catalog.not_read))

    @cached_property
    def code(self) -> dict[str, str]:
        """Fingerprint of all that is not data under any metric: dbt nodes, contracts of sources."""
        nodes = {node for metric in self.catalog.metrics for node in self._nodes(metric)}
        semantics, contracts = self.catalog.semantics, self.inputs.contracts
        found = {node: semantics.code.get(node, "") for node in nodes if not _source(node)}
        found |= {node: contracts.get(name, "") for node in nodes for name in _source(node)}
        found |= {_periods(one): one.print for metric in self.catalog.metrics for one in self._own(metric)}
        return dict(sorted(found.items()))

    def renewed(self, metric: str) -> bool:
        """Whether all its history is computed again: it is new or was held, or anything but its data changed.

        One that waits for an approval waits on while nothing under it moves.
        """
        if self.last is None:
            return True
        if metric in self.last.held:
            return not self.waits(metric)
        return self.last.inputs.get(metric) != self.prints[metric]

    @property
    def waiting(self) -> dict[str, str]:
        """Metrics held for an approval that did not come, and why."""
        marks = {} if self.last is None else self.last.marks
        return {
            metric: marks[metric]["why"] for metric in self.catalog.metrics if metric in marks and self.waits(metric)
        }

    def waits(self, metric: str) -> bool:
        """Whether a metric is held for an approval that did not come, and would come out the same again."""
        mark = self._mark(metric)
        if self.last is None or mark.get("prints") != self.prints[metric]:
            return False
        released = mark["digest"] in self.released.get(metric, ())
        later = self.closed_through != self.last.closed_through
        changed = [name for node in self._nodes(metric) for name in _source(node) if self._changed(name) != frozenset()]
        changed += self._changed_dimensions(metric, self.last)
        return not released and not later and not changed and not self._arrived(metric)

    def why(self, metric: str, difference: Difference | None) -> Iterator[Why]:
        """What changed under a metric since the publish that its values are from; ``difference``: how they would.

        While that is as it was when the metric was held, it is held for what it was: what came since moves nothing.
        """
        mark = self._mark(metric)
        if difference is not None and difference.digest == mark.get("digest"):
            yield Why("unknown", mark["why"])
        elif (last := self.settled.get(metric, self.last)) is not None and metric in last.inputs:
            yield from self._changed_since(last, metric)

    def _mark(self, metric: str) -> Mapping[str, str]:
        """What a metric that is held waits for."""
        return {} if self.last is None else self.last.marks.get(metric, {})

    def _changed_since(self, last: PublishInfo, metric: str) -> Iterator[Why]:
        parts = zip(_PARTS, last.inputs[metric].split("."), self.prints[metric].split("."), strict=False)
        differs = {name for name, was, now in parts if was != now}
        if "definition" in differs:
            yield self._defined(last, metric)
        if "code" in differs:
            yield from self._recoded(last, metric, "definition" in differs)
        if "rows" in differs:
            yield Why("changed rows", "changed rows")
        if named := self._changed_dimensions(metric, last):
            yield Why("changed dimension", f"changed rows of {', '.join(named)}")
        for source in sorted({name for node in self._nodes(metric) for name in _source(node)}):
            if self._changed(source, last) != frozenset():
                seen = last.loads.get(source, 0)
                cause: Cause = "changed rows" if self.inputs.corrected_since(source, seen) else "late rows"
                yield Why(cause, f"{cause} of {source}")

    def _recoded(self, last: PublishInfo, metric: str, redefined: bool) -> Iterator[Why]:
        """Changed code under a metric; other tables under a new definition are its own doing."""
        before = last.code
        changed = {node for node, print_ in self.code.items() if node not in before or before[node] != print_}
        if redefined:
            changed &= before.keys()
        if named := sorted(map(self._named, self._nodes(metric) & changed)):
            yield Why("changed code", f"changed code: {', '.join(named)}")
        elif not redefined:
            yield Why("changed code", "it is built from other tables, or weeks begin on another day")

    def _named(self, node: str) -> str:
        """A changed dbt node, and where its change comes from."""
        name, origin = node.split(".", 2)[-1], self.inputs.origin(node)
        return name if origin is None else f"{name} ({origin})"

    def models(self, metric: str) -> tuple[str, ...]:
        """Semantic models whose rows the metric counts, by any of its definitions."""
        return tuple(
            dict.fromkeys(model for _, catalog in definitions(self.catalog, metric) for model in catalog.models(metric))
        )

    def days(self, metric: str) -> Collection[date] | Span:
        """Days of the metric's marts to compute again; a span means all of them."""
        spans = [span for model in self.models(metric) if (span := self.spans[model]) is not None]
        if not spans:
            return frozenset()
        everything = Span(min(span.start for span in spans), self.closed_through + timedelta(days=1))
        if self.last is None or self.renewed(metric):
            return everything
        days = {*_between(self.last.closed_through, self.closed_through), *self._arrived(metric)}
        for model in (self.catalog.semantics.model(name) for name in self.models(metric)):
            for source in self._sources(model.node):
                changed = self._changed(source)
                touched = None if changed is None else touched_days(model, changed)
                if touched is None:
                    return everything
                days |= touched
        for ways in self._ways(metric):
            named = self.members.days(ways)
            if named is None:
                return everything
            days |= named
        return days

    def windows(self, metric: str) -> Iterator[tuple[Catalog, Windows]]:
        """Official periods of the metric to compute again, by the definition that holds for them.

        Raises `OutsideSpine` when the time spine does not say all of them.
        """
        days, coverages = self.days(metric), self.coverages(metric).values()
        end = date.max
        for start, catalog in definitions(self.catalog, metric) if days else ():
            grains, terms = catalog.metrics[metric].spec.grains, formulas(catalog)[metric].terms
            found = windows(self.calendar, grains, days, self.closed_through, coverages, terms)
            if kept := beginning_in(self.calendar, found, start, end):
                yield catalog, kept
            end = start

    def coverages(self, metric: str) -> dict[str, Coverage]:
        """Daily sources behind a metric."""
        semantics = self.catalog.semantics
        names = {name for model in self.models(metric) for name in self._sources(semantics.model(model).node)}
        return {name: coverage for name, coverage in self.inputs.coverages.items() if name in names}

    def _changed(self, source: str, since: PublishInfo | None = None) -> frozenset[date] | None:
        """Business days that changed since a publish, by default the last; None when any may have."""
        last = since or self.last
        seen = last.loads.get(source, 0) if last else 0
        return self.inputs.changed_since(source, seen) if self.inputs.loads.get(source, 0) > seen else frozenset()

    def _changed_dimensions(self, metric: str, since: PublishInfo) -> list[str]:
        """Semantic models a metric joins that say something else than at that publish."""
        models = {join.right for ways in self._ways(metric) for join in ways}
        return sorted(one for one in models if self.members.prints[one] != since.members.get(one))

    def _arrived(self, metric: str) -> set[date]:
        """Days that were missing at the last publish and no longer are, or the other way round."""
        before = {} if self.last is None else self.last.coverages
        found: set[date] = set()
        for source, coverage in self.coverages(metric).items():
            missing = before.get(source, {}).get("missing", ())
            found |= coverage.missing ^ {date.fromisoformat(day) for day in missing}
        return found

    def _print(self, metric: str) -> str:
        nodes, models = sorted(self._nodes(metric)), sorted(self._read(metric))
        code = [f"{node} {self.code[node]}" for node in nodes]
        rows = [f"{model} {self.contents[model]}" for model in models if model in self.contents]
        return ".".join([self._definition(metric), digest([*code, self.calendar.week_start]), digest(rows)])

    def _definition(self, metric: str) -> str:
        """Fingerprint of the calculation, and of those of earlier periods."""
        newest, *earlier = (
            (start, calculations(catalog)[metric]) for start, catalog in definitions(self.catalog, metric)
        )
        return digest([newest[1], str(newest[0]), *(one for _, one in earlier)]) if earlier else newest[1]

    def _defined(self, last: PublishInfo, metric: str) -> Why:
        """Another calculation: by a newer version of it or of what it is made of, or by what these stand on."""
        newer = [
            f"{name} v{number}"
            for name in self.catalog.made_of([metric])
            if (number := self.versions.get(name)) != last.versions.get(name)
        ]
        if newer:
            return Why("definition", f"certified {', '.join(newer)}")
        return Why("changed code", "its semantic model, or the platform, computes it differently")

    def _nodes(self, metric: str) -> frozenset[str]:
        """Everything of dbt that a metric is built from: models, seeds, sources, periods of own grains."""
        semantics = self.catalog.semantics
        models = (semantics.upstream(semantics.model(model).node) for model in self._read(metric))
        return frozenset().union(*models, map(_periods, self._own(metric)))

    def _own(self, metric: str) -> list[OwnGrain]:
        """The own grains that decide a metric's periods."""
        every = (own_grains(catalog, metric) for _, catalog in definitions(self.catalog, metric))
        return list({name: one for some in every for name, one in some.items()}.values())

    def _read(self, metric: str) -> set[str]:
        """Semantic models a metric reads: its facts, and those its filters and slices join."""
        return {model for _, catalog in definitions(self.catalog, metric) for model in models_read(catalog, metric)}

    def _ways(self, metric: str) -> set[tuple[Join, ...]]:
        """The joins on the way to each dimension of another table."""
        every = definitions(self.catalog, metric)
        return {attribute.joins for _, catalog in every for attribute in joined(catalog, metric)}

    def _sources(self, node: str) -> list[str]:
        return [name for upstream in self.catalog.semantics.upstream(node) for name in _source(upstream)]


def _between(after: date, until: date) -> Iterator[date]:
    return (after + timedelta(days=number) for number in range(1, (until - after).days + 1))


def _periods(grain: OwnGrain) -> str:
    """What the periods of an own grain are called among nodes."""
    return f"{grain.spine.node}.{grain.name}"


def _source(node: str) -> list[str]:
    return [node.rsplit(".", 1)[1]] if node.startswith("source.") else []
