"""Which data files a replacement rewrites, and where the new ones are cut. Pure: file statistics in, groups out.

Files of a grain lie in stretches of time, disjoint and in order. A full stretch is cut by metric, so a read of one
metric over months opens one file, not one for each week. A replacement rewrites the files that hold replaced rows
(dirty) with the new rows that belong into them; other new rows get a file of their own in their stretch, or a stretch
after the last. Of stretches that are still short the newest are joined when more than `OPEN` lie side by side: a daily
publish writes little and a read still opens few files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TypeVar

from metrics_catalog.published.table import DataFile

K = TypeVar("K", str, date)
Claim = tuple[date, str]  # new rows of a period, and the dirty file they belong into ('': none)
OPEN = 4  # short stretches side by side; more are joined
GROWTH = 2  # a stretch is joined to newer ones once it is at most so many times as large
SMALL = 8  # small files within a stretch; more are joined


@dataclass(frozen=True)
class Sizes:
    """Rows of a full file and of a full stretch (benchmark bench_published.py)."""

    file: int = 2_000_000
    stretch: int = 16_000_000


@dataclass(frozen=True)
class Group:
    """Files rewritten together (their rows that stay) with new rows."""

    grain: str
    files: tuple[DataFile, ...]
    fresh: frozenset[Claim]
    rows: int


@dataclass(frozen=True)
class _Stretch:
    files: tuple[DataFile, ...]
    fresh: Mapping[Claim, int]
    dirty: frozenset[str]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files) + sum(self.fresh.values())

    @property
    def touched(self) -> bool:
        return bool(self.fresh) or any(file.path in self.dirty for file in self.files)


def plan(
    files: Iterable[DataFile], dirty: frozenset[str], fresh: Mapping[tuple[str, date, str], int], sizes: Sizes
) -> list[Group]:
    """Groups to rewrite. ``dirty`` are paths holding replaced rows, ``fresh`` new rows per (grain, period, claim)."""
    files = list(files)
    found = []
    for grain in sorted({file.grain for file in files} | {grain for grain, _, _ in fresh}):
        mine = [file for file in files if file.grain == grain]
        new = {(period, claim): rows for (name, period, claim), rows in fresh.items() if name == grain}
        found += _plan_grain(grain, _stretches(mine, new, dirty), sizes)
    return found


def _stretches(files: Sequence[DataFile], fresh: Mapping[Claim, int], dirty: frozenset[str]) -> list[_Stretch]:
    held = _disjoint(files)
    home = {file.path: number for number, group in enumerate(held) for file in group}
    inside: list[dict[Claim, int]] = [{} for _ in held]
    after: dict[int, dict[Claim, int]] = {}
    for (period, claim), rows in fresh.items():
        at = home.get(claim, _last_begun(held, period))
        known = at >= 0 and (claim or period <= max(file.high for file in held[at]))
        (inside[at] if known else after.setdefault(at, {}))[period, claim] = rows
    ordered = [_Stretch((), after[-1], dirty)] if -1 in after else []
    for number, group in enumerate(held):
        ordered.append(_Stretch(tuple(group), inside[number], dirty))
        ordered += [_Stretch((), after[number], dirty)] if number in after else []
    return ordered


def _disjoint(files: Sequence[DataFile]) -> list[list[DataFile]]:
    groups: list[list[DataFile]] = []
    for file in sorted(files, key=lambda file: (file.low, file.path)):
        if groups and file.low <= max(other.high for other in groups[-1]):
            groups[-1].append(file)
        else:
            groups.append([file])
    return groups


def _last_begun(groups: Sequence[Sequence[DataFile]], period: date) -> int:
    begun = [number for number, group in enumerate(groups) if min(file.low for file in group) <= period]
    return begun[-1] if begun else -1


def _plan_grain(grain: str, stretches: Sequence[_Stretch], sizes: Sizes) -> list[Group]:
    groups = []
    for short, run in groupby(stretches, key=lambda stretch: 2 * stretch.rows < sizes.stretch):
        beside = list(run)
        joined = _to_join(beside) if short else []
        if joined:
            groups.append(_joined(grain, [_whole(grain, stretch) for stretch in joined]))
        apart = beside[: len(beside) - len(joined)]
        groups += [group for stretch in apart for group in _plan_stretch(grain, stretch, sizes)]
    return groups


def _to_join(beside: Sequence[_Stretch]) -> Sequence[_Stretch]:
    """The newest of too many short stretches, and older ones while these are not far larger than what is joined."""
    if len(beside) <= OPEN or not any(stretch.touched for stretch in beside):
        return []
    at = len(beside) - 2
    while at > 0 and beside[at - 1].rows <= GROWTH * sum(stretch.rows for stretch in beside[at:]):
        at -= 1
    return beside[at:]


def _plan_stretch(grain: str, stretch: _Stretch, sizes: Sizes) -> list[Group]:
    groups, still = [], []
    for file in stretch.files:
        claimed = {claim: rows for claim, rows in stretch.fresh.items() if claim[1] == file.path}
        group = Group(grain, (file,), frozenset(claimed), file.rows + sum(claimed.values()))
        (groups if file.path in stretch.dirty else still).append(group)
    if loose := {claim: rows for claim, rows in stretch.fresh.items() if not claim[1]}:
        groups.append(Group(grain, (), frozenset(loose), sum(loose.values())))
    small = [group for group in (*groups, *still) if 2 * group.rows < sizes.file]
    if groups and len(small) > SMALL:
        return [*(group for group in groups if group not in small), _joined(grain, small)]
    return groups


def _whole(grain: str, stretch: _Stretch) -> Group:
    return Group(grain, stretch.files, frozenset(stretch.fresh), stretch.rows)


def _joined(grain: str, groups: Sequence[Group]) -> Group:
    return Group(
        grain,
        tuple(file for group in groups for file in group.files),
        frozenset().union(*(group.fresh for group in groups)),
        sum(group.rows for group in groups),
    )


def cut(counts: Iterable[tuple[K, int]], rows: int) -> list[tuple[K, K]]:
    """Split (key, rows) in order of key into runs ``[first, last]`` of about equal rows, none far above ``rows``."""
    ordered = sorted(counts)
    total = sum(count for _, count in ordered)
    share = total / max(1, -(-total // rows))
    runs: list[list[K]] = []
    held = 0
    for key, count in ordered:
        if not runs or held + count / 2 > share:
            runs.append([])
            held = 0
        runs[-1].append(key)
        held += count
    return [(keys[0], keys[-1]) for keys in runs]
