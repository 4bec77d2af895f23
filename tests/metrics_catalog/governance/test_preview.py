"""Previews against values computed by hand (see the rows in `conftest.py`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.governance.certified import checked
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.preview import Change, last_closed
from metrics_catalog.located import InvalidFiles


@pytest.fixture
def ops_url(tmp_path: Path) -> str:
    """Which database holds the ledger is no matter here."""
    return f"sqlite:///{tmp_path}/ops.db"


def periods(rows: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    return {one["period"]: (one["old"], one["new"], one["difference"], one["percent"]) for one in rows}


def test_old_and_new_of_every_closed_month(town: Any) -> None:
    town.edit("net_sales", filter="not is_promoted")
    shown = town.office().what_if("net_sales")
    assert shown["grain"] == "month"
    assert periods(shown["periods"]) == {
        "2024-01-01": ("150", "100", "-50", "-33.3333"),
        "2024-02-01": ("250", "250", "0", "0"),
        "2024-03-01": ("400", "300", "-100", "-25"),
    }
    assert Decimal(shown["effect"]) == Decimal("0.333333")
    assert shown["people"] == ["ann", "bob", "zoe"]


def test_the_slices_that_move_most_come_first_with_their_members(town: Any) -> None:
    town.edit("net_sales", filter="not is_promoted")
    slices = town.office().what_if("net_sales")["slices"]
    assert [(one["period"], one["members"], one["old"], one["new"], one["difference"]) for one in slices] == [
        ("2024-03-01", {"category": None}, "100", None, None),
        ("2024-03-01", {"store": "北京"}, "100", None, None),
        ("2024-01-01", {"category": "日用品"}, "50", None, None),
        ("2024-01-01", {"store": "北京"}, "50", None, None),
    ]
    town.edit("net_sales", filter=None, expr="amount_usd * units")
    worst = town.office().what_if("net_sales")["slices"]
    assert len(worst) == 5
    assert worst[0]["members"] == {"category": "生鲜"}
    assert (worst[0]["old"], worst[0]["new"], worst[0]["percent"]) == ("300", "1800", "500")


def test_bounds_and_targets_that_flip(town: Any) -> None:
    town.edit("net_sales", filter="not is_promoted and units > 1")  # 100, 200, 300
    flips = town.office().what_if("net_sales")["flips"]
    assert flips == []  # January missed 200 and 160 before, and does; the others keep them
    town.edit("net_sales", filter="units > 1")  # 100, 200, 400
    assert town.office().what_if("net_sales")["flips"] == []
    town.edit("net_sales", filter="store = '北京'")  # 50, 50, 100
    flips = [
        (one["what"], one["period"], one["old"], one["new"]) for one in town.office().what_if("net_sales")["flips"]
    ]
    assert flips == [
        ("critical", "2024-01-01", True, False),
        ("critical", "2024-02-01", True, False),
        ("target", "2024-02-01", True, False),
        ("target", "2024-03-01", True, False),
        ("warn", "2024-02-01", True, False),
        ("warn", "2024-03-01", True, False),
    ]


def test_new_bounds_on_the_same_values(town: Any) -> None:
    town.edit("net_sales", bounds={"grain": "month", "warn": {"below": 300}}, target={"month": 500})
    shown = town.office().what_if("net_sales")
    flips = {(one["what"], one["period"]): (one["old"], one["new"]) for one in shown["flips"]}
    assert flips == {
        ("critical", "2024-01-01"): (True, None),
        ("critical", "2024-02-01"): (True, None),
        ("critical", "2024-03-01"): (True, None),
        ("warn", "2024-02-01"): (True, False),
        ("target", "2024-02-01"): (True, False),
        ("target", "2024-03-01"): (True, False),
    }
    assert shown["effect"] == "0"


def test_metrics_made_of_it_follow(town: Any) -> None:
    town.edit("net_sales", filter="not is_promoted")
    (follows,) = town.office().what_if("net_sales")["downstream"]
    assert follows == {
        "metric": "average_line", "grain": "month", "period": "2024-01-01",
        "old": "75", "new": "50", "difference": "-25", "percent": "-33.3333",
    }  # fmt: skip


def test_a_metric_that_does_not_move_touches_nobody_else(town: Any) -> None:
    town.edit("net_sales", expr="amount_usd + 0")
    shown = town.office().what_if("net_sales")
    assert shown["downstream"] == []
    assert shown["people"] == ["ann", "bob"]
    assert Decimal(shown["effect"]) == 0


@pytest.mark.parametrize(
    "keys",
    [
        {"filter": "units > 1000"},  # every value vanishes
        {"filter": "category = '生鲜' and units > 2"},  # one vanishes
    ],
)
def test_a_value_that_vanishes_is_no_small_effect(town: Any, keys: dict[str, Any]) -> None:
    town.edit("net_sales", **keys)
    assert town.office().what_if("net_sales")["effect"] is None


def test_a_value_that_was_zero_is_compared_with_the_largest(town: Any) -> None:
    town.edit("visits", filter="store = '上海'")
    assert town.office().what_if("visits")["effect"] == "0"
    town.con.execute("update marts.fct_sales set amount_usd = 0 where month(sold_on) = 1")
    town.edit("net_sales", expr="amount_usd + 40")
    assert town.office().what_if("net_sales")["effect"] == "0.32"  # January 80 of 400, February 80 of 250
    town.con.execute("update marts.fct_sales set amount_usd = 0")
    assert town.office().what_if("net_sales")["effect"] is None  # there is nothing to compare with


def test_a_value_that_appears_among_others_is_no_small_effect(town: Any) -> None:
    town.con.execute("update marts.fct_sales set is_promoted = true where month(sold_on) = 2")
    town.approve(town.propose("net_sales", restate=True, filter="not is_promoted"), "ann", "joe", "bob")
    town.edit("net_sales", filter=None)
    shown = town.office().what_if("net_sales")
    assert periods(shown["periods"])["2024-02-01"] == (None, "250", None, None)
    assert shown["effect"] is None


def test_a_value_that_appears_before_the_others_is_not_compared(town: Any) -> None:
    town.approve(
        town.propose("net_sales", restate=True, filter="amount_usd >= 200"), "ann", "joe", "bob"
    )  # from February on
    town.edit("net_sales", filter=None)
    shown = town.office().what_if("net_sales")
    assert periods(shown["periods"])["2024-01-01"] == (None, "150", None, None)
    assert shown["effect"] == "0.5"  # average_line of January: 75 where it was 0, of at most 150


def test_growth_is_told_though_it_was_zero_once_and_has_no_first_value(town: Any) -> None:
    town.con.execute("update marts.fct_sales set amount_usd = 200 where line_id = 1")  # January 250, as February
    before = {"before": {"metric": "net_sales", "offset": "previous"}}
    growth = town.propose("growth", type="derived", expr="net_sales / before - 1", inputs=before, grains=["month"])
    town.approve(growth, "ann")
    town.edit("net_sales", filter="not is_promoted")  # 200, 250, 300
    shown = town.office().what_if("net_sales")
    assert [one["metric"] for one in shown["downstream"]] == ["average_line", "growth"]
    assert shown["effect"] == "0.666667"  # growth of March 0.2 instead of 0.6; of February 0.25 instead of 0


def test_without_rows_there_is_no_telling(town: Any) -> None:
    town.con.execute("delete from marts.fct_visits")
    town.edit("visits", filter="store = '上海'")
    assert town.office().what_if("visits")["effect"] is None


def test_a_new_metric_changes_no_value(town: Any) -> None:
    town.edit("units_sold", expr="units", grains=["month"])
    shown = town.office().what_if("units_sold")
    assert shown["effect"] == "0"
    assert periods(shown["periods"])["2024-03-01"] == (None, "8", None, None)
    assert shown["flips"] == []


def test_only_so_many_periods_as_the_policy_says(town: Any) -> None:
    town.write("policy", {"business_date": "2024-03-31", "governance": {"preview_periods": 2}})
    request = town.propose("policy", "ada")
    town.approve(request, "boss", "joe")
    town.edit("net_sales", expr="amount_usd * 2")
    assert list(periods(town.office().what_if("net_sales")["periods"])) == ["2024-02-01", "2024-03-01"]


def test_what_cannot_be_computed_is_shown_as_that_and_needs_one_more(town: Any) -> None:
    town.con.execute("alter table marts.fct_visits rename to elsewhere")
    request = town.propose("visits", filter="store = '上海'")
    assert "fct_visits" in request.preview["failed"]
    assert request.need == ("owner", "steward")
    town.con.execute("alter table marts.elsewhere rename to fct_visits")
    again = town.office().preview(request.id, "ada")
    assert "failed" not in again.preview
    assert again.need == ("owner",)


def test_an_error_without_words_is_one_too(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("metrics_catalog.governance.standing.preview", fail)
    assert town.propose("visits", filter="store = '上海'").preview == {"failed": "MemoryError: "}


def test_the_fingerprint_is_of_the_calculation_and_all_code_under_it(town: Any) -> None:
    def mark(metric: str = "net_sales", **keys: Any) -> str:
        before = town.files()
        after = town.made(town.folder / "other", {**town.metrics, metric: {**town.metrics[metric], **keys}})
        return Change(metric, before, type(before)(**{**vars(before), "metrics": after.metrics})).fingerprint([])

    first = mark(filter="not is_promoted")
    assert first == mark(filter="not   is_promoted", description="other words")
    assert first == mark(filter="not is_promoted", description={"en": "Net.", "zh": "净额。"}, playbook="Ask.")
    assert first != mark(filter="is_promoted")
    for node in ("model.shop.fct_sales", "model.shop.dim_products"):  # the facts, and what slices join
        town.checksums[node] = "changed"
        assert first != mark(filter="not is_promoted")
        town.checksums.clear()
    town.checksums["model.shop.fct_visits"] = "changed"
    assert first == mark(filter="not is_promoted")
    town.parents["model.shop.fct_sales"] = ("source.shop.clean.lines", "model.shop.stg_lines")
    under = mark(filter="not is_promoted")
    assert under != first
    for contract in ("orchestration/sources/lines.yml", "expectations/suites/lines.yml"):
        path = town.folder / contract
        path.parent.mkdir(parents=True)
        path.write_text("kind: files", encoding="utf-8")
        assert under != (under := mark(filter="not is_promoted"))
    town.edit("average_line", denominator="visits")
    assert under != mark(filter="not is_promoted")


def test_looking_only_at_what_is_affected_gives_the_same_fingerprints(town: Any) -> None:
    catalog = town.files()
    every = calculations(catalog)
    for name in catalog.metrics:
        for part in Change(name, catalog, catalog).parts:
            prints = calculations(part)
            assert prints == {one: every[one] for one in prints}
    assert Change("net_sales", catalog, catalog).affected == ("net_sales", "average_line")
    assert Change("visits", catalog, catalog).affected == ("visits",)


@pytest.mark.parametrize(
    ("grain", "through", "count", "span"),
    [
        ("month", date(2024, 3, 31), 2, Span(date(2024, 2, 1), date(2024, 4, 1))),
        ("month", date(2024, 3, 30), 2, Span(date(2024, 1, 1), date(2024, 3, 1))),
        ("week", date(2024, 3, 10), 1, Span(date(2024, 3, 4), date(2024, 3, 11))),
        ("day", date(2024, 3, 1), 3, Span(date(2024, 2, 28), date(2024, 3, 2))),
        ("year", date(2024, 12, 30), 1, Span(date(2023, 1, 1), date(2024, 1, 1))),
    ],
)
def test_the_last_periods_that_are_over(grain: Any, through: date, count: int, span: Span) -> None:
    assert last_closed(Calendar(), grain, through, count) == span


def test_what_looks_up_values_of_a_metric_follows_its_change_and_cannot_do_without_it(shop: Any) -> None:
    loyal = {"filter": "metric(lines, by=member) >= 5"}
    before = shop({"lines": {"agg": "count", "expr": None}, "loyal": loyal, "other": {}})
    after = shop({"lines": {"agg": "count", "expr": "note"}, "loyal": loyal, "other": {}})
    change = Change("lines", before, after)
    assert change.affected == change.recalculated == ("lines", "loyal")
    assert set(change.parts[0].metrics) == {"lines", "loyal"}
    alone = {name: entry for name, entry in before.metrics.items() if name != "lines"}
    with pytest.raises(InvalidFiles, match='filter: there is no metric "lines"'):
        checked(replace(before, metrics=alone))


def test_a_definition_that_overflows_is_said_in_words(town: Any) -> None:
    town.edit("net_sales", expr="cast(amount_usd as double) * 1e25")
    office = town.office()
    with pytest.raises(
        Refused, match=r"net_sales cannot be computed as it is written: a value cannot be: .*decimal\(28,6\)"
    ):
        office.what_if("net_sales")
