"""Targets of a metric file: a period that is over and missed them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from metrics_catalog.monitoring.detectors.base import Case, Verdict, none_of
from metrics_catalog.monitoring.detectors.limits import outside
from metrics_catalog.spec.monitoring import Limits

CRITICAL = 0.1  # missed by more than this share of the target


def judge(case: Case) -> Iterator[Verdict]:
    """Totals of metrics that have a target at this grain, and a direction."""
    for block in case.panel.blocks:
        spec = block.terms.spec
        target = spec.target.get(case.panel.grain)
        if target is None or block.cut or spec.direction == "none":
            continue
        values = case.values[block.span]
        limits = Limits(below=target) if spec.direction == "up" else Limits(above=target)
        score = outside(values, limits, None)
        bound, none = np.full(values.shape, float(target)), none_of(values.shape)
        low, high = (bound, none) if spec.direction == "up" else (none, bound)
        yield Verdict("target", np.arange(block.first, block.last), score, bound, low, high, score > 1 + CRITICAL)
