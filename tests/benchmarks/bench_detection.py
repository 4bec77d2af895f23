"""How many injected events the rules find, at how many false alerts, how many of them near holidays.

    python tests/benchmarks/bench_detection.py

A false alert is an incident on series nobody touched: a run of days on which a rule is broken. Thresholds were tuned on
one half of the series and are reported on the other, with other seeds.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np
from detection_panel import WARM, Set, halves, injected, sets
from pydantic import TypeAdapter

from metrics_catalog.monitoring.backtest import would_fire
from metrics_catalog.monitoring.calendar import known_days
from metrics_catalog.monitoring.detectors import anomaly, missing, shift
from metrics_catalog.monitoring.detectors.base import Case
from metrics_catalog.monitoring.evaluate import judge
from metrics_catalog.monitoring.learnt import NOISY, Pupils, learn
from metrics_catalog.monitoring.series import Panel, Rows
from metrics_catalog.monitoring.watched import Terms
from metrics_catalog.spec.metric import Metric
from metrics_catalog.spec.monitoring import Monitoring, Sensitivity
from metrics_catalog.spec.policy import Policy

MOSTLY = 0.9  # of the days a series must be judged on to be in the panel
RULES = (anomaly.judge, shift.judge, missing.judge)
SPEC = TypeAdapter(Metric).validate_python(
    {
        "label": {"en": "m", "zh": "m"}, "description": "m", "owner": "o", "tier": 2, "unit": "count",
        "direction": "none", "grains": ["day"], "type": "simple", "model": "m", "agg": "count",
    }
)  # fmt: skip


def case(of: Set, sensitivity: Sensitivity = "medium", known: bool = True) -> Case:
    """Every series a total of its own."""
    closed = (date(of.start.year, 12, 25),) if of.name == "grocery" else ()
    monitoring = Monitoring(country=of.country if known else None, sensitivity=sensitivity)
    policy = Policy(monitoring=monitoring, closed_days=closed)
    blocks = tuple(Rows(Terms(f"m{row}", SPEC, policy.monitoring), (), row, [()]) for row in range(len(of.names)))
    panel = Panel("day", of.days, of.values, blocks)
    days = known_days(policy, of.days[0], of.days[-1])
    return Case(panel, days, WARM, learn(panel, days, WARM, Pupils.new(panel)))


def judged(of: Set) -> Set:
    """The series of which the rules do not say that too little goes on in them."""
    learnt = case(of).learnt
    return of.some(np.flatnonzero((learnt.noise <= NOISY).mean(axis=1) >= MOSTLY))


def false_alerts(some: list[Set], sensitivity: Sensitivity, known: bool = True) -> tuple[float, float, dict[str, int]]:
    """Per series and 90 days, the share within a day of a public holiday, and how many by rule."""
    count, near, days, by_rule = 0, 0, 0, defaultdict(int)
    for of in some:
        made = case(of, sensitivity, known)
        holidays = known_days(Policy(monitoring=Monitoring(country=of.country)), of.days[0], of.days[-1])
        close = dict(zip(of.days, holidays.nearness("day", of.days).tolist(), strict=True))
        for one in would_fire([made], RULES):
            count, near = count + 1, near + (close[one.first] > 0)
            by_rule[one.worst.rule] += 1
        days += made.values.size
    return count / (days / 90), near / max(1, count), dict(by_rule)


def recall(some: list[Set], seeds: range, sensitivity: Sensitivity = "medium") -> dict[str, tuple[float, int]]:
    """Share of events found within their window, by kind."""
    found: dict[str, list[bool]] = defaultdict(list)
    for seed in seeds:
        for of in some:
            changed, events = injected(of, seed)
            broken = np.zeros_like(changed.values, dtype=bool)
            made = case(changed, sensitivity)
            for verdict in judge(made, RULES):
                broken[verdict.rows, WARM:] |= verdict.score > 1
            for row, event in enumerate(events):
                found[event.kind].append(bool(broken[row, event.day : event.day + event.window].any()))
    every = [hit for hits in found.values() for hit in hits]
    return {kind: (float(np.mean(hits)), len(hits)) for kind, hits in sorted(found.items())} | {
        "all": (float(np.mean(every)), len(every))
    }


def quality() -> None:
    whole = sets()
    print(f"series with rows on most days: {', '.join(f'{of.name} {len(of.names)}' for of in whole)}")
    kept = [judged(of) for of in whole]
    print(f"of which the rules judge by day: {', '.join(f'{of.name} {len(of.names)}' for of in kept)}")
    tuned, told = (list(part) for part in zip(*(halves(of) for of in kept), strict=True))
    for name, part in (("tuned on", tuned), ("reported", told)):
        for sensitivity in ("low", "medium", "high"):
            rate, near, by_rule = false_alerts(part, sensitivity)
            print(
                f"{name} {sensitivity}: false alerts {rate:.2f} per series and 90 days, near holidays {near:.1%}, {by_rule}"
            )
    print(f"without a calendar: near holidays {false_alerts(told, 'medium', known=False)[1]:.1%}")
    for kind, (share, count) in recall(told, range(11, 23)).items():
        print(f"recall {kind}: {share:.3f} of {count}")


if __name__ == "__main__":
    quality()
