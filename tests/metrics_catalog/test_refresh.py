"""What changed is published, and nothing else; what is wrong is held back; an older publish can be read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.changes import Inputs
from metrics_catalog.engine.compute import build_rollups, build_values
from metrics_catalog.engine.query import Filter, InvalidQuery, Query
from metrics_catalog.engine.windows import Coverage
from metrics_catalog.outcome import PublishOutcome
from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.published.answer import answer
from metrics_catalog.published.reader import Published
from metrics_catalog.refresh import publish
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.base import Label

START = date(2024, 1, 1)
METRICS: dict[str, dict[str, Any]] = {
    "revenue": {"grains": ["day", "month"], "slices": [["store"], ["category"]]},
    "members": {"agg": "count_distinct", "expr": "member_id", "grains": ["day", "month"], "slices": [["store"]]},
    "promoted_share": {
        "type": "ratio",
        "numerator": {"model": "sales", "agg": "sum", "expr": "amount_usd", "filter": "is_promoted"},
        "denominator": "revenue",
        "grains": ["month"],
        "slices": [["category", "store"]],
    },
}


class Pipeline:
    """Loads days into the marts and publishes, as the real pipeline does."""

    def __init__(self, con: duckdb.DuckDBPyConnection, shop: Callable[..., Catalog], business_date: date) -> None:
        self.con, self.shop = con, shop
        self.load_id, self.changes = 0, list[tuple[int, date]]()
        self.missing: set[date] = set()
        self.business_date = business_date
        self.own_grains: dict[str, OwnGrain] = {}
        self.now = datetime(2024, 6, 1, tzinfo=UTC)

    def load(self, day: date, amount: int = 10, members: int = 3) -> None:
        self.load_id += 1
        self.changes.append((self.load_id, day))
        self.con.execute("delete from marts.fct_sales where sold_on = ?", [day])
        rows = [(n, 1 + n % 2, f"店{n % 2}", n, day, amount, 1, n == 0, None) for n in range(members)]
        self.con.executemany("insert into marts.fct_sales values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def catalog(self, metrics: dict[str, dict[str, Any]]) -> Catalog:
        made = self.shop(metrics)
        sources = {"model.shop.fct_sales": ("source.shop.clean.lines",)}
        models = {name: self._daily(model) for name, model in made.semantics.models.items()}
        policy = made.policy.model_copy(update={"business_date": self.business_date})
        semantics = Semantics(models, sources, dict(made.semantics.checksums), own_grains=self.own_grains)
        return Catalog(
            made.project, made.metrics, semantics, made.people, policy, made.people_document, made.policy_document
        )

    def publish(
        self, metrics: dict[str, dict[str, Any]] | None = None, versions: dict[str, int] | None = None
    ) -> PublishOutcome:
        catalog = self.catalog(METRICS if metrics is None else metrics)
        build_values(self.con, catalog)
        build_rollups(self.con, catalog)
        inputs = Inputs(
            loads={"lines": self.load_id},
            coverages={"lines": Coverage(START, frozenset(self.missing))},
            changed_since=lambda source, load: frozenset(day for number, day in self.changes if number > load),
        )
        self.now += timedelta(days=1)
        return publish(self.con, catalog, inputs, f"run-{self.now:%m%d}", self.now, versions=versions)

    def ask(self, *metrics: str, of: dict[str, dict[str, Any]] | None = None, **keys: Any) -> list[tuple[Any, ...]]:
        catalog = self.catalog(METRICS if of is None else of)
        result = answer(Query(metrics, **keys), catalog, Published(catalog.project.published))
        return [tuple(row.values()) for row in result.table.to_pylist()]

    @staticmethod
    def _daily(model: Any) -> Any:
        from dataclasses import replace

        return replace(model, replaced_by="day") if model.time else model


@pytest.fixture
def pipeline(warehouse: duckdb.DuckDBPyConnection, shop: Callable[..., Catalog]) -> Pipeline:
    made = Pipeline(warehouse, shop, date(2024, 2, 29))
    for offset in range(60):
        made.load(START + timedelta(days=offset))
    return made


def states(outcome: PublishOutcome) -> dict[str, str]:
    return {name: metric.state for name, metric in outcome.metrics.items()}


def test_first_publish_is_everything_then_nothing(pipeline: Pipeline) -> None:
    assert set(states(pipeline.publish()).values()) == {"published"}
    assert pipeline.ask("revenue", "members", grain="month") == [
        (date(2024, 1, 1), Decimal(930), Decimal(3)),
        (date(2024, 2, 1), Decimal(870), Decimal(3)),
    ]
    again = pipeline.publish()
    assert again.version is None
    assert set(states(again).values()) == {"unchanged"}


def test_a_late_day_moves_its_own_periods_only(pipeline: Pipeline) -> None:
    pipeline.publish()
    before = pipeline.ask("revenue", grain="day")
    pipeline.load(date(2024, 1, 15), amount=100)
    outcome = pipeline.publish()
    assert outcome.metrics["revenue"].periods == 2, "the day and its month"
    after = pipeline.ask("revenue", grain="day")
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [(date(2024, 1, 15), Decimal(300))]
    assert pipeline.ask("revenue", grain="month")[0] == (date(2024, 1, 1), Decimal(1200))


def test_what_was_published_can_be_read_again(pipeline: Pipeline) -> None:
    first = pipeline.publish()
    published_on = pipeline.now.date()
    pipeline.load(date(2024, 1, 15), amount=100)
    pipeline.publish()
    for as_of in (first.version, published_on):
        assert pipeline.ask("revenue", grain="month", as_of=as_of)[0][1] == Decimal(930)
        sliced = pipeline.ask("revenue", grain="month", by=("category", "store"), as_of=as_of)
        assert sum(row[-1] for row in sliced if row[0] == date(2024, 1, 1)) == Decimal(930), (
            "rollups are as of then too"
        )


def test_what_no_metric_is_sliced_by_together_is_not_stored_together(pipeline: Pipeline) -> None:
    separate = METRICS | {"promoted_share": {**METRICS["promoted_share"], "slices": [["category"]]}}
    pipeline.publish(separate)
    with pytest.raises(InvalidQuery, match='"category" and "store" are not stored together with sales'):
        pipeline.ask("revenue", of=separate, grain="month", by=("category", "store"))


def test_a_rollup_that_only_is_needed_now_is_published_whole(pipeline: Pipeline) -> None:
    pipeline.publish()
    fewer = {"revenue": METRICS["revenue"]}
    pipeline.load(date(2024, 1, 15), amount=100)
    pipeline.publish(fewer)
    where = (Filter("store", "!=", ("店9",)),)
    assert pipeline.ask("revenue", of=fewer, grain="month", where=where)[:2] == [
        (date(2024, 1, 1), Decimal(1200)),
        (date(2024, 2, 1), Decimal(870)),
    ]


def test_periods_of_a_missing_day_wait_for_it(pipeline: Pipeline) -> None:
    day = date(2024, 2, 10)
    pipeline.con.execute("delete from marts.fct_sales where sold_on = ?", [day])
    pipeline.missing = {day}
    outcome = pipeline.publish()
    assert outcome.waiting == {"lines": (day,)}
    assert [row[0] for row in pipeline.ask("revenue", grain="month")] == [date(2024, 1, 1)]
    assert [row[0] for row in pipeline.ask("revenue", grain="month", by=("category", "store"))].count(
        date(2024, 2, 1)
    ) == 0
    pipeline.missing = set()
    pipeline.load(day)
    pipeline.publish()
    assert pipeline.ask("revenue", grain="month")[1] == (date(2024, 2, 1), Decimal(870))


def test_a_day_that_closes_is_published_though_its_data_is_old(pipeline: Pipeline) -> None:
    pipeline.business_date = date(2024, 2, 28)
    pipeline.publish()
    assert len(pipeline.ask("revenue", grain="day")) == 59
    pipeline.business_date = date(2024, 2, 29)
    pipeline.publish()
    assert len(pipeline.ask("revenue", grain="day")) == 60
    assert len(pipeline.ask("revenue", grain="month")) == 2


def test_a_changed_definition_is_computed_over_all_history(pipeline: Pipeline) -> None:
    pipeline.publish()
    changed = METRICS | {"revenue": {**METRICS["revenue"], "filter": "is_promoted"}}
    outcome = pipeline.publish(changed)
    assert states(outcome) == {"revenue": "published", "members": "unchanged", "promoted_share": "published"}
    assert pipeline.ask("revenue", grain="month")[0][1] == Decimal(310)


def test_another_table_that_a_new_definition_reads_is_no_changed_code(pipeline: Pipeline) -> None:
    pipeline.publish(versions=dict.fromkeys(METRICS, 1))
    changed = METRICS | {"members": {**METRICS["members"], "filter": "category = '生鲜'"}}
    outcome = pipeline.publish(changed, versions=dict.fromkeys(METRICS, 1) | {"members": 2})
    assert outcome.metrics["members"].state == "published"
    assert outcome.metrics["members"].note == "certified members v2"


def test_a_grain_taken_away_is_no_longer_published(pipeline: Pipeline) -> None:
    pipeline.publish()
    pipeline.publish(METRICS | {"members": {**METRICS["members"], "grains": ["month"]}})
    assert pipeline.ask("members", grain="day") == []
    assert len(pipeline.ask("members", grain="month")) == 2


def test_a_metric_taken_away_leaves_history_only(pipeline: Pipeline) -> None:
    first = pipeline.publish()
    pipeline.publish({name: keys for name, keys in METRICS.items() if name != "members"})
    assert pipeline.ask("members", grain="month") == []
    assert len(pipeline.ask("members", grain="month", as_of=first.version)) == 2


def test_changed_dimension_content_moves_all_history(pipeline: Pipeline) -> None:
    pipeline.publish()
    pipeline.con.execute("update marts.dim_products set category = '冷冻' where product_id = 1")
    outcome = pipeline.publish()
    assert states(outcome)["revenue"] == "published"
    assert states(outcome)["members"] == "unchanged", "it does not look at products"
    rows = pipeline.ask("revenue", grain="month", by=("category",), where=(Filter("category", "=", ("冷冻",)),))
    assert [row[2] for row in rows] == [Decimal(620), Decimal(580)]


def test_a_new_member_costs_its_own_day(pipeline: Pipeline) -> None:
    pipeline.publish()
    pipeline.con.execute("insert into marts.dim_products values (7, 10, '宠物')")
    pipeline.load(date(2024, 2, 29), amount=20)
    pipeline.con.execute("update marts.fct_sales set product_id = 7 where sold_on = '2024-02-29' and line_id = 0")
    outcome = pipeline.publish()
    assert outcome.metrics["revenue"].periods == 2, "the day and its month"
    rows = pipeline.ask("revenue", grain="month", by=("category",), where=(Filter("category", "=", ("宠物",)),))
    assert rows == [(date(2024, 2, 1), "宠物", Decimal(20))]


def test_an_entity_whose_value_crosses_the_line_costs_its_own_days(pipeline: Pipeline) -> None:
    metrics = METRICS | {
        "lines": {"agg": "count", "expr": None, "grains": ["month"]},
        "loyal": {"filter": "metric(lines, by=member) >= 60", "grains": ["day", "month"], "slices": [["store"]]},
    }
    pipeline.con.execute("update marts.fct_sales set member_id = 7 where sold_on >= '2024-01-03' and member_id = 2")
    pipeline.publish(metrics)
    assert pipeline.ask("loyal", of=metrics, grain="month")[0][1] == 620, "members 0 and 1 bought 60 times, 7 only 58"
    pipeline.business_date = date(2024, 3, 1)
    pipeline.load(date(2024, 3, 1))
    assert pipeline.publish(metrics).metrics["loyal"].periods == 1, "the new day; nobody crossed the line"
    pipeline.business_date = date(2024, 3, 2)
    pipeline.load(date(2024, 3, 2), members=2)
    pipeline.con.execute("update marts.fct_sales set member_id = 7 where sold_on = '2024-03-02'")
    outcome = pipeline.publish(metrics).metrics["loyal"]
    assert outcome.periods == 58 + 1 + 2, "all days on which 7 bought, and their months that are over"
    assert "changed rows of lines_of_each_member" in (outcome.note or "")
    assert [row[1] for row in pipeline.ask("loyal", of=metrics, grain="month")] == [620 + 290, 870]
    pipeline.load(date(2024, 2, 1), members=2)
    assert pipeline.publish(metrics).metrics["loyal"].periods == 58 + 1 + 2, "and back again"
    assert [row[1] for row in pipeline.ask("loyal", of=metrics, grain="month")] == [620, 580]
    metrics["lines"] = {**metrics["lines"], "filter": "amount_usd > 10"}
    assert states(pipeline.publish(metrics))["loyal"] == "no data", "another inner definition: all is computed again"


def test_two_refreshes_with_values_of_entities_equal_one(pipeline: Pipeline) -> None:
    metrics = METRICS | {
        "lines": {"agg": "count", "expr": None},
        "loyal": {"filter": "metric(lines, by=member) >= 58", "grains": ["day", "month"], "slices": [["category"]]},
        "loyal_members": {
            "agg": "count_distinct", "expr": "member_id", "filter": "metric(lines, by=member) >= 58", "grains": ["month"],
        },
    }  # fmt: skip
    pipeline.publish(metrics)
    for number, day in enumerate((date(2024, 1, 5), date(2024, 2, 7), date(2024, 1, 6), date(2024, 1, 7))):
        pipeline.load(day, amount=20 + number, members=1 + number % 2)
        pipeline.publish(metrics)
    kept = [
        pipeline.ask("loyal", "loyal_members", of=metrics, grain="month"),
        pipeline.ask("loyal", of=metrics, grain="day"),
    ]
    whole = {**metrics, "loyal": {**metrics["loyal"], "grains": ["month", "day", "week"]}}
    assert pipeline.publish(whole).metrics["loyal"].periods > 60, "another definition: from the beginning"
    assert kept == [
        pipeline.ask("loyal", "loyal_members", of=whole, grain="month"),
        pipeline.ask("loyal", of=whole, grain="day"),
    ]


def test_a_key_of_two_rows_under_values_of_entities_holds_what_looks_them_up(pipeline: Pipeline) -> None:
    visits = {"model": "visits", "agg": "count", "expr": None}
    metrics = METRICS | {
        "fresh": {"filter": "category = '生鲜'", "grains": ["month"]},
        "seen": {**visits, "filter": "metric(fresh, by=store) > 1", "grains": ["day"]},
        "visits": visits,
    }
    pipeline.con.execute("insert into marts.fct_visits values (1, '店1', '2024-01-02')")
    pipeline.publish(metrics)
    pipeline.con.execute("insert into marts.dim_products values (1, 20, '重复')")
    pipeline.load(date(2024, 1, 15), amount=100)
    metrics["visits"] = {**visits, "grains": ["day", "month"]}
    metrics["seen"] = {**metrics["seen"], "grains": ["day", "month"]}
    assert {name: state for name, state in states(pipeline.publish(metrics)).items() if name in ("seen", "visits")} == {
        "seen": "held", "visits": "published",
    }  # fmt: skip


def test_a_key_of_two_rows_holds_the_metrics_of_the_mart_and_no_others(pipeline: Pipeline) -> None:
    visits = {"model": "visits", "agg": "count", "expr": None}
    metrics = METRICS | {"units": {"expr": "units", "grains": ["month"]}, "visits": visits}
    pipeline.publish(metrics)
    pipeline.con.execute("insert into marts.dim_products values (1, 20, '重复')")
    pipeline.con.execute("insert into marts.fct_visits values (1, '一店', '2024-01-02')")
    pipeline.load(date(2024, 1, 15), amount=100)
    metrics["visits"] = {**visits, "grains": ["day", "month"]}
    outcome = pipeline.publish(metrics)
    held = (*METRICS, "units")  # not by a product; but put together from rows that are stored by product
    assert states(outcome) == {**dict.fromkeys(held, "held"), "visits": "published"}
    (said,) = outcome.metrics["revenue"].reasons
    assert 'product_id "1" has more than one row of semantic model "products"' in said
    assert "marts.dim_products (models/dim_products.yml)" in said
    assert pipeline.ask("revenue", of=metrics, grain="month")[0][1] == Decimal(930), "what was published for it"
    assert pipeline.ask("units", of=metrics, grain="month")[0][1] == Decimal(93)
    with pytest.raises(InvalidQuery, match="it is held, and what is stored of it is newer"):
        pipeline.ask("units", of=metrics, grain="month", by=("category",))
    pipeline.con.execute("delete from marts.dim_products where category = '重复'")
    outcome = pipeline.publish(metrics)
    assert set(states(outcome).values()) <= {"published", "unchanged"}
    assert outcome.metrics["revenue"].note == "changed rows of lines", "what came while it was held"
    assert pipeline.ask("revenue", of=metrics, grain="month")[0][1] == Decimal(1200)
    assert sum(row[-1] for row in pipeline.ask("units", of=metrics, grain="month", by=("category",))[:2]) == Decimal(93)


def test_held_from_the_first_day_is_told_each_time(pipeline: Pipeline) -> None:
    pipeline.con.execute("insert into marts.dim_products values (1, 20, '重复')")
    only = {"revenue": METRICS["revenue"]}
    for _ in range(2):
        outcome = pipeline.publish(only)
        assert (outcome.version, states(outcome)) == (None, {"revenue": "held"})


HUGE = "cast(amount_usd as double) * 3e20"  # a day's fits decimal(28,6), a month's does not


@pytest.mark.parametrize(
    ("keys", "said"),
    [({"expr": HUGE, "grains": ["day", "month"]}, "Conversion Error"),
     ({"type": "derived", "expr": "vast * vast", "inputs": {"vast": {"metric": "large"}}, "grains": ["day"]}, "Error")],
)  # fmt: skip
def test_a_number_too_large_holds_its_metric_and_nothing_else(
    pipeline: Pipeline, keys: dict[str, Any], said: str
) -> None:
    metrics = METRICS | {"large": {"expr": HUGE, "grains": ["day"]}, "beyond": keys}
    outcome = pipeline.publish(metrics)
    assert states(outcome) == {**dict.fromkeys((*METRICS, "large"), "published"), "beyond": "held"}
    (reason,) = outcome.metrics["beyond"].reasons
    assert reason.startswith("beyond: a value cannot be: ")
    assert said in reason
    assert "decimal(28,6)" in reason
    info = Published(pipeline.catalog(metrics).project.published).at().info
    assert (info.why_held("beyond") or "").startswith("it cannot be computed: a value cannot be: ")
    assert pipeline.ask("revenue", of=metrics, grain="month")[0][1] == Decimal(930)
    assert pipeline.ask("beyond", of=metrics, grain="day") == []


def test_a_number_that_grows_too_large_keeps_what_was_published(pipeline: Pipeline) -> None:
    metrics = METRICS | {"large": {"expr": HUGE, "grains": ["day"]}}
    pipeline.publish(metrics)
    before = pipeline.ask("large", of=metrics, grain="day")
    assert len(before) == 60
    pipeline.con.execute("update marts.fct_sales set amount_usd = 1 where line_id = 0 and sold_on = '2024-01-15'")
    smaller = METRICS | {"large": {"expr": "cast(amount_usd as double) * 3e20 * units", "grains": ["month"]}}
    outcome = pipeline.publish(smaller)
    assert states(outcome)["large"] == "held"
    assert pipeline.ask("large", of=metrics, grain="day") == before


def test_values_of_entities_that_cannot_be_hold_what_looks_them_up_in_an_existing_dbt_project(
    pipeline: Pipeline,
) -> None:
    visits = {"model": "visits", "agg": "count", "expr": None}
    busy = {**visits, "filter": "metric(beyond, by=store) > 1"}
    later = {**visits, "filter": "metric(busy, by=store) > 1"}
    catalog = pipeline.catalog({"beyond": {"expr": "units * 1e22"}, "busy": busy, "later": later, "visits": visits})
    catalog = replace(catalog, project=replace(catalog.project, dbt=catalog.project.root))
    pipeline.con.execute("insert into marts.fct_visits values (1, '店1', '2024-01-02')")
    outcome = publish(pipeline.con, catalog, Inputs(), "run-1", pipeline.now)
    assert states(outcome) == {"beyond": "held", "busy": "held", "later": "held", "visits": "published"}
    assert all("decimal(28,6)" in outcome.metrics[name].reasons[0] for name in ("busy", "later"))


def test_a_mart_of_an_existing_dbt_project_that_cannot_be_summed_holds_its_metrics_only(pipeline: Pipeline) -> None:
    visits = {"model": "visits", "agg": "count", "expr": None}
    catalog = pipeline.catalog({"revenue": METRICS["revenue"], "beyond": {"expr": "units * 1e30"}, "visits": visits})
    catalog = replace(catalog, project=replace(catalog.project, dbt=catalog.project.root))
    pipeline.con.execute("insert into marts.fct_visits values (1, '一店', '2024-01-02'), (2, '一店', '2024-02-29')")
    outcome = publish(pipeline.con, catalog, Inputs(), "run-1", pipeline.now)
    assert states(outcome) == {"revenue": "held", "beyond": "held", "visits": "published"}
    assert all("Conversion Error" in outcome.metrics[name].reasons[0] for name in ("revenue", "beyond"))


def test_a_metric_that_fails_its_audit_keeps_what_was_published(pipeline: Pipeline) -> None:
    pipeline.publish()
    pipeline.load(date(2024, 1, 15), amount=100)
    catalog = pipeline.catalog(METRICS)
    pipeline.con.execute("create table keep as from marts.fct_sales")
    outcome = _publish_broken(pipeline, catalog)
    assert outcome.metrics["revenue"].state == "held"
    assert "month" in outcome.metrics["revenue"].findings[0] or "day" in outcome.metrics["revenue"].findings[0]
    assert pipeline.ask("revenue", grain="month")[0][1] == Decimal(930)
    assert pipeline.ask("members", grain="day")[14][1] == Decimal(3)
    pipeline.publish()
    assert pipeline.ask("revenue", grain="month")[0][1] == Decimal(1200), "the next good run catches up"


def _publish_broken(pipeline: Pipeline, catalog: Catalog) -> PublishOutcome:
    """Publish while one store's rows carry a value that does not add up to the total."""
    import metrics_catalog.refresh as refresh

    real = refresh.plan

    def broken(*arguments: Any) -> Any:
        made = real(*arguments)
        from dataclasses import replace

        spoiled = tuple(_spoil(query) for query in made.values)
        return replace(made, values=spoiled)

    refresh.plan = broken
    try:
        return pipeline.publish()
    finally:
        refresh.plan = real


