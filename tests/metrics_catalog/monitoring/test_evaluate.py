"""What is judged when, on a small publish: first runs, missed days, late days, restated days, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.evaluate import evaluate
from metrics_catalog.monitoring.finding import Evaluation, Series
from metrics_catalog.monitoring.memory import Memory
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published

FIRST, COUNT = date(2024, 1, 1), 130
LAST = FIRST + timedelta(days=COUNT - 1)
STORES = ("北京", "上海", None)
Shop = Callable[[dict[str, dict[str, Any]]], Catalog]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def numbers(seed: int = 0, count: int = COUNT) -> dict[str | None, np.ndarray]:
    random = np.random.default_rng(seed)
    week = 1 + 0.3 * np.sin(np.arange(count) * 2 * np.pi / 7)
    return {store: np.round(1000 * week * random.lognormal(0, 0.03, count), 2) for store in STORES}


class Shelf:
    """Publishes of one metric by day and store, and evaluations of them."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog, self.folder = catalog, folder
        self.published, self.number = Published(catalog.project.published), 0

    def publish(self, values: dict[str | None, np.ndarray], days: Iterable[int], note: str | None = None) -> None:
        days = sorted(days)
        self.number += 1
        rows: list[tuple[date, str, str | None, float]] = []
        for number in days:
            some = {store: of[number] for store, of in values.items() if not np.isnan(of[number])}
            rows += [(day(number), "store", store, value) for store, value in some.items()]
            rows += [(day(number), "", None, sum(some.values()))] if some else []
        columns = {
            "metric": pa.array(["sales"] * len(rows), pa.string()),
            "grain": pa.array(["day"] * len(rows), pa.string()),
            "period": pa.array([one[0] for one in rows], pa.date32()),
            "slice": pa.array([one[1] for one in rows], pa.string()),
            "value": pa.array([Decimal(f"{one[3]:.2f}") for one in rows], pa.decimal128(28, 6)),
            "numerator": pa.nulls(len(rows), pa.decimal128(28, 6)),
            "denominator": pa.nulls(len(rows), pa.decimal128(28, 6)),
            "definition": pa.array(["d1"] * len(rows), pa.string()),
            "store": pa.array([one[2] for one in rows], pa.string()),
        }
        info = PublishInfo(
            f"run-{self.number}",
            datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=self.number),
            day(days[-1]),
            definitions={"sales": "d1"},
            notes={"sales": note} if note else {},
        )
        with Publisher(self.catalog.project.published).open(info) as draft:
            draft.add(pa.table(columns))
            draft.replaces([Scope("sales", "day", day(days[0]), day(days[-1] + 1))])
            draft.audit(AuditRules(dimensions=frozenset({"store"})))
            draft.commit()

    def look(self, through: date, fast: bool = True, keep: bool = True) -> Evaluation:
        memory = Memory.open(self.folder)
        published = self.published if fast else None
        found = evaluate(self.catalog, self.published.at(), memory, through, published)
        if keep:
            memory.keep()
        return found


@pytest.fixture
def shelf(shop: Shop, tmp_path: Path) -> Shelf:
    keys = {"slices": [["store"]], "watch": [["store"]], "bounds": {"warn": {"below": 2000}}}
    return Shelf(shop({"sales": keys}), tmp_path / "memory")


def told(evaluation: Evaluation) -> set[tuple[str, date, tuple[Any, ...]]]:
    return {(one.rule, one.period, one.series.members) for one in evaluation.findings}


def test_the_first_time_only_the_newest_day_is_judged(shelf: Shelf) -> None:
    values = numbers()
    values["北京"][-1] = values["北京"][-40] = 100
    shelf.publish(values, range(COUNT))
    found = shelf.look(LAST)
    assert told(found) == {("anomaly", LAST, (("store", "北京"),)), ("anomaly", LAST, ())}
    assert found.through == {"day": LAST}
    assert (Series("sales", "day", (("store", None),)), "anomaly") in found.fine
    assert (Series("sales", "day", (("store", "北京"),)), "anomaly") not in found.fine
    assert (Series("sales", "day"), "bounds") in found.fine


def test_the_same_day_is_not_judged_twice(shelf: Shelf) -> None:
    values = numbers()
    values["北京"][-1] = 100
    shelf.publish(values, range(COUNT))
    assert shelf.look(LAST).findings
    assert shelf.look(LAST).findings == ()


