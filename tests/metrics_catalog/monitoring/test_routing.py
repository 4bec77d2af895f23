from __future__ import annotations

from dataclasses import replace
from typing import Any

from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.routing import answering, recipients
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

from .conftest import finding


def told(catalog: Any, trouble: Trouble, *avoid: str) -> list[tuple[str, str, str]]:
    return [(one.channel, one.address, one.why) for one in recipients(catalog, trouble, avoid)]


def routed(catalog: Any, *routes: dict[str, Any]) -> Any:
    return replace(catalog, policy=Policy.model_validate({"alerts": {"routes": routes}}))


MOVE = Trouble("move:net_sales", Explained("move"), 2, ("net_sales",), (finding(),))
STORE = replace(MOVE, findings=(finding(store="静安"),))
LATE = Trouble("late:receipts", Explained("late", ("receipts",)), 2, ("net_sales",), owners=("ops",))
FAULT = Trouble("fault:run:refresh", Explained("fault", ("refresh",)), 2)


def test_a_move_goes_to_the_owner_and_whose_slice_it_is(shop_catalog: Any) -> None:
    assert told(shop_catalog, MOVE) == [("slack", "#data", "owner")]
    assert told(shop_catalog, STORE) == [("slack", "#data", "owner"), ("slack", "U3", "slice")]


def test_what_a_manager_cannot_mend_is_not_told_to_managers(shop_catalog: Any) -> None:
    code = replace(STORE, explained=Explained("code", ("fct_sales",)))
    assert told(shop_catalog, code) == [("slack", "#data", "owner")]


def test_a_late_source_goes_to_its_owner_by_the_members_where_the_team_has_no_channel(shop_catalog: Any) -> None:
    assert told(shop_catalog, LATE) == [("slack", "U9", "source")]
    missing = replace(LATE, findings=(finding(rule="missing"),))
    assert told(shop_catalog, missing) == [("slack", "U9", "source"), ("slack", "#data", "owner")]


def test_a_fault_goes_to_admins_unless_a_route_says_whom(shop_catalog: Any) -> None:
    assert told(shop_catalog, FAULT) == [("slack", "U9", "role")]
    catalog = routed(shop_catalog, {"to": ["fang"], "causes": ["fault"]})
    assert told(catalog, FAULT) == [("slack", "U2", "route")]


def test_routes_add_and_match_by_everything_they_say(shop_catalog: Any) -> None:
    board = {"to": ["it"], "tiers": [1], "domains": ["sales"], "metrics": ["net_sales"], "severity": 2}
    assert told(routed(shop_catalog, board), MOVE)[1:] == [("slack", "U9", "route")]
    for other in (
        {"tiers": [2]},
        {"domains": ["hr"]},
        {"metrics": ["receipts"]},
        {"severity": 1},
        {"causes": ["late"]},
    ):
        assert told(routed(shop_catalog, {**board, **other}), MOVE)[1:] == []


def test_an_address_is_told_once(shop_catalog: Any) -> None:
    assert len(told(routed(shop_catalog, {"to": ["data", "sales"]}), MOVE)) == 1


def test_a_channel_that_fails_is_gone_around(shop_catalog: Any) -> None:
    assert told(shop_catalog, FAULT, "slack") == [("email", "jie@example.com", "role")]


def test_where_nobody_can_be_reached_the_log_is(shop_catalog: Any) -> None:
    nobody = replace(shop_catalog, people=People(departments={}, people={}, teams={}))
    assert told(nobody, MOVE) == [("console", "everybody", "nobody")]


def test_people_are_asked_in_the_order_of_their_team_and_admins_last(shop_catalog: Any) -> None:
    assert answering(shop_catalog, STORE) == ("wei", "fang", "mei", "jie")
