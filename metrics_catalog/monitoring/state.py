"""What was learnt of the series of one grain, kept between evaluations so that a new day costs a new day.

It holds what one publish showed. What a later publish restated, defined anew or filled in is learnt again from history.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from metrics_catalog.monitoring.learnt import Pupils
from metrics_catalog.monitoring.series import Panel, Rows
from metrics_catalog.monitoring.smoothing import ARRAYS, SHAPES, Smoothing
from metrics_catalog.monitoring.watched import Terms
from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAIL = 84  # periods kept as they were: more than any rule but a comparison with last year looks back


@dataclass(frozen=True)
class State:
    """``tail``: the last values, series × periods, the last of which begins at ``through``. ``version``: the publish.

    ``definitions``: of each metric's calculation. ``words``: digest of what else decides what is learnt.
    """

    grain: Grain
    version: int
    words: str
    through: date
    starts: tuple[date, ...]
    definitions: Mapping[str, str]
    blocks: tuple[tuple[str, tuple[str, ...], int, Sequence[tuple[str | None, ...]]], ...]
    tail: NDArray[np.float32]
    pupils: Pupils

    @classmethod
    def of(
        cls, learnt: Sequence[tuple[Panel, Pupils]], version: int, words: str, definitions: Mapping[str, str]
    ) -> State:
        """The state after panels were learnt that end with the same period."""
        blocks: list[tuple[str, tuple[str, ...], int, Sequence[tuple[str | None, ...]]]] = []
        first = 0
        for panel, _ in learnt:
            blocks += [(one.terms.metric, one.cut, first + one.first, one.members) for one in panel.blocks]
            first += panel.count
        grain, starts = learnt[0][0].grain, min((panel.starts[-TAIL:] for panel, _ in learnt), key=len)
        tails = [panel.values[:, -len(starts) :] for panel, _ in learnt]
        tail = np.concatenate(tails, dtype=np.float32, casting="same_kind")
        names = {metric: definitions.get(metric, "") for metric, *_ in blocks}
        pupils = joined(pupil for _, pupil in learnt)
        return cls(grain, version, words, starts[-1], starts, names, tuple(blocks), tail, pupils)

    def panel(self, wanted: Collection[Terms]) -> tuple[Panel, Pupils]:
        """The tail of some metrics as a panel, with what was learnt of its series."""
        terms = {one.metric: one for one in wanted}
        blocks: list[Rows] = []
        rows: list[NDArray[np.int64]] = []
        for metric, cut, first, members in self.blocks:
            if metric in terms:
                blocks.append(Rows(terms[metric], cut, blocks[-1].last if blocks else 0, members))
                rows.append(np.arange(first, first + len(members)))
        at = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
        values = (self.tail if len(at) == len(self.tail) else self.tail[at]).astype(np.float64)
        return Panel(self.grain, self.starts, values, tuple(blocks)), picked(self.pupils, at)

    def write(self, file: BinaryIO) -> None:
        """As one file: no archive, whose checksums take longer than all the rest."""
        head = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("tail", "pupils")}
        head["blocks"] = [(*block, list(zip(*members, strict=True))) for *block, members in self.blocks]
        text = json.dumps(head, default=str, ensure_ascii=False).encode()
        np.save(file, np.frombuffer(text, dtype=np.uint8))
        np.save(file, self.tail)
        for pupil in (self.pupils.plain, self.pupils.log):
            for name in ARRAYS:
                np.save(file, getattr(pupil, name))

    @classmethod
    def read(cls, path: Path) -> State | None:
        """From its file; None where there is none, or none that can be read."""
        try:
            with path.open("rb") as file:
                head = json.loads(np.load(file).tobytes().decode())
                tail = np.load(file)
                pupils = Pupils(_smoothing(head["grain"], file), _smoothing(head["grain"], file))
            blocks = tuple(
                (metric, tuple(cut), first, list(zip(*columns, strict=True)) if columns else [()])
                for metric, cut, first, columns in head.pop("blocks")
            )
            starts = tuple(date.fromisoformat(day) for day in head.pop("starts"))
            through = date.fromisoformat(head.pop("through"))
            more = {"blocks": blocks, "starts": starts, "through": through}
            return cls(**head, **more, tail=tail, pupils=pupils)
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            return None


def picked(pupils: Pupils, rows: NDArray[np.int64]) -> Pupils:
    """Some rows of both states, -1 for a series that nothing was learnt of yet."""
    return Pupils(_picked(pupils.plain, rows), _picked(pupils.log, rows))


def joined(parts: Iterable[Pupils]) -> Pupils:
    """The rows of several, one after the other."""
    found = list(parts)
    if len(found) == 1:
        return found[0]
    return Pupils(_joined([one.plain for one in found]), _joined([one.log for one in found]))


def _picked(state: Smoothing, rows: NDArray[np.int64]) -> Smoothing:
    if len(rows) == len(state.level) and (rows == np.arange(len(rows))).all():
        return state
    made = Smoothing(len(rows), state.shape)
    known = rows >= 0
    for name in ARRAYS:
        getattr(made, name)[..., known] = getattr(state, name)[..., rows[known]]
    return made


def _joined(states: Sequence[Smoothing]) -> Smoothing:
    made = Smoothing(0, states[0].shape)
    for name in ARRAYS:
        setattr(made, name, np.concatenate([getattr(state, name) for state in states], axis=-1))
    return made


def _smoothing(grain: Grain, file: BinaryIO) -> Smoothing:
    made = Smoothing(0, SHAPES[grain])
    for part in ARRAYS:
        setattr(made, part, np.load(file))
    return made
