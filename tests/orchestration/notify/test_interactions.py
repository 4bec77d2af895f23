"""What people press in Slack: who may, what is asked first, what is answered; over signed HTTP and Socket Mode."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from metrics_catalog.governance.clerk import Refused
from metrics_catalog.project import Project
from metrics_catalog.spec.base import Label
from metrics_catalog.spec.people import People, Person
from orchestration.notify.actions import Action, Choice, Form, actions
from orchestration.notify.interactions import Ask, Pressed, Say, read, respond
from orchestration.notify.listen import Listener, connect, http_server, socket_client
from orchestration.notify.signed import Gate
from orchestration.settings import Settings, read_settings

if TYPE_CHECKING:
    from .conftest import FakeSlack

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
PEOPLE = People(
    departments={},
    teams={},
    people={
        "lin_wei": Person(name="林薇", email="l@example.com", language="zh", channels={"slack": "U0LIN"}),
        "omar": Person(name="Omar", email="o@example.com", channels={"slack": "U0OMAR"}),
        "twin_a": Person(name="A", email="a@example.com", channels={"slack": "U0TWIN"}),
        "twin_b": Person(name="B", email="b@example.com", channels={"slack": "U0TWIN"}),
    },
)
PROJECT = Project.at(Path("/nowhere"))


def pressed(action: str, value: str = "INC-1", user: str = "U0LIN", **more: Any) -> dict[str, Any]:
    button = {"type": "button", "action_id": f"{action}:0", "value": value}
    return {"type": "block_actions", "user": {"id": user}, "trigger_id": "trigger", "actions": [button], **more}


@pytest.fixture
def done() -> list[tuple[str, str, Choice]]:
    return []


@pytest.fixture
def known(done: list[tuple[str, str, Choice]]) -> dict[str, Action]:
    def run(_project: Project, actor: str, value: str, choice: Choice) -> Label:
        if value == "forbidden":
            raise Refused(f"{actor} may not")
        done.append((actor, value, choice))
        return Label(en=f"done {value}", zh=f"完成 {value}")

    reasons = {"real move": Label(en="Real move", zh="真实变动"), "other": Label(en="Other", zh="其他")}
    form = Form(Label(en="Resolve", zh="处理完毕"), reasons)
    return {"acknowledge": Action(run), "resolve": Action(run, form)}


def test_a_button_does_its_action_as_the_person_who_pressed_it(known: dict[str, Action], done: list[Any]) -> None:
    (one,) = read(pressed("acknowledge", response_url="https://answer"))
    assert respond(one, known, PEOPLE, PROJECT) == Say("完成 INC-1", "https://answer", "U0LIN")
    assert done == [("lin_wei", "INC-1", Choice())]


@pytest.mark.parametrize("user", ["U0NOBODY", "", "U0TWIN", "lin_wei"])
def test_whoever_is_not_in_people_may_do_nothing(known: dict[str, Action], done: list[Any], user: str) -> None:
    for action in known:
        answer = respond(read(pressed(action, user=user))[0], known, PEOPLE, PROJECT)
        assert isinstance(answer, Say)
        assert "people.yml" in answer.text
        assert "未做任何操作" in answer.text
    assert not done


def test_what_needs_a_reason_asks_for_it_first(known: dict[str, Action], done: list[Any]) -> None:
    ask = respond(read(pressed("resolve", response_url="https://answer"))[0], known, PEOPLE, PROJECT)
    assert isinstance(ask, Ask)
    assert ask.trigger == "trigger"
    assert ask.view["title"]["text"] == "处理完毕"
    assert [one["text"]["text"] for one in ask.view["blocks"][0]["element"]["options"]] == ["真实变动", "其他"]
    assert not done
    values = {"option": {"option": {"selected_option": {"value": "other"}}}, "text": {"text": {"value": "盘点"}}}
    view = {**ask.view, "state": {"values": values}}
    (one,) = read({"type": "view_submission", "user": {"id": "U0OMAR"}, "view": view})
    assert respond(one, known, PEOPLE, PROJECT) == Say("done INC-1", "https://answer", "U0OMAR")
    assert done == [("omar", "INC-1", Choice("other", "盘点"))]


def test_a_refusal_is_the_answer(known: dict[str, Action], done: list[Any]) -> None:
    answer = respond(read(pressed("acknowledge", "forbidden"))[0], known, PEOPLE, PROJECT)
    assert answer == Say("未做任何操作: lin_wei may not", "", "U0LIN")
    assert not done


def test_what_is_not_ours_is_left_alone(known: dict[str, Action]) -> None:
    assert respond(Pressed("U0LIN", "vote", "1"), known, PEOPLE, PROJECT) is None
    assert read({"type": "view_submission", "user": {"id": "U0LIN"}, "view": {"callback_id": "other"}}) == []
    assert read({"type": "shortcut", "user": {"id": "U0LIN"}}) == []
    for nonsense in ({}, {"type": "block_actions"}, {"type": "block_actions", "user": "x", "actions": 1}):
        with pytest.raises(ValueError, match="not a payload"):
            read(nonsense)


def test_forms_fit_into_slack() -> None:
    for one in actions().values():
        if one.form is not None:
            assert all(len(one.form.title.to(language)) <= 24 for language in ("en", "zh"))
            assert len(one.form.options) <= 100
            assert all(len(label.to("en")) <= 75 for label in one.form.options.values())


def signed(body: str, at: int, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": f"v0={signature}"}


def test_only_what_slack_signed_just_now_and_only_once_is_let_in() -> None:
    gate = Gate(SECRET, lambda: 1_000_000.0)
    good = signed("body", 1_000_000)
    assert gate.admits(good, b"body")
    assert not gate.admits(good, b"body"), "a replay"
    assert not gate.admits(signed("body", 1_000_000, "other"), b"body")
    assert not gate.admits(signed("body", 1_000_001), b"other body")
    assert not gate.admits(signed("body", 999_699), b"body"), "too old"
    assert not gate.admits(signed("body", 1_000_301), b"body"), "of the future"
    assert not gate.admits({}, b"body")
    assert not gate.admits({**good, "X-Slack-Request-Timestamp": "１"}, b"body")
    assert not gate.admits({**good, "X-Slack-Signature": "v0=ä"}, b"body")
    assert gate.admits({name.lower(): value for name, value in signed("body", 1_000_002).items()}, b"body")


def test_slacks_own_example_of_a_signature() -> None:
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    given = {"X-Slack-Request-Timestamp": "1531420618", "X-Slack-Signature": expected}
    assert Gate(SECRET, lambda: 1531420620.0).admits(given, body.encode())


@pytest.fixture
def answers() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The server behind a ``response_url``, and what came there."""
    came: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/answer", came
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path, slack: FakeSlack, free_port: Callable[[], int]) -> Settings:
    """A project of two people, one of them in Slack."""
    folder = tmp_path / "metrics_catalog"
    folder.mkdir()
    people = {"departments": {}, "teams": {}, "people": {name: one.model_dump() for name, one in PEOPLE.people.items()}}
    (folder / "people.yml").write_text(json.dumps(people, default=list), encoding="utf-8")
    given = {
        "METRICS_SLACK_TOKEN": "xoxb-fake",
        "METRICS_SLACK_APP_TOKEN": "xapp-fake",
        "METRICS_SLACK_SIGNING_SECRET": SECRET,
        "METRICS_SLACK_API": f"{slack.url}api/",
        "METRICS_SLACK_PORT": str(free_port()),
    }
    return read_settings(given, project=tmp_path)


