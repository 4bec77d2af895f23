"""What every detector is: a function of a panel that judges its newest periods, all series in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.monitoring.calendar import Known
from metrics_catalog.monitoring.finding import RuleName
from metrics_catalog.monitoring.learnt import Learnt
from metrics_catalog.monitoring.series import Panel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Verdict:
    """What a rule says of some rows of a panel: arrays of rows × judged periods.

    ``rows``: their indices in the panel. ``score``: how far out, above 1 it is broken; NaN where it is not judged.
    ``expected``, ``low``, ``high``: in the metric's unit, NaN for none. ``critical``: worse than a warning. ``notes``:
    what the rule has to say of a row and column, by language. ``too_little``: rows that cannot be judged, by why.
    """

    rule: RuleName
    rows: NDArray[np.int64]
    score: NDArray[np.float64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    critical: NDArray[np.bool_]
    notes: Mapping[tuple[int, int], Mapping[str, str]] = field(default_factory=dict)
    too_little: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What there is to judge: the columns of ``panel`` from ``first`` on, what goes before them, what is known of days.

    ``learnt``: what is usual for each series in those columns.
    """

    panel: Panel
    known: Known
    first: int
    learnt: Learnt

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The columns to judge."""
        return self.panel.values[:, self.first :]


# A rule. Adding one is adding a module here with a function ``judge``, and naming it in
# `metrics_catalog.monitoring.detectors`.
Judge = Callable[[Case], Iterable[Verdict]]


def none_of(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """No value anywhere."""
    return np.full(shape, np.nan)
