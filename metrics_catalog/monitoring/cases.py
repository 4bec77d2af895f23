"""What there is to judge: watched metrics by grain and by how far their values go, with what was learnt of them.

From published history, or, where nothing in it changed since, from what was kept and the new periods alone.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.terms import Shift
from metrics_catalog.monitoring.calendar import known_days
from metrics_catalog.monitoring.detectors.base import Case
from metrics_catalog.monitoring.learnt import Pupils, learn
from metrics_catalog.monitoring.memory import Memory
from metrics_catalog.monitoring.series import Panel, Rows, read_panel, starts_until
from metrics_catalog.monitoring.state import TAIL, State, picked
from metrics_catalog.monitoring.watched import Terms, due, last_period, terms_of
from metrics_catalog.spec.base import GRAINS, Grain, ordered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metrics_catalog.published.reader import Published
    from metrics_catalog.published.snapshot import Snapshot

# Periods read to learn from, and periods judged at most when evaluations were missed.
HISTORY: Mapping[Grain, int] = {"day": 400, "week": 120, "month": 60, "quarter": 24, "year": 12}
CAUGHT_UP: Mapping[Grain, int] = {"day": 28, "week": 4, "month": 2, "quarter": 1, "year": 1}


@dataclass(frozen=True)
class Group:
    """Metrics whose newest value at a grain is of the same period, and whose last judged one is.

    ``lag``: periods that are over and have no value yet, as there is still something to come.
    """

    grain: Grain
    lag: int
    last: date
    judged: date | None
    wanted: tuple[Terms, ...]
    late: Mapping[str, tuple[date, ...]]

    def must_judge(self, metric: str, start: date) -> bool:
        """Whether a period was not judged yet: a new one, or one that was missing then. The newest always is."""
        after = self.judged is None or start > self.judged
        return start == self.last or (self.judged is not None and after) or start in self.late.get(metric, ())


def groups(catalog: Catalog, memory: Memory, closed_through: date) -> Iterator[Group]:
    """All that is watched of a catalog."""
    calendar = Calendar.of(catalog)
    found: dict[tuple[Grain, date, date | None], list[Terms]] = defaultdict(list)
    for terms in terms_of(catalog).values():
        for grain in terms.grains:
            last = due(catalog, terms.metric, grain, closed_through)
            if last is None:
                continue
            before = memory.through.get(grain)
            if before is not None:
                before = due(catalog, terms.metric, grain, calendar.next(grain, before) - timedelta(days=1))
            found[grain, last, before].append(terms)
    for grain in ordered({grain for grain, *_ in found}):
        for (of, last, before), wanted in found.items():
            if of == grain:
                lag = sum(1 for _ in calendar.spans(grain, last, last_period(calendar, grain, closed_through)))
                yield Group(grain, lag, last, before, tuple(wanted), memory.missing.get(grain, {}))


def cases(
    catalog: Catalog, snapshot: Snapshot, group: Group, memory: Memory, published: Published | None
) -> Iterator[Case]:
    """A group as one case from what was kept, and one from history; ``memory`` then has what was learnt of both."""
    words = _words(catalog)
    name = f"{group.grain}-{group.lag}"
    published = published if group.grain in GRAINS else None  # of own grains there is little, and it is read again
    state = None if published is None else memory.state(name)
    fit = set() if state is None or published is None else _fit(state, group, words, published, snapshot)
    learnt: list[tuple[Panel, Pupils]] = []
    for usable in (True, False):
        wanted = [one for one in group.wanted if (one.metric in fit) == usable]
        if not wanted:
            continue
        if usable and state is not None:
            panel, pupils, begin = _continued(snapshot, state, wanted, group.last, catalog)
        else:
            panel, begin = read_panel(snapshot, wanted, group.grain, _history(catalog, snapshot, group, wanted)), 0
            pupils = Pupils.new(panel)
        known = known_days(catalog.policy, panel.starts[0], panel.starts[-1], catalog.semantics.own_grains)
        first = max(begin, _first(panel, group, wanted))
        yield Case(panel, known, first, learn(panel, known, first, pupils, begin))
        learnt.append((panel, pupils))
    if published is not None and learnt:
        memory.learnt[name] = State.of(learnt, snapshot.version, words, snapshot.info.definitions)


def _history(catalog: Catalog, snapshot: Snapshot, group: Group, wanted: Collection[Terms]) -> tuple[date, ...]:
    """Periods to learn from; of those before anything was published only as many as rules look back."""
    calendar = Calendar.of(catalog)
    starts = starts_until(calendar, group.grain, group.last, HISTORY[calendar.like(group.grain)])
    first = snapshot.first(group.grain)
    if first is None or group.grain not in GRAINS or any(_looks_far(one, group.grain) for one in wanted):
        return starts
    least = TAIL + CAUGHT_UP[group.grain]
    return starts[min(bisect_left(starts, first), max(0, len(starts) - least)) :]


def _first(panel: Panel, group: Group, wanted: Collection[Terms]) -> int:
    """The first column that some metric must be judged on."""
    end = len(panel.starts)
    most = max(0, end - CAUGHT_UP[panel.like])
    columns = range(most, end)
    return next(
        (at for at in columns if any(group.must_judge(one.metric, panel.starts[at]) for one in wanted)), end - 1
    )


def _fit(state: State, group: Group, words: str, published: Published, snapshot: Snapshot) -> set[str]:
    """Metrics of which nothing was published since that changes what was learnt."""
    if state.words != words or state.through > group.last or state.version > snapshot.version:
        return set()
    since = [one.info for one in published.versions() if state.version < one.number <= snapshot.version]
    changed = {metric for info in since for metric in info.notes}
    now = snapshot.info.definitions
    return {
        one.metric
        for one in group.wanted
        if state.definitions.get(one.metric) == now.get(one.metric, "")
        and one.metric not in changed
        and one.metric not in group.late
        and not _looks_far(one, group.grain)
        and {cut for metric, cut, *_ in state.blocks if metric == one.metric} >= set(one.cuts(group.grain))
    }


def _looks_far(terms: Terms, grain: Grain) -> bool:
    """Whether a rule looks back further than the values that are kept."""
    change = terms.spec.change
    if grain == "day" and set(terms.paced) - {"week", "month"}:
        return True
    if change is None or change.grain != grain:
        return False
    if (change.against.grain or change.against.start_of or "day") not in GRAINS:
        return True
    day = date(2024, 12, 30)
    calendar = Calendar()
    back = calendar.start(grain, day) - Shift(change.against).start(calendar, grain, calendar.start(grain, day))
    lengths: Mapping[Grain, int] = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
    return back.days >= (TAIL - CAUGHT_UP[grain]) * lengths[grain]


def _continued(
    snapshot: Snapshot, state: State, wanted: Collection[Terms], last: date, catalog: Catalog
) -> tuple[Panel, Pupils, int]:
    """The kept tail with the new periods beside it, the pupils of all its series, and the first new column."""
    calendar, starts = Calendar.of(catalog), [state.through]
    while starts[-1] < last:
        starts.append(calendar.next(state.grain, starts[-1]))
    old, pupils = state.panel(wanted)
    new = read_panel(snapshot, wanted, state.grain, tuple(starts[1:]))
    panel, before = beside(old, new)
    return panel, picked(pupils, before), len(old.starts)


def beside(old: Panel, new: Panel) -> tuple[Panel, NDArray[np.int64]]:
    """Two panels of the same metrics, one after the other; for each row its row in ``old``, -1: a new series."""
    of_old = {(block.terms.metric, block.cut): block for block in old.blocks}
    of_new = {(block.terms.metric, block.cut): block for block in new.blocks}
    blocks: list[Rows] = []
    olds, news = [], []
    for key, block in (of_old | of_new).items():
        none = replace(block, first=0, members=())
        was, now = of_old.get(key, none), of_new.get(key, none)
        places = {one: row for row, one in enumerate(was.members)}
        at = np.array([places.setdefault(one, len(places)) for one in now.members], dtype=np.int64)
        left, right = np.full((2, len(places)), -1)
        left[: len(was.members)], right[at] = np.arange(was.first, was.last), np.arange(now.first, now.last)
        blocks.append(replace(block, first=blocks[-1].last if blocks else 0, members=list(places)))
        olds.append(left)
        news.append(right)
    before, width = np.concatenate(olds), len(old.starts)
    values = np.empty((len(before), width + len(new.starts)))
    _copy(old.values, before, values[:, :width])
    _copy(new.values, np.concatenate(news), values[:, width:])
    return Panel(old.grain, (*old.starts, *new.starts), values, tuple(blocks)), before


def _copy(values: NDArray[np.float64], rows: NDArray[np.int64], into: NDArray[np.float64]) -> None:
    if len(rows) == len(values) and (rows == np.arange(len(rows))).all():
        into[:] = values
        return
    into[:] = np.nan
    known = rows >= 0
    into[known] = values[rows[known]]


def _words(catalog: Catalog) -> str:
    """Digest of what decides what is learnt, besides the numbers."""
    policy = catalog.policy
    said = f"2 {policy.monitoring.country} {policy.monitoring.events} {policy.week_start} {policy.closed_days}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]
