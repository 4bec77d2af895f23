"""Cost of publishing and of reading published values: metrics x stores x days, each with its total.

First publish, daily publishes, one late correction of a middle day, what a draft of everything and of one day would
change (nothing), then single reads of 90 days of one metric filtered to one store, random and recent. Generating the
rows is measured apart and taken off.

``python tests/benchmarks/bench_published.py [--full]``. The default, 300 metrics x 50 stores x 730 days, is a tenth of
``--full``. Targets: reads p50 3 ms and p99 10 ms; a daily publish at most 10 % of the first one's CPU.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from metrics_catalog.engine.query import Filter
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published
from metrics_catalog.published.value_history import value_history

START = date(2023, 1, 1)
READS, WARM = 1000, 50
DAYS_READ = 90
ROWS = """
with facts as (
    select 'metric_' || lpad(m::varchar, 3, '0') as metric, date '2023-01-01' + d::int as period,
        'S' || lpad(s::varchar, 4, '0') as store, ((hash(m, s, d) % 100000000) / 100)::decimal(28, 6) as value
    from range({metrics}) a(m), range({first}, {end}) c(d), range({stores}) b(s)
),
cut as (
    select metric, period, 'store' as slice, store, value from facts
    union all
    select metric, period, '', null, sum(value) from facts group by metric, period
)
select metric, 'day' as grain, period, slice, store, value::decimal(28, 6) as value, null::decimal(28, 6) as numerator,
    null::decimal(28, 6) as denominator, md5(metric)[:16] as definition
from cut
"""


class Bench:
    """One table of values being published to and read."""

    def __init__(self, root: Path, metrics: int, stores: int, days: int) -> None:
        self.root, self.stores, self.days = root, stores, days
        self.metrics = [f"metric_{number:03}" for number in range(metrics)]
        self.runs = 0

    def rows(self, first: int, end: int) -> pa.RecordBatchReader:
        """Rows of days [first, end)."""
        con = duckdb.connect(config={"memory_limit": "300MB"})
        query = ROWS.format(metrics=len(self.metrics), stores=self.stores, first=first, end=end)
        return con.sql(query).to_arrow_reader(100_000)

    def publish(self, name: str, first: int, end: int) -> float:
        """CPU seconds of publishing days [first, end), generation taken off."""
        made = cpu(lambda: sum(batch.num_rows for batch in self.rows(first, end)))
        low, high = START + timedelta(days=first), START + timedelta(days=end)
        self.runs += 1
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=self.runs)
        info = PublishInfo(f"run-{self.runs}", at, date(2026, 1, 1))
        scopes = [Scope(metric, "day", low, high) for metric in self.metrics]
        rules = AuditRules(additive=frozenset(self.metrics))
        began = time.perf_counter()
        spent = cpu(lambda: Publisher(self.root).publish(info, [self.rows(first, end)], scopes, rules)) - made
        wall, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name:<12} {spent:7.2f} CPU s  {wall:6.2f} s  peak so far {peak:5.0f} MB  {self.files()} files",
            flush=True,
        )
        return spent

    def compare(self, name: str, first: int, end: int) -> None:
        """CPU seconds of comparing days [first, end) with what is published."""
        low, high = START + timedelta(days=first), START + timedelta(days=end)
        info = PublishInfo("compared", datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1))
        with Publisher(self.root).open(info) as draft:
            draft.add(self.rows(first, end))
            draft.replaces(Scope(metric, "day", low, high) for metric in self.metrics)
            draft.audit(AuditRules())
            spent = cpu(draft.differences)
        print(f"{name:<12} {spent:7.2f} CPU s", flush=True)

    def history(self) -> None:
        """CPU seconds of every value ever published for one store on one day: an old, a middle and the newest one."""
        for name, day in ("old day", 0), ("middle day", self.days // 2), ("newest day", self.days - 1):
            asked = (self.root, self.metrics[0], "day", START + timedelta(days=day), {"store": "S0000"})
            found = value_history(*asked)
            print(
                f"{name:<12} {cpu(lambda asked=asked: value_history(*asked)):7.3f} CPU s  {len(found)} values",
                flush=True,
            )

    def files(self) -> int:
        """Files of the newest version."""
        return len(Published(self.root).at().files)

    def read(self, name: str, latest: bool) -> tuple[float, float]:
        """p50 and p99 of single reads, ms."""
        reader, chance, spent, used = Published(self.root), random.Random(1), [], []  # noqa: S311 - not for secrets
        for _ in range(READS):
            metric, store = chance.choice(self.metrics), f"S{chance.randrange(self.stores):04}"
            low = START + timedelta(days=self.days - DAYS_READ if latest else chance.randrange(self.days - DAYS_READ))
            began, began_cpu = time.perf_counter(), time.process_time()
            asked = [Filter("store", "=", (store,))]
            found = reader.at().values([metric], "day", ["store"], asked, low, low + timedelta(days=DAYS_READ))
            spent.append((time.perf_counter() - began) * 1000)
            used.append((time.process_time() - began_cpu) * 1000)
            if found.num_rows != DAYS_READ:
                raise AssertionError(f"{found.num_rows} rows instead of {DAYS_READ}")
        spent, used = sorted(spent[WARM:]), sorted(used[WARM:])
        p50, p99 = spent[len(spent) // 2], spent[len(spent) * 99 // 100]
        print(f"{name:<12} p50 {p50:.2f} ms  p99 {p99:.2f} ms  (CPU {used[len(used) // 2]:.2f} ms)")
        return p50, p99


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="300 metrics x 500 stores x 730 days: 110 million rows")
    parser.add_argument("--metrics", type=int, default=300)
    parser.add_argument("--stores", type=int, default=50)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--publishes", type=int, default=5, help="daily publishes after the first")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), given.metrics, 500 if given.full else given.stores, given.days)
        begun = given.days - given.publishes
        first = bench.publish("first", 0, begun)
        daily = [bench.publish("daily", day, day + 1) for day in range(begun, given.days)]
        bench.publish("correction", given.days // 2, given.days // 2 + 1)
        bench.compare("same values", 0, given.days)
        bench.compare("same day", given.days // 2, given.days // 2 + 1)
        bench.history()
        print(f"{'ratio':<12} daily / first {sum(daily) / len(daily) / first:.3f} (target 0.10)")
        bench.read("random", latest=False)
        bench.read("latest", latest=True)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
        print(f"{'disk':<12} {size / 1e6:.0f} MB with history")


if __name__ == "__main__":
    main()
