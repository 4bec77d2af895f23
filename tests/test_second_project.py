"""A project of somebody else: scaffolded, filled with the files of `projects/online_retail`, run by the command.

Its published numbers are compared with SQL written by hand over the delivered file.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

TESTS = Path(__file__).parent
DELIVERY = TESTS.parents[1] / "shared" / "data" / "online_retail.parquet"
pytestmark = pytest.mark.skipif(
    not DELIVERY.is_file(), reason="the UCI Online Retail file is not there: ../shared/data/online_retail.parquet"
)

# The delivered lines without the suite's words: exact repeats once, no adjustments, no corrections, nothing for free.
CLEAN = r"""
    create view sold as
    select distinct *, InvoiceNo like 'C%' as cancelled, cast(InvoiceDate as date) as day,
        cast(Quantity as bigint) * cast(UnitPrice as decimal(18,3)) as amount
    from read_parquet($delivery)
    where regexp_full_match(InvoiceNo, 'C?\d{6}') and (Quantity > 0 or InvoiceNo like 'C%') and UnitPrice > 0
"""
# One column per metric, from the lines of a group; a group's invoices come joined to one of their lines each.
BY_HAND = """
    with lines as (
        select *, {group} as part, row_number() over (partition by InvoiceNo) = 1 as is_first,
            sum(amount) over (partition by InvoiceNo) as invoice_amount
        from sold where day < $end
    ),
    customers as (
        select part, CustomerID, count(distinct InvoiceNo) as times
        from lines where not cancelled and CustomerID is not null group by all
    ),
    counted as (select part, count(*) as active, count(*) filter (times >= 2) as repeating from customers group by part),
    summed as (
        select
            part,
            sum(amount) as net_sales,
            sum(amount) filter (not cancelled) as gross_sales,
            -sum(amount) filter (cancelled) as cancelled_sales,
            sum(amount) filter (not cancelled and CustomerID is null) as unidentified,
            count(*) filter (is_first and not cancelled) as invoices,
            quantile_cont(cast(invoice_amount as double), 0.5) filter (is_first and not cancelled) as median_invoice,
            count(distinct StockCode) filter (not cancelled and StockCode between '0' and '9zzz') as products_sold
        from lines group by part
    )
    select
        cast(part as varchar), net_sales, gross_sales, cancelled_sales, nullif(invoices, 0), median_invoice,
        nullif(products_sold, 0), active, nullif(repeating, 0),
        coalesce(cancelled_sales, 0) / gross_sales, gross_sales / nullif(invoices, 0),
        coalesce(unidentified, 0) / gross_sales, repeating / active
    from summed left join counted using (part)
"""
METRICS = (
    *("net_sales", "gross_sales", "cancelled_sales", "invoices", "median_invoice", "products_sold"),
    *("active_customers", "repeat_customers", "cancellation_rate"),
    *("average_invoice", "unidentified_share", "repurchase_rate"),
)


@dataclass(frozen=True)
class Shop:
    """The project on disk, what its first run said, and the file that was delivered, to ask by hand."""

    root: Path
    summary: dict[str, Any]
    by_hand: duckdb.DuckDBPyConnection

    def query(self, *arguments: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(metrics(self.root, "query", *arguments, "--format", "csv"))))

    def expect(self, group: str, end: str) -> dict[str, dict[str, Any]]:
        found = self.by_hand.execute(BY_HAND.format(group=group), {"end": end}).fetchall()
        return {str(part): dict(zip(METRICS, values, strict=True)) for part, *values in found}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.root / ".metrics" / "warehouse.duckdb"), read_only=True) as con:
            return con.execute(query).fetchall()


def metrics(folder: Path, *arguments: str, ends_with: int = 0) -> str:
    """What the command prints, run in ``folder`` as a user would."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("METRICS_")}
    command = [str(Path(sys.executable).with_name("metrics")), *arguments]
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == ends_with, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("second")
    metrics(folder, "init", "礼品店 online-retail")
    root = folder / "礼品店 online-retail"
    shutil.copytree(TESTS / "projects" / "online_retail", root, dirs_exist_ok=True)
    landing = root / ".metrics" / "landing" / "online_retail"
    landing.mkdir(parents=True)
    shutil.copy(DELIVERY, landing / "线上零售.parquet")
    assert "invoice_lines_by_country_line_kind_daily.sql" in metrics(root, "generate")
    checked = json.loads(metrics(root, "check", "--json"))
    assert checked["problems"] == []
    assert (checked["sources"], checked["suites"], checked["metrics"]) == (1, 1, len(METRICS))
    summary = json.loads(metrics(root, "run", "--json"))
    with duckdb.connect() as con:
        con.execute(CLEAN.replace("$delivery", f"'{DELIVERY.as_posix()}'"))
        yield Shop(root, summary, con)


