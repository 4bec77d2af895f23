"""What is judged of a catalog: which metrics, at which grain, of which slices, by which rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from metrics_catalog.catalog import Catalog
from metrics_catalog.spec.base import Grain, ordered
from metrics_catalog.spec.metric import AnyMetric, CumulativeMetric, DerivedMetric
from metrics_catalog.spec.monitoring import Cut, Monitoring, Sensitivity

TOTAL: tuple[()] = ()


@dataclass(frozen=True)
class Terms:
    """A metric's own words and the policy's: what the detectors go by."""

    metric: str
    spec: AnyMetric
    policy: Monitoring

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
        return tuple(ordered(wanted | ({self.anomaly_grain} if self.anomaly_grain else set())))

    def cuts(self, grain: Grain) -> Iterator[Cut | tuple[()]]:
        """Slices judged at a grain: the total, then those that are watched."""
        bounds, change = self.spec.bounds, self.spec.change
        yield TOTAL
        watched: tuple[Cut, ...] = ()
        if grain == self.anomaly_grain or (change is not None and grain == change.grain):
            watched = self.watched
        if bounds is not None and grain == bounds.grain:
            watched += tuple(cut for cut in bounds.slices if cut not in watched)
        yield from watched

    @property
    def watched(self) -> tuple[Cut, ...]:
        """Slices whose members are judged besides the total."""
        if self.spec.watch is not None:
            return self.spec.watch
        return self.spec.slices if self.policy.watch == "slices" else ()


def terms_of(catalog: Catalog) -> dict[str, Terms]:
    """The terms of every metric, in the catalog's order."""
    policy = catalog.policy.monitoring
    return {name: Terms(name, entry.spec, policy) for name, entry in catalog.metrics.items()}


def _looks_back(spec: AnyMetric) -> bool:
    return isinstance(spec, DerivedMetric) and any(part.offset is not None for part in spec.inputs.values())
