"""Ways to people that fail: how long they rest, when somebody is told, and that it is told once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from metrics_catalog.ops.channel_health import DOWN_AFTER, failed, pause, told, untold, ways
from metrics_catalog.ops.store import open_store, writing
from metrics_catalog.ops.tables import channel_health as table

NOW = datetime(2024, 3, 10, 8, tzinfo=UTC)


@pytest.fixture
def engine(ops_url: str) -> Iterator[sa.Engine]:
    engine = open_store(ops_url)
    yield engine
    engine.dispose()


def test_it_rests_longer_each_time_and_no_longer_than_ten_minutes(engine: sa.Engine) -> None:
    rests = []
    for number in range(1, 10):
        assert failed(engine, "slack", "gone", NOW) == number
        (way,) = ways(engine)
        assert way.until is not None
        rests.append((way.until - NOW).total_seconds())
    assert rests == [10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_it_is_told_once_that_it_went_down_and_once_that_it_came_back(engine: sa.Engine) -> None:
    for number in range(DOWN_AFTER):
        assert not list(untold(engine))
        failed(engine, "slack", f"gone {number}", NOW + timedelta(minutes=number))
    (way,) = untold(engine)
    assert (way.name, way.failures, way.since, way.error) == ("slack", DOWN_AFTER, NOW, f"gone {DOWN_AFTER - 1}")
    (way,) = untold(engine)  # whoever died before noting it has it told again
    told(engine, way)
    assert not list(untold(engine))
    failed(engine, "slack", "still", NOW)
    assert not list(untold(engine))
    with writing(engine, table) as con:
        con.execute(sa.update(table).values(failures=0, until="", error=""))
    (way,) = untold(engine)
    assert way.failures == 0
    told(engine, way)
    assert not list(untold(engine))


def test_being_asked_to_wait_is_no_failure(engine: sa.Engine) -> None:
    pause(engine, "slack", NOW + timedelta(seconds=30), "slowly", NOW)
    assert [(way.failures, way.until) for way in ways(engine)] == [(0, NOW + timedelta(seconds=30))]
    failed(engine, "slack", "gone", NOW)
    pause(engine, "slack", NOW + timedelta(seconds=40), "slowly", NOW)
    assert [(way.failures, way.error) for way in ways(engine)] == [(1, "gone")]
