"""The 34 metrics of the engine's benchmarks, and the cumulative ones beside them, as metric files would say them.

`catalog` makes a catalog of them in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.located import Document
from metrics_catalog.project import Project
from metrics_catalog.semantic import Dimension, Entity, SemanticModel, Semantics
from metrics_catalog.spec.metric import Metric
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

Keys = Mapping[str, Any]
SLICES: tuple[tuple[str, ...], ...] = ((), ("store",), ("region",), ("category",), ("region", "category"))
GRAINS = ("day", "week", "month")


def _lines(agg: str, expr: str | None = None, where: str | None = None) -> dict[str, Any]:
    keys = {"type": "simple", "model": "lines", "agg": agg, "expr": expr, "filter": where}
    return {key: value for key, value in keys.items() if value is not None}


def _ratio(numerator: str, denominator: str) -> dict[str, Any]:
    return {"type": "ratio", "numerator": numerator, "denominator": denominator}


def _derived(expr: str, grains: Iterable[str] = GRAINS, **inputs: Any) -> dict[str, Any]:
    return {"type": "derived", "expr": expr, "inputs": inputs, "grains": list(grains)}


def _before(metric: str, grain: str) -> dict[str, Any]:
    return {"metric": metric, "offset": f"1 {grain}"}


METRICS: dict[str, dict[str, Any]] = {
    "net_sales": _lines("sum", "paid_amount"),
    "gross_sales": _lines("sum", "list_amount"),
    "cost": _lines("sum", "cost_amount"),
    "units": _lines("sum", "quantity"),
    "discounts": _lines("sum", "list_amount - paid_amount"),
    "promoted_sales": _lines("sum", "paid_amount", "is_promoted"),
    "private_label_sales": _lines("sum", "paid_amount", "is_private_label"),
    "online_sales": _lines("sum", "paid_amount", "channel = 'online'"),
    "member_sales": _lines("sum", "paid_amount", "member_id is not null"),
    "fresh_sales": _lines("sum", "paid_amount", "category = 'category_03'"),
    "line_count": _lines("count"),
    "promoted_lines": _lines("count", None, "is_promoted"),
    "bulk_lines": _lines("count", None, "quantity >= 5"),
    "smallest_line": _lines("min", "paid_amount"),
    "largest_line": _lines("max", "paid_amount"),
    "average_line": _lines("average", "paid_amount"),
    "average_units": _lines("average", "quantity"),
    "median_line": _lines("median", "paid_amount"),
    "order_count": _lines("count_distinct", "order_id"),
    "online_orders": _lines("count_distinct", "order_id", "channel = 'online'"),
    "active_members": _lines("count_distinct", "member_id"),
    "promoted_members": _lines("count_distinct", "member_id", "is_promoted"),
    "active_skus": _lines("count_distinct", "product_id"),
    "discount_rate": _ratio("discounts", "gross_sales"),
    "promoted_share": _ratio("promoted_sales", "net_sales"),
    "private_label_share": _ratio("private_label_sales", "net_sales"),
    "average_order": _ratio("net_sales", "order_count"),
    "units_per_order": _ratio("units", "order_count"),
    "sales_per_member": _ratio("member_sales", "active_members"),
    "promoted_member_share": _ratio("promoted_members", "active_members"),
    "gross_profit": _derived("net - spent", net={"metric": "net_sales"}, spent={"metric": "cost"}),
    "gross_margin": _derived("(net - spent) / net", net={"metric": "net_sales"}, spent={"metric": "cost"}),
    "week_growth": _derived(
        "net / before - 1", ("day", "week"), net={"metric": "net_sales"}, before=_before("net_sales", "week")
    ),
    "month_growth": _derived(
        "net / before - 1", ("month",), net={"metric": "net_sales"}, before=_before("net_sales", "month")
    ),
}
CUMULATIVE: dict[str, dict[str, Any]] = {
    "net_sales_to_date": {"type": "cumulative", "metric": "net_sales", "to_date": "month", "grains": ["day"]},
    "net_sales_28d": {
        "type": "cumulative", "metric": "net_sales", "window": "28 days", "grains": ["day"],
    },
    "active_members_28d": {
        "type": "cumulative", "metric": "active_members", "window": "28 days", "grains": ["day"],
    },
}  # fmt: skip


def metric_file(name: str, keys: Keys, slices: Iterable[tuple[str, ...]] = SLICES) -> dict[str, Any]:
    """The whole file of a metric."""
    common = {
        "label": {"en": name, "zh": f"指标 {name}"}, "description": name, "owner": "finance", "tier": 2, "unit": "usd",
        "direction": "up", "grains": list(GRAINS), "slices": [list(cut) for cut in slices if cut],
    }  # fmt: skip
    return common | dict(keys)


def catalog(metrics: Mapping[str, Keys], slices: Iterable[tuple[str, ...]] = SLICES) -> Catalog:
    """A catalog of ``metrics``, with no file read and no dbt project behind it."""
    adapter: TypeAdapter[Any] = TypeAdapter(Metric)
    cuts = tuple(slices)
    entries: dict[str, Entry] = {}
    for name, keys in metrics.items():
        data = metric_file(name, keys, cuts)
        document = Document(f"metrics_catalog/metrics/sales/{name}.yml", data, {})
        entries[name] = Entry(name, "sales", adapter.validate_python(data), document)
    empty = Document("", {}, {})
    people = People(departments={}, people={}, teams={})
    return Catalog(Project.at(Path("unused")), entries, SEMANTICS, people, Policy(), empty, empty)


def _model(
    name: str, table: str, entities: dict[str, tuple[str, bool]], dimensions: Iterable[str], time: str | None = None
) -> SemanticModel:
    return SemanticModel(
        name=name,
        node=f"model.retail.{table}",
        schema="marts",
        table=table,
        path=f"models/{table}.yml",
        time=time,
        entities={key: Entity(key, column, unique) for key, (column, unique) in entities.items()},
        dimensions={one: Dimension(one, one, one == time) for one in dimensions},
        columns=COLUMNS[table],
        filled=frozenset({"paid_amount", "quantity"}) if table == "fct_order_lines" else frozenset(),
        partners=frozenset(PARTNERS.get(table, ())),
    )


COLUMNS: dict[str, dict[str, str]] = {
    "fct_order_lines": {
        "line_id": "bigint", "order_id": "bigint", "store_id": "integer", "product_id": "integer",
        "member_id": "integer", "ordered_on": "date", "quantity": "integer", "list_amount": "decimal(18,2)",
        "paid_amount": "decimal(18,2)", "cost_amount": "decimal(18,2)", "is_promoted": "boolean",
        "is_private_label": "boolean", "channel": "varchar",
    },
    "dim_stores": {"store_id": "integer", "region": "varchar", "city": "varchar", "format": "varchar"},
    "dim_products": {"product_id": "integer", "category": "varchar", "brand": "varchar"},
    "dim_members": {"member_id": "integer", "tier": "varchar"},
}  # fmt: skip
PARTNERS = {
    "fct_order_lines": [
        ("store_id", "model.retail.dim_stores", "store_id"),
        ("product_id", "model.retail.dim_products", "product_id"),
    ]
}
SEMANTICS = Semantics(
    {
        "lines": _model(
            "lines",
            "fct_order_lines",
            {
                "line": ("line_id", True),
                "order": ("order_id", False),
                "store": ("store_id", False),
                "product": ("product_id", False),
                "member": ("member_id", False),
            },
            ("ordered_on", "is_promoted", "is_private_label", "channel"),
            "ordered_on",
        ),
        "stores": _model("stores", "dim_stores", {"store": ("store_id", True)}, ("region", "city", "format")),
        "products": _model("products", "dim_products", {"product": ("product_id", True)}, ("category", "brand")),
        "members": _model("members", "dim_members", {"member": ("member_id", True)}, ("tier",)),
    }
)