@contextmanager
def serving(settings: Settings, known: dict[str, Action]) -> Iterator[Listener]:
    listener = Listener(settings, known)
    server = http_server(settings, listener)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()


def press(settings: Settings, payload: Any, path: str = "/slack", secret: str = SECRET) -> int:
    body = payload if isinstance(payload, str) else urlencode({"payload": json.dumps(payload)})
    url = f"http://127.0.0.1:{settings.slack_port}{path}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", **signed(body, int(time.time()), secret)}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_over_http_a_press_is_done_and_answered_to_that_person_alone(
    settings: Settings, slack: FakeSlack, known: dict[str, Action], done: list[Any], answers: Any
) -> None:
    url, came = answers
    with serving(settings, known) as listener:
        assert press(settings, pressed("acknowledge", "<INC-1>", response_url=url)) == 200
        assert press(settings, pressed("acknowledge", user="U0NOBODY", response_url=url)) == 200
        assert press(settings, pressed("resolve", response_url=url)) == 200
        assert press(settings, pressed("acknowledge"), secret="wrong") == 401
        assert press(settings, pressed("acknowledge"), path="/other") == 404
        assert press(settings, "payload=nonsense") == 400
        assert press(settings, "nothing") == 400
        listener.close()
    assert [one[1] for one in done] == ["<INC-1>"]
    assert {one["response_type"] for one in came} == {"ephemeral"}
    assert sorted(one["text"][:10] for one in came) == ["You are no", "完成 &lt;INC"]
    assert [view["callback_id"] for view in slack.views] == ["metric_center"]


def test_over_socket_mode_too(settings: Settings, slack: FakeSlack, known: dict[str, Action], done: list[Any]) -> None:
    from websockets.sync.server import ServerConnection, serve

    acknowledged: list[str] = []

    def talk(connection: ServerConnection) -> None:
        connection.send(json.dumps({"type": "hello"}))
        envelope = {"envelope_id": "e1", "type": "interactive", "payload": pressed("acknowledge")}
        connection.send(json.dumps(envelope))
        acknowledged.append(json.loads(connection.recv(timeout=20))["envelope_id"])
        time.sleep(1)

    with serve(talk, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        slack.socket_url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/link"
        listener = Listener(settings, known)
        client = socket_client(settings, listener)
        given_up = threading.Event()
        timer = threading.Timer(30, given_up.set)
        timer.daemon = True
        timer.start()
        connect(client, given_up)
        deadline = time.monotonic() + 30
        while not (done and acknowledged):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        client.close()
        listener.close()
    assert done == [("lin_wei", "INC-1", Choice())]
    assert acknowledged == ["e1"]
