"""An existing dbt project, unmodified, through the command: `projects/dbt_semantic`, a teahouse with stores in three cities.

Published values are compared with SQL written by hand over its seeds, and, where MetricFlow is installed, with
MetricFlow's answer to every metric at every grain and slice.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from metrics_catalog.catalog import Catalog, load_catalog
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.query import Query
from metrics_catalog.located import Document, InvalidFiles
from metrics_catalog.project import Project
from metrics_catalog.published.answer import answer
from metrics_catalog.published.reader import Published
from metrics_catalog.report_files import ReportFile
from metrics_catalog.reporting.compose import compose
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.making import Source, make
from metrics_catalog.review.make import pack_of, scene_of
from metrics_catalog.review.page import page as review_page
from metrics_catalog.spec.report import Report
from orchestration.commands import run
from orchestration.exchange import import_dbt
from orchestration.settings import read_settings

TESTS = Path(__file__).parent
SEEDS = TESTS / "projects" / "dbt_semantic" / "seeds"

# Values by hand: metric -> SQL of (period, value), by month unless it says otherwise. Seeds are views of their names.
MONTH = "date_trunc('month', ordered_at)::date"
JOINED = "raw_orders o left join raw_customers c on c.id = o.customer_id left join raw_stores s on s.id = o.store_id"
BY_HAND = {
    "revenue": f"select {MONTH}, sum(amount) from raw_orders group by 1",
    "orders": f"select {MONTH}, count(*) from raw_orders group by 1",
    "promoted_orders": f"select {MONTH}, count(promotion) from raw_orders group by 1",
    "ordering_customers": f"select {MONTH}, count(distinct customer_id) from raw_orders group by 1",
    "food_orders": f"select {MONTH}, sum(case when category = 'food' then 1 else 0 end) from raw_orders group by 1",
    "average_order": f"select {MONTH}, avg(amount) from raw_orders group by 1",
    "largest_order": f"select {MONTH}, max(amount) from raw_orders group by 1",
    "median_order": f"select {MONTH}, quantile_cont(amount, 0.5) from raw_orders group by 1",
    "p90_order": f"select {MONTH}, quantile_cont(amount, 0.9) from raw_orders group by 1",
    "shipped_revenue": "select date_trunc('month', shipped_on)::date, sum(amount) from raw_orders where shipped_on is not null group by 1",
    "abroad_spring_revenue": f"""
        select {MONTH}, sum(amount) from {JOINED}
        where c.country <> '中国' and ordered_at >= '2024-02-01' and (o.store_id in ('s1', 's3') or s.country = 'Japan') group by 1""",
    "regulars_revenue": f"""
        select {MONTH}, sum(amount) from raw_orders
        where customer_id in (select customer_id from raw_orders group by 1 having count(*) >= 9) group by 1""",
    "food_share": f"select {MONTH}, sum(amount) filter (category = 'food') / sum(amount) from raw_orders group by 1",
    "large_order_share": f"select {MONTH}, sum((amount >= 60)::int) / count(*) from raw_orders where channel <> 'shop' group by 1",
    "revenue_growth": f"""
        with months as (select {MONTH} as month, sum(amount) as revenue from raw_orders group by 1)
        select month, revenue / lag(revenue) over (order by month) - 1 from months qualify lag(revenue) over (order by month) > 0""",
    "revenue_mtd": f"select {MONTH}, sum(amount) from raw_orders group by 1",
    "revenue_per_session": f"""
        select month, revenue / visits
        from (select {MONTH} as month, sum(amount) as revenue from raw_orders group by 1)
        join (select date_trunc('month', started_at)::date as month, count(*) as visits from raw_sessions group by 1) using (month)""",
    "stock": """
        with last as (select date_trunc('month', counted_on)::date as month, store_id, max(counted_on) as day from raw_stock group by 1, 2)
        select month, sum(units) from last join raw_stock r on r.store_id = last.store_id and r.counted_on = last.day group by 1""",
    "session_conversion_7d": """
        with sessions as (
            select distinct on (customer_id, started_at::date) customer_id, started_at::date as day
            from raw_sessions where customer_id is not null
        ),
        converted as (
            select o.id, max(s.day) as day from raw_orders o join sessions s
            on s.customer_id = o.customer_id and s.day <= o.ordered_at::date and o.ordered_at::date < s.day + 7 group by 1
        ),
        visits as (select date_trunc('month', started_at)::date as month, count(*) as base from raw_sessions group by 1)
        select month, count(id) / any_value(base) from visits join converted on date_trunc('month', day) = month group by 1""",
}  # fmt: skip
BY_HOUR = {
    "app_visits": "select date_trunc('hour', started_at), count(*) from raw_sessions where channel = 'app' group by 1",
}
BY_DAY = {
    "revenue_28d": """
        select day::date, sum(amount) from range(date '2024-01-03', date '2024-05-10', interval 1 day) days(day)
        join raw_orders on ordered_at::date <= day and ordered_at::date > day - interval 28 day group by 1""",
    "revenue_since_month_began": """
        with days as (select ordered_at::date as day, sum(amount) as revenue from raw_orders group by 1)
        select d.day, d.revenue - f.revenue from days d join days f on f.day = date_trunc('month', d.day)""",
    "revenue_not_food": """
        select day, revenue - food from (
            select ordered_at::date as day, sum(amount) as revenue, sum(amount) filter (category = 'food') as food
            from raw_orders group by 1
        ) where food is not null""",
    "revenue_not_food_or_zero": "select ordered_at::date, sum(amount) - coalesce(sum(amount) filter (category = 'food'), 0) from raw_orders group by 1",
}  # fmt: skip


@dataclass(frozen=True)
class Teahouse:
    project: Project
    catalog: Catalog
    summary: dict[str, Any]

    def values(self, metric: str, grain: Any, by: tuple[str, ...] = ()) -> dict[tuple[Any, ...], float]:
        rows = answer(Query((metric,), grain, by), self.catalog, Published(self.project.published)).table.to_pylist()
        return {
            (str(row["period"])[:19], *(row[one] for one in by)): float(row[metric])
            for row in rows
            if row[metric] is not None
        }


def metrics(*arguments: str, ends_with: int = 0) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("METRICS_")}
    command = [str(Path(sys.executable).with_name("metrics")), *arguments]
    done = subprocess.run(command, env=own, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == ends_with, done.stdout + done.stderr
    return done.stdout


def files(root: Path) -> dict[str, bytes]:
    paths = [path for path in root.rglob("*") if path.is_file() and ".metrics" not in path.parts]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def teahouse(tmp_path_factory: pytest.TempPathFactory) -> Teahouse:
    root = tmp_path_factory.mktemp("dbt") / "茶馆"
    shutil.copytree(TESTS / "projects" / "dbt_semantic", root)
    before = files(root)
    summary = json.loads(metrics("--project", str(root), "run", "--json"))
    assert files(root) == before, "a dbt project is read, not written to"
    project = Project.at(root)
    return Teahouse(project, load_catalog(project), summary)


@pytest.fixture(scope="module")
def seeds() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        for path in SEEDS.glob("*.csv"):
            con.execute(f"create view {path.stem} as select * from read_csv('{path.as_posix()}', header = true)")
        yield con


def agree(found: dict[tuple[Any, ...], float], expected: dict[tuple[Any, ...], float], of: str) -> None:
    assert set(found) == set(expected), of
    wrong = {key: (found[key], expected[key]) for key in found if abs(found[key] - expected[key]) > 0.00001}
    assert not wrong, of


def test_everything_is_published(teahouse: Teahouse) -> None:
    assert teahouse.summary["metrics_published"] == teahouse.summary["metrics"] == 31
    assert teahouse.summary["not_read"] == []
    assert teahouse.catalog.metrics["stock"].domain == "stock"


@pytest.mark.parametrize(
    ("grain", "metric"),
    [(grain, metric) for grain, some in (("month", BY_HAND), ("day", BY_DAY), ("hour", BY_HOUR)) for metric in some],
)
def test_values_by_hand(teahouse: Teahouse, seeds: duckdb.DuckDBPyConnection, grain: str, metric: str) -> None:
    rows = seeds.execute({**BY_HAND, **BY_DAY, **BY_HOUR}[metric]).fetchall()
    expected = {(str(period),): float(value) for period, value in rows if value is not None}
    agree(teahouse.values(metric, grain), expected, metric)


def test_slices_by_hand(teahouse: Teahouse, seeds: duckdb.DuckDBPyConnection) -> None:
    query = f"select {MONTH}, case when amount >= 60 then 'large' else 'small' end, s.city, sum(amount) from {JOINED} group by all"
    expected = {
        (str(period), size, city): float(value) for period, size, city, value in seeds.execute(query).fetchall()
    }
    agree(teahouse.values("revenue", "month", ("order__size", "store__city")), expected, "revenue")
    query = f"select {MONTH}, c.country, s.country, sum(amount) from {JOINED} group by all"
    rows = seeds.execute(query).fetchall()
    by_customer = {(str(month), one): 0.0 for month, one, _, _ in rows}
    for month, one, _, value in rows:
        by_customer[str(month), one] += float(value)
    agree(teahouse.values("revenue", "month", ("customer__country",)), by_customer, "revenue by customer's country")


def _oracle() -> Any:
    spec = spec_from_file_location("metricflow_oracle", TESTS / "metricflow_oracle.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(find_spec("metricflow") is None, reason="metricflow is not installed")
@pytest.mark.parametrize("exported", [False, True], ids=["as it is", "as exported"])
def test_every_value_is_metricflows(teahouse: Teahouse, exported: bool, again: Project) -> None:
    oracle, closed = _oracle(), date.fromisoformat(teahouse.summary["closed_through"])
    calendar = Calendar.of(teahouse.catalog)

    def over(grain: str, start: str) -> bool:
        return calendar.next(grain, date.fromisoformat(start[:10])) <= closed + timedelta(days=1)

    manifest = (again if exported else teahouse.project).target / "semantic_manifest.json"
    with duckdb.connect(str(teahouse.project.warehouse), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        for name, entry in teahouse.catalog.metrics.items():
            for grain in entry.spec.grains if not exported else entry.spec.grains[:1]:
                for cut in ((), *entry.spec.slices):
                    theirs = oracle.answer(con, manifest, name, grain, cut)
                    official = {key: value for key, value in theirs.items() if over(grain, key[0])}
                    agree(teahouse.values(name, grain, cut), official, f"{name} {grain} {cut}")


@pytest.fixture(scope="module")
def again(teahouse: Teahouse, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same project with what was exported in the place of its own semantic layer, parsed."""
    from orchestration.transform.runner import ensure_parsed

    root = tmp_path_factory.mktemp("exported") / "tea"
    shutil.copytree(TESTS / "projects" / "dbt_semantic", root)
    for path in (root / "models" / "marts").glob("*/*.yml"):
        path.unlink()
    metrics(
        "--project",
        str(teahouse.project.root),
        "export",
        "--format",
        "dbt",
        "-o",
        str(root / "models" / "semantic.yml"),
    )
    project = Project.at(root)
    ensure_parsed(project)
    shutil.copy(teahouse.project.columns, project.columns)
    return project


