"""A review of many metrics: ``python tests/benchmarks/bench_review.py [--metrics 300] [--days 365]``; ≤ 10 s wanted.

The slice-free history of every metric is published by hand, with a year of reads, alerts and publishes beside it.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time

import pyarrow as pa
import sqlalchemy as sa

from metrics_catalog.catalog import Catalog, Entry, entry_of
from metrics_catalog.governance.begun import Definitions
from metrics_catalog.health import SourceHealth, record
from metrics_catalog.located import parsed
from metrics_catalog.ops.store import open_store, writing
from metrics_catalog.ops.tables import incidents, reads
from metrics_catalog.project import Project
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published
from metrics_catalog.review.make import keep, pack_of
from metrics_catalog.review.scene import read
from metrics_catalog.semantic import Dimension, Entity, SemanticModel, Semantics
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

LAST = date(2024, 12, 31)
NOW = datetime(2025, 1, 1, 8, tzinfo=UTC)
DECIMAL = pa.decimal128(28, 6)
TEXT = """
label: {{en: Metric {n}, zh: 指标{n}}}
description: Metric {n}.
owner: team
tier: {tier}
unit: usd
direction: up
type: simple
model: facts
agg: sum
expr: amount + {n}
grains: [day, month]
target: {{month: 100}}
bounds: {{grain: day, warn: {{below: 95}}}}
"""


def catalog_of(count: int, folder: Path) -> Catalog:
    columns = {"id": "bigint", "day": "date", "amount": "decimal(18,2)"}
    model = SemanticModel(
        name="facts", node="model.b.fct", schema="marts", table="fct", path="models/fct.yml", time="day",
        entities={"id": Entity("id", "id", True)}, dimensions={"day": Dimension("day", "day", True)}, columns=columns,
    )  # fmt: skip
    entries: dict[str, Entry] = {}
    for n in range(count):
        text = TEXT.format(n=n, tier=n % 3 + 1)
        path = f"metrics_catalog/metrics/sales/m{n}.yml"
        entries[f"m{n}"] = entry_of(f"m{n}", "sales", parsed(text, path))
    people = People(departments={}, people={}, teams={})
    nothing = parsed("{}", "metrics_catalog/people.yml")
    return Catalog(Project.at(folder), entries, Semantics({"facts": model}), people, Policy(), nothing, nothing)


def publish(root: Path, count: int, days: int, versions: int) -> None:
    chance = random.Random(1)  # noqa: S311
    first = LAST - timedelta(days=days - 1)
    periods = [first + timedelta(days=n) for n in range(days)]
    months = sorted({day.replace(day=1) for day in periods})
    for version in range(versions):
        start = first if version == 0 else LAST
        told = {} if version % 10 else {f"m{version % count}": "late rows in facts"}
        at = NOW - timedelta(hours=6 * (versions - version))
        info = PublishInfo(f"run-{version}", at, LAST, notes=told)
        with Publisher(root).open(info) as draft:
            for grain, all_ in (("day", periods), ("month", months)):
                chosen = [
                    period for period in all_ if period >= start.replace(day=1 if grain == "month" else start.day)
                ]
                rows = [(n, period) for n in range(count) for period in chosen]
                values = [round(100 + 10 * chance.random() - (5 if n % 7 == 0 else 0), 2) for n, _ in rows]
                draft.add(table(grain, rows, values))
                scope_end = LAST + timedelta(days=1)
                draft.replaces(Scope(f"m{n}", grain, chosen[0], scope_end) for n in range(count))
            draft.audit(AuditRules())
            draft.commit()


def table(grain: str, rows: list[tuple[int, date]], values: list[float]) -> pa.Table:
    numbers = pa.array([str(value) for value in values]).cast(DECIMAL)
    size = len(rows)
    return pa.table(
        {
            "metric": pa.array([f"m{n}" for n, _ in rows]),
            "grain": pa.array([grain] * size),
            "period": pa.array([period for _, period in rows], pa.date32()),
            "slice": pa.array([""] * size),
            "value": numbers,
            "numerator": numbers,
            "denominator": pa.nulls(size, DECIMAL),
            "definition": pa.array(["d"] * size),
        }
    )


def fill(url: str, count: int) -> None:
    """A year of reads (100 a day of a third of the metrics), 2,000 incidents, health of 20 sources."""
    chance, engine = random.Random(2), open_store(url)  # noqa: S311
    seen = [
        {
            "at": (NOW - timedelta(days=n % 365)).isoformat(timespec="milliseconds"),
            "actor": f"p{n % 50}", "face": "query", "metric": f"m{chance.randrange(max(1, count // 3)) * 3}", "data": "{}",
        }
        for n in range(36_500)
    ]  # fmt: skip
    opened = []
    for n in range(2_000):
        at = (NOW - timedelta(hours=n)).isoformat(timespec="milliseconds")
        data = {"cause": "move", "rule": "bounds", "members": [], "reason": "false alarm"}
        row = {"number": n + 1, "key": f"m{n % count}", "state": "resolved", "severity": 3, "metric": f"m{n % count}"}
        opened.append({**row, "opened_at": at, "updated_at": at, "data": json.dumps(data)})
    with writing(engine) as con:
        con.execute(sa.insert(reads), seen)
        con.execute(sa.insert(incidents), opened)
    health = [
        SourceHealth(f"s{n % 20}", NOW - timedelta(hours=n), f"r{n}", rows=10, quarantined=n % 2) for n in range(700)
    ]
    record(engine, health)
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--metrics", type=int, default=300)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--versions", type=int, default=120)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = Project.at(folder)
        catalog = catalog_of(given.metrics, folder)
        publish(project.published, given.metrics, given.days, given.versions)
        fill(project.ops, given.metrics)
        start, cpu = perf_counter(), process_time()
        definitions = Definitions(catalog, catalog)
        scene = read(definitions, open_store(project.ops), Published(project.published), NOW)
        looked = process_time() - cpu
        pack = pack_of(scene, "month")
        kept = keep(pack, project)
        spent, wall = process_time() - cpu, perf_counter() - start
        size = (kept / "review.en.html").stat().st_size // 1024
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{given.metrics} metrics, {given.days} days, {given.versions} publishes: {len(pack.items)} items")
        print(f"{spent:.1f} CPU s ({looked:.1f} reading), {wall:.1f} s, {memory} MB in all, page of {size} KB")


if __name__ == "__main__":
    main()
