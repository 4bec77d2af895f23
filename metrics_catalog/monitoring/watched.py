"""What is judged of a catalog: which metrics, at which grain, of which slices, by which rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.windows import complete
from metrics_catalog.own_grains import EVER, OutsideSpine
from metrics_catalog.spec.base import Grain, ordered
from metrics_catalog.spec.metric import AnyMetric, CumulativeMetric, DerivedMetric
from metrics_catalog.spec.monitoring import Cut, Monitoring, Sensitivity

TOTAL: tuple[()] = ()
AHEAD = 400  # periods a value may come later than its own


@dataclass(frozen=True)
class Terms:
    """A metric's own words and the policy's: what the detectors go by. ``adds_up``: longer periods are sums of days."""

    metric: str
    spec: AnyMetric
    policy: Monitoring
    adds_up: bool = False

    @property
    def sensitivity(self) -> Sensitivity:
        """How readily the unusual is told of.

        What adds up periods, or looks at another one, says an anomaly of its metric again: only if its file asks.
        """
        own = self.spec.anomaly
        if own is not None:
            return own.sensitivity or self.policy.sensitivity
        return "off" if isinstance(self.spec, CumulativeMetric) or _looks_back(self.spec) else self.policy.sensitivity

    @property
    def minimum(self) -> float:
        """The smallest relative deviation that matters."""
        own = self.spec.anomaly
        return float(self.policy.minimum if own is None or own.minimum is None else own.minimum)

    @cached_property
    def anomaly_grain(self) -> Grain | None:
        """The grain at which the unusual is looked for; None: not at all."""
        if self.sensitivity == "off":
            return None
        own = None if self.spec.anomaly is None else self.spec.anomaly.grain
        fitting: list[Grain] = [grain for grain in ordered(self.spec.grains) if grain in ("day", "week", "month")]
        return own or next(iter(fitting), None)

    @cached_property
    def grains(self) -> tuple[Grain, ...]:
        """Grains at which anything is judged."""
        rules = (self.spec.bounds, self.spec.change)
        wanted = {*self.spec.target, *(one.grain for one in rules if one is not None)}
        wanted |= {self.anomaly_grain} if self.anomaly_grain else set()
        return tuple(ordered(wanted | ({"day"} if self.paced else set())))

    @property
    def paced(self) -> tuple[Grain, ...]:
        """Grains whose target can be seen coming, or not, day by day."""
        if not self.adds_up or self.spec.direction == "none" or "day" not in self.spec.grains:
            return ()
        return tuple(grain for grain in ordered(self.spec.target) if grain != "day")

    def cuts(self, grain: Grain) -> Iterator[Cut | tuple[()]]:
        """Slices judged at a grain: the total, then those that are watched."""
        yield TOTAL
        found = list(self.watched) if grain == self.anomaly_grain else []
        for rule in (self.spec.bounds, self.spec.change):
            if rule is not None and rule.grain == grain:
                found += rule.slices
        yield from dict.fromkeys(found)

    @property
    def watched(self) -> tuple[Cut, ...]:
        """Slices whose members are judged besides the total."""
        if self.spec.watch is not None:
            return self.spec.watch
        return self.spec.slices if self.policy.watch == "slices" else ()


def terms_of(catalog: Catalog) -> dict[str, Terms]:
    """The terms of every metric, in the catalog's order."""
    policy, made = catalog.policy.monitoring, formulas(catalog)
    return {name: Terms(name, entry.spec, policy, made[name].adds_up) for name, entry in catalog.metrics.items()}


def due(catalog: Catalog, metric: str, grain: Grain, closed_through: date) -> date | None:
    """First day of the last period that has an official value by then, when nothing is late; None: none is known.

    A metric that looks ahead, as a conversion does, has its values later than others.
    """
    calendar = Calendar.of(catalog)
    terms = [term for term in formulas(catalog)[metric].terms if term.reads_more]
    try:
        start = last_period(calendar, grain, closed_through)
    except OutsideSpine:
        return None
    for _ in range(AHEAD):
        if start == EVER:
            return None
        if all(complete(term.reads(calendar, grain, start), closed_through, ()) for term in terms):
            return start
        start = calendar.start(grain, start - timedelta(days=1))
    return None


def last_period(calendar: Calendar, grain: Grain, closed_through: date) -> date:
    """First day of the last period that is over."""
    span = calendar.span(grain, closed_through)
    if span.end <= closed_through + timedelta(days=1):
        return span.start
    return calendar.start(grain, span.start - timedelta(days=1))


def _looks_back(spec: AnyMetric) -> bool:
    return isinstance(spec, DerivedMetric) and any(part.offset is not None for part in spec.inputs.values())
