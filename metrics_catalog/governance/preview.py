"""What a change would do to the numbers: old and new definition on the same rows, over the last closed periods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.compute import values_now
from metrics_catalog.engine.fingerprint import calculations, digest
from metrics_catalog.engine.needs import Cell
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.reads import models_read
from metrics_catalog.governance.comparison import Values, effect, largest, totals, worst, written
from metrics_catalog.own_grains import EVER
from metrics_catalog.project import Project
from metrics_catalog.spec.base import Grain, ordered
from metrics_catalog.spec.metric import AnyMetric
from metrics_catalog.spec.monitoring import Limits

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BEST_SHOWN: tuple[Grain, ...] = ("month", "week", "quarter", "day", "year")


@dataclass(frozen=True)
class Change:
    """A catalog ``before`` and ``after`` a change of one metric, and which metrics have it in them."""

    metric: str
    before: Catalog
    after: Catalog

    @property
    def both(self) -> tuple[Catalog, Catalog]:
        """Before, after."""
        return self.before, self.after

    @cached_property
    def affected(self) -> tuple[str, ...]:
        """The metric itself, then all that are made of it, in either catalog."""
        users: dict[str, list[str]] = defaultdict(list)
        for catalog in self.both:
            for name, entry in catalog.metrics.items():
                if catalog is self.before or self.before.metrics.get(name) is not entry:
                    for used in catalog.inputs(name):
                        users[used].append(name)
        found = {self.metric: None}
        todo = [self.metric]
        for name in todo:
            new = dict.fromkeys(one for one in users[name] if one not in found)
            found |= new
            todo += new
        return tuple(found)

    @cached_property
    def recalculated(self) -> tuple[str, ...]:
        """Metrics that are there before and after, by another calculation."""
        old, new = (calculations(part) for part in self.parts)
        return tuple(name for name in self.affected if name in old and name in new and old[name] != new[name])

    def fingerprint(self, more: Iterable[str]) -> str:
        """Of both calculations of everything affected, code and contracts under them, and ``more``."""
        parts = list(more)
        for catalog in self.parts:
            names = [name for name in self.affected if name in catalog.metrics]
            prints, semantics = calculations(catalog), catalog.semantics
            models = {model for name in names for model in models_read(catalog, name)}
            nodes = {node for model in models for node in semantics.upstream(semantics.model(model).node)}
            parts += [f"{name} {prints[name]}" for name in names]
            parts += [f"{node} {semantics.code.get(node, '')}" for node in sorted(nodes)]
            parts += [f"{path.name} {path.read_text('utf-8')}" for path in _contracts(catalog.project, nodes)]
        return digest(parts)

    @cached_property
    def parts(self) -> tuple[Catalog, Catalog]:
        """Of both catalogs what is affected, and what that is made of: nothing else need be looked at."""
        return self._part(self.before), self._part(self.after)

    def _part(self, catalog: Catalog) -> Catalog:
        needed = catalog.made_of(name for name in self.affected if name in catalog.metrics)
        return replace(catalog, metrics={name: catalog.metrics[name] for name in needed}, eras=())


def _contracts(project: Project, nodes: Iterable[str]) -> list[Path]:
    """Declarations and suites of the sources among dbt nodes: what rows may come in at all."""
    names = sorted(node.rpartition(".")[2] for node in nodes if node.startswith("source."))
    paths = [folder / f"{name}.yml" for name in names for folder in (project.sources, project.suites)]
    return [path for path in paths if path.is_file()]


def preview(con: DuckDBPyConnection, change: Change, closed_through: date, periods: int) -> dict[str, Any]:
    """Old against new as JSON: periods, slices, bounds and targets that flip, metrics and people that follow.

    ``effect``: the largest relative change of any total (0.05: 5 %), null where that cannot be told. ``con``: the
    warehouse.
    """
    spec = (change.after.metrics.get(change.metric) or change.before.metrics[change.metric]).spec
    grain, old, new = shown_grain(spec), {}, {}
    for shown in dict.fromkeys((grain, ordered(spec.judged_grains)[0])):
        grain = shown
        old, new = _values(con, change, closed_through, periods, grain)
        if any(key[:2] == (change.metric, grain) for key in {*old, *new}):
            break  # else a young metric: no such period is over yet
    rows = {name: list(totals(name, old, new)) for name in change.affected}
    followers = [name for name in change.affected[1:] if any(one["difference"] != "0" for one in rows[name])]
    return {
        "grain": grain,
        "periods": [one for one in rows[change.metric] if one["grain"] == grain],
        "slices": worst(change.metric, old, new),
        "flips": [one for name in change.affected for one in _flips(name, change, old, new)],
        "downstream": [largest(name, rows[name]) for name in followers],
        "people": sorted(_people(change, [change.metric, *followers])),
        "effect": written(effect(rows[name] for name in change.recalculated)),
    }


def shown_grain(spec: AnyMetric) -> Grain:
    """The grain at which people look at a metric's history."""
    return next((grain for grain in BEST_SHOWN if grain in spec.grains), spec.judged_grains[0])