def test_exported_and_read_again_it_is_the_same(teahouse: Teahouse, again: Project) -> None:
    catalog = load_catalog(again)
    assert set(catalog.metrics) == set(teahouse.catalog.metrics)
    first, second = (formulas(one) for one in (teahouse.catalog, catalog))
    for name, formula in first.items():
        same = [term.component.key for term in second[name].terms] == [term.component.key for term in formula.terms]
        assert same, name
        assert (second[name].adds_up, second[name].from_zero) == (formula.adds_up, formula.from_zero), name
        mine, theirs = teahouse.catalog.metrics[name].spec, catalog.metrics[name].spec
        for key in ("owner", "tier", "unit", "direction", "label", "grains", "slices", "bounds", "target"):
            assert getattr(mine, key) == getattr(theirs, key), (name, key)


def test_a_second_run_has_nothing_to_do_and_a_changed_seed_is_published(teahouse: Teahouse, tmp_path: Path) -> None:
    shutil.copytree(teahouse.project.root, tmp_path / "tea")
    root = tmp_path / "tea"
    orders = root / "seeds" / "raw_orders.csv"
    settings = read_settings({}, project=root)
    assert run(settings, quiet=True).metrics_published == 0
    orders.write_text(orders.read_text("utf-8") + "900,1,s1,2024-04-11 10:00:00,,1000.00,tea,web,\n", "utf-8")
    assert run(settings, quiet=True).metrics_published > 20
    project = Project.at(root)
    before = teahouse.values("revenue", "month")[("2024-04-01",)]
    after = Teahouse(project, load_catalog(project), {}).values("revenue", "month")[("2024-04-01",)]
    assert after == pytest.approx(before + 1000)


