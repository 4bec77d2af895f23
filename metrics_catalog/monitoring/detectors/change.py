"""Period over period: how far a value is from the one of another period, against the limits of the metric file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.engine.terms import Shift
from metrics_catalog.monitoring.detectors.base import Case, Verdict, none_of
from metrics_catalog.monitoring.detectors.limits import ends, is_outside, outside
from metrics_catalog.spec.monitoring import ChangeRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def judge(case: Case) -> Iterator[Verdict]:
    """The total, and the slices the rule names."""
    for block in case.panel.blocks:
        rule, spec = block.terms.spec.change, block.terms.spec
        if rule is None or rule.grain != case.panel.grain or (block.cut and block.cut not in rule.slices):
            continue
        values, before = case.values[block.span], _before(case, rule)[block.span]
        with np.errstate(all="ignore"):
            size = np.ones_like(before) if spec.unit == "percent" else np.where(before == 0, np.nan, np.abs(before))
            moved = (values - before) / size
        low = max(ends(rule.warn)[0], ends(rule.critical)[0])
        high = min(ends(rule.warn)[1], ends(rule.critical)[1])
        score = outside(moved, rule.warn, rule.critical)
        rows, worse = np.arange(block.first, block.last), is_outside(moved, rule.critical)
        yield Verdict("change", rows, score, before, _end(before, size, low), _end(before, size, high), worse)


def _end(before: Floats, size: Floats, end: float) -> Floats:
    return before + size * end if np.isfinite(end) else none_of(before.shape)


def _before(case: Case, rule: ChangeRule) -> Floats:
    """Values of the other periods, of all rows; NaN where the panel does not go back so far."""
    panel, shift = case.panel, Shift(rule.against)
    places = {start: at for at, start in enumerate(panel.starts)}
    others = [places.get(shift.start(case.known.calendar, panel.grain, start)) for start in panel.starts[case.first :]]
    found = np.full(case.values.shape, np.nan)
    for at, other in enumerate(others):
        if other is not None:
            found[:, at] = panel.values[:, other]
    return found
