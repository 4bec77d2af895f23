"""What the engine's values cost: against a plan written by hand, against MetricFlow, at 50M rows, for one new day.

    python tests/benchmarks/bench_engine.py [SECTION ...] [--rows N] [--full] [--keep FOLDER]

Sections, all of them by default: verify, values, cumulative, additive, day, planning, loading. Each piece of work is a
process of its own; CPU seconds are user + system of all threads without imports, peak memory is the whole process's.
``--full`` is 50M rows, and leaves out what is not the engine's. `bench_published` measures reading published values.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from engine_by_hand import cumulative, differences, statements
from engine_data import make_warehouse
from engine_many import load_many, plan_many
from engine_metricflow import NAMES, queries
from engine_metrics import CUMULATIVE, GRAINS, METRICS, SLICES, Keys, catalog
from engine_runs import (
    additive,
    all_windows,
    bare_scans,
    build_rollups,
    connect,
    day_windows,
    days,
    engine_rows,
    metric_plan,
    rows,
    tables,
)

MEMORY = "4GB"  # DuckDB's limit for everybody; what the process needs beyond it shows in its peak
ENOUGH = 60  # times our own work, after which MetricFlow need not end any more
FULL, SMALL = 50_000_000, 200_000
GIB = 1024**2  # ru_maxrss is in KiB
BASE = ("net_sales", "active_members")  # what the cumulative metrics stand on
Names = Iterator[str]


def ours(metrics: Mapping[str, Keys], warehouse: Path, scratch: Path) -> Names:
    """The engine's values as tables."""
    cat = catalog(metrics)
    with connect(warehouse, MEMORY, scratch) as con:
        last = days(con)[1]
        yield ""
        build_rollups(con, cat)
        yield "metric model"
        tables(con, metric_plan(cat, all_windows(last)))
        yield "values"


def ours_as_rows(warehouse: Path, scratch: Path) -> Names:
    """The engine's values as rows in the shape they are published in, read through once."""
    cat = catalog(METRICS)
    with connect(warehouse, MEMORY, scratch) as con:
        last = days(con)[1]
        yield ""
        build_rollups(con, cat)
        rows(con, metric_plan(cat, all_windows(last)))
        yield "rows"


def by_hand(warehouse: Path, scratch: Path) -> Names:
    """The plan of `engine_by_hand`."""
    with connect(warehouse, MEMORY, scratch) as con:
        last = days(con)[1]
        yield ""
        for _, sql in statements(METRICS, last):
            con.execute(sql)
        yield "by hand"


def by_hand_cumulative(warehouse: Path, scratch: Path) -> Names:
    """The cumulative metrics by hand."""
    with connect(warehouse, MEMORY, scratch) as con:
        last = days(con)[1]
        yield ""
        for _, sql in cumulative(last):
            con.execute(sql)
        yield "by hand"


def metricflow(metrics: Mapping[str, Keys], grains: Iterable[str], warehouse: Path, scratch: Path) -> Names:
    """MetricFlow's queries, one for each grain and slice: compiled, then run by the same DuckDB."""
    yield ""
    made = dict(queries(metrics, SLICES, tuple(grains)))
    yield "compile"
    with connect(warehouse, MEMORY, scratch) as con:
        for table, sql in made.items():
            con.execute(f"create temp table {table} as {sql}")
            yield table


def bare(warehouse: Path, scratch: Path) -> Names:
    """A scan and group of the columns the additive metrics read, for each set of dimensions they are sliced by."""
    with connect(warehouse, MEMORY, scratch) as con:
        yield ""
        yield from bare_scans(con)


def one_day(warehouse: Path, scratch: Path) -> Names:
    """All of history, then one day again: in the middle of a week, the last of a week, the last of a month."""
    cat = catalog(METRICS)
    with connect(warehouse, MEMORY, scratch) as con:
        last = days(con)[1]
        yield ""
        build_rollups(con, cat)
        tables(con, metric_plan(cat, all_windows(last)))
        yield "all"
        for name, day in _new_days(last).items():
            for (table,) in con.execute("select table_name from duckdb_tables() where temporary").fetchall():
                con.execute(f"drop table temp.{table}")
            yield ""
            build_rollups(con, cat, day)
            tables(con, metric_plan(cat, day_windows(day)))
            yield name


def _new_days(last: date) -> dict[str, date]:
    """Days near the last one that complete a day, a day and a week, a day and a month."""
    near = [last - timedelta(days=back) for back in range(40)]
    ends = {day: (day + timedelta(days=1)).day == 1 for day in near}
    return {
        "weekday": next(day for day in near if day.weekday() < 6 and not ends[day]),
        "week": next(day for day in near if day.weekday() == 6 and not ends[day]),
        "month": next(day for day in near if ends[day]),
    }


