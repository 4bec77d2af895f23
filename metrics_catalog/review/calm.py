"""How a noisy rule would be calmed: keys of the metric's file, and what that would have spared. Reads values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from metrics_catalog.decisions.incident import Incident
from metrics_catalog.review.item import Text
from metrics_catalog.review.scene import Scene
from metrics_catalog.spec.metric import AnyMetric
from metrics_catalog.spec.monitoring import Limits

DAYS = 180  # of history, on which the old and the new rule are compared
RARE = 0.011  # share of periods outside of a calmed bound: about one in 90
_LADDER = ("high", "medium", "low", "off")
_BY_SENSITIVITY = ("anomaly", "shift", "drift")


@dataclass(frozen=True)
class Calmed:
    """``edit``: top keys of the metric's file with their new values; ``words``: the same, short."""

    edit: Mapping[str, Any]
    words: str
    evidence: Text = field(default_factory=dict)


def calmer(scene: Scene, metric: str, rule: str, _some: Sequence[Incident]) -> Calmed | None:
    """How to calm a rule of a metric; None where that is nobody's to guess."""
    entry = scene.catalog.metrics[metric]
    if entry.is_dbts:
        return None
    if rule == "bounds":
        return _wider(scene, metric, entry.spec)
    return _less_sensitive(scene, entry.spec) if rule in _BY_SENSITIVITY else None


def _less_sensitive(scene: Scene, spec: AnyMetric) -> Calmed | None:
    """One step down; what was never said is taken from the policy."""
    if "anomaly" not in type(spec).model_fields:
        return None
    own = getattr(spec, "anomaly", None)
    default = getattr(getattr(scene.catalog.policy, "monitoring", None), "sensitivity", "medium")
    now = (own and own.sensitivity) or default
    if now not in _LADDER[:-1]:
        return None
    lower = _LADDER[_LADDER.index(now) + 1]
    kept = {} if own is None else own.model_dump(mode="json", exclude_defaults=True)
    return Calmed({"anomaly": {**kept, "sensitivity": lower}}, f"anomaly.sensitivity: {now} → {lower}")


def _wider(scene: Scene, metric: str, spec: AnyMetric) -> Calmed | None:
    """Warning bounds (critical ones where there are no others) that about one period in 90 would break."""
    bounds = spec.bounds
    level = None if bounds is None else "warn" if bounds.warn is not None else "critical"
    limits = None if bounds is None or level is None else getattr(bounds, level)
    if bounds is None or level is None or limits is None:
        return None
    end = scene.month.end
    rows = scene.totals(bounds.grain, [metric], end - timedelta(days=DAYS), end).get(metric, {})
    values = sorted(rows.values())
    if len(values) < 8:
        return None
    outer = bounds.critical if level == "warn" else None
    new = Limits(below=_lower(limits.below, values, outer), above=_upper(limits.above, values, outer))
    if new == limits:
        return None
    before, after = (sum(_outside(value, one) for value in values) for one in (limits, new))
    edit = bounds.model_dump(mode="json", exclude_none=True)
    edit["grain"] = bounds.grain
    edit[level] = {side: _plain(value) for side, value in new.model_dump(exclude_none=True).items()}
    other = "critical" if level == "warn" else "warn"
    if (kept := getattr(bounds, other)) is not None:
        edit[other] = {side: _plain(value) for side, value in kept.model_dump(exclude_none=True).items()}
    sides = [
        f"bounds.{level}.{side}: {_plain(old)} → {_plain(now)}"
        for side in ("below", "above")
        if (old := getattr(limits, side)) != (now := getattr(new, side))
    ]
    evidence = {
        "en": f"Of {len(values)} past periods {before} broke it; so calmed, {after} would have.",
        "zh": f"过去{len(values)}个周期中触发{before}次；调整后为{after}次。",
    }
    return Calmed({"bounds": edit}, ", ".join(sides), evidence)


def _lower(limit: Decimal | None, values: Sequence[float], outer: Limits | None) -> Decimal | None:
    if limit is None or not any(value < limit for value in values):
        return limit
    new = _rounded(values[int(RARE * len(values))], ROUND_FLOOR)
    inner = None if outer is None else outer.below
    return min(limit, new if inner is None else max(new, inner))


def _upper(limit: Decimal | None, values: Sequence[float], outer: Limits | None) -> Decimal | None:
    if limit is None or not any(value > limit for value in values):
        return limit
    new = _rounded(values[-1 - int(RARE * len(values))], ROUND_CEILING)
    inner = None if outer is None else outer.above
    return max(limit, new if inner is None else min(new, inner))


def _rounded(value: float, way: str) -> Decimal:
    """Two digits, so that a bound reads like one."""
    exact = Decimal(str(value))
    return exact if exact == 0 else exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), rounding=way)


def _outside(value: float, limits: Limits) -> bool:
    below, above = limits.below, limits.above
    return (below is not None and value < below) or (above is not None and value > above)


def _plain(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
