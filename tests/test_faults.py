"""What can be wrong with data, files and systems: said with its place, nothing published, made good by the next run."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

HEAD = "receipt_id,product_id,quantity,amount_usd,store,sold_at\n"
LINES = "甲10,1,1,2.25,静安,2024-03-10 10:00:00\n乙10,3,4,32.00,苏州,2024-03-10 10:00:00\n"
TENTH = "receipts/receipts_2024-03-10.csv"
PRODUCTS = "products/products.jsonl"
AS_THEY_WERE = "Published values are as they were; the next run catches up."


def fails(chain: Any, code: int, *said: str, **how: Any) -> str:
    """Run it: it must fail with this code, say all this, show no traceback and leave what is published alone."""
    version, published = chain.version(), chain.published()
    done = chain.run(**how)
    assert done.code == code, (done.out, done.err)
    missing = [text for text in said if text not in done.err]
    assert not missing, done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert (chain.version(), chain.published()) == (version, published)
    return done.err


def catches_up(chain: Any, undisturbed: Any) -> None:
    """Deliver what was meant and run: everything is as if nothing had happened."""
    chain.deliver_after()
    done = chain.run()
    assert done.code == 0, done.err
    assert chain.state() == undisturbed


def landing(content: str | bytes, name: str = TENTH) -> Callable[[Any], None]:
    def deliver(chain: Any) -> None:
        (chain.project.landing / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return deliver


def stores(*statements: str) -> Callable[[Any], None]:
    def change(chain: Any) -> None:
        with closing(sqlite3.connect(chain.project.landing / "erp.db")) as con, con:
            for statement in statements:
                con.execute(statement)

    return change


def gone(name: str) -> Callable[[Any], None]:
    return lambda chain: (chain.project.landing / name).unlink()


DELIVERIES: dict[str, tuple[Callable[[Any], None], list[str]]] = {
    "missing file": (gone(PRODUCTS), ["products: no file matches products/*.jsonl in the landing folder"]),
    "missing database file": (gone("erp.db"), ["stores: no file matches erp.db in the landing folder"]),
    "missing column": (
        landing(HEAD.replace("amount_usd", "amount_ust") + LINES),
        [f'{TENTH}:1 column "amount_usd" is missing (did you mean "amount_ust"?)'],
    ),
    "new column": (
        landing(HEAD.replace("\n", ",till\n") + LINES.replace("\n", ",7\n")),
        [f'{TENTH}:1 column "till" is not declared; declare it in receipts.yml, or set on_new_column'],
    ),
    "wrong type": (
        landing(HEAD + LINES.replace("4,32", "四,32")),
        ["rows cannot be read, more than max_rejects: 0.01", f'{TENTH}:3 quantity: "四" is not a whole number'],
    ),
    "too few fields": (landing(HEAD + LINES + "丙10,1,1\n"), [f"{TENTH}:4 Expected Number of Columns: 6 Found: 3"]),
    "open quote": (landing(HEAD + LINES.replace("静安", '"静安')), [f"{TENTH}:2 Value with unterminated quote found"]),
    "other encoding": (landing((HEAD + LINES).encode("gb18030")), [f"{TENTH}:2 ", "This file is not utf-8 encoded"]),
    "empty file": (landing(""), [f"{TENTH}:1 the file is empty; a delivery without rows still has its header"]),
    "a page of HTML": (landing("<html>502 Bad Gateway</html>\n"), [f'{TENTH}:1 column "receipt_id" is missing']),
    "broken JSON": (landing('{"product_id": 1, "name": "米"\n', PRODUCTS), [f"{PRODUCTS}:1 is not valid JSON"]),
    "no database": (
        landing(b"PK not a database" * 99, "erp.db"),
        ["stores: erp.db cannot be read: file is not a database"],
    ),
    "missing column of a table": (
        stores("alter table stores rename column city to town"),
        ['stores column "city" is missing; found: store, town'],
    ),
    "missing table": (
        stores("alter table stores rename to shops"),
        ['stores: table "stores" does not exist'],
    ),
    "too many bad rows": (
        landing(HEAD + LINES.replace(",1,1,", ",1,0,").replace(",3,4,", ",9,4,")),
        [
            "receipts is not accepted: ",
            "%, tolerance 50.00%): quantity_positive ",
            f"quarantine.receipts, from {TENTH}",
        ],
    ),
    "a dbt test fails": (
        landing(
            '{"product_id": 1, "name": "米"}\n{"product_id": 1, "name": "茶"}\n{"product_id": 3, "name": "盐"}\n',
            PRODUCTS,
        ),
        [
            'dbt_project/models/marts/product/dim_products.yml:4 error test unique_dim_products_product_id of column "product_id": Got 1 result',
            "its query is dbt_project/target/compiled/shop/models/marts/product/dim_products.yml/unique_dim",
        ],
    ),
}


def stores_anew(chain: Any) -> None:
    (chain.project.landing / "erp.db").unlink(missing_ok=True)
    chain.deliver_stores(上海="上海", 静安="上海")


MENDED: dict[str, Callable[[Any], None]] = {
    "no database": stores_anew,
    "missing column of a table": stores("alter table stores rename column town to city"),
    "missing table": stores("alter table shops rename to stores"),
    "missing database file": stores_anew,
}


OFTEN = ("missing file", "too many bad rows", "a dbt test fails")


def often(cases: Iterable[str], these: Container[str]) -> list[Any]:
    """All cases; those not among ``these`` are slow ones, for another test has them one after the other."""
    return [case if case in these else pytest.param(case, marks=pytest.mark.slow) for case in cases]


@pytest.mark.parametrize("fault", often(DELIVERIES, OFTEN))
def test_a_bad_delivery(chain: Any, undisturbed: Any, fault: str) -> None:
    breaks(chain, fault)
    catches_up(chain, undisturbed)


@pytest.mark.slow  # each of them is tested by itself
def test_bad_deliveries_one_after_the_other(chain: Any, undisturbed: Any) -> None:
    for fault in DELIVERIES:
        breaks(chain, fault)
    catches_up(chain, undisturbed)


def breaks(chain: Any, fault: str) -> None:
    chain.deliver_after()
    harm, said = DELIVERIES[fault]
    harm(chain)
    fails(chain, 1, *said, AS_THEY_WERE)
    MENDED.get(fault, lambda _: None)(chain)


def test_two_faults_at_once_are_both_told(chain: Any) -> None:
    chain.deliver_after()
    landing("")(chain)
    gone("erp.db")(chain)
    fails(chain, 1, f"{TENTH}:1 the file is empty", "stores: no file matches erp.db", AS_THEY_WERE)


def test_a_few_unreadable_lines_are_set_aside_and_told(chain: Any, undisturbed: Any) -> None:
    chain.replace("orchestration/sources/receipts.yml", "columns:", "max_rejects: 0.4\ncolumns:")
    chain.deliver_after()
    landing(HEAD + LINES + "丙10,1,1\n丁10,1,x,1.00,静安,2024-03-10 10:00:00\n")(chain)
    done = chain.run("run", "--json")
    assert done.code == 0, done.err
    assert {one["source"]: one["rejected"] for one in json.loads(done.out)["sources"]}["receipts"] == 2
    rejects = "select file, line, column_name from ingest.rejects order by line"
    assert chain.ask(rejects) == [(TENTH, 4, None), (TENTH, 5, "quantity")]
    assert chain.state() == undisturbed


def test_a_delivery_that_comes_twice_counts_once(chain: Any, undisturbed: Any) -> None:
    chain.deliver_after()
    tenth = chain.project.landing / TENTH
    shutil.copy(tenth, tenth.with_name("receipts_2024-03-10.副本.csv"))
    done = chain.run()
    assert done.code == 0, done.err
    assert "not loaded twice   receipts: " in done.out
    assert chain.state() == undisturbed
    tenth.write_bytes(tenth.read_bytes())
    again = chain.run("run", "--json")
    assert json.loads(again.out)["metrics_published"] == 0
    assert chain.state() == undisturbed


def test_a_day_that_has_not_come_is_waited_for(chain: Any, undisturbed: Any) -> None:
    chain.deliver_after()
    tenth = chain.project.landing / TENTH
    late = tenth.rename(chain.project.root / "late.csv")
    done = chain.run()
    assert done.code == 0, done.err
    assert "waiting for        receipts of 2024-03-10" in done.out
    assert not any("week" in row for row in chain.published()[0])
    late.rename(tenth)
    catches_up(chain, undisturbed)


def test_the_rows_of_another_day_under_a_days_name_are_not_that_day(chain: Any, undisturbed: Any) -> None:
    chain.deliver_after()
    tenth = chain.project.landing / TENTH
    shutil.copy(tenth.with_name("receipts_2024-03-09.csv"), tenth)
    done = chain.run()
    assert done.code == 0, done.err
    assert f"not loaded twice   receipts: {TENTH}" in done.out
    assert "waiting for        receipts of 2024-03-10" in done.out
    catches_up(chain, undisturbed)


def test_a_day_without_rows_is_a_day(chain: Any) -> None:
    for day in ("09", "10"):
        chain.deliver(f"2024-03-{day}", [])
    done = chain.run()
    assert done.code == 0, done.err
    assert "waiting for" not in done.out
    assert any("week" in row for row in chain.published()[0])


SOURCE, SUITE = "orchestration/sources/receipts.yml", "expectations/suites/receipts.yml"
METRICS, PEOPLE = "metrics_catalog/metrics/sales", "metrics_catalog/people.yml"
POLICY, DBT = "metrics_catalog/policy.yml", "dbt_project/dbt_project.yml"
MART = "dbt_project/models/marts/sales/fct_sales"
TYPOS = [
    (SOURCE, "quantity: bigint", "quantity: bigin", ":15 error columns.quantity.type: \"bigin\" is not a column type"),
    (SOURCE, "kind: files", "kind: [files", ":6 error is not valid YAML"),
    (SUITE, "column: quantity", "column: quantty", ':5 error quantity_positive.kwargs.column: "quantty" is not a column'),
    (SUITE, "column: quantity", "colum: quantity", ":5 error quantity_positive.kwargs.colum: is not a known key"),
    (f"{METRICS}/net_sales.yml", "expr: amount_usd", "expr: amount_eur", ':10 error expr: "amount_eur": "amount_eur" is not a column of "sales"'),
    (f"{METRICS}/net_sales.yml", "tier: 1", "tier: gold", ":4 error tier: Input should be 1, 2 or 3, got 'gold'"),
    (f"{METRICS}/units.yml", "[city]", "[ctiy]", ':12 error slices: "ctiy" is not a dimension of semantic model "sales"'),
    (f"{METRICS}/units.yml", "expr: quantity", "expr: quantity * 2", "metrics/sales_by_store_daily.sql:1 error is not up to date; run `metrics generate`"),
    (PEOPLE, "members: [wei]", "members: [wie]", ':3 error team "data" has member "wie", who is not listed (did you mean "wei"?)'),
    (POLICY, "2024-03-10", "2024-03-32", ":2 error is not valid YAML: day is out of range for month"),
    (POLICY, "Asia/Shanghai", "Asia/Shanghia", ':1 error timezone: "Asia/Shanghia" is not a time zone'),
    (DBT, "name: shop", "nam: shop", ':1 error Required "name" field not present in project'),
    ("dbt_project/profiles.yml", "METRICS_WAREHOUSE", "WAREHOUSE", ":4 error Env var required but not provided"),
    ("dbt_project/macros/changed_days.sql", "{% endmacro %}", "", ":12 error Got nested tags"),
    (f"{MART}.yml", "data_type: bigint}", "data_type: bigint", ":7 error is not valid YAML"),
    (f"{MART}.yml", "name: fct_sales", "name: fct_slaes", ':13 error semantic model "sales": no columns are declared for fct_sales'),
    (f"{MART}.yml", "type: categorical", "type: categoric", ":20 error Invalid enum value: `categoric`"),
    (f"{MART}.yml", "_dimension: sold_on", "_dimension: sold_at", ':14 error semantic model "sales": agg_time_dimension: "sold_at" is not'),
    (f"{MART}.yml", "expr: store}", "expr: shop}", ':17 error semantic model "sales": store_key: "shop" is not a column'),
    (f"{MART}.sql", "'stg_receipts'", "'stg_receipt'", ":3 error Model 'model.shop.fct_sales'"),
    (f"{MART}.sql", "{% endif %}", "", ":4 error Unexpected end of template"),
]  # fmt: skip


def test_a_typo_in_any_file_stops_before_anything_runs(chain: Any, undisturbed: Any) -> None:
    chain.deliver_after()
    before = chain.project.warehouse.read_bytes()
    for path, right, wrong, said in TYPOS:
        chain.replace(path, right, wrong)
        fails(chain, 1, said, path.rpartition("/")[2] if "generate" not in said else said)
        chain.replace_back(path)
        assert chain.project.warehouse.read_bytes() == before, path
    catches_up(chain, undisturbed)


MODELS = {
    "does not compile": (f"{MART}.sql", "quantity, amount_usd", "quantity, {{ nothing() }} as amount_usd", f"{MART}.sql:2 error"),
    "an unknown column": (f"{MART}.sql", "quantity, amount_usd", "quantity, amount_eur as amount_usd", f"{MART}.sql:2 error Binder Error"),
    "fails on a value": ("dbt_project/models/staging/stg_receipts.sql", "product_id, q", "cast(store as bigint) as product_id, q", "静安"),
    "breaks its contract": (f"{MART}.sql", "quantity, amount_usd", "quantity", "amount_usd  |                 | DECIMAL(18,2) | missing"),
    "a test that does not exist": (f"{MART}.yml", "[not_null]", "[not_nul]", f"{MART}.yml:5 error test not_nul_fct_sales_receipt_id"),
}  # fmt: skip


@pytest.mark.slow
def test_broken_models_one_after_the_other(chain: Any, undisturbed: Any) -> None:
    chain.deliver_after()
    for path, right, wrong, said in MODELS.values():
        chain.replace(path, right, wrong)
        fails(chain, 1, said, "dbt_project/models/", AS_THEY_WERE)
        chain.replace_back(path)
    catches_up(chain, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("fault", MODELS)
def test_a_broken_model(chain: Any, undisturbed: Any, fault: str) -> None:
    chain.deliver_after()
    path, right, wrong, said = MODELS[fault]
    chain.replace(path, right, wrong)
    fails(chain, 1, said, "dbt_project/models/", AS_THEY_WERE)
    chain.replace_back(path)
    catches_up(chain, undisturbed)


DATABASE = """
    label: {en: Products, zh: 商品}
    description: What is sold.
    domain: product
    owner: wei
    kind: postgres
    connection_env: ERP_DATABASE_URL
    table: products
    columns: {product_id: bigint, name: varchar, department: varchar}
    """


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_database_that_is_down(chain: Any, undisturbed: Any, own_postgres: str) -> None:
    import psycopg2

    with closing(psycopg2.connect(own_postgres)) as con, con, con.cursor() as cursor:
        cursor.execute("create table products (product_id bigint, name text, department text)")
        cursor.execute("insert into products values (1, '米', '食品'), (2, '茶', '食品'), (3, '盐', '食品')")
    chain.deliver_after()
    chain.write("orchestration/sources/products.yml", DATABASE)
    port = free_port()
    said = f"products: postgres at 127.0.0.1:{port}/erp cannot be read"
    told = fails(chain, 3, said, AS_THEY_WERE, ERP_DATABASE_URL=f"postgresql://reader:geheim@127.0.0.1:{port}/erp")
    assert "geheim" not in told
    assert "ERP_DATABASE_URL is not set" in fails(chain, 2)
    done = chain.run(ERP_DATABASE_URL=own_postgres)
    assert done.code == 0, done.err
    assert same_but_origin(chain.state(), undisturbed)


API = """
    label: {en: Products, zh: 商品}
    description: What is sold.
    domain: product
    owner: wei
    kind: rest
    url: URL
    records: items
    paginate: {type: page_number}
    retries: 0
    columns: {product_id: bigint, name: varchar, department: varchar}
    """


@contextmanager
def api() -> Iterator[tuple[str, set[int]]]:
    """Products, one to a page; pages in the set are broken."""
    broken: set[int] = set()
    items = [{"product_id": n, "name": name, "department": "食品"} for n, name in enumerate("米茶盐", start=1)]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = int(parse_qs(urlsplit(self.path).query)["page"][0])
            body = json.dumps({"items": items[page - 1 : page]}).encode()
            self.send_response(503 if page in broken else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name in the base class
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/products", broken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_api_that_fails_half_way(chain: Any, undisturbed: Any) -> None:
    chain.deliver_after()
    with api() as (url, broken):
        chain.write("orchestration/sources/products.yml", API.replace("URL", url))
        broken.add(3)
        fails(chain, 3, f"products: {url} answered 503", AS_THEY_WERE)
        assert chain.ask("select count(*) from source.products") == [(2,)]
        broken.clear()
        done = chain.run()
    assert done.code == 0, done.err
    assert same_but_origin(chain.state(), undisturbed)


def same_but_origin(state: Any, undisturbed: Any) -> bool:
    """Everything but where the rows of products came from."""
    both = [
        [(name, rows) for name, rows in one.tables if "products" not in name or "dim" in name]
        for one in (state, undisturbed)
    ]
    return (state.values, state.rollups, both[0]) == (undisturbed.values, undisturbed.rollups, both[1])


def test_a_warehouse_somebody_else_has_open(chain: Any, undisturbed: Any) -> None:
    chain.deliver_after()
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(chain.project.warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        fails(chain, 3, "warehouse.duckdb", f"PID {other.pid}", AS_THEY_WERE)
        other.communicate()
    catches_up(chain, undisturbed)


STARVED = {
    "landing": "orchestration.ingest.landed:_Landing.load",
    "judging": "orchestration.refresh:Refresh.clean",
    "dbt": "orchestration.refresh:Refresh.transform",
    "staging values": "metrics_catalog.published.staging:stage_values",
    "writing data files": "metrics_catalog.published.commits:_prepare_values",
    "committing a rollup": "metrics_catalog.published.commits:_commit_rollup",
    "committing values": "metrics_catalog.published.commits:_commit_values",
}


@pytest.mark.parametrize("step", often(STARVED, ("landing", "dbt", "committing values")))
def test_no_room_for_a_file_to_grow(chain: Any, undisturbed: Any, step: str) -> None:
    chain.deliver_after()
    fails(
        chain,
        3,
        "the disk is full or cannot be written; make room and run again",
        strikes=[("starve", "during", 1, STARVED[step])],
    )
    catches_up(chain, undisturbed)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize(
    "room", [*(pytest.param(room, marks=pytest.mark.slow) for room in (2_000, 1_600_000)), 4_800_000]
)
def test_a_full_disk(chain: Any, undisturbed: Any, tmp_path: Path, room: int) -> None:
    with small_disk(tmp_path / "disk", "64m") as disk:
        shutil.copytree(chain.project.state, disk / "state")
        moved = chain.moved(disk / "state")
        moved.deliver_after()
        ballast = disk / "ballast"
        with ballast.open("wb") as file:
            file.write(b"\0" * (shutil.disk_usage(disk).free - room))
        fails(moved, 3, "the disk is full or cannot be written; make room and run again")
        ballast.unlink()
        catches_up(moved, undisturbed)


def test_the_command_itself(chain: Any, undisturbed: Any) -> None:
    """The same through the installed command, a process of its own from the start."""
    chain.deliver_after()
    landing(HEAD + LINES.replace("4,32", "四,32"))(chain)
    metrics = [str(Path(sys.executable).with_name("metrics")), "--project", str(chain.project.root), "run"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("METRICS_")}
    done = subprocess.run(metrics, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [f'  {TENTH}:3 quantity: "四" is not a whole number', AS_THEY_WERE]
    assert done.stdout == ""
    catches_up(chain, undisturbed)