def test_it_is_reviewed_and_reported_like_any_other(teahouse: Teahouse) -> None:
    now, month = datetime(2024, 5, 1, 8, tzinfo=UTC), date(2024, 4, 1)
    pack = pack_of(scene_of(teahouse.project, now, month), "demand")
    assert {"target/revenue/month", "duplicate/food_revenue_or_zero/food_revenue"} <= {one.key for one in pack.items}
    assert "<html" in review_page(pack, "zh")
    sections = [
        {"type": "headline", "metrics": ["revenue", "food_share"]},
        {"type": "breakdown", "metric": "revenue", "by": "customer__country"},
    ]
    spec = {"label": {"en": "Tea", "zh": "茶"}, "owner": "finance", "grain": "month", "audience": {"people": ["ann"]}}
    report = ReportFile("tea", Report.model_validate({**spec, "sections": sections}), Document("tea.yml", {}, {}))
    source = Source.of(teahouse.project)
    body = compose(Copy(make(source, report, now, month), "all", "zh"))
    revenue = teahouse.values("revenue", "month")[("2024-04-01",)]
    assert body.blocks[0].cards[0].value == f"¥{revenue:,.0f}"
    assert body.blocks[1].title == "按客户国家看营业额"
    assert len(body.blocks[1].rows) > 1
    assert body.definitions[0].description == "What customers paid."
    ended = compose(Copy(make(source, report, datetime(2025, 2, 1, 8, tzinfo=UTC), date(2025, 1, 1)), "all", "en"))
    assert [card.mark for card in ended.blocks[0].cards] == ["no data for this period"] * 2
    assert ended.banner.level == "warn"


