"""REST: paging, credentials, patience with 429 and 503, a source that breaks half-way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from orchestration.ingest.result import SourceError, SourceUnavailable

if TYPE_CHECKING:
    from conftest import Room

    from orchestration.ingest.spec import AnySource

COLUMNS = {"id": "bigint", "name": "varchar", "extra": {"type": "json", "optional": True}, "updated_at": "timestamp"}
PAGE = 3


@dataclass(frozen=True)
class Asked:
    """One request the server got."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Answer:
    """What the server says; ``cut`` breaks the connection within the body."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Api:
    """A local API: records on pages of three, and answers a test puts in front of them."""

    url: str
    records: list[dict[str, Any]]
    asked: list[Asked] = field(default_factory=list)
    first: list[Answer] = field(default_factory=list)
    broken_from: int | None = None

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.first:
            return self.first.pop(0)
        if self.broken_from is not None and int(asked.query.get("page", 1)) >= self.broken_from:
            return Answer({"error": "broken"}, 503, {"Retry-After": "0"})
        return PATHS[asked.path](self, asked.query)

    def page(self, start: int) -> list[dict[str, Any]]:
        return self.records[start : start + PAGE]

    def by_number(self, query: dict[str, str]) -> Answer:
        since = query.get("since", "")
        wanted = [record for record in self.records if str(record["updated_at"]) >= since]
        start = (int(query.get("page", 1)) - 1) * PAGE
        return Answer({"data": {"items": wanted[start : start + PAGE]}})

    def by_offset(self, query: dict[str, str]) -> Answer:
        return Answer({"data": {"items": self.page(int(query["offset"]))}, "total": len(self.records)})

    def by_cursor(self, query: dict[str, str]) -> Answer:
        start = int(query.get("cursor", 0))
        following = str(start + PAGE) if start + PAGE < len(self.records) else None
        return Answer({"data": {"items": self.page(start)}, "meta": {"next": following}})

    def by_link(self, query: dict[str, str]) -> Answer:
        start = int(query.get("from", 0))
        following = f"{self.url}/link?from={start + PAGE}" if start + PAGE < len(self.records) else None
        return Answer({"data": {"items": self.page(start)}, "next": following})

    def by_header(self, query: dict[str, str]) -> Answer:
        start = int(query.get("from", 0))
        more = start + PAGE < len(self.records)
        headers = {"Link": f'<{self.url}/header?from={start + PAGE}>; rel="next"'} if more else {}
        return Answer({"data": {"items": self.page(start)}}, headers=headers)

    def bare(self, _query: dict[str, str]) -> Answer:
        return Answer(self.records)


PATHS: dict[str, Callable[[Api, dict[str, str]], Answer]] = {
    "/number": Api.by_number,
    "/offset": Api.by_offset,
    "/cursor": Api.by_cursor,
    "/link": Api.by_link,
    "/header": Api.by_header,
    "/bare": Api.bare,
}


def _handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            answer = api.answer(Asked(parts.path, query, dict(self.headers)))
            body = answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if answer.cut else body)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the name is the library's
            return

    return Handler


@pytest.fixture
def api() -> Iterator[Api]:
    records = [{"id": n, "name": f"门店{n}", "updated_at": f"2024-03-{n:02}T08:00:00"} for n in range(1, 9)]
    api = Api("", records)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield api
    server.shutdown()
    server.server_close()
    thread.join()


def stores(room: Room, api: Api, path: str = "number", **changes: Any) -> AnySource:
    declared = {
        "kind": "rest",
        "url": f"{api.url}/{path}",
        "records": "data.items",
        "paginate": {"type": "page_number"},
        "columns": COLUMNS,
    }
    return room.declare("stores", declared | changes)


IDS = "SELECT list(id ORDER BY id) FROM source.stores"
ALL = [([1, 2, 3, 4, 5, 6, 7, 8],)]


@pytest.mark.parametrize(
    ("path", "paginate"),
    [
        ("number", {"type": "page_number"}),
        ("offset", {"type": "offset", "limit": PAGE}),
        ("offset", {"type": "offset", "limit": PAGE, "total": "total"}),
        ("cursor", {"type": "cursor", "next": "meta.next"}),
        ("link", {"type": "next_link"}),
        ("header", {"type": "header_link"}),
    ],
)
def test_every_page_is_read(room: Room, api: Api, path: str, paginate: dict[str, Any]) -> None:
    spec = stores(room, api, path, paginate=paginate)
    assert room.load(spec).rows_loaded == 8
    assert room.rows(IDS) == ALL
    assert room.rows("SELECT name, updated_at, _source_file FROM source.stores WHERE id = 1") == [
        ("门店1", datetime(2024, 3, 1, 8), ".rest/stores.jsonl")
    ]


def test_the_same_answer_again_changes_nothing(room: Room, api: Api) -> None:
    spec = stores(room, api)
    room.load(spec)
    before = room.state()
    assert not room.load(spec).changed
    api.records.reverse()
    assert not room.load(spec).changed
    assert room.state() == before
    api.records.pop()
    result = room.load(spec)
    assert (result.rows_loaded, result.rows_deleted) == (7, 8)


def test_an_answer_may_be_the_list_itself(room: Room, api: Api) -> None:
    room.load(stores(room, api, "bare", records="$", paginate={"type": "none"}))
    assert room.rows(IDS) == ALL


def test_incremental_asks_from_the_cursor_less_the_lag(room: Room, api: Api) -> None:
    incremental = {
        "load": "incremental",
        "cursor": "updated_at",
        "lag": "2 days",
        "key": ["id"],
        "since_param": "since",
    }
    spec = stores(room, api, **incremental)
    assert room.load(spec).rows_loaded == 8
    assert "since" not in api.asked[0].query
    api.asked.clear()
    api.records += [{"id": 2, "name": "改名", "updated_at": "2024-03-09T08:00:00"}]
    result = room.load(spec)
    assert api.asked[0].query["since"] == "2024-03-06T08:00:00"
    assert (result.rows_read, result.rows_loaded, result.rows_deleted) == (4, 1, 1)
    assert room.rows("SELECT name FROM source.stores WHERE id = 2") == [("改名",)]
    assert not room.load(spec).changed


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "bearer", "token_env": "TOKEN"}, "Authorization", "Bearer s3cret"),
        ({"type": "api_key", "token_env": "TOKEN", "header": "X-Key"}, "X-Key", "s3cret"),
        ({"type": "basic", "username_env": "NAME", "password_env": "TOKEN"}, "Authorization", "Basic ZXRsOnMzY3JldA=="),
    ],
)
def test_credentials_are_sent(room: Room, api: Api, auth: dict[str, str], header: str, value: str) -> None:
    room.secrets |= {"TOKEN": "s3cret", "NAME": "etl"}
    room.load(stores(room, api, auth=auth, params={"区域": "华东"}))
    assert {asked.headers[header] for asked in api.asked} == {value}
    assert {asked.query["区域"] for asked in api.asked} == {"华东"}


def test_429_503_and_a_cut_answer_are_tried_again(room: Room, api: Api) -> None:
    soon = {"Retry-After": "0"}
    api.first = [Answer({}, 429, soon), Answer({}, 503, soon), Answer({"data": {"items": []}}, cut=True)]
    room.load(stores(room, api))
    assert room.rows(IDS) == ALL


def test_retry_after_is_obeyed(room: Room, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    api.first = [Answer({}, 429, {"Retry-After": "7"})]
    room.load(stores(room, api))
    assert slept == [7]


def test_a_source_that_fails_half_way_changes_nothing(room: Room, api: Api) -> None:
    spec = stores(room, api, retries=1)
    room.load(spec)
    landed = (room.project.landing / ".rest" / "stores.jsonl").read_text(encoding="utf-8")
    before = room.state()
    api.records[0]["name"] = "改"
    api.broken_from = 2
    with pytest.raises(
        SourceUnavailable, match=r"stores: http://127\.0\.0\.1:\d+/number answered 503, 1 retries later too"
    ):
        room.load(spec)
    assert room.state() == before
    assert (room.project.landing / ".rest" / "stores.jsonl").read_text(encoding="utf-8") == landed
    api.broken_from = None
    assert room.load(spec).rows_loaded == 8
    assert room.rows("SELECT name FROM source.stores WHERE id = 1") == [("改",)]


def test_what_the_declaration_got_wrong_is_said(room: Room, api: Api) -> None:
    with pytest.raises(SourceError, match=r'has no "data.rows"; set records:'):
        room.load(stores(room, api, records="data.rows"))
    api.first = [Answer({}, 401)]
    with pytest.raises(SourceError, match=r"answered 401; check url, params and auth"):
        room.load(stores(room, api))
    api.first = [Answer("<html>login</html>")]
    with pytest.raises(SourceError, match=r"did not answer JSON"):
        room.load(stores(room, api))
    api.first = [Answer({"data": {"items": [1, 2]}})]
    with pytest.raises(SourceError, match=r".rest/stores.jsonl:1 is not a JSON object"):
        room.load(stores(room, api))


def test_credentials_never_follow_a_link_to_another_host(room: Room, api: Api) -> None:
    api.first = [Answer({"data": {"items": [{"id": 1}]}, "next": "http://localhost:9/link?from=3"})]
    with pytest.raises(SourceError, match=r"is on another host"):
        room.load(stores(room, api, "link", paginate={"type": "next_link"}))
    assert len(api.asked) == 1


def test_nobody_there_is_unavailable(room: Room, api: Api) -> None:
    api.url = "http://127.0.0.1:1"
    with pytest.raises(
        SourceUnavailable, match=r"stores: http://127.0.0.1:1/number cannot be reached: ConnectionError"
    ):
        room.load(stores(room, api, retries=0))
