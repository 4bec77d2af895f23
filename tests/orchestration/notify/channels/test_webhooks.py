"""Robots and other webhooks, against servers on loopback that check signatures as the real ones do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from metrics_catalog.message import Letter

if TYPE_CHECKING:
    from ..conftest import Post  # noqa: TID252 types of fixtures

Make = Callable[..., Letter]
SECRET = "SEC秘密"


@dataclass
class Robot:
    """A webhook: what came, as (query, headers, body); ``answers``: status and JSON of the next calls."""

    url: str = ""
    came: list[tuple[dict[str, Any], dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.came]


@pytest.fixture
def robot() -> Iterator[Robot]:
    robot = Robot()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            robot.came.append((parse_qs(urlsplit(self.path).query), dict(self.headers.items()), body))
            status, answer = robot.answers.pop(0) if robot.answers else (200, {"errcode": 0, "code": 0})
            self.send_response(status)
            for name in ("Retry-After", "Location"):
                if name in answer:
                    self.send_header(name, str(answer[name]))
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    robot.url = f"http://127.0.0.1:{server.server_port}/robot/send?access_token=geheim"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield robot
    server.shutdown()
    server.server_close()


@pytest.fixture
def robots(post: Post, robot: Robot) -> Post:
    """An outbox whose variable OPS holds the robot's address and secret."""
    post.given |= {"OPS": robot.url, "OPS_SECRET": SECRET}
    return post


def _hmac(key: str, text: str) -> bytes:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()


def test_dingtalk_gets_markdown_signed_in_its_address(robots: Post, robot: Robot, letter: Make) -> None:
    robots.put(letter("INC-1", "跌了", "dingtalk", "OPS"))
    assert robots.drain().sent == 1
    query, _, body = robot.came[0]
    (at,) = query["timestamp"]
    assert query["sign"] == [base64.b64encode(_hmac(SECRET, f"{at}\n{SECRET}")).decode()]
    assert query["access_token"] == ["geheim"]
    assert json.loads(body)["markdown"]["title"] == "🟠 跌了"


def test_feishu_gets_a_card_signed_in_its_body(robots: Post, robot: Robot, letter: Make) -> None:
    robots.put(letter("INC-1", "跌了", "feishu", "OPS"))
    assert robots.drain().sent == 1
    (body,) = robot.bodies
    assert body["sign"] == base64.b64encode(_hmac(f"{body['timestamp']}\n{SECRET}", "")).decode()
    assert body["card"]["header"]["title"]["content"] == "🟠 跌了"


def test_wecom_gets_markdown(robots: Post, robot: Robot, letter: Make) -> None:
    robots.put(letter("INC-1", "跌了", "wecom", "OPS"))
    assert robots.drain().sent == 1
    assert robot.bodies[0]["markdown"]["content"] == "### 🟠 跌了"


def test_a_webhook_gets_json_with_a_key_by_which_it_knows_it_again(robots: Post, robot: Robot, letter: Make) -> None:
    robot.answers = [(500, {})]
    robots.put(letter("INC-1", channel="webhook", address="OPS"))
    assert robots.drain().sent == 1
    (_, first, _), (_, second, body) = robot.came
    assert first["Idempotency-Key"] == second["Idempotency-Key"]
    signed = f"{second['X-Metrics-Timestamp']}.{body.decode()}"
    assert second["X-Metrics-Signature"] == f"sha256={_hmac(SECRET, signed).hex()}"
    assert json.loads(body)["message"]["severity"] == 2


def test_of_an_alert_only_that_it_got_worse_is_over_or_is_back_is_sent_again(
    robots: Post, robot: Robot, letter: Make
) -> None:
    for title, given in {
        "dip": {},
        "dip, two days": {},
        "worse": {"severity": 1},
        "less bad": {"severity": 3},
        "over": {"closed": True, "severity": 3},
        "back": {"severity": 3},
    }.items():
        robots.put(letter("INC-1", title, "webhook", "OPS", **given))
        robots.drain()
    assert [body["message"]["title"] for body in robot.bodies] == ["dip", "worse", "over", "back"]
    assert robots.rows()["INC-1"].sent_edition == 6


@pytest.mark.parametrize(
    ("channel", "answer", "state"),
    [
        ("dingtalk", {"errcode": 310000, "errmsg": "sign not match"}, "waiting"),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast"}, "waiting"),
        ("dingtalk", {"errcode": 40000, "errmsg": "bad"}, "dead"),
        ("feishu", {"code": 19021, "msg": "sign match fail"}, "waiting"),
        ("feishu", {"code": 11232, "msg": "frequency limited"}, "waiting"),
        ("feishu", {"code": 9999, "msg": "bad card"}, "dead"),
        ("wecom", {"errcode": 45009, "errmsg": "freq out of limit"}, "waiting"),
        ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}, "waiting"),
        ("wecom", {"errcode": 40058, "errmsg": "too long"}, "dead"),
    ],
)
def test_robots_say_in_the_body_what_went_wrong(
    robots: Post, robot: Robot, letter: Make, channel: str, answer: dict[str, Any], state: str
) -> None:
    robot.answers = [(200, answer)]
    robots.put(letter("INC-1", channel=channel, address="OPS"))
    robots.drain(patience=0)
    row = robots.rows()["INC-1"]
    assert row.state == state
    assert "geheim" not in row.error
    assert row.error.startswith("OPS ")


@pytest.mark.parametrize(
    ("status", "state"), [(400, "dead"), (403, "waiting"), (302, "waiting"), (429, "waiting"), (503, "waiting")]
)
def test_http_says_whose_fault_it_is(robots: Post, robot: Robot, letter: Make, status: int, state: str) -> None:
    robot.answers = [(status, {"Retry-After": 30, "Location": robot.url})]
    robots.put(letter("INC-1", channel="webhook", address="OPS"))
    robots.drain(patience=0)
    assert robots.rows()["INC-1"].state == state
    assert len(robot.came) == 1


def test_one_robot_that_is_gone_holds_up_no_other(robots: Post, robot: Robot, letter: Make) -> None:
    robots.given["GONE"] = "http://127.0.0.1:1/hook"
    robots.put(*[letter(f"a-{n}", channel="webhook", address="GONE") for n in range(3)])
    robots.put(*[letter(f"b-{n}", channel="webhook", address="OPS") for n in range(3)])
    done = robots.drain(patience=0)
    assert done.sent == 3
    assert done.errors["webhook"] == "GONE cannot be reached: [Errno 111] Connection refused"
    assert {key: row.state for key, row in robots.rows().items() if key[0] == "a"} == dict.fromkeys(
        ("a-0", "a-1", "a-2"), "waiting"
    )


@pytest.mark.parametrize("given", [{}, {"OPS": "postgresql://u:geheim@h/d"}])
def test_a_variable_that_holds_no_address_is_named_and_not_shown(
    post: Post, letter: Make, given: dict[str, str]
) -> None:
    post.given |= {"METRICS_SMTP_URL": "smtp://127.0.0.1:1", **given}
    post.put(letter("INC-1", channel="webhook", address="OPS"))
    error = post.drain(patience=0).errors["webhook"]
    assert error.startswith("OPS is not")
    assert "geheim" not in error


def test_apprise_reaches_the_rest(post: Post, robot: Robot, letter: Make) -> None:
    post.given["TEAM"] = robot.url.replace("http://", "json://").partition("?")[0]
    post.put(letter("INC-1", "跌了", "apprise", "TEAM"))
    assert post.drain().sent == 1
    assert robot.bodies[0]["title"] == "🟠 跌了"
