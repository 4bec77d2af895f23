"""A month that others followed is reviewed by what was published and certified then, and says what changed since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from metrics_catalog.governance.record import METRIC, Record, Version
from metrics_catalog.ops.store import open_store
from metrics_catalog.published.errors import NotPublished
from metrics_catalog.published.model import PublishInfo
from metrics_catalog.published.model import Version as Publish
from metrics_catalog.review.checks import outcomes, targets
from metrics_catalog.review.make import pack_of
from metrics_catalog.review.scene import read

MARCH = {"net_sales": {"target": {"month": 1000}, "grains": ["day", "month"]}}


class History:
    """Publishes with the totals each had: (closed through, values)."""

    def __init__(self, values: Any, *publishes: tuple[date, dict[str, dict[date, float]]]) -> None:
        self._snapshots = [
            SimpleNamespace(**vars(self._one(values, number, *one))) for number, one in enumerate(publishes)
        ]

    def _one(self, values: Any, number: int, closed: date, totals: dict[str, dict[date, float]]) -> SimpleNamespace:
        at = datetime(closed.year, closed.month, closed.day, 6, tzinfo=UTC) + timedelta(days=1)
        info = PublishInfo(
            run_id=f"r{number}", published_at=at, closed_through=closed, versions={"net_sales": number + 1}
        )
        return SimpleNamespace(info=info, version=number, values=values(totals).values)

    def versions(self) -> list[Publish]:
        return [Publish(one.version, one.info) for one in self._snapshots]

    def at(self, number: int | None = None) -> Any:
        if not self._snapshots:
            raise NotPublished("nothing")
        return self._snapshots[-1 if number is None else number]


@pytest.fixture
def reviewed(scene: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """``reviewed(history, now, month)``: the scene that is read of the shop."""

    def made(history: Any, now: datetime, month: date | None = None, record: Any = None) -> Any:
        definitions = replace(scene(MARCH).definitions, record=record)
        return read(definitions, open_store(f"sqlite:///{tmp_path}/ops.db"), history, now, month)

    return made


def total(value: float) -> dict[str, dict[date, float]]:
    return {"net_sales": {date(2024, 3, 1): value}}


def test_a_past_month_is_judged_by_the_publish_that_closed_it(reviewed: Any, scene: Any) -> None:
    values = type(scene(MARCH).snapshot)
    history = History(
        values,
        (date(2024, 3, 20), {}),
        (date(2024, 3, 31), total(900)),
        (date(2024, 5, 9), {"net_sales": {date(2024, 3, 1): 1200, date(2024, 4, 1): 900}}),
    )
    now = datetime(2024, 5, 10, 8, tzinfo=UTC)
    seen = reviewed(history, now, date(2024, 3, 1))
    assert (seen.snapshot.version, seen.later.version, seen.made, seen.now) == (
        1,
        2,
        now,
        datetime(2024, 4, 1, 8, tzinfo=UTC),
    )
    (found,) = targets.found(seen)
    assert found.title["en"] == "net_sales missed its target in Mar 2024"
    assert found.evidence[0]["en"] == "Mar 2024: $900.00, target $1,000 (-10.0%). Corrected since to $1,200."
    assert found.evidence[0]["zh"].endswith("此后更正为 $1,200。")
    pack = pack_of(seen, "demand")
    assert pack.at == now, "it says when it was made"
    assert pack.unseen["en"].startswith("Values and targets are as of 1 Apr 2024; ")
    assert pack.unseen["zh"].startswith("数值与目标以2024年4月1日发布的为准；")


def test_what_came_late_is_as_it_is_now_and_the_running_month_too(reviewed: Any, scene: Any) -> None:
    values = type(scene(MARCH).snapshot)
    history = History(values, (date(2024, 3, 31), {}), (date(2024, 4, 1), total(900)))
    (found,) = targets.found(reviewed(history, datetime(2024, 4, 2, 8, tzinfo=UTC), date(2024, 3, 1)))
    assert "Corrected" not in found.evidence[0]["en"]
    seen = reviewed(history, datetime(2024, 4, 1, 8, tzinfo=UTC))
    assert (seen.snapshot.version, seen.later) == (1, None), "the first day after it, the newest is what is known"
    assert reviewed(History(values), datetime(2024, 4, 2, 8, tzinfo=UTC), date(2024, 3, 1)).snapshot is None


def test_targets_are_those_that_were_certified_then(reviewed: Any, scene: Any) -> None:
    made = scene(MARCH)
    entry, day = made.catalog.metrics["net_sales"], datetime(2024, 3, 1, tzinfo=UTC)
    text = yaml.safe_dump(
        entry.spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True), allow_unicode=True
    )
    kept = [
        Version(
            METRIC + "net_sales",
            number,
            "certified",
            entry.domain,
            entry.document.path,
            text.replace("1000", target),
            "",
            "wei",
            (),
            "",
            day,
            number,
        )
        for number, target in ((1, "800"), (2, "1000"))
    ]
    record = Record(versions={METRIC + "net_sales": tuple(kept)})
    values = type(made.snapshot)
    history = History(values, (date(2024, 3, 31), total(900)), (date(2024, 5, 9), total(900)))
    past = reviewed(history, datetime(2024, 5, 10, 8, tzinfo=UTC), date(2024, 3, 1), record)
    assert list(targets.found(past)) == [], "900 was enough then"
    assert len(list(targets.found(reviewed(history, datetime(2024, 4, 1, 8, tzinfo=UTC), None, record)))) == 1


def test_what_was_measured_later_did_not_come_out_in_that_month(scene: Any, happened: SimpleNamespace) -> None:
    later = SimpleNamespace(state="measured", closed_at=happened.now + timedelta(days=3))
    assert list(outcomes.found(scene(MARCH, decisions=(later,)))) == []
