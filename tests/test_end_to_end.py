"""A small project through the command, delivery by delivery: what people read after each, and how commands end.

Every test begins with its own copy of the chain (`conftest.py`); most with nine days landed, cleaned and published.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from metrics_catalog.catalog import load_catalog
from orchestration.generate import write
from orchestration.transform.runner import ensure_parsed


def usual(day: int) -> Decimal:
    """Net sales of a day as first delivered; the line of a product nobody knows (8.00) is in quarantine."""
    return Decimal(day) + Decimal("7.75")


DAYS = {f"2024-03-0{day}": usual(day) for day in range(1, 10)}


def read(chain: Any, *arguments: str) -> list[dict[str, Any]]:
    """Rows of a query. Values come as exact text."""
    done = chain.run("query", *arguments, "--format", "json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def net_sales(chain: Any, *arguments: str) -> dict[str, Decimal]:
    rows = read(chain, "net_sales", "--grain", "day", *arguments)
    return {row["period"]: Decimal(row["net_sales"]) for row in rows}


def refreshed(chain: Any) -> dict[str, Any]:
    done = chain.run("run", "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def quarantined(chain: Any) -> dict[str, int]:
    return dict(
        chain.ask("select cast(cast(sold_at as date) as varchar), count(*) from quarantine.receipts group by 1")
    )


def test_first_run(chain: Any) -> None:
    assert net_sales(chain) == DAYS
    rows = read(chain, "average_receipt", "units", "--grain", "day", "--by", "city", "--from", "2024-03-09")
    assert [(row["city"], Decimal(row["average_receipt"]), Decimal(row["units"])) for row in rows] == [
        ("上海", Decimal("12.75"), 10),
        ("苏州", Decimal("4"), 2),
    ]
    assert quarantined(chain) == dict.fromkeys(DAYS, 1)


def test_a_week_without_one_of_its_days_is_not_official(chain: Any) -> None:
    assert [row["period"] for row in read(chain, "units", "--grain", "week")] == []
    chain.deliver("2024-03-10", [("甲10", 1, 4, "2.25", "静安")])
    summary = refreshed(chain)
    assert summary["waiting"] == {}
    [week] = read(chain, "units", "average_receipt", "--grain", "week")
    assert (week["period"], Decimal(week["units"])) == ("2024-03-04", sum(day + 3 for day in range(4, 10)) + 4)
    total = sum(usual(day) for day in range(4, 10)) + Decimal("2.25")
    assert Decimal(week["average_receipt"]) == round(total / 13, 6)


def test_a_run_with_nothing_new_changes_nothing(chain: Any) -> None:
    version, state = chain.version(), chain.state()
    summary = refreshed(chain)
    assert [one["source"] for one in summary["sources"] if one["changed"]] == []
    assert (summary["models_built"], summary["metrics_published"], summary["values"]) == (0, 0, 0)
    assert chain.version() == version
    assert chain.state() == state


def test_a_new_day_is_added(chain: Any) -> None:
    chain.deliver("2024-03-10", [("甲10", 1, 1, "2.25", "静安"), ("乙10", 2, 4, "32.00", "苏州")])
    refreshed(chain)
    assert net_sales(chain) == {**DAYS, "2024-03-10": Decimal("34.25")}


def test_a_corrected_day_replaces_the_old_one_which_can_still_be_read(chain: Any) -> None:
    before = chain.version()
    chain.deliver("2024-03-02", [("甲2", 1, 1, "1.00", "静安"), ("丁2", 2, 2, "7.00", "苏州")])
    summary = refreshed(chain)
    assert {one["source"]: one["rows"] for one in summary["sources"] if one["changed"]} == {"receipts": 2}
    assert net_sales(chain) == {**DAYS, "2024-03-02": Decimal(8)}
    assert net_sales(chain, "--as-of", str(before)) == DAYS
    early = chain.run("query", "net_sales", "--grain", "day", "--as-of", "2020-01-01")
    assert early.code == 1
    assert "2020-01-01" in early.err


def test_a_late_day_fills_its_gap(new_chain: Any) -> None:
    late = new_chain.project.landing / "receipts" / "receipts_2024-03-05.csv"
    kept = late.read_bytes()
    late.unlink()
    summary = refreshed(new_chain)
    assert summary["waiting"] == {"receipts": ["2024-03-05", "2024-03-10"]}
    assert net_sales(new_chain) == {day: value for day, value in DAYS.items() if day != "2024-03-05"}
    late.write_bytes(kept)
    refreshed(new_chain)
    assert net_sales(new_chain) == DAYS


def test_bad_rows_that_are_gone_from_their_file_leave_quarantine(chain: Any) -> None:
    good = [("甲4", 1, 4, "4.25", "静安"), ("甲4", 2, 1, "3.50", "静安"), ("乙4", 1, 2, "4.00", "苏州")]
    chain.deliver("2024-03-04", good)
    refreshed(chain)
    assert quarantined(chain) == dict.fromkeys(set(DAYS) - {"2024-03-04"}, 1)
    assert net_sales(chain) == DAYS


def test_every_format_says_the_same(chain: Any, tmp_path: Path) -> None:
    asked = ("query", "net_sales", "receipts", "--grain", "day", "--from", "2024-03-08")
    table = chain.run(*asked)
    assert [line.split() for line in table.out.splitlines()[-2:]] == [
        ["2024-03-08", "15.75", "2"],
        ["2024-03-09", "16.75", "2"],
    ]
    comma = chain.run(*asked, "--format", "csv")
    head, *lines = comma.out.splitlines()
    assert head == "period,net_sales,receipts"
    assert lines == ["2024-03-08,15.750000,2.000000", "2024-03-09,16.750000,2.000000"]
    expected = [(row["period"], row["net_sales"], row["receipts"]) for row in read(chain, *asked[1:])]
    assert [",".join(row) for row in expected] == lines
    for kind, reader in (("parquet", pq.read_table), ("arrow", feather.read_table)):
        file = tmp_path / f"销售.{kind}"
        assert chain.run(*asked, "--output", str(file)).code == 0
        found = reader(file)
        assert found.schema.field("net_sales").type == pa.decimal128(28, 6)
        assert [
            (str(row["period"]), str(row["net_sales"]), str(row["receipts"])) for row in found.to_pylist()
        ] == expected
    told = json.loads(chain.run(*asked, "--json").out)
    assert told["version"] == chain.version()
    assert told["closed_through"] == "2024-03-10"
    assert [row["net_sales"] for row in told["rows"]] == [one[1] for one in expected]


def test_filters_read_chinese(chain: Any) -> None:
    found = net_sales(chain, "--by", "store", "--where", "store=苏州", "--from", "2024-03-03", "--to", "2024-03-03")
    assert found == {"2024-03-03": Decimal(4)}
    comma = chain.run(
        "query", "net_sales", "--grain", "day", "--by", "store", "--from", "2024-03-09", "--format", "csv"
    )
    assert comma.out.splitlines()[1:] == ["2024-03-09,苏州,4.000000", "2024-03-09,静安,12.750000"]


def test_list_show_and_check_as_json(chain: Any) -> None:
    listed = json.loads(chain.run("list", "--json").out)
    assert {one["metric"]: one["label"]["zh"] for one in listed} == {
        "average_receipt": "客单价",
        "net_sales": "净销售额",
        "receipts": "小票数",
        "units": "件数",
    }
    shown = json.loads(chain.run("show", "average_receipt", "--json").out)
    assert (shown["calculation"], shown["answers"], shown["models"]) == ("net_sales / receipts", ["wei"], ["sales"])
    impact = json.loads(chain.run("impact", "receipts", "--json").out)
    assert ([one["metric"] for one in impact["metrics"]], impact["people"]) == (["average_receipt"], ["wei"])
    assert impact["made_of"]["sources"] == ["clean.receipts"]
    checked = json.loads(chain.run("check", "--json").out)
    assert {key: checked[key] for key in ("sources", "metrics", "errors")} == {"sources": 3, "metrics": 4, "errors": 0}


def test_a_definition_at_fault_ends_with_1_and_its_line(chain: Any) -> None:
    chain.replace("metrics_catalog/metrics/sales/units.yml", "expr: quantity", "expr: quantty")
    checked = chain.run("check", "--json")
    assert checked.code == 1
    [problem] = [one for one in json.loads(checked.out)["problems"] if one["level"] == "error"]
    assert (problem["file"], problem["line"]) == ("metrics_catalog/metrics/sales/units.yml", 10)
    assert "quantity" in problem["message"]
    assert chain.run("run").code == 1


def test_a_changed_metric_is_published_only_from_its_own_metric_model(chain: Any) -> None:
    """A refresh between the change and `metrics generate` would publish the old sums under the new definition."""
    before = read(chain, "units", "--grain", "day")
    chain.replace("metrics_catalog/metrics/sales/units.yml", "expr: quantity", "expr: quantity * 2")
    refused = chain.run()
    assert refused.code == 1
    assert "sales_by_store_daily.sql" in refused.err
    assert "metrics generate" in refused.err
    assert read(chain, "units", "--grain", "day") == before
    assert "sales_by_store_daily.sql" in chain.run("generate").out
    refreshed(chain)
    assert [Decimal(row["units"]) for row in read(chain, "units", "--grain", "day")] == [
        2 * Decimal(row["units"]) for row in before
    ]


def test_data_at_fault_ends_with_1_and_published_values_stay(chain: Any) -> None:
    chain.deliver("2024-03-10", [("甲10", 1, "两", "2.25")])
    done = chain.run()
    assert done.code == 1
    assert "receipts_2024-03-10.csv:2" in done.err
    assert net_sales(chain) == DAYS
    chain.deliver("2024-03-10", [("甲10", 1, 2, "2.25")])
    refreshed(chain)
    assert net_sales(chain) == {**DAYS, "2024-03-10": Decimal("2.25")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("query", "net_sale"), "net_sales"),
        (("query", "net_sales", "--grain", "hour"), "hour"),
        (("query", "net_sales", "--grain", "day", "--by", "stroe"), "store"),
        (("query", "net_sales", "--from", "2024-13"), "2024-13"),
        (("show", "net_sale"), "net_sales"),
        (("impact", "net_sale"), "net_sales"),
        (("runn",), "runn"),
    ],
)
def test_wrong_usage_ends_with_2_and_what_was_meant(chain: Any, arguments: tuple[str, ...], said: str) -> None:
    done = chain.run(*arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_broken_system_ends_with_3(chain: Any) -> None:
    chain.project.warehouse.write_bytes(b"not a database")
    done = chain.run()
    assert done.code == 3
    assert "warehouse.duckdb" in done.err
    assert "Traceback" not in done.err
    assert net_sales(chain) == DAYS


BUSY = """
label: {en: Sales of busy stores, zh: 大店销售额}
description: Net sales of stores that sold at least 20 pieces so far.
owner: data
tier: 2
unit: usd
direction: up
type: simple
model: sales
agg: sum
expr: amount_usd
filter: metric(units, by=store_key) >= 20
grains: [day]
slices: [[store]]
"""


@pytest.mark.slow
def test_a_store_that_crosses_the_line_of_a_filter_brings_its_history(chain: Any) -> None:
    """静安 sold more than 20 pieces, 苏州 two a day; its tenth day brings it over the line."""
    path = chain.project.root / "metrics_catalog" / "metrics" / "sales" / "busy_store_sales.yml"
    path.write_text(BUSY, encoding="utf-8")
    write(load_catalog(chain.project))
    ensure_parsed(chain.project)  # here: dbt's parser does not survive the fork of a command

    def busy() -> dict[tuple[str, str], Decimal]:
        rows = read(chain, "busy_store_sales", "--grain", "day", "--by", "store")
        return {(row["period"], row["store"]): Decimal(row["busy_store_sales"]) for row in rows}

    refreshed(chain)
    assert chain.ask("select * from metrics.units_of_each_store_key order by 1") == [("苏州", 18), ("静安", 54)]
    assert busy() == {(day, "静安"): value - 4 for day, value in DAYS.items()}
    chain.deliver("2024-03-10", [("乙10", 2, 4, "32.00", "苏州")])
    refreshed(chain)
    assert busy() == {
        **{(day, "静安"): value - 4 for day, value in DAYS.items()},
        **{(day, "苏州"): Decimal(4) for day in DAYS},
        ("2024-03-10", "苏州"): Decimal(32),
    }


SIZED = """
    with sold as (select store, sum(quantity) as units from {{ ref('fct_sales') }} group by store)

    select stores.store, stores.city, case when sold.units >= 20 then '大店' else '小店' end as size
    from {{ source('clean', 'stores') }} as stores
    left join sold on stores.store = sold.store
    """
BIG = """
    label: {en: Sales of big stores, zh: 大店销售额}
    description: Net sales of stores that are big.
    owner: data
    tier: 2
    unit: usd
    direction: up
    type: simple
    model: sales
    agg: sum
    expr: amount_usd
    filter: size = '大店'
    grains: [day]
    """


def test_a_store_that_moves_takes_all_its_history_along(chain: Any) -> None:
    chain.deliver_stores(苏州="无锡")
    refreshed(chain)
    rows = read(chain, "units", "--grain", "day", "--by", "city")
    found = {(row["period"][-1], row["city"]): Decimal(row["units"]) for row in rows}
    assert found == {(str(day), city): n for day in range(1, 10) for city, n in (("上海", day + 1), ("无锡", 2))}


def test_a_dimension_made_of_sales_moves_the_numbers_of_days_that_did_not_change(chain: Any) -> None:
    """静安 is big from the first; its tenth day makes 苏州 big, and a corrected second day small again."""
    stores, units = "dbt_project/models/marts/stores/dim_stores", "metrics_catalog/metrics/sales/units.yml"
    chain.write(f"{stores}.sql", SIZED)
    chain.replace(
        f"{stores}.yml",
        "data_type: varchar}\nsem",
        "data_type: varchar}\n      - {name: size, data_type: varchar}\nsem",
    )
    chain.replace(f"{stores}.yml", "type: categorical}", "type: categorical}\n      - {name: size, type: categorical}")
    chain.replace(units, "[[city], [store]]", "[[city], [size]]")
    chain.write("metrics_catalog/metrics/sales/big_store_sales.yml", BIG)
    ensure_parsed(chain.project)  # here: dbt's parser does not survive the fork of a command
    write(load_catalog(chain.project))
    ensure_parsed(chain.project)

    def sized() -> dict[tuple[str, str], Decimal]:
        refreshed(chain)
        rows = read(chain, "units", "--grain", "day", "--by", "size")
        return {(row["period"][-2:], row["size"]): Decimal(row["units"]) for row in rows}

    def big() -> list[Decimal]:
        rows = read(chain, "big_store_sales", "--grain", "day")
        return [Decimal(row["big_store_sales"]) for row in rows]

    days = [f"0{day}" for day in range(1, 10)]
    small = {(day, size): n for day in days for size, n in (("大店", int(day) + 1), ("小店", 2))}
    assert sized() == small
    assert big() == [value - 4 for value in DAYS.values()]
    chain.deliver("2024-03-10", [("乙10", 2, 4, "32.00", "苏州")])
    assert sized() == {("10", "大店"): 4} | {(day, "大店"): int(day) + 3 for day in days}
    assert big() == [*DAYS.values(), 32]
    chain.deliver("2024-03-10", [("乙10", 2, 1, "8.00", "苏州")])
    assert sized() == {("10", "小店"): 1} | small
    assert big() == [value - 4 for value in DAYS.values()]
