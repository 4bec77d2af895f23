"""A small shop: two facts, two dimension tables, a few metrics; semantics made by hand so that no test needs dbt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import duckdb
import pytest
import yaml
from pydantic import TypeAdapter

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.located import Document, read
from metrics_catalog.project import Project
from metrics_catalog.semantic import Dimension, Entity, SemanticModel, Semantics
from metrics_catalog.spec.metric import Metric
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy


def semantic_model(
    name: str,
    table: str,
    time: str | None,
    entities: dict[str, tuple[str, bool]],
    dimensions: dict[str, str],
    columns: dict[str, str],
) -> SemanticModel:
    return SemanticModel(
        name=name,
        node=f"model.shop.{table}",
        schema="marts",
        table=table,
        path=f"models/{table}.yml",
        time=time,
        entities={key: Entity(key, expr, unique) for key, (expr, unique) in entities.items()},
        dimensions={key: Dimension(key, expr, key == time) for key, expr in dimensions.items()},
        columns=columns,
    )


@pytest.fixture(scope="session")
def semantics() -> Semantics:
    models = [
        semantic_model(
            "sales",
            "fct_sales",
            "sold_on",
            {"line": ("line_id", True), "product": ("product_id", False), "store": ("store_id", False), "member": ("member_id", False)},
            {"sold_on": "sold_on", "is_promoted": "is_promoted"},
            {
                "line_id": "bigint", "product_id": "bigint", "store_id": "varchar", "member_id": "bigint", "sold_on": "date",
                "amount_usd": "decimal(18,2)", "units": "bigint", "is_promoted": "boolean", "note": "varchar",
            },
        ),
        semantic_model(
            "visits",
            "fct_visits",
            "visited_on",
            {"visit": ("visit_id", True), "store": ("store_id", False)},
            {"visited_on": "visited_on"},
            {"visit_id": "bigint", "store_id": "varchar", "visited_on": "date"},
        ),
        semantic_model(
            "products", "dim_products", None, {"product": ("product_id", True), "maker": ("maker_id", False)},
            {"category": "category"}, {"product_id": "bigint", "maker_id": "bigint", "category": "varchar"},
        ),
        semantic_model(
            "makers", "dim_makers", None, {"maker": ("maker_id", True)}, {"country": "upper(country)"},
            {"maker_id": "bigint", "country": "varchar"},
        ),
    ]  # fmt: skip
    return Semantics({model.name: model for model in models})


@pytest.fixture(scope="session")
def people() -> People:
    return People.model_validate(
        {
            "departments": {"sales": {"en": "Sales", "zh": "销售部"}},
            "people": {"wang_fang": {"name": "王芳", "email": "wang.fang@example.com", "language": "zh"}},
            "teams": {
                "sales": {"label": {"en": "Sales", "zh": "销售"}, "department": "sales", "members": ["wang_fang"]}
            },
        }
    )


Shop = Callable[[dict[str, dict[str, Any]]], Catalog]


@pytest.fixture
def shop(semantics: Semantics, people: People, tmp_path: Path) -> Shop:
    """Makes a catalog of the given metrics: {name: the keys that differ from a plain daily sum of amount_usd}."""
    return lambda metrics: make_catalog(semantics, people, tmp_path, metrics)


@pytest.fixture(scope="session")
def catalogs(semantics: Semantics, people: People) -> Callable[[Path, dict[str, dict[str, Any]]], Catalog]:
    """The same, in a given folder: for what is made once for many tests."""
    return partial(make_catalog, semantics, people)


@pytest.fixture(scope="session")
def model_of() -> Callable[..., SemanticModel]:
    """Makes a semantic model of another schema than the shop's."""
    return semantic_model


@pytest.fixture(scope="session")
def catalog_over(people: People) -> Callable[[Semantics, Path, dict[str, dict[str, Any]]], Catalog]:
    """Makes a catalog over other semantics."""
    return lambda semantics, folder, metrics: make_catalog(semantics, people, folder, metrics)


