"""The banner: what is late, held, failing, redefined, restated; and that a sound issue says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from metrics_catalog.engine.periods import Span
from metrics_catalog.health import FailedCheck, SourceHealth
from metrics_catalog.monitoring.facts import Scene
from metrics_catalog.published.model import Version
from metrics_catalog.reporting.making import Source
from metrics_catalog.reporting.trust import Trust, banner, trust

WEEK = Span(date(2024, 6, 24), date(2024, 7, 1))


@pytest.fixture
def told(source: Source, room: Any) -> Any:
    def told(new: Any = None, old: Any = None, *health: SourceHealth, between: Any = ()) -> Trust:
        seen = Scene(source.definitions.official, room.NOW, new or room.info(), old, health)
        return trust(seen, ["net_sales", "discount_rate"], WEEK, between)

    return told


def texts(known: Trust, language: str = "en") -> list[str]:
    return [line.text for line in banner(known, language).lines]


def test_a_sound_issue_says_so(told: Any, room: Any) -> None:
    assert banner(told(), "en").title == "Data through 30 Jun 2024. Complete, checks passed"
    found = banner(told(None, room.info()), "zh")
    assert (found.level, found.title) == ("ok", "数据截至2024年6月30日，数据完整，校验通过，口径与上期一致")
    assert found.lines == ()


def test_days_that_a_source_owes_or_that_are_not_closed_are_late(told: Any, room: Any) -> None:
    missing = ["2024-06-20", "2024-06-29", "2024-06-30"]
    late = told(room.info(coverages={"tills": {"start": "2023-01-01", "missing": missing}}))
    assert late.is_late
    assert late.missing == {"tills": (date(2024, 6, 29), date(2024, 6, 30))}
    assert texts(late) == ["tills: 29 Jun 2024 and 1 more day not delivered"]
    assert texts(late, "zh") == ["tills：2024年6月29日等2天的数据未到"]
    early = told(replace(room.info(), closed_through=date(2024, 6, 28)))
    assert texts(early) == ["nothing is published yet of 29 Jun 2024 to 30 Jun 2024"]
    assert banner(early, "en").title.endswith("Read with care: 1 thing is not as it should be")
    other = told(room.info(coverages={"weather": {"start": "2023-01-01", "missing": missing}}))
    assert not other.is_late, "no metric of the report stands on it"


def test_held_failing_redefined_and_restated(told: Any, room: Any) -> None:
    held = room.info(held=("net_sales",), marks={"net_sales": {"why": "tax was left out", "request": "CR-4"}})
    assert texts(told(held)) == [
        "Net sales: new values are held back, the last published ones still stand: tax was left out (CR-4)"
    ]
    check = FailedCheck("row_count", "critical", None, "12")
    sick = SourceHealth("tills", datetime(2024, 7, 1, tzinfo=UTC), "run", rows=1000, quarantined=3, failed=(check,))
    assert texts(told(None, None, sick)) == [
        "tills: check row_count failed (12)",
        "3 of the 1,000 rows loaded last (0.30%) are in quarantine and not counted.",
    ]
    new, old = room.info(definitions={"net_sales": "m"}, versions={"net_sales": 2}), room.info()
    changed = banner(told(new, old), "en")
    assert changed.level == "note"
    assert [line.text for line in changed.lines] == ["the definition of net_sales changed (v1 → v2)"]


def test_restatements_of_every_publish_since_the_issue_before_are_told_once(told: Any, room: Any) -> None:
    first = Version(5, room.info(notes={"discount_rate": "late rows of tills"}))
    second = Version(6, room.info(notes={"discount_rate": "late rows of tills"}))
    assert texts(told(between=(first, second)), "zh") == ["折扣率：已发布数值有更正：tills 有迟到数据"]


def test_many_reasons_are_counted_and_not_all_said(told: Any, room: Any) -> None:
    checks = tuple(FailedCheck(f"check_{n}", "warning") for n in range(12))
    sick = SourceHealth("tills", datetime(2024, 7, 1, tzinfo=UTC), "run", failed=checks)
    assert texts(told(None, None, sick))[-1] == "And 4 more."