def test_import_reports_what_is_missing_and_what_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "tea"
    shutil.copytree(TESTS / "projects" / "dbt_semantic", root)
    before = files(root)
    path = root / "models" / "marts" / "sales" / "odd.yml"
    conditions = {
        "injected": "{{ Dimension('order__size') }} = 'x' or 1 in (select 1)",
        "picked": "{{ Metric('orders', group_by=['customer']) }} > 2",
        "picked_by_stock": "{{ Metric('stock', group_by=['store']) }} > 2",
    }
    about: dict[str, Any] = {"type": "simple", "type_params": {"measure": "order_total"}}
    odd = {
        "models": [{"name": "sessions", "semantic_model": True}],
        "metrics": [{"name": name, "label": name, **about, "filter": one} for name, one in conditions.items()],
    }
    path.write_text(yaml.safe_dump(odd, sort_keys=False), "utf-8")
    report = json.loads(metrics("import-dbt", str(root), "--json", ends_with=1))
    assert len(report["metrics"]) == 32
    missing = {one["metric"]: one["missing"] for one in report["metrics"]}
    assert missing["revenue"] == []
    assert missing["orders"] == ["owner", "tier", "unit", "direction", "description"]
    told = {f"{Path(one['file']).name}:{one['line']}": one["message"] for one in report["not_read"]}
    assert "needs a newer dbt" in told["odd.yml:3"]
    assert any('"injected" is not read' in one and "not allowed" in one for one in told.values())
    assert any('"picked_by_stock" is not read' in one and '"stock" has semi_additive' in one for one in told.values())
    assert set(files(root)) == {*before, "models/marts/sales/odd.yml"}


def test_dbts_own_complaint_has_its_place(tmp_path: Path) -> None:
    root = tmp_path / "tea"
    shutil.copytree(TESTS / "projects" / "dbt_semantic", root)
    path = root / "models" / "marts" / "sales" / "metrics.yml"
    path.write_text(path.read_text("utf-8").replace("measure: order_total\n", "measure: order_totl\n", 1), "utf-8")
    with pytest.raises(InvalidFiles) as caught:
        import_dbt(root)
    [problem] = caught.value.problems
    assert problem.path == "models/marts/sales/metrics.yml"
    assert "order_totl" in path.read_text("utf-8").splitlines()[problem.line - 1]