def test_days_off_are_caught_up(shelf: Shelf) -> None:
    values = numbers()
    for back in (1, 3, 5, 7):
        values["上海"][-back] = 100
    shelf.publish(values, range(COUNT - 5))
    shelf.look(LAST - timedelta(days=5))
    shelf.publish(values, range(COUNT - 5, COUNT))
    days = {period for rule, period, members in told(shelf.look(LAST)) if members and rule == "anomaly"}
    assert days == {LAST - timedelta(days=back) for back in (0, 2, 4)}


def test_what_was_not_kept_is_judged_again(shelf: Shelf) -> None:
    values = numbers()
    values["北京"][-1] = 100
    shelf.publish(values, range(COUNT))
    assert told(shelf.look(LAST, keep=False)) == told(shelf.look(LAST)) != set()


def test_a_late_day_is_missing_and_judged_when_it_comes(shelf: Shelf) -> None:
    values = numbers()
    late = {store: of.copy() for store, of in values.items()}
    late["北京"][-2] = 50
    for of in values.values():
        of[-2] = np.nan
    shelf.publish(values, range(COUNT - 2))
    shelf.look(LAST - timedelta(days=2))
    assert told(shelf.look(LAST - timedelta(days=1))) == {("missing", LAST - timedelta(days=1), ())}
    shelf.publish(values, range(COUNT - 2, COUNT))
    found = shelf.look(LAST)
    assert told(found) == {("missing", LAST - timedelta(days=1), ())}  # it still is
    assert (Series("sales", "day"), "missing") not in found.fine
    shelf.publish(late, [COUNT - 2])
    assert ("anomaly", LAST - timedelta(days=1), (("store", "北京"),)) in told(shelf.look(LAST))
    assert told(shelf.look(LAST)) == set()


@pytest.mark.parametrize("restated", [False, True])
def test_what_was_kept_and_what_is_learnt_anew_say_the_same(shelf: Shelf, tmp_path: Path, restated: bool) -> None:
    values = numbers()
    values["上海"][-1] = 100
    shelf.publish(values, range(COUNT - 9))
    shelf.look(LAST - timedelta(days=9))
    if restated:
        values["上海"][-30:-9] *= 0.5
        shelf.publish(values, range(COUNT - 30, COUNT - 9), note="late rows")
    for number in range(COUNT - 9, COUNT - 1):
        shelf.publish(values, [number])
        shelf.look(day(number))
    shelf.publish(values, [COUNT - 1])
    anew = Shelf(shelf.catalog, tmp_path / "anew")
    fresh, kept = anew.look(LAST, fast=False), shelf.look(LAST)
    assert told(kept) == told(fresh) != set()
    for one, other in zip(kept.findings, fresh.findings, strict=True):
        assert one.score == pytest.approx(other.score, rel=1e-4)
        assert one.expected == pytest.approx(other.expected, rel=1e-4)


def test_a_store_that_opens_is_a_new_series(shelf: Shelf) -> None:
    values = numbers()
    values["北京"][: COUNT - 1] = np.nan
    shelf.publish(values, range(COUNT - 1))
    shelf.look(LAST - timedelta(days=1))
    shelf.publish(values, [COUNT - 1])
    found = shelf.look(LAST)
    assert found.too_little[Series("sales", "day", (("store", "北京"),))] == "fewer than 28 days to learn from"
    assert (Series("sales", "day", (("store", "上海"),)), "anomaly") in found.fine


@pytest.mark.parametrize("known", [45, 60, 100])
def test_days_before_the_first_value_change_nothing(
    shelf: Shelf, tmp_path: Path, known: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = numbers()
    values["上海"][-1] = 100
    shelf.publish(values, range(COUNT - known, COUNT))
    short = shelf.look(LAST)
    monkeypatch.setattr("metrics_catalog.published.snapshot.Snapshot.first", lambda self, grain: None)
    long = Shelf(shelf.catalog, tmp_path / "anew").look(LAST)
    assert told(short) == told(long) != set()
    assert [one.score for one in short.findings] == pytest.approx([one.score for one in long.findings])
    assert dict(short.too_little) == dict(long.too_little)


@pytest.mark.parametrize("damage", ["", "{", '{"through": {"day": "x"}}', '{"through": 1}'])
def test_a_damaged_memory_is_none(shelf: Shelf, damage: str) -> None:
    shelf.publish(numbers(), range(COUNT))
    shelf.look(LAST)
    for path in shelf.folder.iterdir():
        path.write_text(damage)
    assert shelf.look(LAST).judged > 0
