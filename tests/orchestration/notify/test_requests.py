"""Change requests in people's channels: who is asked, what they see, what their buttons do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metrics_catalog.governance.office import Wish
from metrics_catalog.message import Buttons, Message
from metrics_catalog.ops.store import open_store
from orchestration.notify.actions import Choice, actions
from orchestration.notify.formats.text import text
from orchestration.notify.interactions import Pressed, Say, respond
from orchestration.notify.outbox import ask
from orchestration.notify.people import people_of
from orchestration.notify.requests import newest

if TYPE_CHECKING:
    pass

PEOPLE = """
    departments: {data: {en: Data, zh: 数据}}
    people:
      wei: {name: 陈伟, email: wei@example.com, language: zh, roles: [owner, admin], channels: {slack: U0WEI}}
      fang: {name: 王芳, email: fang@example.com, language: zh, roles: [steward], channels: {slack: U0FANG}}
      li: {name: Li, email: li@example.com, roles: [steward], channels: {email: li@example.com}}
      ana: {name: Ana, email: ana@example.com, roles: [analyst], channels: {slack: U0ANA}}
    teams: {data: {label: {en: Data, zh: 数据}, department: data, members: [wei]}}
    """


@pytest.fixture
def governed(refreshed: Any) -> Any:
    """The shop, certified, with a change of net_sales that ana asked for."""
    refreshed.write("metrics_catalog/people.yml", PEOPLE)
    refreshed.office().bootstrap("wei", "first use")
    refreshed.replace("metrics_catalog/metrics/sales/net_sales.yml", "tier: 1", "tier: 1\nfilter: quantity > 1")
    refreshed.office().propose("net_sales", "ana", Wish("without singles <b>"))
    return refreshed


def letters(shop: Any) -> dict[str, Any]:
    import json

    import sqlalchemy as sql

    from metrics_catalog.ops.tables import outbox

    engine = open_store(shop.project.ops)
    with engine.connect() as con:
        found = {row.key: row for row in con.execute(sql.select(outbox).where(outbox.c.key.like("request/%")))}
    engine.dispose()
    return {key: (row.channel, row.address, Message.read(json.loads(row.message))) for key, row in found.items()}


def button(message: Message, action: str) -> str:
    (value,) = [
        one.value for part in message.parts if isinstance(part, Buttons) for one in part.buttons if one.action == action
    ]
    return value


def press(shop: Any, user: str, action: str, value: str, choice: Choice | None = None) -> str:
    answer = respond(Pressed(user, action, value, choice=choice), actions(), people_of(shop.project), shop.project)
    assert isinstance(answer, Say)
    return answer.text


def test_approvers_are_asked_and_their_buttons_approve_what_they_saw(governed: Any) -> None:
    ask(governed.project)
    found = letters(governed)
    assert {key: one[:2] for key, one in found.items()} == {
        "request/CR-1/wei": ("slack", "U0WEI"),
        "request/CR-1/fang": ("slack", "U0FANG"),
        "request/CR-1/li": ("email", "li@example.com"),
    }
    shown = found["request/CR-1/fang"][2]
    assert shown.title == "CR-1 请你审批：net_sales 口径变更"
    assert "without singles <b>" in text(shown)
    assert "2024-03" in text(shown)
    assert found["request/CR-1/li"][2].title == "CR-1 asks for your approval: net_sales, calculation"
    value = button(shown, "approve")
    assert "ana asked for CR-1" in press(governed, "U0ANA", "approve", value), "never by whoever asked"
    assert press(governed, "U0FANG", "approve", f"{value}0").endswith("look at it again"), "another preview"
    assert press(governed, "U0FANG", "approve", value) == "你已批准 CR-1，还需 wei 审批。"
    ask(governed.project)
    assert not [part for part in letters(governed)["request/CR-1/fang"][2].parts if isinstance(part, Buttons)]
    assert press(governed, "U0WEI", "approve", value) == "CR-1 已批准并生效。"
    ask(governed.project)
    for key, (_, _, message) in letters(governed).items():
        assert message.closed, key
    assert letters(governed)["request/CR-1/li"][2].title == "CR-1 approved: net_sales, calculation"
    assert "net_sales" in governed.office().record.metrics()
    assert governed.office().record.metrics()["net_sales"].number == 2


def test_a_rejection_needs_its_reason_and_leaves_everything_as_it_is(governed: Any) -> None:
    ask(governed.project)
    value = button(letters(governed)["request/CR-1/fang"][2], "reject")
    assert "say why" in press(governed, "U0FANG", "reject", value, Choice(text=" "))
    assert press(governed, "U0FANG", "reject", value, Choice(text="单件也算")) == "CR-1 已驳回，已认证的口径保持不变。"
    ask(governed.project)
    shown = letters(governed)["request/CR-1/wei"][2]
    assert (shown.closed, shown.title) == (True, "CR-1 已驳回：net_sales 口径变更")
    assert "单件也算" in text(shown)
    assert press(governed, "U0WEI", "approve", value).startswith("未做任何操作: CR-1 was rejected")


def test_when_the_ledger_did_not_move_nothing_is_looked_at(governed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(governed.project)

    def fails(*_: object) -> None:
        raise AssertionError("looked again")

    monkeypatch.setattr("orchestration.notify.requests.put_letters", fails)
    ask(governed.project)


def test_a_project_that_was_never_certified_asks_nobody(refreshed: Any) -> None:
    ask(refreshed.project)
    engine = open_store(refreshed.project.ops)
    assert newest(engine) == 0
    ask(refreshed.project)
    engine.dispose()
    assert letters(refreshed) == {}


def test_nonsense_on_a_button_is_refused(governed: Any) -> None:
    for value in ("", "CR-1", "CR-x f", "INC-1 f"):
        assert "is not a change request" in press(governed, "U0FANG", "approve", value)
    assert "there is no request CR-9" in press(governed, "U0FANG", "approve", "CR-9 f")