def cumulative_metrics() -> dict[str, Keys]:
    """The cumulative metrics and what they stand on, by day."""
    return {**{name: {**METRICS[name], "grains": ["day"]} for name in BASE}, **CUMULATIVE}


CHILDREN: dict[str, Callable[[Path, Path], Names]] = {
    "ours": lambda *at: ours(METRICS, *at),
    "ours as rows": ours_as_rows,
    "by hand": by_hand,
    "MetricFlow": lambda *at: metricflow(METRICS, GRAINS, *at),
    "ours, additive": lambda *at: ours(additive(METRICS), *at),
    "bare scans": bare,
    "ours, cumulative": lambda *at: ours(cumulative_metrics(), *at),
    "by hand, cumulative": by_hand_cumulative,
    "MetricFlow, cumulative": lambda *at: metricflow(cumulative_metrics(), ("day",), *at),
    "one day": one_day,
    "300 metrics": lambda *at: plan_many(300),
    "12,000 files": lambda *at: load_many(12_000, at[1]),
}


@dataclass(frozen=True)
class Spent:
    """CPU seconds of each part of a process's work, and the process's peak memory in GB."""

    parts: dict[str, float]
    peak: float

    @property
    def cpu(self) -> float:
        """All parts."""
        return sum(self.parts.values())


def cpu() -> float:
    """CPU seconds of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def child(name: str, warehouse: Path, scratch: Path) -> None:
    """Do one piece of work and print what it took."""
    parts: dict[str, float] = {}
    before = cpu()
    for part in CHILDREN[name](warehouse, scratch):
        now = cpu()
        if part:
            parts[part] = now - before
        before = cpu()
    print(json.dumps([parts, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB]))


class Bench:
    """Warehouses in a folder, and the sections that read them."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder, self.rows = folder, rows

    def warehouse(self, rows: int, days: int = 730) -> Path:
        """The warehouse of so many rows, made when it is not there."""
        path = self.folder / f"retail_{rows}_{days}.duckdb"
        if not path.exists():
            part = path.with_suffix(".part")
            make_warehouse(part, rows, days)
            part.rename(path)
        return path

    def spend(self, name: str, warehouse: Path | None = None, at_most: float | None = None) -> Spent:
        """Measure one piece of work in a process of its own, stopped after ``at_most`` CPU seconds, and print it."""
        at = [str(warehouse or self.folder), str(self.folder / "scratch")]
        given = [sys.executable, __file__, "--child", name, *at]
        with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as work:
            if at_most:
                resource.prlimit(work.pid, resource.RLIMIT_CPU, (round(at_most), resource.RLIM_INFINITY))
            out = work.communicate()[0]
        if work.returncode == -signal.SIGXCPU and at_most:
            spent = Spent({"stopped before its end": at_most}, float("nan"))
        elif work.returncode:
            raise SystemExit(work.returncode)
        else:
            spent = Spent(*json.loads(out.splitlines()[-1]))
        parts = ", ".join(f"{part} {seconds:.2f}" for part, seconds in spent.parts.items() if len(spent.parts) > 1)
        print(f"{name:<24}{spent.cpu:9.2f} CPU s  {spent.peak:5.2f} GB  {parts}", flush=True)
        return spent

    def verify(self) -> None:
        """Exit unless the three say the same of a small warehouse."""
        with connect(self.warehouse(SMALL), MEMORY, self.folder / "scratch") as con:
            last = days(con)[1]
            for _, sql in statements(METRICS, last):
                con.execute(sql)
            engine_rows(con, METRICS, last, "engine")
            wrong = [("engine", *one) for one in differences(con, METRICS, "engine")]
            for table, sql in queries(METRICS, SLICES, GRAINS):
                con.execute(f"create temp table flow_{table} as {sql}")
            con.execute(f"create temp view flow as {' union all '.join(_flow_rows(METRICS, last))}")
            # MetricFlow's median of money drops the half cent between two values.
            wrong += [("MetricFlow", *one) for one in differences(con, METRICS, "flow", {"median_line": 0.0051})]
        print(*wrong or [f"the three agree in every cell of {len(METRICS)} metrics"], sep="\n")
        if wrong:
            raise SystemExit(1)

    def values(self) -> None:
        """The 34 metrics, every grain and slice."""
        at, full = self.warehouse(self.rows), self.rows >= FULL
        print(f"{len(METRICS)} metrics, {self.rows:,} rows")
        engine = self.spend("ours", at)
        self.spend("ours as rows", at)
        if not full:
            hand, flow = self.spend("by hand", at), self.spend("MetricFlow", at)
            say("ours / by hand", engine.cpu / hand.cpu, "at most 1.5")
            say("MetricFlow / ours", flow.cpu / engine.cpu, "at least 4")
        else:
            say("peak memory, GB", engine.peak, "under 6")

    def cumulative(self) -> None:
        """To date, rolling, rolling distinct: every slice, by day."""
        at = self.warehouse(self.rows)
        hand, engine = self.spend("by hand, cumulative", at), self.spend("ours, cumulative", at)
        say("ours / by hand", engine.cpu / hand.cpu)
        if self.rows < FULL:
            flow = self.spend("MetricFlow, cumulative", at, at_most=ENOUGH * engine.cpu)
            say("MetricFlow / ours", flow.cpu / engine.cpu, f"at least 50; stopped at {ENOUGH}")

    def additive(self) -> None:
        """What is put together from stored days, against the scan it cannot do without."""
        at = self.warehouse(self.rows)
        engine, scans = self.spend("ours, additive", at), self.spend("bare scans", at)
        say("additive / bare scans", engine.cpu / scans.cpu, "at most 2, at 50M rows")
        say("additive / that by store alone", engine.cpu / scans.parts["by store"])

    def day(self) -> None:
        """One new day after one, two and four years of as many rows a day."""
        for years in (1, 2, 4):
            length = 365 * years
            at = self.warehouse(round(self.rows / 730 * length), length)
            print(f"{years} year(s), {self.rows // 730:,} rows a day")
            spent = self.spend("one day", at).parts
            average = (25 * spent["weekday"] + 4 * spent["week"] + spent["month"]) / 30
            say("a day of a month / all, %", 100 * average / spent["all"], "at most 3")

    def planning(self) -> None:
        """Plan and SQL of 300 metrics: of all their history, then, in the same process, of one day more."""
        parts = self.spend("300 metrics").parts
        say("plan and SQL, ms", 1000 * (parts["plan"] + parts["SQL"]), "at most 300")
        say("of one day more, ms", 1000 * parts["one day more"])

    def loading(self) -> None:
        """Reading and checking 12,000 metric files."""
        say("load, CPU s", self.spend("12,000 files").cpu, "at most 5")