def _spoil(query: Any) -> Any:
    import sqlglot

    text = query.sql("duckdb")
    if "'revenue' AS metric" in text and "'store' AS slice" in text:
        return sqlglot.parse_one(f"select * replace (value + 1 as value) from ({text}) x", read="duckdb")
    return query


def test_slices_nobody_published_come_from_rollups_or_are_refused(pipeline: Pipeline) -> None:
    pipeline.publish()
    rows = pipeline.ask("revenue", grain="month", by=("category", "store"))
    assert sum(row[-1] for row in rows) == Decimal(1800)
    total = pipeline.ask("revenue", grain="month", where=(Filter("category", "not in", ("生鲜",)),))
    assert [row[1] for row in total] == [Decimal(310), Decimal(290)]
    with pytest.raises(
        InvalidQuery, match="members is not published by month × category; published are day, month by total, store"
    ):
        pipeline.ask("members", grain="month", by=("category",))


def test_an_unknown_name_is_quoted_with_the_nearest(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.publish()
    with pytest.raises(InvalidQuery, match=r'there is no metric "revenu" \(did you mean "revenue"\?\)'):
        pipeline.ask("revenu", grain="month")
    with pytest.raises(InvalidQuery, match='"region" is not a dimension'):
        pipeline.ask("revenue", grain="month", by=("region",))


FISCAL: dict[str, dict[str, Any]] = {
    "revenue": {"grains": ["day", "fiscal_month"], "slices": [["store"]]},
    "members": {"agg": "count_distinct", "expr": "member_id", "grains": ["fiscal_month"]},
    "plain": {"grains": ["month"]},
}


def fiscal_months(*starts: date, until: date, print_: str = "a") -> dict[str, OwnGrain]:
    spine = Spine("model.shop.days", "marts", "days", "day", "models/days.yml")
    label = Label(en="fiscal month", zh="财月")
    return {
        "fiscal_month": OwnGrain("fiscal_month", "fm", spine, label, starts, tuple(map(str, starts)), until, print_)
    }


def test_values_of_an_own_grain_are_published_and_sliced(pipeline: Pipeline) -> None:
    starts = [date(2023, 12, 31), date(2024, 1, 28), date(2024, 2, 25), date(2024, 3, 31)]
    pipeline.own_grains = fiscal_months(*starts, until=date(2024, 5, 1))
    assert set(states(pipeline.publish(FISCAL)).values()) == {"published"}
    last = (date(2024, 1, 28), Decimal(840), Decimal(3))
    assert pipeline.ask("revenue", "members", grain="fiscal_month", of=FISCAL) == [last], (
        "from 31 December data is owed"
    )
    by_category = pipeline.ask("plain", grain="fiscal_month", by=("store",), of=FISCAL)
    assert [row[:2] for row in by_category] == [(date(2024, 1, 28), "店0"), (date(2024, 1, 28), "店1")], "from rollups"
    assert pipeline.publish(FISCAL).version is None
    pipeline.load(date(2024, 2, 3), amount=20)
    assert pipeline.publish(FISCAL).metrics["revenue"].periods == 2, "its day and its fiscal month"


def test_other_periods_are_computed_again_and_what_is_left_of_the_old_goes(pipeline: Pipeline) -> None:
    first = [date(2024, 1, 7), date(2024, 1, 28), date(2024, 3, 3)]
    pipeline.own_grains = fiscal_months(*first, until=date(2024, 5, 1))
    pipeline.publish(FISCAL)
    assert len(pipeline.ask("members", grain="fiscal_month", of=FISCAL)) == 1
    pipeline.own_grains = fiscal_months(*first, date(2024, 3, 31), until=date(2024, 6, 1))
    assert pipeline.publish(FISCAL).version is None, "more periods change none"
    other = [date(2024, 1, 10), date(2024, 1, 31), date(2024, 2, 14), date(2024, 3, 6)]
    pipeline.own_grains = fiscal_months(*other, until=date(2024, 6, 1), print_="b")
    outcome = pipeline.publish(FISCAL)
    assert states(outcome) == {"revenue": "published", "members": "published", "plain": "unchanged"}
    assert [row[0] for row in pipeline.ask("members", grain="fiscal_month", of=FISCAL)] == other[:2]
    pipeline.own_grains = {}
    pipeline.publish({"revenue": {"grains": ["day"]}})
    values = Published(pipeline.catalog(FISCAL).project.published).at()
    assert values.values(["revenue", "members"], "fiscal_month", ()).num_rows == 0


def test_a_metric_whose_time_spine_has_ended_is_held(pipeline: Pipeline) -> None:
    pipeline.own_grains = fiscal_months(date(2024, 1, 7), date(2024, 1, 28), until=date(2024, 2, 20))
    outcome = pipeline.publish(FISCAL)
    assert states(outcome) == {"revenue": "held", "members": "held", "plain": "published"}
    said = "models/days.yml: fiscal_month is known until 2024-02-19 only, where the time spine ends"
    assert said in outcome.metrics["members"].findings[0]
    with pytest.raises(InvalidQuery, match="fiscal_month is known until 2024-02-19 only"):
        pipeline.ask("plain", grain="fiscal_month", of=FISCAL)
