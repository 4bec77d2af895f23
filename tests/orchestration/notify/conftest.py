"""Servers of the channels on loopback, an outbox, and a sample of a message with everything in it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from metrics_catalog.message import (
    Attachment,
    Button,
    Buttons,
    Facts,
    Grid,
    Letter,
    Link,
    Message,
    Paragraph,
    Picture,
)
from metrics_catalog.ops import channel_health
from metrics_catalog.ops.outbox import put
from metrics_catalog.ops.store import open_store, writing
from orchestration.notify.channels import reached
from orchestration.notify.drain import Drain
from orchestration.settings import Settings, read_settings

if TYPE_CHECKING:
    from ...fake_slack import FakeSlack as FakeSlack  # noqa: TID252 the type of the `slack` fixture


@pytest.fixture
def slack(load: Callable[[str], Any]) -> Iterator[FakeSlack]:
    with load("fake_slack").slack_server() as server:
        yield server


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that failed rests for a moment, not for seconds."""
    monkeypatch.setattr(channel_health, "_SHORTEST", timedelta(seconds=0.7))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[sa.Engine]:
    """An outbox in SQLite."""
    engine = open_store(f"sqlite:///{tmp_path}/.metrics/ops.db")
    yield engine
    engine.dispose()


class Post:
    """An outbox and what empties it, with settings a test may add to."""

    def __init__(self, folder: Path, box: sa.Engine, given: Mapping[str, str]) -> None:
        self.folder, self.box, self.told = folder, box, list[str]()
        self.given = dict(given)

    @property
    def settings(self) -> Settings:
        return read_settings(self.given, project=self.folder)

    def put(self, *letters: Letter) -> int:
        from datetime import UTC, datetime

        with writing(self.box, None) as con:
            return put(con, letters, datetime.now(UTC))

    def drain(self, seconds: float = 10, **given: Any) -> Any:
        return Drain(self.box, reached(self.settings, self.told.append), **given).run(seconds)

    def rows(self) -> dict[str, Any]:
        from metrics_catalog.ops.tables import outbox

        with self.box.connect() as con:
            return {row.key: row for row in con.execute(sa.select(outbox))}


@pytest.fixture
def post(tmp_path: Path, box: sa.Engine) -> Post:
    """An outbox whose project has no channel set up."""
    return Post(tmp_path, box, {})


@pytest.fixture
def slack_post(post: Post, slack: FakeSlack) -> Post:
    """An outbox whose project has the fake Slack."""
    post.given |= {"METRICS_SLACK_TOKEN": "xoxb-fake", "METRICS_SLACK_API": f"{slack.url}api/"}
    return post


@pytest.fixture
def letter() -> Callable[..., Letter]:
    """Makes a letter: key, words for the title, and what else a letter has."""

    def make(key: str, title: str = "", channel: str = "slack", address: str = "C0ALERTS", **given: Any) -> Letter:
        parent = given.pop("parent", None)
        return Letter(key, channel, address, Message(title or key, **{"severity": 2, **given}), parent)

    return make


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63606060f80f0001040100" + "5fe5c34b0000000049454e44ae426082"
)
HOSTILE = "<!channel> *x* _y_ `z` [a](http://evil) <b>&amp;\u202e"


def everything(language: str = "en") -> Message:
    """A message with every part, in either language."""
    zh = language == "zh"
    return Message(
        "净销售额：华东区下跌 38%，数据按时到达" if zh else "Net sales: down 38% in region East, data on time",
        (
            Paragraph("真实变动：华东区门店 367 解释 82%" if zh else "Real move: store 367 explains 82%", "bad", True),
            Paragraph("未检查：促销日历" if zh else "Not checked: promotion calendar", "muted"),
            Facts(((("期间" if zh else "Period"), "2017-05-03"), (("数值" if zh else "Value"), "$1.23M"))),
            Grid(
                ("门店", "之前", "现在") if zh else ("store", "before", "now"),
                (("367 上海", "1,204", "746"), (HOSTILE, "8", "5")),
                (1, 2),
            ),
            Grid(("部门", "变动") if zh else ("department", "change"), (("食品", "-12%"),), (1,)),
            Picture("charts/net_sales.png", "最近 28 天的净销售额" if zh else "Net sales, last 28 days"),
            Link("打开指标" if zh else "Open the metric", "https://metrics.example.com/net_sales"),
            Paragraph(f"metrics alerts ack INC-12 {HOSTILE}"),
            Buttons(
                (
                    Button("确认" if zh else "Acknowledge", "acknowledge", "INC-12", True),
                    Button("解决" if zh else "Resolve", "resolve", "INC-12"),
                )
            ),
        ),
        "zh" if zh else "en",
        severity=2,
        attachments=(Attachment("reports/weekly.pdf", "weekly.pdf", "application/pdf"),),
    )


@pytest.fixture
def sample(tmp_path: Path) -> Callable[[str], Message]:
    """`everything`, with its files in the project's state."""
    for name, data in {"charts/net_sales.png": PIXEL, "reports/weekly.pdf": b"%PDF-1.4 fake"}.items():
        file = tmp_path / ".metrics" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return everything


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Finds a port nobody listens on."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture
def faults(load: Callable[[str], Any]) -> Callable[..., list[str]]:
    """What Slack would refuse of blocks."""
    return lambda blocks, files: list(load("fake_slack").faults(blocks, files))
