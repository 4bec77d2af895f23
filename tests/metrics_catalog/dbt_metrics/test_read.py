"""A dbt project's metrics become entries of the catalog, or are named with file, line and reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.catalog import Catalog, examine
from metrics_catalog.located import Problem
from metrics_catalog.project import Project

Write = Callable[[dict[str, dict[str, Any]]], Project]


def simple(measure: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "simple", "type_params": {"measure": measure}, **more}


def catalog_of(project: Project) -> tuple[Catalog, list[Problem]]:
    catalog, problems = examine(project)
    assert catalog is not None
    return catalog, problems


def reason(catalog: Catalog, name: str) -> str:
    return catalog.not_read[name].message.removeprefix(f'metric "{name}" is not read: ')


def spec(catalog: Catalog, name: str) -> dict[str, Any]:
    about = {"label", "description", "owner", "tier", "unit", "direction", "grains", "type"}
    return catalog.metrics[name].spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude=about)


def test_measures(dbt_project: Write) -> None:
    names = ("amount", "buyers", "orders_placed", "gifts", "shipped")
    catalog, _ = catalog_of(dbt_project({f"m_{name}": simple(name) for name in names}))
    assert [spec(catalog, f"m_{name}") for name in names] == [
        {"model": "orders", "agg": "sum", "expr": "amount", "missing": "none"},
        {"model": "orders", "agg": "count_distinct", "expr": "customer_id", "missing": "none"},
        {
            "model": "orders",
            "agg": "sum",
            "expr": "case when order_id is not null then 1 else 0 end",
            "missing": "none",
        },
        {"model": "orders", "agg": "sum", "expr": "case when is_gift then 1 else 0 end", "missing": "none"},
        {"model": "orders_by_shipped_at", "agg": "sum", "expr": "amount", "missing": "none"},
    ]


def test_every_type(dbt_project: Write) -> None:
    week = {"count": 7, "granularity": "day"}
    conversion = {
        "base_measure": {"name": "orders_placed"},
        "conversion_measure": {"name": "gifts"},
        "entity": "customer",
        "window": week,
        "calculation": "conversions",
        "constant_properties": [{"base_property": "size", "conversion_property": "size"}],
    }
    catalog, _ = catalog_of(
        dbt_project(
            {
                "sales": simple({"name": "amount", "fill_nulls_with": 0}),
                "share": {
                    "type": "ratio",
                    "type_params": {
                        "numerator": {"name": "sales", "filter": "{{ Dimension('order__size') }} = 'big'"},
                        "denominator": "sales",
                    },
                },
                "growth": {
                    "type": "derived",
                    "type_params": {
                        "expr": "sales - before",
                        "metrics": [
                            "sales",
                            {"name": "sales", "alias": "before", "offset_window": {"count": 1, "granularity": "month"}},
                        ],
                    },
                },
                "mtd": {
                    "type": "cumulative",
                    "type_params": {
                        "measure": "amount",
                        "cumulative_type_params": {"grain_to_date": "month", "period_agg": "last"},
                    },
                },
                "rolling": {
                    "type": "cumulative",
                    "type_params": {"measure": "amount", "cumulative_type_params": {"window": week}},
                },
                "converted": {"type": "conversion", "type_params": {"conversion_type_params": conversion}},
            }
        )
    )
    amount = {"model": "orders", "agg": "sum", "expr": "amount", "missing": "none"}
    assert spec(catalog, "sales") == {**amount, "missing": "zero"}
    assert spec(catalog, "share") == {
        "numerator": {"metric": "sales", "filter": "order__size = 'big'"},
        "denominator": "sales",
    }
    assert spec(catalog, "growth") == {
        "expr": "sales - before",
        "inputs": {"before": {"metric": "sales", "offset": {"count": 1, "grain": "month"}}},
    }
    assert spec(catalog, "mtd") == {"metric": amount, "to_date": "month"}
    assert spec(catalog, "rolling") == {"metric": amount, "window": {"count": 7, "grain": "day"}}
    made = spec(catalog, "converted")
    assert (made["same"], made["calculation"], made["window"]) == (["size"], "count", {"count": 7, "grain": "day"})
    grains = {name: catalog.metrics[name].spec.grains for name in ("growth", "mtd", "rolling")}
    assert grains == {
        "growth": ("day", "month"),  # MetricFlow has no week a month before
        "mtd": ("day", "week", "month", "quarter", "year"),
        "rolling": ("day",),  # of a longer period MetricFlow gives the first day
    }


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        (simple("amount", filter="{{ Metric('orders', group_by=['customer']) }} > 2"), 'its part "orders" is not read'),
        (simple("amount", filter="{{ Metric('odd', group_by=['customer']) }} > 2"), "is made of itself: odd -> odd"),
        (simple("amount", filter="1 = 1; drop table orders"), "must be exactly one expression"),
        (simple("amount", filter="1=1) or (1=1"), "is not an expression"),
        (simple("amount", filter="{{ Dimension(\"order__size') or 1=1 --\") }} = 'x'"), "is not a name"),
        (simple("amount", filter="{{ env_var('SECRET') }} = 'x'"), "is no call that is read"),
        (simple("amount", filter="{% if 1 %} true {% endif %}"), "only {{ … }} around"),
        (simple("amount", filter="size in (select 1)"), "which is not allowed here"),
        (simple("amount", filter="read_csv('/etc/passwd') = 'x'"), "the function read_csv"),
        (simple("amount", filter="{{ Dimension('customer__cuontry') }} = 'x'"), "is not a dimension"),
        (simple("discrete"), "a discrete percentile is not supported"),
        (simple("nothing"), 'there is no measure "nothing"'),
        (
            {
                "type": "conversion",
                "type_params": {
                    "conversion_type_params": {
                        "base_measure": {"name": "amount"},
                        "conversion_measure": {"name": "gifts"},
                        "entity": "customer",
                    }
                },
            },
            "needs a window",
        ),
    ],
)
def test_what_has_no_equal_is_named(dbt_project: Write, metric: dict[str, Any], why: str) -> None:
    project = dbt_project({"fine": simple("amount"), "odd": metric})
    catalog, problems = catalog_of(project)
    assert list(catalog.metrics) == ["fine"]
    assert why in reason(catalog, "odd")
    assert catalog.not_read["odd"].path == "models/orders.yml"
    line = (project.root / "models/orders.yml").read_text("utf-8").splitlines()[catalog.not_read["odd"].line - 1]
    assert line.strip()
    assert not [problem for problem in problems if problem.level == "error"]


def test_a_circle_is_not_read_nor_what_stands_on_it(dbt_project: Write) -> None:
    derived = lambda name: {"type": "derived", "type_params": {"expr": name, "metrics": [name]}}  # noqa: E731
    catalog, _ = catalog_of(
        dbt_project({"a": derived("b"), "b": derived("a"), "on_top": derived("a"), "fine": simple("amount")})
    )
    assert list(catalog.metrics) == ["fine"]
    assert "is made of itself" in "".join(reason(catalog, name) for name in ("a", "b"))
    assert reason(catalog, "on_top") == 'its part "a" is not read'


def test_hours_are_published_where_meta_names_them_and_the_time_is_known_to_the_hour(dbt_project: Write) -> None:
    hours = {"config": {"meta": {"grains": ["hour", "month"]}}}
    back = {"name": "sales", "alias": "before", "offset_window": {"count": 1, "granularity": "hour"}}
    catalog, problems = catalog_of(
        dbt_project(
            {
                "sales": simple("amount"), "hourly": simple("amount", **hours), "shipped": simple("shipped", **hours),
                "growth": {"type": "derived", "type_params": {"expr": "sales - before", "metrics": ["sales", back]}},
            }
        )
    )  # fmt: skip
    grains = {name: entry.spec.grains for name, entry in catalog.metrics.items()}
    usual = ("day", "week", "month", "quarter", "year")
    assert grains == {"sales": usual, "hourly": ("hour", "day", "month"), "shipped": ("month",)}
    assert 'grains: "hour" is left out' in "".join(str(one) for one in problems if '"shipped"' in str(one))
    assert reason(catalog, "growth") == 'a length of time in "hour" is not supported'


def test_governance_comes_from_meta_and_what_is_missing_is_said(dbt_project: Write) -> None:
    meta = {
        "owner": "Finance Team", "tier": "T1", "unit": "cny", "direction": "up", "label": {"zh": "销售额"}, "grains": ["month"],
        "slices": ["customer__country", ["order__size", "nothing"]], "target": {"month": 9}, "domain": "money",
    }  # fmt: skip
    catalog, problems = catalog_of(
        dbt_project({"sales": simple("amount", config={"meta": meta}, description="x"), "bare": simple("amount")})
    )
    entry = catalog.metrics["sales"]
    assert (entry.domain, entry.spec.owner, entry.spec.tier, entry.spec.label.zh) == (
        "money",
        "finance_team",
        1,
        "销售额",
    )
    assert (entry.spec.grains, entry.spec.slices) == (("month",), (("customer__country",),))
    bare = catalog.metrics["bare"].spec
    assert (bare.owner, bare.tier, bare.unit, bare.direction) == ("unassigned", 3, "number", "none")
    told = [str(problem) for problem in problems]
    assert [one.split(" warning ")[1] for one in told if "sales" in one] == [
        'metric "sales": owner "Finance Team" is called "finance_team" here',
        'metric "sales": slices: "nothing" is no dimension it can be sliced by; left out',
    ]
    [missing] = [one for one in told if '"bare"' in one]
    assert "does not say its owner, tier, unit, direction, label.zh, description" in missing


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"description": "Sold."}, "Sold."),
        ({"description": "Sold.", "config": {"meta": {"description": {"en": "x", "zh": "售出。"}}}}, ("x", "售出。")),
        ({"description": "Sold.", "config": {"meta": {"description_zh": "售出。"}}}, ("Sold.", "售出。")),
        ({"config": {"meta": {"description": {"zh": "售出。"}}}}, ("sales", "售出。")),
    ],
)
def test_a_description_may_be_in_both_languages(dbt_project: Write, given: dict[str, Any], read: Any) -> None:
    catalog, _ = catalog_of(dbt_project({"sales": simple("amount", **given)}))
    found = catalog.metrics["sales"].spec.description
    assert found == read if isinstance(found, str) else (found.en, found.zh) == read


def test_a_metric_file_of_the_same_name_is_an_error_naming_both(dbt_project: Write) -> None:
    project = dbt_project({"sales": simple("amount")})
    path = project.metrics / "money" / "sales.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "label: {en: S, zh: 额}\ndescription: x\nowner: a\ntier: 1\nunit: usd\ndirection: up\ntype: simple\n"
        "model: orders\nagg: sum\nexpr: amount\ngrains: [day]\n",
        "utf-8",
    )
    _, problems = catalog_of(project)
    [error] = [str(problem) for problem in problems if "keep one" in problem.message]
    assert error.startswith("metrics_catalog/metrics/money/sales.yml:1 error")
    assert "models/orders.yml:2" in error


def test_the_newer_spec_is_said_to_need_a_newer_dbt(dbt_project: Write) -> None:
    project = dbt_project({"sales": simple("amount")})
    text = "models:\n  - name: orders\n    semantic_model: {enabled: true}\n    metrics:\n      - name: fancy\n"
    (project.dbt / "models" / "new.yml").write_text(text, "utf-8")
    catalog, _ = catalog_of(project)
    assert [f"{one.path}:{one.line}" for one in catalog.not_read.values()] == ["models/new.yml:3", "models/new.yml:4"]
    assert all("needs a newer dbt (1.12)" in one.message for one in catalog.not_read.values())
    assert "fancy" in list(catalog.not_read.values())[1].message


def test_nothing_is_written_and_other_folders_are_left_alone(dbt_project: Write, tmp_path: Path) -> None:
    from orchestration.generate import stale, write

    catalog, _ = catalog_of(dbt_project({"sales": simple("amount")}))
    assert (stale(catalog), write(catalog)) == ([], [])
    assert not (tmp_path / "metrics_catalog").exists()
