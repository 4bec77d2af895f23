"""What became of every series of an evaluation, as arrays: most are in order, and nobody asks for their names."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.monitoring.detectors.base import Verdict
from metrics_catalog.monitoring.finding import RuleName, Series
from metrics_catalog.monitoring.series import Names

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Judged:
    """Of the rows of one panel: whether they are in order, by rule, and which cannot be judged, by why."""

    names: Names
    fine: Mapping[RuleName, NDArray[np.bool_]]
    too_little: Mapping[str, NDArray[np.int64]]

    @classmethod
    def by(cls, names: Names, count: int, verdicts: Iterable[Verdict]) -> Judged:
        """What verdicts say of ``count`` rows. In order: the newest period was judged and breaks nothing."""
        good: dict[RuleName, NDArray[np.bool_]] = {}
        bad: dict[RuleName, NDArray[np.bool_]] = {}
        too_little: dict[str, NDArray[np.int64]] = {}
        for one in verdicts:
            telling = one.score if one.rule == "missing" else one.score[:, -1:]  # what is missing may come late
            for found, rows in ((good, one.score[:, -1] <= 1), (bad, (telling > 1).any(axis=1))):
                found.setdefault(one.rule, np.zeros(count, dtype=bool))[one.rows] |= rows
            too_little |= one.too_little
        return cls(names, {rule: rows & ~bad[rule] for rule, rows in good.items()}, too_little)


@dataclass(frozen=True)
class Fine(Container[tuple[Series, RuleName]]):
    """The (series, rule) pairs that are in order."""

    parts: tuple[Judged, ...]

    def __contains__(self, pair: object) -> bool:
        """Whether a pair is in order."""
        assert isinstance(pair, tuple)
        series, rule = pair
        rows = ((part.fine[rule], part.names.row(series)) for part in self.parts if rule in part.fine)
        return any(row is not None and bool(fine[row]) for fine, row in rows)


@dataclass(frozen=True)
class TooLittle(Mapping[Series, str]):
    """Series that cannot be judged, and why."""

    parts: tuple[Judged, ...]

    def __len__(self) -> int:
        """How many."""
        return sum(len(rows) for part in self.parts for rows in part.too_little.values())

    def __iter__(self) -> Iterator[Series]:
        """Named one by one."""
        for part in self.parts:
            for rows in part.too_little.values():
                yield from map(part.names.__getitem__, rows.tolist())

    def __getitem__(self, series: Series) -> str:
        """Why nothing can be said of a series."""
        for part in self.parts:
            row = part.names.row(series)
            for why, rows in part.too_little.items():
                if row in rows:
                    return why
        raise KeyError(series)
