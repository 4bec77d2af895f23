"""Deciding in one or two steps, from a metric or an alert; who may, what is refused, who is told."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from metrics_catalog.decisions.desk import Said
from metrics_catalog.decisions.expected import Expected
from metrics_catalog.decisions.record import events, listed
from metrics_catalog.engine.query import InvalidQuery
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import incidents, outbox


def opened(engine: sa.Engine, number: int, **keys: Any) -> None:
    """An incident, as monitoring keeps it."""
    data = {"members": [["store", "7"]], "cause": "real move", "rules": ["anomaly"], **keys.pop("data", {})}
    row = {"key": f"net_sales/{number}", "state": "open", "severity": 2, "metric": "net_sales", "assignee": "joe"}
    row |= {"opened_at": "2024-02-20T06:00:00.000+00:00", "updated_at": "2024-02-20T06:00:00.000+00:00", **keys}
    with writing(engine, incidents) as con:
        con.execute(sa.insert(incidents).values(number=number, data=json.dumps(data, ensure_ascii=False), **row))


def letters(engine: sa.Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as con:
        return [(one.channel, one.address, json.loads(one.message)["title"]) for one in con.execute(sa.select(outbox))]


def test_the_least_one_can_say_is_a_metric_and_an_action(chain: Any) -> None:
    made = chain.desk().decide("net_sales", Said("  call the supplier "), "ann")
    assert (made.name, made.owner, made.action, made.state) == ("D-1", "sales", "call the supplier", "open")
    assert (made.since, made.due) == (date(2024, 3, 4), date(2024, 3, 31))
    assert made.expected == Expected(by=date(2024, 3, 31))
    assert letters(chain.engine) == [("slack", "U1", "D-1 is yours: call the supplier")], "told as one of the team"
    assert chain.desk().decide("margin", Said("look"), "ann").due == date(2024, 4, 30), "the first whole month"


def test_the_second_step_says_the_rest(chain: Any) -> None:
    desk = chain.desk()
    desk.decide("net_sales", Said("促销"), "ann")
    more = desk.decide("d-1", Said(expect="store=7 +5% by 2024-04-14", cause="缺货", owner="wei"), "ann")
    assert (more.owner, more.cause, more.due) == ("wei", "缺货", date(2024, 4, 14))
    assert more.expected.members == (("store", "7"),)
    assert desk.get(1) == more
    assert letters(chain.engine)[-1] == ("console", "wei", "D-1 由您负责：促销"), "whoever has no channel, the console"
    later = desk.decide("D-1", Said(expect="+3% by 2024-04-21"), "wei")
    assert later.expected.members == (("store", "7"),)
    assert [one.kind for one in events(chain.engine, 1)] == ["opened", "amended", "amended"]
    with pytest.raises(Refused, match="D-1 says so already"):
        desk.decide("D-1", Said(owner="wei"), "ann")


def test_of_an_alert_what_is_known_is_taken_over(chain: Any) -> None:
    opened(chain.engine, 4)
    made = chain.desk().decide("INC-4", Said("补货", expect="+5% by 2024-03-31"), "joe")
    assert (made.metric, made.incident, made.owner, made.cause) == ("net_sales", 4, "joe", "real move")
    assert made.expected.members == (("store", "7"),)
    assert letters(chain.engine) == [], "nobody is told what they said themselves"
    assert [one.name for one in listed(chain.engine, incident=4)] == ["D-1"]
    opened(chain.engine, 5, metric=None, key="source/receipts")
    with pytest.raises(Refused, match=r"INC-5 is about no metric \(source/receipts\)"):
        chain.desk().decide("INC-5", Said("补货"), "joe")


@pytest.mark.parametrize(
    ("target", "said", "user", "why"),
    [
        ("net_sale", Said("x"), "ann", 'no certified metric "net_sale"; did you mean "net_sales"'),
        ("INC-9", Said("x"), "ann", "there is no incident INC-9"),
        ("D-9", Said("x"), "ann", "there is no decision D-9"),
        ("net_sales", Said(), "ann", "say what is to be done"),
        ("net_sales", Said("x"), "eve", "eve is not in people.yml"),
        ("net_sales", Said("x", owner="salez"), "ann", 'not in people.yml; did you mean "sales"'),
        ("net_sales", Said("x", expect="+5% by 2024-03-01"), "ann", "by 2024-03-01 no whole day after .* 2024-03-04"),
        ("margin", Said("x", expect="+5pp by 2024-04-29"), "ann", "no whole month after .* 2024-04-30"),
    ],
)
def test_what_cannot_be_is_refused_and_says_what_can(chain: Any, target: str, said: Said, user: str, why: str) -> None:
    with pytest.raises(Refused, match=why.replace("; did", "(;|:| \\().*did") if "did" in why else why):
        chain.desk().decide(target, said, user)
    assert listed(chain.engine) == []


def test_an_expectation_of_another_slice_is_refused(chain: Any) -> None:
    with pytest.raises(InvalidQuery, match="the metric is published by store"):
        chain.desk().decide("net_sales", Said("x", expect="brand=A +5%"), "ann")


def test_the_same_is_not_recorded_twice_and_ends_once(chain: Any) -> None:
    desk = chain.desk()
    desk.decide("net_sales", Said("x"), "ann")
    with pytest.raises(Refused, match="D-1 says so already"):
        desk.decide("net_sales", Said("x"), "joe")
    with pytest.raises(Refused, match="they, ann or a steward may"):
        desk.done(1, "wei")
    assert desk.done(1, "joe", "called").note == "called"
    with pytest.raises(Refused, match="D-1 is done already"):
        desk.done(1, "ann")
    with pytest.raises(Refused, match="say why"):
        desk.drop(1, "ann", " ")
    assert desk.drop(1, "ann", "closed the store").state == "dropped"
    with pytest.raises(Refused, match="D-1 is dropped already"):
        desk.decide("D-1", Said(expect="+1%"), "ann")
    assert desk.decide("net_sales", Said("x"), "ann").name == "D-2"


def test_a_project_without_people_decides_too(chain: Any) -> None:
    from dataclasses import replace

    from metrics_catalog.spec.people import People

    nobody = People(departments={}, people={}, teams={})
    chain.catalog = replace(chain.catalog, people=nobody)
    made = chain.desk().decide("net_sales", Said("look"), "me")
    assert made.owner == "sales"
    assert made.due == chain.day + timedelta(days=28)
    assert letters(chain.engine) == [("console", "sales", "D-1 is yours: look")]
