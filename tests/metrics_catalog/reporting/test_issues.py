"""Issues: each period and copy once, kept as it was; late data, failing renderers, missed schedules."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from metrics_catalog.engine.periods import Calendar
from metrics_catalog.ops.store import open_store, reading
from metrics_catalog.ops.tables import outbox
from metrics_catalog.reporting import issues, shelf
from metrics_catalog.reporting.issues import deliver, wants_another_try
from metrics_catalog.reporting.making import Source, last_period


@pytest.fixture
def engine(source: Source) -> Any:
    engine = open_store(source.project.ops)
    yield engine
    engine.dispose()


def letters(engine: Any) -> list[Any]:
    with reading(engine) as con:
        return list(con.execute(sa.select(outbox).order_by(outbox.c.key)))


def late(source: Source, room: Any) -> Source:
    """The same where the till of the last day has not delivered."""
    snapshot: Any = source.published.at()
    missing = room.info(coverages={"tills": {"start": "2023-01-01", "missing": ["2024-06-30"]}})
    published: Any = room.InMemory(replace(snapshot, info=missing))
    return replace(source, published=published)


def test_each_copy_is_made_and_told_once(source: Source, engine: Any, weekly: Any, room: Any) -> None:
    first = deliver(source, engine, weekly, room.NOW)
    assert (first.made, first.already, first.letters, first.errors) == (2, 0, 2, [])
    again = deliver(source, engine, weekly, room.NOW + timedelta(hours=1))
    assert (again.made, again.already, again.letters) == (0, 2, 0)
    told = letters(engine)
    assert [(one.channel, one.address, one.edition) for one in told] == [
        ("email", "ann@example.com", 1),
        ("slack", "U1", 1),
    ]
    message = json.loads(told[1].message)
    assert message["language"] == "zh"
    for one in (*message["attachments"], *(part for part in message["parts"] if part["part"] == "Picture")):
        assert (source.project.state / one["file"]).is_file()


def test_an_issue_opens_as_it_was_sent_whatever_comes_after(
    source: Source, engine: Any, weekly: Any, room: Any
) -> None:
    deliver(source, engine, weekly, room.NOW)
    (row,) = [one for one in shelf.rows(engine, "weekly", room.LAST) if one.data["language"] == "en"]
    page = shelf.file_of(source.project, row, "html")
    assert page is not None
    before = page.read_bytes()
    snapshot: Any = source.published.at()
    snapshot.rows["net_sales", "week", ()][-1] = (room.LAST, (), 1, None, None)
    deliver(source, engine, weekly, room.NOW + timedelta(hours=2))
    assert page.read_bytes() == before
    assert shelf.body_of(source.project, row)["blocks"][0]["cards"][0]["value"] == "$42.8K"
    assert shelf.last_version(engine, "weekly", room.LAST + timedelta(days=7)) == 7


def test_a_copy_for_each_member_somebody_answers_for(source: Source, engine: Any, per_store: Any, room: Any) -> None:
    done = deliver(source, engine, per_store, room.NOW)
    assert (done.made, done.letters) == (2, 2)
    assert {row.audience for row in shelf.rows(engine)} == {"store=静安", f"store={room.HOSTILE}"}
    for row in shelf.rows(engine):
        page = shelf.file_of(source.project, row, "html")
        assert page is not None
        assert "<script" not in page.read_text("utf-8")


def test_late_data_is_sent_with_a_banner_by_default(source: Source, engine: Any, weekly: Any, room: Any) -> None:
    done = deliver(late(source, room), engine, weekly, room.NOW)
    assert done.made == 2
    assert "Read with care" in letters(engine)[0].message
    assert all(row.data["late"] for row in shelf.rows(engine))


def test_late_data_is_waited_for_and_not_for_ever(source: Source, engine: Any, weekly: Any, room: Any) -> None:
    waits = room.report_file(room.REPORT, on_late="wait", wait_hours=6)
    done = deliver(late(source, room), engine, waits, room.NOW)
    assert (done.made, done.waiting) == (0, "data is late: tills of 2024-06-30")
    assert letters(engine) == []
    row, spec = shelf.unfinished(engine)[0], waits.spec
    assert not wants_another_try(row, 7, spec, room.NOW + timedelta(hours=5))
    assert wants_another_try(row, 8, spec, room.NOW + timedelta(hours=1)), "something was published since"
    assert wants_another_try(row, 7, spec, room.NOW + timedelta(hours=6))
    assert deliver(late(source, room), engine, waits, room.NOW + timedelta(hours=6)).made == 2
    assert "Read with care" in letters(engine)[0].message
    assert shelf.unfinished(engine) == []


def test_a_copy_for_each_member_waits_too_while_late_data_hides_all_members(
    source: Source, engine: Any, per_store: Any, room: Any
) -> None:
    snapshot: Any = source.published.at()
    cut = ("net_sales", "week", ("store",))
    before = [one for one in snapshot.rows[cut] if one[0] < room.LAST]
    came = [one for one in snapshot.rows[cut] if one[0] == room.LAST and one[1] != ("静安",)]
    snapshot.rows[cut] = before
    first = deliver(late(source, room), engine, per_store, room.NOW)
    assert (first.made, first.waiting) == (0, "data is late: tills of 2024-06-30")
    assert {row.audience for row in shelf.unfinished(engine)} == {"store=静安", f"store={room.HOSTILE}"}
    snapshot.rows[cut] = [*before, *came]
    done = deliver(source, engine, per_store, room.NOW + timedelta(hours=1))
    assert (done.made, done.letters, done.waiting) == (1, 1, None)
    assert {row.audience: row.state for row in shelf.rows(engine)} == {
        f"store={room.HOSTILE}": "made",
        "store=静安": "skipped",  # it sold nothing that week
    }
    assert shelf.unfinished(engine) == [], "nothing is tried for ever"


def test_data_that_came_ends_the_wait_and_held_waits_for_ever(source: Source, engine: Any, room: Any) -> None:
    holds = room.report_file(room.REPORT, on_late="hold")
    assert deliver(late(source, room), engine, holds, room.NOW).waiting is not None
    assert deliver(late(source, room), engine, holds, room.NOW + timedelta(days=6)).waiting is not None
    assert deliver(source, engine, holds, room.NOW + timedelta(days=6)).made == 2


def test_after_missed_weeks_only_the_last_issue_is_made(source: Source, engine: Any, room: Any) -> None:
    holds = room.report_file(room.REPORT, on_late="hold")
    policy = source.policy.model_copy(update={"business_date": date(2024, 6, 9)})
    catalog = replace(source.definitions.official, policy=policy)
    earlier = replace(source, definitions=replace(source.definitions, official=catalog))
    snapshot: Any = source.published.at()
    early: Any = room.InMemory(replace(snapshot, info=replace(room.info(), closed_through=date(2024, 6, 8))))
    assert deliver(replace(earlier, published=early), engine, holds, room.NOW - timedelta(days=21)).waiting is not None
    done = deliver(source, engine, holds, room.NOW)
    assert (done.period, done.made) == (room.LAST, 2)
    states = {(row.period.isoformat(), row.state) for row in shelf.rows(engine)}
    assert states == {("2024-06-03", "skipped"), ("2024-06-24", "made")}


def test_a_failing_renderer_is_said_retried_and_then_gone_without(
    source: Source, engine: Any, weekly: Any, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(body: Any) -> bytes:
        raise RuntimeError("no fonts")

    monkeypatch.setitem(issues._RENDERERS, "pdf", broken)
    for hour in range(2):
        done = deliver(source, engine, weekly, room.NOW + timedelta(hours=hour))
        assert (done.made, len(done.errors)) == (0, 2)
        assert "pdf: RuntimeError: no fonts" in done.errors[0]
    row = shelf.unfinished(engine)[0]
    assert not wants_another_try(row, 7, weekly.spec, row.at + timedelta(minutes=9))
    assert wants_another_try(row, 7, weekly.spec, row.at + timedelta(minutes=10))
    done = deliver(source, engine, weekly, room.NOW + timedelta(hours=2))
    assert (done.made, done.errors) == (2, [])
    assert "The PDF could not be made: RuntimeError: no fonts" in letters(engine)[0].message


def test_a_page_that_cannot_be_made_is_never_sent_without(
    source: Source, engine: Any, weekly: Any, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(body: Any) -> bytes:
        raise RuntimeError("no template")

    monkeypatch.setitem(issues._RENDERERS, "html", broken)
    for _ in range(4):
        assert deliver(source, engine, weekly, room.NOW).made == 0
    assert letters(engine) == []


def test_before_anything_is_published_it_waits(source: Source, engine: Any, weekly: Any, room: Any) -> None:
    nothing: Any = room.InMemory(None)
    done = deliver(replace(source, published=nothing), engine, weekly, room.NOW)
    assert (done.made, done.waiting) == (0, "nothing has been published yet")


def test_two_at_once_make_it_once(source: Source, engine: Any, weekly: Any, room: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: deliver(source, engine, weekly, room.NOW), range(2)))
    assert sorted(one.made for one in done) == [0, 2]
    assert len(letters(engine)) == 2


@pytest.mark.parametrize(
    ("grain", "through", "first"),
    [
        ("day", date(2024, 2, 29), date(2024, 2, 29)),
        ("week", date(2024, 6, 30), date(2024, 6, 24)),
        ("week", date(2024, 6, 29), date(2024, 6, 17)),
        ("month", date(2024, 6, 30), date(2024, 6, 1)),
        ("quarter", date(2024, 6, 29), date(2024, 1, 1)),
        ("year", date(2024, 6, 30), date(2023, 1, 1)),
    ],
)
def test_an_issue_is_about_the_last_period_that_is_over(grain: Any, through: date, first: date) -> None:
    assert last_period(Calendar(), grain, through) == first


def test_a_report_that_nobody_is_to_get_says_so(source: Source, engine: Any, room: Any) -> None:
    lonely = room.report_file(room.REPORT, audience={"people": ["gone"]})
    assert deliver(source, engine, lonely, room.NOW).waiting == "nobody of people.yml is to get it"
