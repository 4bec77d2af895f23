"""CPU and memory of the demo's refresh against a plain script with the same reads, the same dbt build, the same metric SQL.

    python tests/benchmarks/bench_refresh.py [--keep FOLDER]

Prints CPU seconds (user + system, children included) and peak memory of whole processes, each started afresh:

- plain: a script without ingestion bookkeeping, Great Expectations, Dagster and publishing
- first: `metrics run` on an empty warehouse (all but one daily file)
- one day: `metrics run` after the missing daily file arrived
- nothing new: `metrics run` again, after those that took in what the platform wrote of itself
- warm: in one process that stays alive, as work without start-up: the first refresh up to 13 December, then a plain day
  (Thursday 14 December, on which a household shops for the first time), the days up to the 30th, and the 31st, which
  completes a week, a month, a quarter and a year
- load: importing the code location and building its definitions
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HELD_BACK = "transactions/transactions_2017-12-31.csv"

PLAIN = """
    import sys
    from pathlib import Path
    state, root = Path(sys.argv[1]), Path(sys.argv[2])
    landing = state / "landing"
    import duckdb
    from orchestration.ingest.spec import load_specs
    from metrics_catalog.project import Project
    project = Project.at(root, state)
    OPTIONS = {"memory_limit": "1GB", "storage_compatibility_version": "v1.3.0"}
    con = duckdb.connect(str(project.warehouse), config=OPTIONS)
    con.execute("set enable_progress_bar = false; create schema source; create schema clean")
    # What the suites find, as somebody who knows it would write it down.
    DIRT = {"transactions": "quantity > 0 and product_id in (select product_id from source.products)"}
    DISTINCT = {"coupons": "distinct"}
    for name, spec in load_specs(project).items():
        path = str(landing / spec.path)
        types = {column: one.type for column, one in spec.columns.items()}
        cast = ", ".join(f'cast("{column}" as {kind}) as "{column}"' for column, kind in types.items())
        if name == "platform_events":  # the product writes its own before it looks; nothing happened yet
            columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
            con.execute(f"create table source.{name} ({columns})")
            con.execute(f"create view clean.{name} as select * from source.{name}")
            continue
        if spec.kind == "sqlite":
            from duckdb_extensions import import_extension
            import_extension("sqlite", con=con)
            con.execute("load sqlite")
            rows = f"sqlite_scan('{path}', '{spec.table}')"
        elif spec.kind == "excel":
            import pandas
            frame = pandas.read_excel(path, dtype=str, engine="openpyxl")
            rows = "frame"
        elif spec.format == "csv":
            rows = f"read_csv('{path}', columns = {types}, header = true, nullstr = ['', 'NULL'])"
        else:
            rows = f"read_{spec.format}('{path}')"
        con.execute(f"create table source.{name} as select {cast} from {rows}")
        con.execute(f"create view clean.{name} as select {DISTINCT.get(name, '')} * from source.{name} where {DIRT.get(name, True)}")
    con.close()
    import os
    os.environ["METRICS_WAREHOUSE"] = str(project.warehouse)
    from dbt.cli.main import dbtRunner
    place = ["--project-dir", str(project.dbt), "--profiles-dir", str(project.dbt)]
    result = dbtRunner().invoke(["--quiet", "build", *place, "--no-partial-parse"])
    assert result.success, [one.message for one in result.result or () if one.status in ('error', 'fail')]
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    DuckDBConnectionManager.close_all_connections()
    from datetime import date
    from metrics_catalog.catalog import load_catalog
    from metrics_catalog.engine.compute import computed
    from metrics_catalog.engine.periods import Calendar, Span
    from metrics_catalog.engine.plan import plan
    from metrics_catalog.engine.windows import Coverage, windows
    from metrics_catalog.spec.base import GRAINS
    catalog = load_catalog(Project.at(root))
    calendar = Calendar.of(catalog)
    year = Span(date(2017, 1, 1), date(2017, 12, 31))
    wanted = windows(calendar, GRAINS, year, date(2017, 12, 30), [Coverage(year.start)])
    con = duckdb.connect(str(project.warehouse), config=OPTIONS)
    con.execute("set enable_progress_bar = false")
    with computed(con, plan(catalog, list(catalog.metrics), wanted, calendar)) as selects:
        con.execute(f"copy ({' union all '.join(selects)}) to '{state}/values.parquet'")
