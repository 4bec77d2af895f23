"""Periods that are over and have no value, of series that always have one. Days on which all is closed are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.monitoring.detectors.base import Case, Verdict, none_of
from metrics_catalog.monitoring.learnt import NOISY
from metrics_catalog.monitoring.smoothing import SHAPES, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEASONS = 4  # seasons back in which the same phase of a total must have had a value
DENSE = 0.95  # share of the last two months' periods in which it must; a slice in all of them
SCORE = 2.0


def judge(case: Case) -> Iterator[Verdict]:
    """Totals, and slices where the total is there: what is missing as a whole is told of once."""
    panel = case.panel
    shape = SHAPES[panel.like]
    closed = np.array([case.known.is_closed(panel.grain, start) for start in panel.starts])
    begin = max(0, case.first - shape.kept)  # nobody looks further back
    lacks = np.isnan(panel.values[:, begin:]) & ~closed[None, begin:]
    columns = np.arange(case.first, len(panel.starts))
    total = np.zeros(panel.count, dtype=bool)
    total[[block.first for block in panel.blocks if not block.cut]] = True
    absent = lacks[:, columns - begin] & _usual(lacks, closed[begin:], columns - begin, total, shape)
    whole = {block.terms.metric: absent[block.first] for block in panel.blocks if not block.cut}
    for block in panel.blocks:
        told = absent[block.span]
        if block.cut and block.terms.metric in whole:
            told = told & ~whole[block.terms.metric][None, :]
            told = told & ~(case.learnt.noise[block.span] > NOISY)  # of those, nothing for a day may be chance
        score = np.where(told, SCORE, 0.0)
        score[:, closed[columns]] = np.nan
        rows, none = np.arange(block.first, block.last), none_of(score.shape)
        yield Verdict("missing", rows, score, case.learnt.expected[block.span], none, none, told & (not block.cut))


def _usual(
    lacks: NDArray[np.bool_],
    closed: NDArray[np.bool_],
    columns: NDArray[np.int64],
    is_total: NDArray[np.bool_],
    shape: Shape,
) -> NDArray[np.bool_]:
    """Whether a value was to be expected: there nearly always, or in the same phase of the last seasons."""
    gone = np.zeros((len(lacks), lacks.shape[1] + 1), dtype=np.int16)
    np.cumsum(lacks, axis=1, dtype=np.int16, out=gone[:, 1:])
    opened = np.pad(np.cumsum(~closed), (1, 0))
    found = np.zeros((len(lacks), len(columns)), dtype=bool)
    for at, column in enumerate(columns):
        start = int(column) - shape.kept
        if start < 0:
            continue
        without = gone[:, column] - gone[:, start]
        dense = without <= (1 - DENSE) * max(1, opened[column] - opened[start])
        phase = lacks[:, column - shape.season * SEASONS : column : shape.season]
        usual = dense | (~phase.any(axis=1) & (without <= shape.kept // 3))
        found[:, at] = np.where(is_total, usual, without == 0)
    return found
