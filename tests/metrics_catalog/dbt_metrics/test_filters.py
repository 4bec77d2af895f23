"""dbt's filter templates in the catalog's words."""

from __future__ import annotations

import pytest

from metrics_catalog.dbt_metrics.filters import translated
from metrics_catalog.dbt_metrics.parts import NotRead
from metrics_catalog.semantic import Dimension, Entity, SemanticModel, Semantics


def model(
    name: str, entities: dict[str, Entity], dimensions: dict[str, Dimension], time: str | None = None
) -> SemanticModel:
    key = next(one.name for one in entities.values() if one.unique)
    columns = {
        "customer": "varchar",
        "order_id": "bigint",
        "customer_id": "bigint",
        "at": "timestamp",
        "country": "varchar",
    }
    return SemanticModel(name, f"model.x.{name}", "main", name, "x.yml", time, entities, dimensions, columns, key=key)


@pytest.fixture(scope="module")
def semantics() -> Semantics:
    customer = Entity("customer", "customer_id", True)
    orders = model(
        "orders",
        {"order": Entity("order", "order_id", True), "customer": Entity("customer", "customer_id", False)},
        {"at": Dimension("at", "at", True, "day"), "country": Dimension("country", "upper(country)", False)},
        "at",
    )
    customers = model("customers", {"customer": customer}, {"country": Dimension("country", "country", False)})
    return Semantics({"orders": orders, "customers": customers})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ Dimension('order__country') }} = 'CN'", "order__country = 'CN'"),
        ("{{Dimension( 'customer__country' )}} in ('a', 'b')", "customer__country in ('a', 'b')"),
        ("{{ Dimension('country', entity_path=['customer']) }} is null", "customer__country is null"),
        ("{{ Entity('customer') }} = 3", "order__customer = 3"),
        ("{{ TimeDimension('order__at', 'month') }} >= '2024-01-01'", "date_trunc('month', order__at) >= '2024-01-01'"),
        ("{{ TimeDimension('order__at') }} > '2024-01-01'", "date_trunc('day', order__at) > '2024-01-01'"),
        ("{{ Dimension('order__at').grain('year') }} > '2024-01-01'", "date_trunc('year', order__at) > '2024-01-01'"),
        ("{{ TimeDimension('metric_time', date_part_name='year') }} = 2024", "year(order__at) = 2024"),
        ("{{ Metric('spent', group_by=['customer']) }} > 5", "metric(spent, by=customer) > 5"),
        ("{{ Metric('spent', ['order__customer']) }} > 5", "metric(spent, by=customer) > 5"),
    ],
)
def test_calls(semantics: Semantics, template: str, text: str) -> None:
    assert translated([template], semantics, "orders") == text


def test_several_hold_together(semantics: Semantics) -> None:
    both = translated(["{{ Entity('order') }} = 1 or {{ Entity('order') }} = 2", "true"], semantics, "orders")
    assert both == "(order__order = 1 or order__order = 2) and (true)"


@pytest.mark.parametrize(
    "template",
    [
        "{{ TimeDimension('order__at', 'fiscal_year') }} = 1",
        "{{ Dimension('order__at').descending(True) }} = 1",
        "{{ }} = 1",
        "{{ Metric('spent') }} = 1",
        "{{ Metric('spent', 'customer') }} = 1",
        "{{ Metric('spent', ['customer', 'order']) }} = 1",
        "{{ Metric('spent', ['country']) }} = 1",
        "{{ Metric('spent, by=customer) > 0 or metric(x', ['customer']) }} = 1",
        "{{ Metric('spent', ['customer) or (1=1']) }} = 1",
        "{{ Metric('spent', ['customer']).grain('day') }} = 1",
        "metric(spent, by=customer) > (select 1)",
    ],
)
def test_what_is_not_read(semantics: Semantics, template: str) -> None:
    with pytest.raises(NotRead):
        translated([template], semantics, "orders")