def _values(
    con: DuckDBPyConnection, change: Change, closed_through: date, periods: int, shown: Grain
) -> tuple[Values, Values]:
    """Before and after, from the same tables, as (metric, grain, period, slice, members) -> value."""
    before, after = change.parts
    before = replace(before, later=after, until=date.max)  # so that its columns stand beside those of after
    calendar = Calendar.of(after)
    cells = [_cells(catalog, change.affected, shown) for catalog in (before, after)]
    cells = [{cell: some[cell] for cell in some if calendar.reaches(cell[0], closed_through)} for some in cells]
    asked = list(zip((before, after), cells, strict=True))
    windows: dict[Grain, tuple[Span, ...]] = {
        grain: (last_closed(calendar, grain, closed_through, periods),) for _, cells in asked for grain, _ in cells
    }
    old, new = values_now(con, asked, windows, calendar)
    return _by_key(old), _by_key(new)


def _cells(catalog: Catalog, affected: Sequence[str], shown: Grain) -> dict[Cell, list[str]]:
    """What is shown of each metric: totals where something is judged; the first metric at ``shown``, by all slices."""
    cells: dict[Cell, list[str]] = {}
    for number, name in enumerate(name for name in affected if name in catalog.metrics):
        spec = catalog.metrics[name].spec
        best = shown_grain(spec) if number or shown not in spec.grains else shown
        grains: set[Grain] = {best, *spec.target, *([spec.bounds.grain] if spec.bounds else [])}
        for grain in grains:
            cells.setdefault((grain, ()), []).append(name)
        for cut in spec.slices if number == 0 else ():
            cells.setdefault((best, cut), []).append(name)
    return cells


def _by_key(rows: Iterable[Mapping[str, Any]]) -> Values:
    found: dict[tuple[Any, ...], Decimal] = {}
    for row in rows:
        members = tuple(row[name] for name in row["slice"].split(",") if name)
        found[row["metric"], row["grain"], row["period"], row["slice"], members] = row["value"]
    return found


def last_closed(calendar: Calendar, grain: Grain, closed_through: date, count: int) -> Span:
    """The last ``count`` periods of ``grain`` that are over."""
    current = calendar.span(grain, closed_through)
    end = current.end if current.end.toordinal() <= closed_through.toordinal() + 1 else current.start
    start = end
    for _ in range(count if end != EVER else 0):
        earlier = calendar.start(grain, date.fromordinal(start.toordinal() - 1))
        if earlier == EVER:  # before what the time spine knows
            break
        start = earlier
    return Span(start, end)


def _flips(name: str, change: Change, old: Values, new: Values) -> Iterator[dict[str, Any]]:
    """Bounds and targets judged otherwise than before, on totals of their own grain."""
    was = dict(_judged(name, change.before, old))
    now = dict(_judged(name, change.after, new))
    for what, grain, period in sorted({*was, *now}):
        before, after = was.get((what, grain, period)), now.get((what, grain, period))
        if before != after and name in change.before.metrics:
            one = {"metric": name, "what": what, "grain": grain, "period": period}
            yield {**one, "old": before, "new": after}


def _judged(name: str, catalog: Catalog, values: Values) -> Iterator[tuple[tuple[str, str, str], bool]]:
    """(bound or target, grain, period) -> whether it is kept."""
    entry = catalog.metrics.get(name)
    if entry is None:
        return
    spec = entry.spec
    for key, value in values.items():
        if key[0] != name or key[3]:
            continue
        place = key[1], key[2].isoformat()
        if spec.bounds is not None and key[1] == spec.bounds.grain:
            for what, limits in (("warn", spec.bounds.warn), ("critical", spec.bounds.critical)):
                if limits is not None:
                    yield (what, *place), _inside(limits, value)
        if key[1] in spec.target and spec.direction != "none":
            target = spec.target[key[1]]
            yield ("target", *place), value >= target if spec.direction == "up" else value <= target


def _inside(limits: Limits, value: Decimal) -> bool:
    low = limits.below is None or value >= limits.below
    return low and (limits.above is None or value <= limits.above)


def _people(change: Change, names: Iterable[str]) -> set[str]:
    entries = [
        catalog.metrics[name] for catalog in (change.before, change.after) for name in names if name in catalog.metrics
    ]
    return {one for entry in entries for one in change.after.people.behind(entry.spec.owner)}
