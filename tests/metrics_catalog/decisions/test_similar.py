"""What was done in the past about the same: the most alike first, with how it came out."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from metrics_catalog.decisions.desk import Said
from metrics_catalog.decisions.outcome import Outcome
from metrics_catalog.decisions.record import change, find
from metrics_catalog.decisions.similar import similar
from metrics_catalog.ops.store import writing
from metrics_catalog.ops.tables import decisions, incidents


def incident(chain: Any, number: int, state: str = "resolved", **data: Any) -> None:
    at = f"2024-02-{number:02}T06:00:00.000+00:00"
    given = {"members": {"store": "7"}, "cause": "real move", "rule": "anomaly", **data}
    row = {"key": f"k{number}", "state": state, "severity": 2, "metric": "net_sales", "opened_at": at}
    row |= {"updated_at": at, "closed_at": at, "data": json.dumps(given)}
    with writing(chain.engine, incidents) as con:
        con.execute(sa.insert(incidents).values(number=number, **row))


def test_the_most_alike_come_first_with_what_was_done(chain: Any) -> None:
    incident(chain, 1, reason="sold out")
    incident(chain, 2, cause="late data", members={"store": "8"})
    incident(chain, 3, state="open")
    incident(chain, 4, members={})
    chain.desk().decide("INC-1", Said("restocked"), "joe")
    found = similar(chain.engine, "net_sales", (("store", "7"),), "real move", but=9)
    assert [one.incident.number for one in found] == [1, 4, 2]
    assert found[0].words("en") == "INC-1 (1 Feb 2024): sold out; restocked"
    assert found[2].words("zh") == "INC-2（2024年2月2日）：late data；未记录措施"
    with writing(chain.engine, decisions) as con:
        one = find(con, 1)
        assert one is not None
        outcome = Outcome("met", one.due, "day", 28).as_json()
        change(
            con, type(one)(**{**vars(one), "outcome": outcome, "state": "measured"}), "measured", "platform", chain.now
        )
    again = similar(chain.engine, "net_sales", (("store", "7"),), "real move", limit=1)
    assert again[0].words("en") == "INC-1 (1 Feb 2024): sold out; restocked (as expected)"
    assert similar(chain.engine, "margin") == []
    assert [one.incident.number for one in similar(chain.engine, "net_sales", but=1)] == [4, 2]
