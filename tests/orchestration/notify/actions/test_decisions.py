"""The button of a decision's letter does what its command does, and refuses whom that refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from metrics_catalog.decisions.desk import Decisions, Said
from metrics_catalog.governance.begun import official_catalog
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.ops.store import open_store
from orchestration.notify.actions import Choice, actions


def test_an_action_is_said_to_be_done(refreshed: Any) -> None:
    refreshed.write_people()
    project = refreshed.project
    desk = Decisions(open_store(project.ops), official_catalog(project), lambda: datetime.now(UTC))
    desk.decide("net_sales", Said("促销", owner="wei"), "li")
    done = actions()["decision_done"].run
    with pytest.raises(Refused, match="D-1 is wei's"):
        done(project, "ana", "D-1", Choice())
    said = done(project, "wei", "D-1", Choice(text=" 已签约 "))
    assert said.en == "D-1 is done; its effect is measured on 2024-04-02."
    assert (desk.get(1).state, desk.get(1).note) == ("done", "已签约")
    with pytest.raises(Refused, match="no decision D-0"):
        done(project, "wei", "INC-1", Choice())
