"""A project's own grains: fiscal months, retail weeks. A column of the dbt time spine says which days are together.

They are dbt's ``custom_granularities``. Pure: the periods are those of the time spine as last built (`built_periods`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from metrics_catalog.spec.base import GRAINS, Grain, Label
from metrics_catalog.wording import period

EVER = date.min  # a span from here has no beginning of its own
_UP_TO = {"day": 3, "week": 15, "month": 60, "quarter": 200}  # days a period like it has at most, on average


class OutsideSpine(ValueError):
    """Periods that the time spine does not say; the message says up to when it does."""


@dataclass(frozen=True)
class Spine:
    """A time spine: the dbt model, its table and column of days, and the file that declares it."""

    node: str
    schema: str
    table: str
    day: str
    path: str


@dataclass(frozen=True)
class OwnGrain:
    """Days with the same value in ``column`` are a period.

    ``starts``: first days of the periods, without the spine's first one, which may have begun before it; ``texts``:
    what the spine calls them. ``until``: the day after the spine's last: its last period may end later. Empty and None
    until the spine was built once. ``print`` changes with the periods, not when more are added.
    """

    name: str
    column: str
    spine: Spine
    label: Label
    starts: tuple[date, ...] = ()
    texts: tuple[str, ...] = ()
    until: date | None = None
    print: str = ""

    def start(self, day: date) -> date:
        """First day of the period that ``day`` is in; `EVER` before the first known. Raises `OutsideSpine`."""
        self.must_reach(day)
        place = self._place(day)
        return EVER if place < 0 else self.starts[place]

    def next(self, start: date) -> date:
        """First day of the period after the one that begins at ``start``. Raises `OutsideSpine`."""
        until = self.must_reach(start)
        place = self._place(start) + 1
        return self.starts[place] if place < len(self.starts) else until

    def back(self, start: date, count: int) -> date:
        """First day of the period ``count`` before; `EVER` when that is before the first known."""
        place = self._place(start) - count
        return EVER if place < 0 else self.starts[place]

    def text(self, start: date) -> str | None:
        """What the spine calls the period that begins at ``start``."""
        place = self._place(start)
        return self.texts[place] if place >= 0 and self.starts[place] == start else None

    def called(self, start: date, language: str) -> str:
        """The period that begins at ``start`` within a sentence: ``fiscal month 2017-02``, ``财月 2017-02``."""
        return f"{self.label.to(language)} {self.text(start) or start.isoformat()}"

    def must_reach(self, day: date) -> date:
        """The day after the spine's last, when ``day`` is before it. Raises `OutsideSpine`."""
        if self.until is None or not self.starts:
            raise OutsideSpine(f"{self.spine.path}: {self.name}: the time spine is not built, or has one period only")
        if day >= self.until:
            last = date.fromordinal(self.until.toordinal() - 1)
            raise OutsideSpine(f"{self.spine.path}: {self.name} is known until {last} only, where the time spine ends")
        return self.until

    def reaches(self, day: date) -> bool:
        """Whether ``day`` is before the spine's end."""
        return bool(self.starts) and self.until is not None and day < self.until

    @property
    def periods(self) -> list[tuple[date, date]]:
        """(first day, first day of the next) of every known period, without the last, whose end is not known."""
        return list(pairwise(self.starts))

    @property
    def like(self) -> Grain:
        """The grain whose periods are about as long."""
        return like(self.starts)

    def knows(self, day: date) -> bool:
        """Whether both ends of the period that ``day`` is in are known."""
        return 0 <= self._place(day) < len(self.starts) - 1

    def _place(self, day: date) -> int:
        return bisect_right(self.starts, day) - 1


def called(own: OwnGrain | None, grain: Grain, start: date, language: str) -> str:
    """A period within a sentence; ``own``: the grain, where it is one of the project's own."""
    return period(grain, start, language) if own is None else own.called(start, language)


def names(own: OwnGrain | None, starts: Iterable[date]) -> dict[date, str]:
    """What the time spine calls periods, by their first days; of a usual grain it calls none."""
    found = {} if own is None else {start: own.text(start) for start in starts}
    return {start: text for start, text in found.items() if text is not None}


def like(starts: Sequence[date]) -> Grain:
    """The usual grain whose periods are about as long as these, one after the other; months of fewer than two."""
    if len(starts) < 2:
        return "month"
    days = (starts[-1] - starts[0]).days / (len(starts) - 1)
    return next((grain for grain, most in _UP_TO.items() if days <= most), "year")


def declared(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, OwnGrain]:
    """The custom granularities of a manifest's time spines, without periods. Names of the usual grains are not own."""
    return {one.name: one for key, node in nodes.items() for one in _of(key, node) if one.name not in GRAINS}


def _of(key: str, node: Mapping[str, Any]) -> Iterator[OwnGrain]:
    declared = node.get("time_spine") or {}
    for one in declared.get("custom_granularities") or ():
        column = one.get("column_name") or one["name"]
        path = (node.get("patch_path") or node["original_file_path"]).split("://")[-1]
        day = declared["standard_granularity_column"]
        spine = Spine(key, node["schema"], node.get("alias") or node["name"], day, path)
        about = node["columns"].get(column, {})
        said = ((about.get("config") or {}).get("meta") or about.get("meta") or {}).get("label")
        words = one["name"].replace("_", " ")
        given = said if isinstance(said, Mapping) else {}
        label = Label(en=str(given.get("en") or words), zh=str(given.get("zh") or words))
        yield OwnGrain(one["name"], column, spine, label)
