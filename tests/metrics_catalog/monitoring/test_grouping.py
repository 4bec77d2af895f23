from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.finding import Finding
from metrics_catalog.monitoring.grouping import _Moves, troubles

from .conftest import DAY, finding

UP: dict[str, Any] = {"value": 140.0}


def keys(catalog: Any, *findings: Finding) -> list[tuple[str, int, int]]:
    found = troubles(catalog, [(one, Explained("move")) for one in findings])
    return [(one.key, one.severity, len(one.findings)) for one in found]


def test_slices_and_their_total_are_one(shop_catalog: Any) -> None:
    assert keys(shop_catalog, finding(store="静安"), finding(store="苏州"), finding()) == [("move:net_sales", 2, 3)]


def test_metrics_on_the_same_rows_that_move_the_same_way_are_one(shop_catalog: Any) -> None:
    assert keys(shop_catalog, finding(), finding("receipts")) == [("move:net_sales", 2, 2)]
    assert len(keys(shop_catalog, finding(), finding("receipts", **UP))) == 2


def test_another_day_is_another_cause(shop_catalog: Any) -> None:
    assert len(keys(shop_catalog, finding(), finding("receipts", period=DAY - timedelta(days=1)))) == 2


def test_few_members_are_each_their_own_and_many_are_one(shop_catalog: Any) -> None:
    assert len(keys(shop_catalog, finding(store="a"), finding(store="b"))) == 2
    assert len(keys(shop_catalog, finding(store="a"), finding(store="b"), finding(store="c"))) == 1


def test_one_cause_that_is_known_is_one_whatever_it_shows_in(shop_catalog: Any) -> None:
    late = Explained("late", ("receipts",))
    found = troubles(shop_catalog, [(finding("receipts"), late), (finding(store="a", **UP), late), (finding(), late)])
    assert [(one.key, one.metrics) for one in found] == [("late:receipts", ("net_sales", "receipts"))]


def test_how_bad_it_is(shop_catalog: Any) -> None:
    assert keys(shop_catalog, finding(level="critical"))[0][1] == 1
    assert keys(shop_catalog, finding("receipts"))[0][1] == 3
    assert keys(shop_catalog, finding(store="a"))[0][1] == 3  # a part of a whole that is within its bounds
    assert keys(shop_catalog, finding(bad=False))[0][1] == 4  # good news
    event = troubles(shop_catalog, [(finding(level="critical"), Explained("event", ("Sale",)))])
    assert [one.severity for one in event] == [5]


def test_what_leads_is_bad_of_a_high_tier_and_the_whole(shop_catalog: Any) -> None:
    good = finding(bad=False)
    found = troubles(
        shop_catalog, [(one, Explained("late", ("x",))) for one in (finding("receipts"), finding(store="a"), good)]
    )
    assert [(one.series.metric, one.bad) for one in found[0].findings] == [
        ("net_sales", True),
        ("receipts", True),
        ("net_sales", False),
    ]


def test_rows_that_are_made_of_the_others_are_the_same_rows() -> None:
    made_of = {"lines": {"lines"}, "receipts": {"receipts", "lines"}, "campaigns": {"campaigns"}}
    semantics = SimpleNamespace(model=lambda model: SimpleNamespace(node=model), upstream=made_of.__getitem__)
    catalog: Any = SimpleNamespace(models=lambda metric: (metric,), semantics=semantics)
    moves = _Moves(catalog, [])
    assert moves._share_rows("lines", "receipts")
    assert moves._share_rows("receipts", "lines")
    assert not moves._share_rows("campaigns", "receipts")
