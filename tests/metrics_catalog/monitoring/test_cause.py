"""The ladder: which of the things that are known is named first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from metrics_catalog.health import FailedCheck, ShortDay, SourceHealth
from metrics_catalog.monitoring.cause import Explained, explain
from metrics_catalog.monitoring.facts import Scene
from metrics_catalog.published.model import PublishInfo

from .conftest import DAY, NOW, finding

CODE, SOURCE = {"model.shop.fct_sales": "a", "source.shop.clean.receipts": "b"}, "receipts"
OLD = PublishInfo(
    "old",
    NOW - timedelta(days=1),
    DAY - timedelta(days=1),
    code=CODE,
    definitions={"net_sales": "d"},
    versions={"net_sales": 1},
)
NEW = replace(OLD, run_id="new", published_at=NOW, closed_through=DAY)
OTHER_CODE = {**CODE, "model.shop.fct_sales": "changed"}
HELD = {"why": "changed code: fct_sales", "prints": "", "digest": "", "request": "CR-3"}
EVENT = {"en": "Spring sale", "zh": "春季促销"}


def load(days_ago: int, **said: Any) -> SourceHealth:
    at = NOW - timedelta(days=days_ago, hours=1)
    return replace(SourceHealth(SOURCE, at, f"{days_ago}", loaded_at=at, rows=1000), **said)


FINE = (load(3), load(2), load(1))
LATE = (*FINE, load(0, late=(DAY,)))
FAILED = (*FINE, load(0, failed=(FailedCheck("row_count", "warning", observed="12"),)))
JUMP = (*FINE, load(0, quarantined=300))
MOVED = replace(NEW, code=OTHER_CODE, notes={"net_sales": "changed code: fct_sales"})
DEFINED = replace(NEW, definitions={"net_sales": "D"}, versions={"net_sales": 2})
RESTATED = replace(NEW, notes={"net_sales": "changed rows of receipts"})

LADDER = {
    "late": (NEW, LATE),
    "stale": (NEW, (*FINE, load(0, due=NOW - timedelta(hours=1)))),
    "not loaded": (NEW, (*FINE, load(0, error="refused"))),
    "failed check": (NEW, FAILED),
    "quarantine": (NEW, JUMP),
    "code": (MOVED, FINE),
    "definition": (DEFINED, FINE),
}
EXPECTED = {"stale": "late", "not loaded": "late", "failed check": "check", "quarantine": "check"}


def explained(catalog: Any, new: PublishInfo, health: tuple[SourceHealth, ...] = FINE, **said: Any) -> Explained:
    return explain(Scene(catalog, NOW, new, OLD, health), finding(**said))


@pytest.mark.parametrize("what", LADDER)
def test_what_is_known_is_named(shop_catalog: Any, what: str) -> None:
    found = explained(shop_catalog, *LADDER[what], event=EVENT)
    assert found.cause == EXPECTED.get(what, what)
    assert [fact.kind for fact in found.facts] == [what]


def test_the_first_of_many_is_named_and_the_others_are_said(shop_catalog: Any) -> None:
    both = replace(MOVED, definitions={"net_sales": "D"})
    found = explained(shop_catalog, both, (*JUMP[:-1], replace(JUMP[-1], late=(DAY,))))
    assert found.cause == "late"
    assert [fact.kind for fact in found.others] == ["quarantine", "code", "definition", "restated"]


def test_a_late_day_explains_only_periods_it_is_in(shop_catalog: Any) -> None:
    assert explained(shop_catalog, NEW, LATE, period=DAY - timedelta(days=1)).cause == "move"


def test_a_restatement_explains_only_what_was_published_before(shop_catalog: Any) -> None:
    assert explained(shop_catalog, RESTATED, period=DAY - timedelta(days=1)).cause == "restatement"
    newest = explained(shop_catalog, RESTATED)
    assert (newest.cause, [fact.kind for fact in newest.others]) == ("move", ["restated"])


def test_code_that_moved_no_published_value_is_said_but_not_blamed(shop_catalog: Any) -> None:
    found = explained(shop_catalog, replace(NEW, code=OTHER_CODE))
    assert (found.cause, [fact.kind for fact in found.others]) == ("move", ["code"])


def test_a_known_event_and_else_a_real_move(shop_catalog: Any) -> None:
    found = explained(shop_catalog, NEW, event=EVENT)
    assert (found.cause, found.subjects, found.event) == ("event", ("Spring sale",), EVENT)
    assert explained(shop_catalog, NEW).cause == "move"


def test_a_value_that_is_missing_is_held_or_late(shop_catalog: Any) -> None:
    held = replace(NEW, held=("net_sales",), marks={"net_sales": HELD})
    found = explained(shop_catalog, held, rule="missing", value=None)
    assert (found.cause, found.subjects) == ("code", ("fct_sales",))
    nobody_knows = explained(shop_catalog, NEW, rule="missing", value=None)
    assert (nobody_knows.cause, nobody_knows.subjects) == ("late", ("net_sales",))


def test_what_nothing_is_known_of_is_said(shop_catalog: Any) -> None:
    alone = explain(Scene(shop_catalog, NOW, NEW), finding())
    assert alone.unchecked == ("late", "failed check", "code", "definition", "restated")
    assert explained(shop_catalog, NEW).unchecked == ()


@pytest.mark.parametrize("what", ["stale", "not loaded", "failed check", "quarantine", "definition"])
def test_what_happened_since_does_not_explain_a_value_that_was_there_before(shop_catalog: Any, what: str) -> None:
    new, health = LADDER[what]
    before = explained(shop_catalog, new, health, period=DAY - timedelta(days=1))
    assert (before.cause, before.fresh, [fact.kind for fact in before.others]) == ("move", False, [what])


def test_a_value_that_changed_or_was_owed_is_as_good_as_new(shop_catalog: Any) -> None:
    restated = replace(DEFINED, notes={"net_sales": "its definition changed"})
    assert explained(shop_catalog, restated, period=DAY - timedelta(days=1)).cause == "definition"
    owed = {SOURCE: {"start": "2024-03-01", "missing": [str(DAY - timedelta(days=1))]}}
    scene = Scene(shop_catalog, NOW, NEW, replace(OLD, coverages=owed), JUMP)
    assert explain(scene, finding(period=DAY - timedelta(days=1))).cause == "check"


def test_a_day_that_came_in_part_is_late_and_one_with_few_rows_everywhere_is_not(shop_catalog: Any) -> None:
    short = ShortDay(DAY, 900, 3000, partial=True, ends="09:10", looked=("hours",))
    assert explained(shop_catalog, NEW, (*FINE, load(0, short=(short,)))).cause == "late"
    few = replace(short, partial=False, ends=None)
    found = explained(shop_catalog, NEW, (*FINE, load(0, short=(few,))))
    assert (found.cause, [fact.kind for fact in found.others]) == ("move", ["few"])
    assert (
        explained(shop_catalog, NEW, (*FINE, load(0, short=(short,))), period=DAY - timedelta(days=1)).cause == "move"
    )


def test_a_restatement_is_of_the_periods_that_changed(shop_catalog: Any) -> None:
    two, one = DAY - timedelta(days=2), DAY - timedelta(days=1)
    restated = replace(RESTATED, restated={"net_sales": {"day": (str(one), str(one))}})
    assert explained(shop_catalog, restated, period=one).cause == "restatement"
    other = explained(shop_catalog, restated, period=two)
    assert (other.cause, other.fresh) == ("move", False)


def test_a_definition_explains_only_periods_that_have_it(shop_catalog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from metrics_catalog.monitoring import cause

    monkeypatch.setattr(cause, "definitions", lambda *_: [(DAY + timedelta(days=1), None), (date.min, None)])
    before = explained(shop_catalog, DEFINED)
    assert (before.cause, [fact.kind for fact in before.others]) == ("move", ["definition"])
    monkeypatch.setattr(cause, "definitions", lambda *_: [(DAY, None), (date.min, None)])
    assert explained(shop_catalog, DEFINED).cause == "definition"
