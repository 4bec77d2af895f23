"""On the due date the effect is measured once, from what is published, and told to the owner in their language."""

from __future__ import annotations

import json
import random
import re
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from metrics_catalog.decisions.desk import Said
from metrics_catalog.decisions.due import PATIENCE, measure_due
from metrics_catalog.decisions.outcome import Outcome
from metrics_catalog.decisions.record import Decision, events
from metrics_catalog.ops.store import reading
from metrics_catalog.ops.tables import outbox

SINCE = date(2024, 3, 4)
DUE = date(2024, 3, 31)


def lifted(by: float, store: str = "7", noise: float = 0.02) -> Any:
    """Sales of all stores; those of one are higher from the decision on."""

    def sold(one: str, day: date) -> float:
        chance = random.Random(f"{one} {day}")  # noqa: S311
        return 100 * int(one) * (1 + chance.gauss(0, noise)) * (1 + by if one == store and day >= SINCE else 1)

    return sold


def measure(chain: Any) -> list[Decision]:
    return measure_due(chain.engine, chain.catalog, chain.published, chain.now)


def told(chain: Any) -> list[tuple[str, str]]:
    with reading(chain.engine) as con:
        rows = con.execute(sa.select(outbox).order_by(outbox.c.created_at, outbox.c.key))
        return [(one.address, json.loads(one.message)["title"]) for one in rows if "/measured/" in one.key]


@pytest.mark.parametrize(
    ("lift", "verdict", "clear"),
    [(0.1, "met", True), (0.03, "part of it", False), (-0.1, "not met", False)],
)
def test_the_effect_is_what_was_lifted(chain: Any, lift: float, verdict: str, clear: bool) -> None:
    chain.desk().decide("net_sales", Said("补货", expect="store=7 +5% by 2024-03-31", owner="wei"), "ann")
    chain.publish(lifted(lift, noise=0.04))
    assert measure(chain) == [], "not due"
    chain.day = DUE
    chain.publish(lifted(lift, noise=0.04))
    (done,) = measure(chain)
    found = Outcome.read(done.outcome or {})
    assert (done.state, found.verdict, found.basis, found.compared) == ("measured", verdict, "others", 9)
    assert found.effect == pytest.approx(700 * lift, abs=25)
    assert found.expected == pytest.approx(735, abs=10)
    if lift != 0.03:
        assert found.clear is clear
    assert [one.kind for one in events(chain.engine, 1)] == ["opened", "measured"]
    assert sorted(address for address, _ in told(chain)) == ["U1", "wei"]
    assert measure(chain) == []
    assert len(told(chain)) == 2


def test_the_letter_says_numbers_uncertainty_and_what_was_decided(chain: Any) -> None:
    chain.desk().decide("net_sales", Said("restock", "sold out", "store=7 +5% by 2024-03-31", "wei"), "ann")
    chain.day = DUE
    chain.publish(lifted(0.1))
    measure(chain)
    with reading(chain.engine) as con:
        letters = {
            one.address: json.loads(one.message) for one in con.execute(sa.select(outbox)) if "/measured" in one.key
        }
    english, chinese = ([part["text"] for part in letters[who]["parts"] if "text" in part] for who in ("U1", "wei"))
    assert letters["U1"]["title"] == "D-1 net_sales, store 7: as expected"
    assert letters["wei"]["title"] == "D-1 指标 net_sales，store 7：达到预期"
    assert re.fullmatch(
        r"\$7\d\d\.\d\d over the 28 days to 31 Mar 2024, from \$\S+ before \(\+\d+\.\d%\)\.", english[0]
    )
    assert re.fullmatch(r"Expected: \$73\d\.\d\d \(\+5\.0%\)\.", english[1])
    assert "90% of cases, by the 9 others over the same time): an effect of +$" in english[2]
    assert english[3] == "That is more than the usual ups and downs."
    assert chinese[3] == "超出通常波动，可以认为与措施有关。"
    facts = dict(letters["U1"]["parts"][-1]["pairs"])
    assert facts["expected"] == "store 7: +5% by 31 Mar 2024"
    assert (facts["cause"], facts["action"], facts["owner"]) == ("sold out", "restock", "wei")


def test_the_total_is_compared_with_its_own_history(chain: Any) -> None:
    chain.desk().decide("net_sales", Said("campaign", expect="by 2024-03-31"), "ann")
    chain.day = DUE
    chain.publish(lifted(0.0))
    (done,) = measure(chain)
    found = Outcome.read(done.outcome or {})
    assert (found.basis, found.clear, found.expected) == ("history", False, None)


def test_late_or_held_values_are_waited_for_but_not_for_ever(chain: Any) -> None:
    chain.desk().decide("net_sales", Said("x", expect="+1% by 2024-03-31"), "ann")
    chain.day = DUE - timedelta(days=3)
    assert measure(chain) == [], "nothing was ever published"
    chain.publish(lifted(0))
    chain.day = DUE + timedelta(days=3)
    assert measure(chain) == [], "the values end before the due date"
    chain.publish(lifted(0), held=True)
    assert measure(chain) == [], "they are held"
    chain.day = DUE + PATIENCE + timedelta(days=1)
    (done,) = measure(chain)
    assert done.state == "measured"


def test_what_is_dropped_done_or_retired(chain: Any) -> None:
    desk = chain.desk()
    for action in ("a", "b", "c"):
        desk.decide("net_sales" if action != "c" else "margin", Said(action, expect="by 2024-04-30"), "ann")
    desk.drop(1, "ann", "no")
    desk.done(2, "ann")
    chain.day = date(2024, 4, 30)
    chain.publish(lifted(0))
    del chain.catalog.metrics["margin"]
    found = {one.name: (one.outcome or {})["verdict"] for one in measure(chain)}
    assert found.keys() == {"D-2", "D-3"}
    assert found["D-3"] == "no data"
