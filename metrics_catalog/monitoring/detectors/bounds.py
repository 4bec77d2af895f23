"""Bounds of a metric file: values outside ``warn`` or ``critical``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from metrics_catalog.monitoring.detectors.base import Case, Verdict, none_of
from metrics_catalog.monitoring.detectors.limits import ends, is_outside, outside


def judge(case: Case) -> Iterator[Verdict]:
    """The total, and the slices the bounds name."""
    for block in case.panel.blocks:
        bounds = block.terms.spec.bounds
        if bounds is None or bounds.grain != case.panel.grain or (block.cut and block.cut not in bounds.slices):
            continue
        values = case.values[block.span]
        low = max(ends(bounds.warn)[0], ends(bounds.critical)[0])
        high = min(ends(bounds.warn)[1], ends(bounds.critical)[1])
        yield Verdict(
            "bounds",
            np.arange(block.first, block.last),
            outside(values, bounds.warn, bounds.critical),
            none_of(values.shape),
            np.full(values.shape, low if np.isfinite(low) else np.nan),
            np.full(values.shape, high if np.isfinite(high) else np.nan),
            is_outside(values, bounds.critical),
        )
