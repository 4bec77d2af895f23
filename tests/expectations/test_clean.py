"""clean() on real DuckDB: counts are those of hand-written queries, rows and reasons are exact, runs are repeatable."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations import results
from expectations.clean import NotLoadedError, clean
from expectations.judging import MiscountError
from expectations.suite import Suite
from metrics_catalog.located import InvalidFiles

COLUMNS = "id BIGINT, quantity BIGINT, value DECIMAL(12, 2), day DATE, store VARCHAR, paid DECIMAL(12, 2)"
ROWS = [
    (1, 1, "9.50", date(2017, 1, 1), "门店甲", "9.50"),
    (2, 0, "1.00", date(2017, 6, 1), "门店乙", "2.00"),
    (3, None, "0.99", date(2016, 12, 31), "网店", "0.50"),
    (4, -3, None, date(2017, 12, 31), "S12", None),
    (5, 7, "100.00", None, None, "100.00"),
    (6, 7, "100.01", date(2018, 1, 1), "门店甲", "100.00"),
]
BETWEEN, NOT_NULL = "expect_column_values_to_be_between", "expect_column_values_to_not_be_null"
PAIR = "expect_column_pair_values_a_to_be_greater_than_b"


@pytest.mark.parametrize(
    ("kind", "kwargs", "bad"),
    [
        (BETWEEN, {"column": "quantity", "min_value": 1}, "quantity < 1"),
        (BETWEEN, {"column": "value", "min_value": 0.99, "max_value": 100}, "value NOT BETWEEN 0.99 AND 100"),
        (BETWEEN, {"column": "value", "min_value": 0.99, "strict_min": True}, "value <= 0.99"),
        (
            BETWEEN,
            {"column": "day", "min_value": date(2017, 1, 1), "max_value": "2017-12-31"},
            "day NOT BETWEEN DATE '2017-01-01' AND DATE '2017-12-31'",
        ),
        (NOT_NULL, {"column": "value"}, "value IS NULL"),
        (NOT_NULL, {"column": "value", "mostly": 0.5}, "value IS NULL"),
        ("expect_column_values_to_be_null", {"column": "value"}, "value IS NOT NULL"),
        ("expect_column_values_to_be_in_set", {"column": "store", "value_set": ["门店甲", "网店"]}, "store IN ('门店乙', 'S12')"),
        ("expect_column_values_to_not_be_in_set", {"column": "store", "value_set": ["门店甲", "网店"]}, "store IN ('门店甲', '网店')"),
        ("expect_column_values_to_match_regex", {"column": "store", "regex": "门店"}, "store NOT LIKE '%门店%'"),
        ("expect_column_values_to_match_regex", {"column": "store", "regex": "^门店.$"}, "store NOT LIKE '门店_'"),
        ("expect_column_values_to_not_match_regex", {"column": "store", "regex": "[0-9]"}, "store = 'S12'"),
        ("expect_column_values_to_match_like_pattern", {"column": "store", "like_pattern": "门店_"}, "store NOT LIKE '门店_'"),
        ("expect_column_value_lengths_to_equal", {"column": "store", "value": 3}, "length(store) <> 3"),
        (PAIR, {"column_A": "value", "column_B": "paid", "or_equal": True}, "NOT value >= paid"),
        (
            PAIR,
            {"column_A": "value", "column_B": "paid", "ignore_row_if": "either_value_is_missing"},
            "NOT value > paid",
        ),
        (BETWEEN, {"column": "quantity", "min_value": 1, "row_condition": 'col("store") == "门店乙"'}, "store = '门店乙' AND quantity < 1"),
        (
            BETWEEN,
            {"column": "quantity", "min_value": 5, "row_condition": 'col("day") >= "2017-06-01" and col("store").notnull()'},
            "day >= DATE '2017-06-01' AND store IS NOT NULL AND quantity < 5",
        ),
        (NOT_NULL, {"column": "day", "row_condition": 'col("quantity") in [7, 8]'}, "quantity IN (7, 8) AND day IS NULL"),
        ("expect_column_values_to_be_unique", {"column": "store"}, "store = '门店甲'"),
        ("expect_column_values_to_be_unique", {"column": "store", "row_condition": 'col("quantity") < 7'}, "false"),
        ("expect_compound_columns_to_be_unique", {"column_list": ["quantity", "paid"]}, "quantity = 7"),
        ("unique_rows", {"columns": ["quantity", "paid"]}, "id = 6"),
        ("unique_rows", {}, "false"),
        ("references", {"column": "quantity", "source": "packs", "field": "size"}, "quantity NOT IN (1, 7)"),
    ],
)  # fmt: skip
def test_counts_and_rows_are_those_of_a_query_by_hand(
    warehouse: Any, kind: str, kwargs: dict[str, Any], bad: str
) -> None:
    warehouse.load("packs", "size BIGINT", [(1,), (7,), (None,)])
    warehouse.load("sales", COLUMNS, ROWS)
    (outcome,) = warehouse.clean(warehouse.suite(warehouse.spec("rule", kind, **kwargs))).outcomes
    expected = {row[0] for row in warehouse.all(f"SELECT id FROM source.sales WHERE {bad}")}
    assert outcome.error is None
    assert outcome.unexpected_count == len(expected) == outcome.quarantined
    assert warehouse.bad() == {key: ["rule"] for key in expected}
    assert warehouse.shown() == {row[0] for row in ROWS} - expected
    assert outcome.success == (not expected or "mostly" in kwargs)


def rules(warehouse: Any, *more: Any, tolerance: float = 1.0) -> Suite:
    return warehouse.suite(
        warehouse.spec("sold", BETWEEN, column="quantity", min_value=1),
        warehouse.spec("priced", NOT_NULL, column="value"),
        warehouse.spec("dated", NOT_NULL, severity="info", column="day"),
        warehouse.spec("filled", "expect_table_row_count_to_be_between", min_value=1),
        *more,
        tolerance=tolerance,
    )


def test_every_reason_of_a_row_in_the_order_of_the_suite(warehouse: Any) -> None:
    warehouse.load("sales", COLUMNS, ROWS)
    result = warehouse.clean(rules(warehouse))
    assert warehouse.bad() == {2: ["sold"], 4: ["sold", "priced"]}
    assert (result.batch_rows, result.quarantined_rows, result.share) == (6, 2, 2 / 6)
    assert not result.blocked
    dated = result.outcomes[2]
    assert (dated.unexpected_count, dated.quarantined, dated.success) == (1, 0, False)
    assert [result.level(outcome) for outcome in result.outcomes] == ["warn", "warn", "warn", "pass"]
    assert warehouse.all("SELECT _source_file, _quarantined_at FROM quarantine.sales")[0] == ("数据.csv", warehouse.now)


def test_names_that_need_quotes(warehouse: Any) -> None:
    warehouse.load("order", '"select" BIGINT, "数 量" BIGINT', [(1, 1), (2, 0), (3, None)])
    suite = warehouse.suite(
        warehouse.spec("sold", BETWEEN, column="数 量", min_value=1),
        warehouse.spec("known", "references", column="select", source="order", field="数 量"),
        source="order",
    )
    warehouse.clean(suite)
    assert warehouse.bad("order") == {2: ["sold", "known"], 3: ["known"]}


def test_results_are_recorded(warehouse: Any) -> None:
    warehouse.load("sales", COLUMNS, ROWS)
    suite = rules(warehouse, warehouse.spec("once", "unique_rows"))
    result = clean(warehouse.con, suite, "run", datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=8))))
    recorded = results.history(warehouse.con, "sales", 10)
    assert [item.outcome for item in recorded] == list(result.outcomes)
    assert {(item.run_id, item.load_id, item.checked_at) for item in recorded} == {("run", 1, datetime(2026, 1, 5, 1))}
    assert recorded[3].outcome.observed == "6"


def test_a_source_without_suite_is_shown_as_it_is(warehouse: Any) -> None:
    warehouse.load("sales", COLUMNS, ROWS)
    result = warehouse.clean(Suite.empty("sales"))
    assert (result.blocked, result.skipped, result.batch_rows) == (False, False, 6)
    assert warehouse.shown() == {1, 2, 3, 4, 5, 6}
    assert warehouse.clean(Suite.empty("sales")).skipped


def test_a_source_never_loaded(warehouse: Any) -> None:
    with pytest.raises(NotLoadedError, match=r"source\.sales does not exist"):
        warehouse.clean(Suite.empty("sales"))


class TestIncrements:
    def test_only_new_loads_are_judged_and_tables_as_a_whole(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS, "a.csv")
        warehouse.clean(rules(warehouse))
        warehouse.load("sales", COLUMNS, [(7, 0, "1", None, "网店", "1"), (8, 2, "1", None, "网店", "1")], "b.csv")
        result = warehouse.clean(rules(warehouse))
        sold, _, _, filled = result.outcomes
        assert (sold.unexpected_count, sold.element_count) == (1, 2)
        assert filled.observed == "8"
        assert (result.batch_rows, result.quarantined_rows) == (2, 1)
        assert warehouse.bad() == {2: ["sold"], 4: ["sold", "priced"], 7: ["sold"]}
        assert warehouse.shown() == {1, 3, 5, 6, 8}

    def test_a_replaced_file_takes_its_rows_out_of_quarantine(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS, "a.csv")
        warehouse.load("sales", COLUMNS, [(7, 0, "1", None, "网店", "1")], "b.csv")
        warehouse.clean(rules(warehouse))
        warehouse.load("sales", COLUMNS, [(2, 5, "1.00", None, "门店乙", "2.00")], "a.csv")
        warehouse.clean(rules(warehouse))
        assert warehouse.bad() == {7: ["sold"]}
        assert warehouse.shown() == {2}

    def test_a_load_that_only_removes_rows(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS, "a.csv")
        warehouse.load("sales", COLUMNS, [(7, 0, "1", None, "网店", "1"), (8, 1, "1", None, "网店", "1")], "b.csv")
        warehouse.clean(rules(warehouse))
        warehouse.load("sales", COLUMNS, [], "a.csv")
        result = warehouse.clean(rules(warehouse))
        assert [outcome.element_count for outcome in result.outcomes] == [0, 0, 0, None]
        assert result.outcomes[3].observed == "2"
        assert warehouse.bad() == {7: ["sold"]}
        assert (warehouse.shown(), warehouse.bookmark()) == ({8}, 3)

    def test_a_changed_suite_judges_all(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        warehouse.clean(rules(warehouse))
        before = warehouse.now
        suite = warehouse.suite(
            warehouse.spec("sold", BETWEEN, column="quantity", min_value=0),
            warehouse.spec("in_2017", BETWEEN, column="day", max_value="2017-12-31"),
        )
        result = warehouse.clean(suite)
        assert result.batch_rows == 6
        assert warehouse.bad() == {4: ["sold"], 6: ["in_2017"]}
        dates = dict(warehouse.all("SELECT id, _quarantined_at FROM quarantine.sales"))
        assert dates == {4: before, 6: warehouse.now}

    def test_a_uniqueness_is_judged_over_all_loads(self, warehouse: Any) -> None:
        suite = warehouse.suite(warehouse.spec("once", "expect_column_values_to_be_unique", column="store"))
        warehouse.load("sales", COLUMNS, ROWS[:3], "a.csv")
        warehouse.clean(suite)
        assert warehouse.bad() == {}
        warehouse.load("sales", COLUMNS, [(7, 1, "1", None, "网店", "1")], "b.csv")
        warehouse.clean(suite)
        assert warehouse.bad() == {3: ["once"], 7: ["once"]}
        warehouse.load("sales", COLUMNS, [], "b.csv")
        warehouse.clean(suite)
        assert (warehouse.bad(), warehouse.shown()) == ({}, {1, 2, 3})

    def test_a_new_column_reaches_quarantine_and_view(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS, "a.csv")
        warehouse.clean(rules(warehouse))
        warehouse.con.execute("ALTER TABLE source.sales ADD COLUMN 备注 VARCHAR DEFAULT '无'")
        warehouse.con.execute("INSERT INTO ingest.loads VALUES (2, 'sales')")
        warehouse.clean(rules(warehouse))
        assert warehouse.all("SELECT id, 备注, _reasons FROM quarantine.sales ORDER BY id") == [
            (2, "无", ["sold"]),
            (4, "无", ["sold", "priced"]),
        ]
        assert warehouse.all("SELECT DISTINCT 备注 FROM clean.sales") == [("无",)]

    def test_nothing_new_is_skipped_without_importing_the_library(self, tmp_path: Path, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        suite = rules(warehouse)
        first = warehouse.clean(suite)
        recorded = warehouse.all("SELECT count(*) FROM validation.results")
        again = warehouse.clean(suite)
        assert (again.skipped, again.blocked, again.outcomes) == (True, False, first.outcomes)
        assert warehouse.all("SELECT count(*) FROM validation.results") == recorded
        path = tmp_path / "copy.duckdb"
        warehouse.con.execute(f"ATTACH '{path}' AS copy; COPY FROM DATABASE memory TO copy; DETACH copy")
        code = (
            "import sys, duckdb; from datetime import datetime; from expectations.clean import clean;"
            "from expectations.suite import Suite, ExpectationSpec;"
            f"suite = Suite('sales', 1.0, tuple(ExpectationSpec(**item) for item in {[item.model_dump() for item in suite.expectations]!r}));"
            f"print(clean(duckdb.connect({str(path)!r}), suite, 'r', datetime(2026, 1, 6)).skipped,"
            " 'great_expectations' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "True False"


class TestBlocking:
    def test_too_many_bad_rows_of_a_load(self, warehouse: Any) -> None:
        suite = rules(warehouse, tolerance=0.4)
        warehouse.load("sales", COLUMNS, ROWS, "a.csv")
        assert not warehouse.clean(suite).blocked
        warehouse.load("sales", COLUMNS, [(7, 0, "1", None, "网店", "1"), (8, 2, "1", None, "网店", "1")], "b.csv")
        result = warehouse.clean(suite)
        assert (result.blocked, result.share) == (True, 0.5)
        told, where = result.message.splitlines()
        assert told == "sales is not accepted: 1 of 2 rows are bad (50.00%, tolerance 40.00%): sold 1"
        assert where == "the bad rows are in quarantine.sales, from b.csv"
        assert result.level(result.outcomes[0]) == "error"
        assert warehouse.bookmark() == 1
        assert warehouse.shown() == {1, 3, 5, 6}
        assert warehouse.bad()[7] == ["sold"]  # to be looked at

        assert warehouse.clean(suite).blocked  # judged again, same answer
        warehouse.load("sales", COLUMNS, [(7, 1, "1", None, "网店", "1"), (8, 2, "1", None, "网店", "1")], "b.csv")
        assert not warehouse.clean(suite).blocked
        assert warehouse.bad() == {2: ["sold"], 4: ["sold", "priced"]}
        assert (warehouse.shown(), warehouse.bookmark()) == ({1, 3, 5, 6, 7, 8}, 3)

    def test_a_blocked_first_load_shows_nothing(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        assert warehouse.clean(rules(warehouse, tolerance=0.1)).blocked
        assert (warehouse.shown(), warehouse.bookmark()) == (set(), None)

    def test_a_blocked_change_of_suite_leaves_what_is_shown(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        warehouse.clean(rules(warehouse, tolerance=0.5))
        shown, bad = warehouse.shown(), warehouse.bad()
        strict = warehouse.suite(warehouse.spec("many", BETWEEN, column="quantity", min_value=5), tolerance=0.4)
        result = warehouse.clean(strict)
        assert (result.blocked, result.quarantined_rows) == (True, 3)
        assert (warehouse.shown(), warehouse.bad()) == (shown, bad)

    def test_a_critical_table_expectation(self, warehouse: Any) -> None:
        suite = rules(
            warehouse, warehouse.spec("full", "expect_table_row_count_to_be_between", "critical", min_value=100)
        )
        warehouse.load("sales", COLUMNS, ROWS)
        result = warehouse.clean(suite)
        assert result.blocked
        told, where = result.message.splitlines()
        assert told == "sales is not accepted: full: is critical and fails, observed 6"
        assert where == "the bad rows are in quarantine.sales, from 数据.csv"
        assert [result.level(outcome) for outcome in result.outcomes][3:] == ["pass", "error"]

    def test_critical_rows_within_tolerance_are_only_quarantined(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        suite = warehouse.suite(
            warehouse.spec("sold", BETWEEN, "critical", column="quantity", min_value=1), tolerance=0.5
        )
        result = warehouse.clean(suite)
        assert (result.blocked, result.level(result.outcomes[0])) == (False, "warn")

    @pytest.mark.parametrize(
        ("kind", "kwargs", "error"),
        [
            (NOT_NULL, {"column": "nope"}, "nope"),
            (BETWEEN, {"column": "store", "min_value": 3}, "column of type VARCHAR"),
            ("expect_column_values_to_match_regex", {"column": "quantity", "regex": "1"}, "regexp_matches(BIGINT"),
            ("expect_column_values_to_be_in_set", {"column": "quantity", "value_set": ["甲"]}, "甲"),
            ("references", {"column": "id", "source": "nobody", "field": "id"}, "nobody"),
            ("unique_rows", {"columns": ["nope"]}, "nope"),
        ],
    )
    def test_an_expectation_that_cannot_be_judged(
        self, warehouse: Any, kind: str, kwargs: dict[str, Any], error: str
    ) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        result = warehouse.clean(rules(warehouse, warehouse.spec("broken", kind, **kwargs)))
        broken = result.outcomes[-1]
        assert error in (broken.error or "")
        assert (broken.success, result.blocked, result.level(broken)) == (False, True, "error")
        assert [outcome.error for outcome in result.outcomes[:-1]] == [None] * 4  # the others are judged all the same
        assert result.outcomes[0].unexpected_count == 2
        assert warehouse.bookmark() is None

    def test_for_information_nothing_blocks(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        result = warehouse.clean(rules(warehouse, warehouse.spec("broken", NOT_NULL, "info", column="nope")))
        assert (result.outcomes[-1].error is not None, result.blocked) == (True, False)


class TestSafety:
    def test_malformed_kwargs_are_an_error_before_anything_is_judged(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        with pytest.raises(InvalidFiles, match="value_set"):
            warehouse.clean(
                rules(warehouse, warehouse.spec("x", "expect_column_values_to_be_in_set", column="id", value_set=3))
            )
        with pytest.raises(InvalidFiles, match="did you mean"):
            warehouse.clean(rules(warehouse, warehouse.spec("x", "expect_column_value_to_be_null", column="id")))
        assert warehouse.all("SELECT count(*) FROM validation.results") == [(0,)]

    def test_a_miscount_is_never_accepted(self, warehouse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        monkeypatch.setattr("expectations.gx.judge._scope", lambda selectable: [])
        suite = warehouse.suite(
            warehouse.spec("x", BETWEEN, column="quantity", min_value=1, row_condition='col("store") == "S12"')
        )
        with pytest.raises(MiscountError, match="x: 2 rows found, 1 counted"):
            warehouse.clean(suite)
        assert warehouse.bookmark() is None

    @pytest.mark.parametrize(
        "step",
        ["quarantine.apply", "results.write", "quarantine.show", "quarantine.settle", "progress.Progress.accept"],
    )
    def test_a_run_that_stops_anywhere_changes_nothing(
        self, warehouse: Any, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        warehouse.load("sales", COLUMNS, ROWS, "a.csv")
        warehouse.clean(rules(warehouse))
        warehouse.load("sales", COLUMNS, [(7, 0, "1", None, "网店", "1")], "a.csv")
        state = "SELECT (SELECT count(*) FROM validation.results), list(b) FROM ingest.bookmarks b"
        before = warehouse.all(state)

        def stop(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(f"expectations.{step}", stop)
            with pytest.raises(KeyboardInterrupt):
                warehouse.clean(rules(warehouse))
        assert warehouse.all(state) == before
        assert set(warehouse.bad()) == {2, 4}
        warehouse.clean(rules(warehouse))
        assert (warehouse.bad(), warehouse.bookmark()) == ({7: ["sold"]}, 2)

    def test_kill_between_quarantine_and_bookmark(self, tmp_path: Path) -> None:
        path = tmp_path / "warehouse.duckdb"
        script = f"""