def agree(found: dict[str, str], expected: dict[str, Any], names: Iterable[str] = METRICS) -> None:
    """Published values are exact to six decimals; an empty one is one that was not published."""
    for name in names:
        published = Decimal(found[name]) if found[name] else None
        by_hand = None if expected[name] is None else Decimal(str(expected[name]))
        if published is None or by_hand is None:
            assert published == by_hand, (found, name, by_hand)
        else:
            assert abs(published - by_hand) <= Decimal("0.000001"), (found, name, by_hand)


def test_the_run_says_what_came_in_and_what_was_taken_out(shop: Shop) -> None:
    [source] = shop.summary["sources"]
    counts = {key: source[key] for key in ("rows", "rejected", "quarantined")}
    assert counts == {"rows": 541909, "rejected": 0, "quarantined": 7781}
    assert shop.summary["metrics_published"] == shop.summary["metrics"] == len(METRICS)
    assert shop.summary["closed_through"] == "2011-12-09"


def test_each_kind_of_dirt_is_quarantined_for_its_own_reason(shop: Shop) -> None:
    unnested = "select unnest(_reasons) as reason from quarantine.online_retail"
    reasons = dict(shop.ask(f"select reason, count(*) from ({unnested}) group by 1"))
    by_hand = shop.by_hand.execute(
        r"""
        select
            count(*) - (select count(*) from (select distinct * from lines)),
            count(*) filter (Quantity <= 0 and InvoiceNo < 'A'),
            count(*) filter (UnitPrice <= 0),
            count(*) filter (not regexp_full_match(InvoiceNo, 'C?\d{6}'))
        from lines
        """.replace("lines", f"read_parquet('{DELIVERY.as_posix()}')")
    ).fetchone()
    names = ("line_once", "sold_quantity_positive", "price_positive", "invoice_or_cancellation")
    assert reasons == dict(zip(names, by_hand or (), strict=True))
    assert by_hand == (5268, 1336, 2517, 3)


def test_what_is_only_unusual_is_kept_and_reported(shop: Shop) -> None:
    assert shop.ask("select count(*), count(*) filter (invoice_number like 'C%') from clean.online_retail") == (
        shop.by_hand.execute("select count(*), count(*) filter (cancelled) from sold").fetchall()
    )
    found = shop.ask("select expectation, unexpected_count from validation.results where severity = 'info'")
    assert dict(found) == {"customer_known": 135080, "product_named": 1454, "quantity_plausible": 5}
    assert shop.ask("select count(*) > 130000 from clean.online_retail where customer_id is null") == [(True,)]


def test_every_metric_by_month(shop: Shop) -> None:
    found = shop.query(*METRICS, "--grain", "month")
    expected = shop.expect("cast(date_trunc('month', day) as date)", "2011-12-01")
    assert [row["period"] for row in found] == sorted(expected)
    assert len(found) == 12
    for row in found:
        agree(row, expected[row["period"]])


def test_every_metric_by_country(shop: Shop) -> None:
    found = shop.query(*METRICS, "--grain", "month", "--by", "country")
    expected = shop.expect("strftime(day, '%Y-%m-01 ') || Country", "2011-12-01")
    assert {f"{row['period']} {row['country']}" for row in found} == set(expected)
    for row in found:
        agree(row, expected[f"{row['period']} {row['country']}"])


def test_weeks_and_days(shop: Shop) -> None:
    names = ("gross_sales", "cancelled_sales", "cancellation_rate", "average_invoice")
    for grain, end in (("week", "2011-12-05"), ("day", "2011-12-10")):
        found = shop.query(*names, "--grain", grain)
        expected = shop.expect(f"cast(date_trunc('{grain}', day) as date)", end)
        whole = [period for period in sorted(expected) if period >= "2010-12-01"]  # the export begins on a Wednesday
        assert [row["period"] for row in found] == whole
        for row in found:
            agree(row, expected[row["period"]], names)


def test_goods_and_charges_add_up(shop: Shop) -> None:
    found = shop.query("net_sales", "--grain", "month", "--by", "line_kind", "--from", "2011-11", "--to", "2011-11")
    assert [row["line_kind"] for row in found] == ["charges", "goods"]
    [total] = shop.query("net_sales", "--grain", "month", "--from", "2011-11", "--to", "2011-11")
    assert sum(Decimal(row["net_sales"]) for row in found) == Decimal(total["net_sales"])


def test_a_second_run_has_nothing_to_do(shop: Shop) -> None:
    again = json.loads(metrics(shop.root, "run", "--json"))
    assert [source["changed"] for source in again["sources"]] == [False]
    assert (again["models_built"], again["metrics_published"]) == (0, 0)
