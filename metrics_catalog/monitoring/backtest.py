"""What rules would have fired on what is published: when, how often, and what that is for those who are told. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.monitoring.calendar import known_days
from metrics_catalog.monitoring.cases import HISTORY
from metrics_catalog.monitoring.detectors import DETECTORS, SENSITIVE, anomaly
from metrics_catalog.monitoring.detectors.base import Case, Judge, Verdict
from metrics_catalog.monitoring.evaluate import findings_of, judge
from metrics_catalog.monitoring.finding import Finding, RuleName
from metrics_catalog.monitoring.learnt import Pupils, learn
from metrics_catalog.monitoring.series import Panel, read_panel, starts_until
from metrics_catalog.monitoring.watched import Terms, due, terms_of
from metrics_catalog.spec.base import Grain
from metrics_catalog.spec.monitoring import Anomaly, Sensitivity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metrics_catalog.published.snapshot import Snapshot

LENGTHS: Mapping[Grain, int] = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
LEARN: Mapping[Grain, int] = {"day": 120, "week": 40, "month": 24, "quarter": 12, "year": 6}  # periods before the first
CHOICES: tuple[Sensitivity, ...] = ("high", "medium", "low")

# A message: a metric, and the first period. Slices of a metric that break in the same period are told of together.
Key = tuple[str, date]


@dataclass(frozen=True)
class Fired:
    """A rule that broke on one or more periods in a row: one incident. ``worst``: its highest score."""

    first: date
    last: date
    worst: Finding

    @property
    def key(self) -> Key:
        """The message it is told by."""
        return self.worst.series.metric, self.first

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        one = self.worst
        return {
            "metric": one.series.metric,
            "grain": one.series.grain,
            "members": dict(one.series.members),
            "rule": one.rule,
            "level": one.level,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "value": one.value,
            "expected": one.expected,
            "low": one.low,
            "high": one.high,
            "score": round(one.score, 3),
            "bad": one.bad,
            "event": None if one.event is None else dict(one.event),
        }


@dataclass(frozen=True)
class Backtest:
    """``fired``: in the ``days`` up to ``last``. ``owner``'s messages a week: ``others`` for its other metrics.

    ``by_sensitivity``: messages a week of this metric if its anomalies were looked for so; ``suggested``: the most
    sensitive that keeps within ``wanted``, None where none does. ``watched``: series whose anomalies are looked for,
    ``too_little``: how many of them the newest period says nothing of, by why.
    """

    metric: str
    days: int
    last: date
    fired: tuple[Fired, ...]
    owner: str
    others: float
    room: tuple[int, int]
    wanted: float
    by_sensitivity: Mapping[Sensitivity, float]
    watched: int
    too_little: Mapping[str, int]

    @property
    def weekly(self) -> float:
        """Messages a week of this metric."""
        return weekly(self.keys, self.days)

    @property
    def keys(self) -> set[Key]:
        """The messages of this metric."""
        return {one.key for one in self.fired}

    @property
    def suggested(self) -> Sensitivity | None:
        """The most sensitive setting within what is wanted."""
        return next((one for one in CHOICES if one in self.by_sensitivity and self._fits(one)), None)

    def _fits(self, one: Sensitivity) -> bool:
        return self.by_sensitivity[one] <= self.wanted

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "metric": self.metric,
            "days": self.days,
            "last": self.last.isoformat(),
            "fired": [one.as_json() for one in self.fired],
            "by_rule": dict(Counter(one.worst.rule for one in self.fired)),
            "messages": len(self.keys),
            "messages_a_week": round(self.weekly, 2),
            "owner": self.owner,
            "owner_messages_a_week": round(self.weekly + self.others, 2),
            "room_a_week": list(self.room),
            "by_sensitivity": {name: round(load, 2) for name, load in self.by_sensitivity.items()},
            "watched_series": self.watched,
            "too_little_data": dict(self.too_little),
            "wanted_a_week": round(self.wanted, 2),
            "suggested": self.suggested,
        }


def backtest(
    catalog: Catalog,
    snapshot: Snapshot,
    metric: str,
    days: int = 180,
    rules: Collection[RuleName] = (),
    wanted: float | None = None,
) -> Backtest:
    """The rules of ``catalog``, which may be a draft, on published values of a metric, official or not.

    ``rules``: only these. ``wanted``: messages a week the metric may send; else what its owner's other metrics leave.
    """
    terms = terms_of(catalog)
    mine, policy = terms[metric], catalog.policy.monitoring
    asked = rules or tuple(DETECTORS)
    cases = list(_cases(catalog, snapshot, [mine], days))
    fired = tuple(would_fire(cases, [DETECTORS[name] for name in asked]))
    others = [one for one in terms.values() if one.spec.owner == mine.spec.owner and one.metric != metric]
    load = weekly(messages(_cases(catalog, snapshot, others, days)), days)
    wanted = max(policy.weekly_alerts[1] - load, 0.0) if wanted is None else wanted
    always = {one.key for one in fired if one.worst.rule not in SENSITIVE}
    sensitive = [DETECTORS[name] for name in asked if name in SENSITIVE]
    tried: dict[Sensitivity, float] = {}
    for one in CHOICES if mine.anomaly_grain is not None else ():
        more = messages((_as_sensitive(case, one) for case in cases), sensitive)
        tried[one] = weekly(always | more, days)
    last, (watched, too_little) = snapshot.info.closed_through, _too_little(cases)
    room = policy.weekly_alerts
    return Backtest(metric, days, last, fired, mine.spec.owner, load, room, wanted, tried, watched, too_little)


def loads(catalog: Catalog, snapshot: Snapshot, days: int = 180) -> dict[str, dict[str, float]]:
    """Messages a week by owner, and of each of its metrics."""
    terms = terms_of(catalog)
    load = Counter(metric for metric, _ in messages(_cases(catalog, snapshot, terms.values(), days)))
    found: dict[str, dict[str, float]] = {}
    for name, one in terms.items():
        found.setdefault(one.spec.owner, {})[name] = load[name] * 7 / days
    return found


def would_fire(cases: Iterable[Case], judges: Iterable[Judge] = tuple(DETECTORS.values())) -> list[Fired]:
    """Everything that would have fired, oldest first."""
    found = [one for case in cases for one in _runs(case, judge(case, judges))]
    return sorted(found, key=lambda one: (one.first, -one.worst.score, str(one.worst.series)))


def case_of(catalog: Catalog, panel: Panel, first: int) -> Case:
    """A panel to judge from a column on, learnt from its beginning."""
    known = known_days(catalog.policy, panel.starts[0], panel.starts[-1], catalog.semantics.own_grains)
    return Case(panel, known, first, learn(panel, known, first, Pupils.new(panel)))


def messages(cases: Iterable[Case], judges: Collection[Judge] = tuple(DETECTORS.values())) -> set[Key]:
    """The messages that would have been sent, without what they say."""
    found: set[Key] = set()
    for case in cases:
        for verdict in judge(case, judges):
            for row, column in np.argwhere(_begins(verdict)).tolist():
                block = case.panel.names.block(int(verdict.rows[row]))
                found.add((block.terms.metric, case.panel.starts[case.first + column]))
    return found


def weekly(keys: Collection[Key], days: int) -> float:
    """Messages a week."""
    return len(keys) * 7 / days


def _cases(catalog: Catalog, snapshot: Snapshot, watched: Iterable[Terms], days: int) -> Iterator[Case]:
    calendar = Calendar.of(catalog)
    together: dict[tuple[Grain, date], list[Terms]] = {}
    for terms in watched:
        for grain in terms.grains:
            last = due(catalog, terms.metric, grain, snapshot.info.closed_through)
            if last is not None:
                together.setdefault((grain, last), []).append(terms)
    for (grain, last), some in together.items():
        like = calendar.like(grain)
        count = max(1, -(-days // LENGTHS[like]))
        starts = starts_until(calendar, grain, last, max(HISTORY[like], count + LEARN[like]))
        begun = last - timedelta(days=days)
        yield case_of(catalog, read_panel(snapshot, some, grain, starts), sum(1 for one in starts if one <= begun))


def _runs(case: Case, verdicts: Iterable[Verdict]) -> Iterator[Fired]:
    """Consecutive periods in which a series breaks a rule, as one."""
    for verdict in verdicts:
        broken, begins = verdict.score > 1, _begins(verdict)
        if not begins.any():
            continue
        found = {(one.series, one.period): one for one in findings_of(case, verdict)}
        for row, column in np.argwhere(begins).tolist():
            after = np.flatnonzero(~broken[row, column:])
            end = column + (int(after[0]) if len(after) else broken.shape[1] - column)
            series = case.panel.names[int(verdict.rows[row])]
            columns = case.panel.starts[case.first + column : case.first + end]
            yield Fired(
                columns[0], columns[-1], max((found[series, day] for day in columns), key=lambda one: one.score)
            )


def _too_little(cases: Iterable[Case]) -> tuple[int, Counter[str]]:
    """How many series are watched for anomalies, and of how many nothing can be said, by why."""
    watched, found = 0, Counter[str]()
    for verdict in (one for case in cases for one in anomaly.judge(case)):
        watched += len(verdict.rows)
        found.update({why: len(rows) for why, rows in verdict.too_little.items()})
    return watched, found


def _begins(verdict: Verdict) -> NDArray[np.bool_]:
    """Where a rule breaks that was in order the period before."""
    begins = verdict.score > 1
    begins[:, 1:] &= ~begins[:, :-1]
    return begins


def _as_sensitive(case: Case, sensitivity: Sensitivity) -> Case:
    blocks = [replace(one, terms=_terms_as(one.terms, sensitivity)) for one in case.panel.blocks]
    return replace(case, panel=replace(case.panel, blocks=tuple(blocks)))


def _terms_as(terms: Terms, sensitivity: Sensitivity) -> Terms:
    anomaly = (terms.spec.anomaly or Anomaly()).model_copy(update={"sensitivity": sensitivity})
    return replace(terms, spec=terms.spec.model_copy(update={"anomaly": anomaly}))