import os, signal, sys
from datetime import datetime
import duckdb
from expectations import quarantine
from expectations.clean import clean
from expectations.suite import ExpectationSpec, Suite
if sys.argv[1] == "kill":
    quarantine.show = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
suite = Suite("sales", 1.0, (ExpectationSpec(name="known", type="references", kwargs=dict(column="id", source="ids", field="id")),))
clean(duckdb.connect({str(path)!r}), suite, "run", datetime(2026, 1, 5))
"""
        with duckdb.connect(str(path)) as con:
            con.execute(
                "CREATE SCHEMA source; CREATE SCHEMA ingest; CREATE TABLE ingest.loads AS SELECT 1 AS load_id, unnest(['sales', 'ids']) AS source"
            )
            con.execute(
                "CREATE TABLE ingest.bookmarks (stage VARCHAR, source VARCHAR, load_id BIGINT, fingerprint VARCHAR, PRIMARY KEY (stage, source))"
            )
            for name, count in (("sales", 10), ("ids", 8)):
                con.execute(
                    f"CREATE TABLE source.{name} AS SELECT i AS id, i AS _row_id, 'f' AS _source_file, 1::BIGINT AS _load_id FROM range({count}) t(i)"
                )
        run = [sys.executable, "-c", script]
        assert subprocess.run([*run, "kill"], check=False, env=os.environ).returncode == -signal.SIGKILL
        with duckdb.connect(str(path)) as con:
            assert con.execute("SELECT count(*) FROM ingest.bookmarks").fetchall() == [(0,)]
            assert con.execute("SELECT count(*) FROM quarantine.sales").fetchall() == [(0,)]
        subprocess.run([*run, "finish"], check=True, env=os.environ)
        with duckdb.connect(str(path)) as con:
            assert con.execute("SELECT id FROM quarantine.sales ORDER BY id").fetchall() == [(8,), (9,)]
            assert con.execute("SELECT count(*) FROM clean.sales").fetchall() == [(8,)]

    def test_the_same_run_repeated_records_once(self, warehouse: Any) -> None:
        warehouse.load("sales", COLUMNS, ROWS)
        suite = rules(warehouse, tolerance=0.0)
        for _ in range(2):
            clean(warehouse.con, suite, "same", datetime(2026, 1, 5, tzinfo=UTC))
        assert warehouse.all("SELECT count(*) FROM validation.results") == [(4,)]
