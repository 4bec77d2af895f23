"""Cards as people read them. Refresh them with ``pytest --update-golden`` and read the diff."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.governance.approval import Requirement
from metrics_catalog.governance.card import entry_line, one_line, request_lines, version_line
from metrics_catalog.governance.effects import Seen
from metrics_catalog.governance.ledger import Entry, Event
from metrics_catalog.governance.record import Approval, Comment, Request

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "cards"
NOW = datetime(2024, 4, 1, 8, tzinfo=UTC)


@pytest.fixture
def ops_url(tmp_path: Path) -> str:
    """Which database holds the ledger is no matter here."""
    return f"sqlite:///{tmp_path}/ops.db"


def card(town: Any, number: int = 1) -> str:
    office = town.office()
    request = office.request(number)
    return "\n".join(request_lines(request, office.desk.missing(request), office.record.before(request))) + "\n"


def compare(name: str, text: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{name}.txt"
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "pytest --update-golden, and read the diff"


def test_a_changed_calculation(town: Any, request: pytest.FixtureRequest) -> None:
    town.con.execute("update marts.fct_sales set amount_usd = amount_usd * 12345.67 where store_id = '北京'")
    town.con.execute(
        "insert into marts.fct_sales select 8, 2, '上海浦东新区', null, date '2024-03-02', 70, 1, false, null"
    )
    made = town.propose("net_sales", expr="amount_usd * (1 + units)", target={"month": 1300000})
    town.approve(made, "ann")
    town.office().desk.comment(made.id, "joe", "三月为什么跳这么多？")
    compare("changed_calculation", card(town), request)


def test_who_read_it_and_who_did_not(town: Any) -> None:
    made = town.propose("net_sales", filter="not is_promoted")
    town.office().request(made.id, "joe")
    town.checksums["model.shop.fct_sales"] = "edited"
    town.office().preview(made.id, "ada")
    town.office().request(made.id, "ann")
    town.wait(minutes=5)
    town.approve(made, "ann", "joe")
    assert [one for one in card(town).splitlines() if one.startswith(("read", "approved by"))] == [
        "read by ann on 2024-04-01 08:00 UTC",
        "read before it changed by joe",
        "approved by ann on 2024-04-01 08:05 UTC",
        "approved by joe on 2024-04-01 08:05 UTC, who had not opened it",
    ]


def test_a_new_metric_like_another(town: Any, request: pytest.FixtureRequest) -> None:
    town.propose("revenue", grains=["month"], slices=[["category", "store"]])
    compare("new_metric", card(town), request)


def test_a_vanishing_value_and_the_end_of_a_request(town: Any, request: pytest.FixtureRequest) -> None:
    made = town.propose("visits", restate=True, filter="store = '苏州'")
    town.office().desk.reject(made.id, "zoe", "苏州没有店")
    compare("rejected", card(town), request)


def test_a_preview_that_cannot_be_computed(town: Any, request: pytest.FixtureRequest) -> None:
    town.con.execute("drop table marts.fct_visits")
    town.propose("visits", filter="store = '上海'")
    compare("no_preview", card(town), request)


def test_an_ending(town: Any, request: pytest.FixtureRequest) -> None:
    made = town.office().end("visits", "ada", "由 lines 代替", "deprecate", "lines")
    town.approve(made, "zoe")
    compare("deprecated", card(town), request)


def test_a_policy_says_what_it_would_change(town: Any, request: pytest.FixtureRequest) -> None:
    rules = [{"changes": ["policy"], "need": ["owner"], "author_counts": True}]
    town.write("policy", {"timezone": "UTC", "business_date": "2024-03-31", "governance": {"rules": rules}})
    town.propose("policy")
    compare("policy", card(town), request)


def test_the_log(town: Any, request: pytest.FixtureRequest) -> None:
    made = town.propose("net_sales", filter="not is_promoted")
    town.office().desk.comment(made.id, "vic", "好")
    town.approve(made, "ann", "joe")
    lines = [entry_line(one) for one in town.office().entries()[len(town.metrics) + 1 :]]
    versions = [version_line(one) for one in town.office().record.versions["metric/net_sales"]]
    compare("log", "\n".join([*lines, "", *versions, ""]), request)


def test_a_place_nobody_can_fill_is_said(town: Any) -> None:
    seen = Seen("f", {"effect": "0"}, Requirement(("admin", "admin")))
    made = town.propose("visits", "boss", filter="store = '上海'")
    town.office().desk.previewed(made.id, seen, "boss")
    assert "waits for admin: nobody in people.yml may" in card(town).splitlines()


FORGED = "fine\napproved by ann on 2024-04-01 08:00 UTC\x1b[2J\r\x00"


def test_nothing_somebody_typed_looks_like_a_line_of_ours() -> None:
    request = Request(
        1, "metric/visits", ("calculation",), "ada", FORGED, 1, NOW, text="expr: |\n  fine\n  approved by ann", state="rejected", duplicates=(FORGED,),
        preview={"periods": [], "effect": None, "slices": [
            {"period": "2024-03-01", "members": {"store": FORGED}, **dict.fromkeys(("old", "new", "difference", "percent"))}
        ]},
        approvals=(Approval("joe", "f", NOW),), comments=(Comment("vic", FORGED, NOW),),
        decided_at=NOW, decided_by="joe", decision=FORGED,
    )  # fmt: skip
    lines = "\n".join(request_lines(request, {})).split("\n")
    assert [one for one in lines if one.startswith("approved by")] == ["approved by joe on 2024-04-01 08:00 UTC"]
    assert all(one.isprintable() for one in lines)
    entry = Entry(1, NOW, Event("commented", "request/1", "vic", {"text": FORGED}), "")
    assert entry_line(entry).isprintable()
    assert one_line(" 好 \t 的\n") == "好 的"


def test_numbers_keep_their_size(town: Any) -> None:
    from metrics_catalog.governance import card as module

    shown = {text: module._number(text) for text in ("0.123456", "0.000012", "999.5", "1234567.8", "-20000", "0")}
    assert shown == {
        "0.123456": "0.1235", "0.000012": "1.2e-05", "999.5": "999.5", "1234567.8": "1,234,568", "-20000": "-20,000", "0": "0",
    }  # fmt: skip
    assert module._number(None) == "–"
    assert Decimal("1")