def _flow_rows(metrics: Mapping[str, Keys], last: date) -> Iterator[str]:
    """MetricFlow's tables as rows: periods that are over, in our words for "none"."""
    for cut in SLICES:
        for grain in GRAINS:
            columns = ", ".join(f"{NAMES[name]} as {name}" if name in cut else f"null as {name}" for name in NAMES)
            for metric, keys in metrics.items():
                if grain in keys.get("grains", GRAINS):
                    yield (
                        f"select '{metric}' as metric, '{grain}' as grain, '{','.join(cut)}' as slice, "
                        f"metric_time__{grain}::date as period, {columns}, {_flow_value(metric, keys)} as value "
                        f"from flow_{'_'.join(cut) or 'total'}_{grain} "
                        f"where metric_time__{grain} + interval 1 {grain} <= date '{last}' + 1"
                    )


def _flow_value(metric: str, keys: Keys) -> str:
    """Where it differs by intention: a count of nobody is no data; a part that has no row is 0 of the whole."""
    if keys["type"] == "ratio":
        return f"case when {keys['denominator']} <> 0 then coalesce({metric}, 0) end"
    if metric.endswith("_growth"):
        return f"case when line_count is null then -1 else {metric} end"
    return f"nullif({metric}, 0)" if keys.get("agg") == "count_distinct" else metric


def say(name: str, figure: float, bar: str = "") -> None:
    """Print a figure the bars are about."""
    print(f"    {name:<28}{figure:9.2f}   {f'({bar})' if bar else ''}", flush=True)


SECTIONS = ("verify", "values", "cumulative", "additive", "day", "planning", "loading")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--rows", type=int, default=FULL // 10)
    parser.add_argument("--full", action="store_true", help="50M rows")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave its warehouses")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    if given.child:
        child(given.child[0], *map(Path, given.child[1:]))
        return
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(given.keep or Path(folder), FULL if given.full else given.rows)
        bench.folder.mkdir(parents=True, exist_ok=True)
        for section in given.sections or SECTIONS:
            print(f"\n{section}")
            getattr(bench, section)()


if __name__ == "__main__":
    main()