"""

WARM = """
    import json, sys, time
    from pathlib import Path
    from orchestration.collector import seldom
    from orchestration.commands import run
    from orchestration.settings import read_settings
    state, root = Path(sys.argv[1]), Path(sys.argv[2])
    settings = read_settings({"METRICS_STATE": str(state)}, project=root)
    landing, held = state / "landing/transactions", state / "held"
    held.mkdir()
    spent = {}
    def deliver(*days):
        for day in days:
            name = f"transactions_2017-12-{day}.csv"
            if (held / name).exists():
                (held / name).rename(landing / name)
    def measure(name):
        begin = time.process_time()
        run(settings, None, True)
        spent[name] = time.process_time() - begin
    for file in landing.glob("transactions_2017-12-*.csv"):
        if file.stem[-2:] >= "14":
            file.rename(held / file.name)
    with seldom():  # as the command is, to its end
        measure("first")
        measure("second")
        deliver(14)
        measure("plain day")
        deliver(*range(15, 31))
        measure("16 days")
        deliver(31)
        measure("last day")
        measure("nothing new")
    print(json.dumps(spent))
"""


@dataclass(frozen=True)
class Spent:
    """CPU seconds, wall seconds and peak MB of one process."""

    cpu: float
    wall: float
    memory: float
    output: str = ""

    def __str__(self) -> str:
        return f"{self.cpu:7.1f} CPU s  {self.wall:7.1f} s  {self.memory:7.0f} MB"


def spend(*command: str, state: Path | None = None) -> Spent:
    """Run a command to its end."""
    environment = {**os.environ, **({"METRICS_STATE": str(state)} if state else {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else every process compiles the whole of our code
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    measured = [sys.executable, "-c", _MEASURED, *command]
    done = subprocess.run(measured, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(cpu, time.perf_counter() - begin, float(done.stderr.rsplit("peak KB ", 1)[1]) / 1024, done.stdout)


_MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print("peak KB", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def python(folder: Path, text: str, *arguments: object) -> list[str]:
    """A command that runs ``text`` as a file: to DuckDB `python -c` is a person, for whom it draws progress bars."""
    script = folder / f"{sha256(text.encode()).hexdigest()[:8]}.py"
    script.write_text(textwrap.dedent(text), encoding="utf-8")
    return [sys.executable, str(script), *map(str, arguments)]


def measure(folder: Path) -> dict[str, Spent]:
    """Every figure, in one run."""
    from orchestration.demo import lay_out

    plain, cold, warm = folder / "plain", folder / "cold", folder / "warm"
    for state in (plain, cold, warm):
        lay_out(state / "landing")
    metrics = [*python(folder, "from orchestration.cli import main; main()"), "run", "--json"]
    (plain / "landing" / HELD_BACK).unlink()
    file, held = cold / "landing" / HELD_BACK, folder / "held.csv"
    target = ROOT / "dbt_project" / "target"
    figures = {"plain": spend(*python(folder, PLAIN, plain, ROOT))}
    shutil.rmtree(target)  # dbt parses from nothing in both
    file.rename(held)
    figures["first"] = spend(*metrics, state=cold)
    held.rename(file)
    figures["one day"] = spend(*metrics, state=cold)
    while json.loads(spend(*metrics, state=cold).output)["metrics_published"]:  # of the platform's own events
        pass
    figures["nothing new"] = spend(*metrics, state=cold)
    figures["load"] = spend(*python(folder, "from orchestration.definitions import project; project()"), state=cold)
    figures["warm"] = spend(*python(folder, WARM, warm, ROOT))
    return figures


def report(figures: dict[str, Spent]) -> None:
    """Print figures and the ratios the bars are about."""
    warm = json.loads(figures["warm"].output.strip().splitlines()[-1])
    for name, spent in figures.items():
        print(f"{name:12} {spent}")
    first = figures["first"].cpu
    print(f"\nfirst / plain               {first / figures['plain'].cpu:6.2f}   (at most 1.5)")
    print(f"nothing new / first         {figures['nothing new'].cpu / first:6.1%}   (under 10 %)")
    print(f"one day / first             {figures['one day'].cpu / first:6.1%}   whole process, start-up included")
    print(f"plain day / first, warm     {warm['plain day'] / warm['first']:6.1%}   (at most 10 %)")
    print(f"last day / first, warm      {warm['last day'] / warm['first']:6.1%}   31 December")
    print(f"nothing new / first, warm   {warm['nothing new'] / warm['first']:6.1%}")
    print("warm CPU s: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in warm.items()))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it")
    arguments = parser.parse_args()
    if arguments.keep:
        report(measure(arguments.keep.resolve()))
        return
    with tempfile.TemporaryDirectory() as folder:
        report(measure(Path(folder)))


if __name__ == "__main__":
    main()
