from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from metrics_catalog.health import FailedCheck, ShortDay, SourceHealth
from metrics_catalog.monitoring.fact import Fact
from metrics_catalog.monitoring.source_facts import facts

NOW = datetime(2024, 3, 10, 6, tzinfo=UTC)


def load(days_ago: int, bad: int = 0, **said: object) -> SourceHealth:
    at = NOW - timedelta(days=days_ago)
    one = SourceHealth("receipts", at, f"run {days_ago}", loaded_at=at, rows=1000, quarantined=bad)
    return replace(one, **said)  # pyright: ignore[reportArgumentType]


def found(*past: SourceHealth, since: datetime | None = None) -> list[Fact]:
    return list(facts(past, NOW, since))


def kinds(*past: SourceHealth, since: datetime | None = None) -> list[str]:
    return [one.kind for one in found(*past, since=since)]


def test_a_source_in_order_says_nothing() -> None:
    assert kinds(load(1), load(0)) == []


def test_only_the_newest_health_counts_for_what_is_so_now() -> None:
    late = load(1, late=(date(2024, 3, 8),))
    assert kinds(late, load(0)) == []
    one = found(load(2), replace(late, late=(date(2024, 3, 8), date(2024, 3, 9))))[0]
    assert (one.kind, one.subject, one.days) == ("late", "receipts", (date(2024, 3, 8), date(2024, 3, 9)))
    assert one.text["en"] == "receipts: 8 Mar 2024 and 1 more day not delivered"
    assert one.text["zh"] == "receipts：2024年3月8日等2天的数据未到"
    assert one.touches(date(2024, 3, 9), date(2024, 3, 10))
    assert not one.touches(date(2024, 3, 1), date(2024, 3, 8))


def test_a_day_that_came_in_part_is_about_that_day_and_few_rows_are_said_apart() -> None:
    short = ShortDay(date(2024, 3, 9), 900, 3000, partial=True, ends="09:10", looked=("hours",))
    part, few = found(load(0, short=(short, replace(short, day=date(2024, 3, 8), partial=False))))
    assert (part.kind, part.days, few.kind, few.days) == ("partial", (short.day,), "few", (date(2024, 3, 8),))
    assert part.text["en"] == "receipts: 9 Mar 2024 came in part: 900 of usually 3,000 rows, nothing after 09:10"
    assert few.text["en"] == "receipts: 8 Mar 2024 has 900 of usually 3,000 rows, nothing after 09:10"


def test_an_overdue_load_is_stale_from_then_on() -> None:
    assert kinds(load(3, due=NOW)) == []
    assert kinds(load(3, due=NOW - timedelta(minutes=1))) == ["stale"]


def test_a_quarantine_jump_is_far_above_the_usual_share() -> None:
    usual = [load(9 - n, bad=4) for n in range(8)]
    assert kinds(*usual, load(0, bad=13)) == ["quarantine"]
    assert kinds(*usual, load(0, bad=11)) == []  # less than three times
    assert kinds(load(1), load(0, bad=5)) == []  # half a percent moves nothing
    assert (
        "1.3% of the newest rows quarantined (13/1,000), usually 0.4%" in found(*usual, load(0, bad=13))[0].text["en"]
    )


def test_a_jump_of_an_earlier_load_counts_only_since_then() -> None:
    past = [load(5), load(4), load(3, bad=100), load(2)]
    assert kinds(*past) == []
    assert kinds(*past, since=NOW - timedelta(days=3, hours=1)) == ["quarantine"]
    assert kinds(*past, since=NOW - timedelta(days=2, hours=1)) == []


def test_health_written_again_for_the_same_load_is_no_second_load() -> None:
    jump = load(1, bad=100)
    assert kinds(load(2), jump, replace(jump, at=NOW, run_id="again")) == ["quarantine"]


def test_a_check_about_rows_is_quarantine_and_one_about_the_table_failed() -> None:
    row = FailedCheck("positive", "warning", rows=3)
    table, info = FailedCheck("row_count", "warning", observed="12"), FailedCheck("hint", "info")
    one = found(load(1), load(0, failed=(row, table, info)))
    assert [(fact.kind, fact.text["en"]) for fact in one] == [("failed check", "receipts: check row_count failed (12)")]


def test_a_blocked_load_is_told_once_by_its_first_line() -> None:
    why = "receipts is not accepted: 9 of 10 rows are bad\nthe bad rows are in quarantine.receipts"
    one = found(load(0, blocked=why, failed=(FailedCheck("row_count", "critical"),)))
    assert [fact.text["en"] for fact in one] == ["receipts: its load was not accepted: 9 of 10 rows are bad"]


def test_a_jump_of_the_run_that_was_seen_already_is_not_new() -> None:
    past = [load(5), load(4), load(3, bad=100), load(2)]
    before = NOW - timedelta(days=3, minutes=1)  # what was published, a minute before the run was over
    assert [one.kind for one in facts(past, NOW, before, "run 3")] == []
    assert [one.kind for one in facts(past, NOW, before, "run 4")] == ["quarantine"]
