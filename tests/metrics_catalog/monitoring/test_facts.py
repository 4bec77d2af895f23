from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from metrics_catalog.catalog import Catalog, load_catalog
from metrics_catalog.health import SourceHealth
from metrics_catalog.monitoring.facts import Scene, _defined, known, not_known, scene, sources_of
from metrics_catalog.published.model import PublishInfo
from metrics_catalog.published.reader import Published

NOW = datetime(2024, 3, 10, 6, tzinfo=UTC)
FACTS, PRODUCTS = "model.shop.fct_sales", "model.shop.dim_products"
RECEIPTS = "source.shop.clean.receipts"


@pytest.fixture(scope="module")
def catalog(refreshed_shop: Any) -> Catalog:
    from orchestration.settings import read_settings

    return load_catalog(read_settings({}, project=refreshed_shop).locate())


def info(days_ago: int = 0, **said: Any) -> PublishInfo:
    at = NOW - timedelta(days=days_ago)
    usual: dict[str, Any] = {
        "code": {FACTS: "a", RECEIPTS: "b", PRODUCTS: "c"},
        "definitions": {"net_sales": "n", "receipts": "r"},
        "versions": {"net_sales": 1},
    }
    return PublishInfo(f"run {days_ago}", at, date(2024, 3, 9 - days_ago), **{**usual, **said})


def told(new: PublishInfo, old: PublishInfo | None, catalog: Catalog, *health: SourceHealth) -> list[tuple[str, str]]:
    found = known(Scene(catalog, NOW, new, old, health), "net_sales")
    return [(one.kind, one.text["en"]) for one in found]


def test_a_metric_stands_on_the_sources_under_its_marts(catalog: Catalog) -> None:
    assert sources_of(catalog, "net_sales") >= {"receipts"}


def test_two_publishes_with_nothing_between_them_say_nothing(catalog: Catalog) -> None:
    assert told(info(), info(1), catalog) == []


def test_code_that_changed_says_whether_values_moved(catalog: Catalog) -> None:
    new = info(code={FACTS: "x", RECEIPTS: "y", PRODUCTS: "c"})
    kept = known(Scene(catalog, NOW, new, info(1)), "net_sales")
    assert [(one.text["zh"], one.moved) for one in kept] == [
        ("模型 fct_sales 的 SQL 已改", False),
        ("数据源 receipts 的声明或校验规则已改", False),
    ]
    moved = info(code={FACTS: "x", RECEIPTS: "b"}, notes={"net_sales": "changed code: fct_sales"})
    assert [one.moved for one in known(Scene(catalog, NOW, moved, info(1)), "net_sales") if one.kind == "code"] == [
        True
    ]


def test_code_seen_for_the_first_time_did_not_change(catalog: Catalog) -> None:
    assert told(info(code={FACTS: "a", RECEIPTS: "b", "model.shop.new": "n"}), info(1), catalog) == []


def test_a_definition_and_a_restatement(catalog: Catalog) -> None:
    new = info(definitions={"net_sales": "N"}, versions={"net_sales": 2}, notes={"net_sales": "late rows of receipts"})
    assert told(new, info(1), catalog) == [
        ("definition", "the definition of net_sales changed (v1 → v2)"),
        ("restated", "published values were restated: late rows of receipts"),
    ]
    assert told(new, None, catalog) == []


def test_what_is_held_is_known_without_a_publish_before(catalog: Catalog) -> None:
    mark = {"why": "changed code: fct_sales", "prints": "", "digest": "", "request": "CR-3"}
    held = info(held=("net_sales",), marks={"net_sales": mark})
    assert told(held, None, catalog) == [
        ("held", "new values are held back, the last published ones still stand: changed code: fct_sales (CR-3)")
    ]


def test_data_comes_before_code_and_only_days_asked_for_count(catalog: Catalog) -> None:
    late = SourceHealth("receipts", NOW, "run", late=(date(2024, 3, 9),))
    other = SourceHealth("stores", NOW, "run", late=(date(2024, 3, 9),))
    one = Scene(catalog, NOW, info(code={FACTS: "x"}), info(1), (late, other))
    assert [fact.kind for fact in known(one, "net_sales")] == ["late", "code"]
    assert [fact.kind for fact in known(one, "net_sales", date(2024, 3, 8), date(2024, 3, 9))] == ["code"]


def test_what_cannot_be_known_is_said(catalog: Catalog) -> None:
    assert not_known(Scene(catalog, NOW, info(), info(1), (SourceHealth("receipts", NOW, "run"),))) == ()
    assert not_known(Scene(catalog, NOW, info())) == ("late", "failed check", "code", "definition", "restated")


def test_the_scene_of_a_project(refreshed: Any) -> None:
    catalog = load_catalog(refreshed.project)
    now = scene(refreshed.project, catalog, NOW)
    assert now.published is not None
    assert now.published == Published(refreshed.project.published).at().info
    assert [one.kind for one in known(now, "net_sales")] == ["late"]
    assert scene(refreshed.project, catalog, NOW, since=now.published.published_at).before == now.published
    assert scene(refreshed.project, catalog, NOW, since=datetime(2020, 1, 1, tzinfo=UTC)).before is None


def test_what_differs_because_something_under_it_does_is_not_said_to_have_changed() -> None:
    parts = {"share": ["share", "net_sales"], "net_sales": ["net_sales"]}
    catalog: Any = SimpleNamespace(metrics=parts, made_of=lambda names: parts[names[0]])
    old = info(1, definitions={"share": "s", "net_sales": "n"}, versions={"share": 1, "net_sales": 1})
    new = info(definitions={"share": "S", "net_sales": "N"}, versions={"share": 1, "net_sales": 2})
    assert [one.subject for one in _defined(Scene(catalog, NOW, new, old), "share", new, old)] == ["net_sales"]
    both = info(definitions=new.definitions, versions={"share": 2, "net_sales": 2})
    assert [one.subject for one in _defined(Scene(catalog, NOW, both, old), "share", both, old)] == [
        "share",
        "net_sales",
    ]
