"""What it costs to judge 100,000 published series: 120 days for the first time, then one day more, as a refresh does.

    python tests/benchmarks/bench_evaluation.py [--metrics 20] [--stores 5000] [--days 120] [--folder KEPT]

CPU seconds of `evaluate` and of keeping what was learnt, by step. In ``--folder`` what is published stays, and is not
published again. One store in fifty is shut on Sundays; the day that is new is one.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from metrics_catalog.catalog import Catalog, Entry, entry_of
from metrics_catalog.located import parsed
from metrics_catalog.monitoring import cases, evaluate, state
from metrics_catalog.monitoring.detectors import DETECTORS
from metrics_catalog.monitoring.finding import Evaluation
from metrics_catalog.monitoring.memory import Memory
from metrics_catalog.project import Project
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published
from metrics_catalog.semantic import Dimension, Entity, SemanticModel, Semantics
from metrics_catalog.spec.monitoring import Monitoring
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

LAST = date(2024, 6, 30)  # a Sunday
TEXT = """
label: {{en: Metric {n}, zh: 指标{n}}}
description: Metric {n}.
owner: team
tier: 2
unit: usd
direction: up
type: simple
model: facts
agg: sum
expr: amount + {n}
grains: [day]
slices: [[store]]
watch: [[store]]
"""
ROWS = """
with facts as (
    select m, d, s, 'm' || lpad(m::varchar, 2, '0') as metric, '店' || lpad(s::varchar, 5, '0') as store,
        date '{first}' + d::int as period, 1 + hash(m, s) % 1000 as size,
        (1 + hash(m, s, d, 1) % 1000000) / 1000001 as u, hash(m, s, d, 2) % 1000000 / 1000000 as v
    from range({metrics}) a(m), range({begin}, {end}) c(d), range({stores}) b(s)
),
told as (
    select metric, period, store, round((50 + size) * (1 + 0.3 * sin(d * 2 * pi() / 7))
        * exp(0.1 * sqrt(-2 * ln(u)) * cos(2 * pi() * v)), 2)::decimal(28, 6) as value
    from facts where s % 50 != 7 or isodow(period) != 7
),
cut as (
    select metric, period, 'store' as slice, store, value from told
    union all
    select metric, period, '', null, sum(value) from told group by all
)
select metric, 'day' as grain, period, slice, store, value::decimal(28, 6) as value, null::decimal(28, 6) as numerator,
    null::decimal(28, 6) as denominator, 'd' as definition
from cut
"""


def catalog_of(metrics: int, folder: Path) -> Catalog:
    columns = {"id": "bigint", "day": "date", "store": "varchar", "amount": "decimal(18,2)"}
    dimensions = {"day": Dimension("day", "day", True), "store": Dimension("store", "store", False)}
    model = SemanticModel(
        name="facts", node="model.b.fct", schema="marts", table="fct", path="models/fct.yml", time="day",
        entities={"id": Entity("id", "id", True)}, dimensions=dimensions, columns=columns,
    )  # fmt: skip
    entries: dict[str, Entry] = {}
    for n in range(metrics):
        path = f"metrics_catalog/metrics/sales/m{n:02}.yml"
        entries[f"m{n:02}"] = entry_of(f"m{n:02}", "sales", parsed(TEXT.format(n=n), path))
    people = People(departments={}, people={}, teams={})
    nothing, policy = parsed("{}", "metrics_catalog/people.yml"), Policy(monitoring=Monitoring(country="US"))
    return Catalog(Project.at(folder), entries, Semantics({"facts": model}), people, policy, nothing, nothing)


def publish(catalog: Catalog, stores: int, days: int, begin: int, end: int) -> None:
    """Days [begin, end) of ``days``, the last of which is ``LAST``."""
    first = LAST - timedelta(days=days - 1)
    with duckdb.connect(config={"memory_limit": "600MB"}) as con:
        text = ROWS.format(metrics=len(catalog.metrics), stores=stores, begin=begin, end=end, first=first)
        low, high = first + timedelta(days=begin), first + timedelta(days=end)
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=begin)
        info = PublishInfo(
            f"run-{begin}", at, high - timedelta(days=1), definitions=dict.fromkeys(catalog.metrics, "d")
        )
        scopes = [Scope(metric, "day", low, high) for metric in catalog.metrics]
        rows: pa.RecordBatchReader = con.sql(text).to_arrow_reader(100_000)
        Publisher(catalog.project.published).publish(info, [rows], scopes, AuditRules())


class Steps:
    """CPU seconds by step; a step within another is taken off it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.within: list[float] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.within.append(0.0)
        began = time.process_time()
        yield
        whole = time.process_time() - began
        self.spent[name] += whole - self.within.pop()
        if self.within:
            self.within[-1] += whole

    def of(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **more: Any) -> Any:
            with self.step(name):
                made = work(*given, **more)
                return made if not isinstance(made, Iterator) else iter(list(made))

        return counted

    def print(self, title: str) -> None:
        shares = ", ".join(f"{name} {spent:.2f}" for name, spent in self.spent.items())
        print(f"{title}: {sum(self.spent.values()):.2f} CPU s ({shares})", flush=True)


@contextmanager
def counted() -> Iterator[Steps]:
    """The steps of evaluations within."""
    steps = Steps()
    parts = [
        (cases, "read_panel", "read values"),
        (cases, "learn", "learn"),
        (state.State, "read", "read what was kept"),
        (state.State, "write", "keep"),
    ]
    before = [(owner, name, owner.__dict__[name]) for owner, name, _ in parts]
    judges = dict(DETECTORS)
    for owner, name, said in parts:
        setattr(owner, name, steps.of(said, getattr(owner, name)))
    rules = tuple(steps.of(f"rule {name}", one) for name, one in judges.items())
    given = evaluate.judge.__defaults__
    evaluate.judge.__defaults__ = (rules,)
    try:
        yield steps
    finally:
        evaluate.judge.__defaults__ = given
        for owner, name, was in before:
            setattr(owner, name, was)


def look(catalog: Catalog, kept: Path, through: date, title: str) -> Evaluation:
    published = Published(catalog.project.published)
    with counted() as steps, steps.step("the rest"):
        memory = Memory.open(kept)
        found = evaluate.evaluate(catalog, published.at(), memory, through, published)
        memory.keep()
    steps.print(title)
    print(f"  {found.judged} judged, {len(found.findings)} findings", flush=True)
    return found


def main(folder: Path, metrics: int, stores: int, days: int) -> None:
    before, after = (catalog_of(metrics, folder / name) for name in ("before", "after"))
    if not before.project.published.exists():
        publish(before, stores, days + 1, 0, days)
    if not after.project.published.exists():
        shutil.copytree(before.project.published, after.project.published)
        publish(after, stores, days + 1, days, days + 1)
    kept = folder / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    print(f"{metrics} metrics × {stores} stores × {days} days")
    look(before, kept, LAST - timedelta(days=1), "first evaluation")
    look(after, kept, LAST, "one new day")
    print(f"kept: {sum(path.stat().st_size for path in kept.iterdir()) / 1e6:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=int, default=20)
    parser.add_argument("--stores", type=int, default=5000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        main(given.folder or Path(made), given.metrics, given.stores, given.days)
