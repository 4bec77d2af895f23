"""The rules, one module each, with one function ``judge`` (`base.Judge`). Add a module, and name it here."""

from __future__ import annotations

from collections.abc import Mapping

from metrics_catalog.monitoring.detectors import anomaly, bounds, change, drift, missing, shift, target
from metrics_catalog.monitoring.detectors.base import Judge
from metrics_catalog.monitoring.finding import RuleName

DETECTORS: Mapping[RuleName, Judge] = {
    "missing": missing.judge,
    "bounds": bounds.judge,
    "target": target.judge,
    "drift": drift.judge,
    "change": change.judge,
    "anomaly": anomaly.judge,
    "shift": shift.judge,
}

# Rules that go by the sensitivity of a metric file.
SENSITIVE: frozenset[RuleName] = frozenset({"anomaly", "shift"})