def make_catalog(semantics: Semantics, people: People, folder: Path, metrics: dict[str, dict[str, Any]]) -> Catalog:
    document = Document("metrics_catalog/people.yml", {}, {})
    entries = {name: _entry(folder, name, keys) for name, keys in metrics.items()}
    return Catalog(Project.at(folder), entries, semantics, people, Policy(), document, document)


def metric_keys(name: str, keys: dict[str, Any]) -> dict[str, Any]:
    common = {
        "label": {"en": name, "zh": f"指标 {name}"}, "description": {"en": name, "zh": name}, "owner": "sales", "tier": 2, "unit": "usd",
        "direction": "up", "grains": ["day"], "type": "simple",
    }  # fmt: skip
    simple = {"model": "sales", "agg": "sum", "expr": "amount_usd"}
    made = common | (simple if keys.get("type", "simple") == "simple" else {}) | keys
    return {key: value for key, value in made.items() if value is not None}


def _entry(folder: Path, name: str, keys: dict[str, Any]) -> Entry:
    path = folder / "metrics_catalog" / "metrics" / "sales" / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(metric_keys(name, keys), allow_unicode=True, sort_keys=False), encoding="utf-8")
    document = read(path, folder)
    return Entry(name, "sales", TypeAdapter(Metric).validate_python(document.data), document)


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    """Empty marts of the shop."""
    return empty_marts(duckdb.connect())


@pytest.fixture(scope="session")
def marts() -> Callable[[], duckdb.DuckDBPyConnection]:
    """The same, as many as wanted: for what is filled once for many tests."""
    return lambda: empty_marts(duckdb.connect())


def empty_marts(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute(
        dedent("""
        create schema marts; create schema metrics;
        create table marts.fct_sales (line_id bigint, product_id bigint, store_id varchar, member_id bigint, sold_on date,
            amount_usd decimal(18,2), units bigint, is_promoted boolean, note varchar);
        create table marts.fct_visits (visit_id bigint, store_id varchar, visited_on date);
        create table marts.dim_products (product_id bigint, maker_id bigint, category varchar);
        create table marts.dim_makers (maker_id bigint, country varchar);
        insert into marts.dim_products values (1, 10, '生鲜'), (2, 10, '日用品'), (3, 20, null);
        insert into marts.dim_makers values (10, 'cn'), (20, 'us');
        """)
    )
    return con


@pytest.fixture
def publish_sales() -> Callable[[Catalog], Any]:
    """Publishes half a year of calm daily ``sales`` that dip by 60 % on 30 and 31 May and 9 June 2024."""
    import numpy as np
    import pyarrow as pa

    from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
    from metrics_catalog.published.publisher import Publisher
    from metrics_catalog.published.reader import Published

    random = np.random.default_rng(0)
    values = 1000 * (1 + 0.3 * np.sin(np.arange(180) * 2 * np.pi / 7)) * random.lognormal(0, 0.03, 180)
    values[[150, 151, 160]] *= 0.4
    first = date(2024, 1, 1)
    days = [first + timedelta(days=number) for number in range(180)]

    def publish(catalog: Catalog) -> Any:
        nothing = pa.nulls(180, pa.decimal128(28, 6))
        rows = {
            "metric": pa.array(["sales"] * 180),
            "grain": pa.array(["day"] * 180),
            "period": pa.array(days, pa.date32()),
            "slice": pa.array([""] * 180),
            "value": pa.array([Decimal(f"{value:.2f}") for value in values], pa.decimal128(28, 6)),
            "numerator": nothing,
            "denominator": nothing,
            "definition": pa.array(["d"] * 180),
        }
        info = PublishInfo("run-1", datetime(2024, 7, 1, tzinfo=UTC), days[-1])
        with Publisher(catalog.project.published).open(info) as draft:
            draft.add(pa.table(rows))
            draft.replaces([Scope("sales", "day", days[0], days[-1] + timedelta(days=1))])
            draft.audit(AuditRules())
            draft.commit()
        return Published(catalog.project.published).at()

    return publish
