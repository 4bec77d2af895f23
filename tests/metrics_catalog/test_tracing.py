"""Columns of a model, and what decides its rows, followed to the tables it is made of."""

from __future__ import annotations

import pytest

from metrics_catalog.tracing import WHOLE, trace

PARENTS = {"stg_sales": "model.sales", "erp.stores": "source.stores"}
COLUMNS = {"model.sales": ["store_id", "amount", "kind", "sold_on"]}
SALES, STORES = "model.sales", "source.stores"


def columns(sql: str) -> dict[str, set[tuple[str, str]]]:
    traced = trace(sql, PARENTS, COLUMNS)
    assert not traced.is_whole
    return {name: set(origins) for name, origins in traced.columns.items()}


def rows(sql: str) -> set[tuple[str, str]]:
    return {(parent, column) for parent, column in trace(sql, PARENTS, COLUMNS).rows if column}


SQL = """
{{ config(materialized='incremental', meta={'changed': 'day'}) }}
{% set unused = 1 %}
with sales as (
    select * from {{ ref('stg_sales') }}
    {% if is_incremental() %}where {{ in_dates('sold_on', changed_days()) }}{% endif %}
),
门店 as (select * from {{ source('erp', 'stores') }}), -- {# not a CTE #}
final as (
    select sales.*, 门店.城市, amount * 2 as double_amount, 1 as one, count(*) over (partition by kind) as of_kind
    from sales left join 门店 on sales.store_id = 门店.id
)
select store_id, 城市, double_amount, one, of_kind, amount from final where amount > 0
"""


def test_columns_are_followed_through_ctes_joins_and_stars() -> None:
    assert columns(SQL) == {
        "store_id": {(SALES, "store_id")},
        "城市": {(STORES, "城市")},
        "double_amount": {(SALES, "amount")},
        "one": set(),
        "of_kind": {(SALES, "kind")},
        "amount": {(SALES, "amount")},
    }


def test_joins_filters_groups_and_duplicates_decide_rows() -> None:
    assert rows(SQL) == {(SALES, "store_id"), (STORES, "id"), (SALES, "amount")}
    assert rows("select sum(amount) as total from {{ ref('stg_sales') }} group by kind") == {(SALES, "kind")}
    assert rows("select distinct kind from {{ ref('stg_sales') }}") == {(SALES, "kind")}
    union = "select kind from {{ ref('stg_sales') }} union {} select kind from {{ source('erp', 'stores') }}"
    assert rows(union.replace("{}", "")) == {(SALES, "kind"), (STORES, "kind")}
    assert rows(union.replace("{}", "all")) == set()
    exists = "select amount from {{ ref('stg_sales') }} as s where exists (select 1 from {{ source('erp', 'stores') }} as t where t.id = s.store_id)"
    assert rows(exists) == {(SALES, "store_id"), (STORES, "id")}


def test_a_table_decides_rows_even_where_no_column_does() -> None:
    assert trace("select count(*) as n from {{ ref('stg_sales') }}", PARENTS, COLUMNS).rows == {(SALES, "")}


def test_unions_by_place() -> None:
    sql = "select kind as what from {{ ref('stg_sales') }} union all select name from {{ source('erp', 'stores') }}"
    assert columns(sql) == {"what": {(SALES, "kind"), (STORES, "name")}}


def test_a_recursive_cte_ends() -> None:
    sql = "with recursive r as (select kind, 1 as n from {{ ref('stg_sales') }} union all select kind, n + 1 from r) select kind, n from r"
    assert columns(sql) == {"kind": {(SALES, "kind")}, "n": set()}


def test_an_expression_of_jinja_comes_from_the_columns_it_names_else_from_all() -> None:
    assert columns("select {{ week_of('sold_on') }} as week from (select * from {{ ref('stg_sales') }}) as s") == {
        "week": {(SALES, "sold_on")}
    }
    assert columns("select {{ dbt.concat(['s.kind', 's.sold_on']) }} as name from {{ ref('stg_sales') }} as s") == {
        "name": {(SALES, "kind"), (SALES, "sold_on")}
    }
    assert columns("select {{ something() }} as name from {{ ref('stg_sales') }} as s") == {"name": {(SALES, WHOLE)}}


def test_a_column_of_one_of_several_unknown_tables_may_be_any_of_theirs() -> None:
    sql = "select colour from {{ ref('stg_sales') }} as s, {{ source('erp', 'stores') }} as t"
    assert columns(sql)["colour"] == {(SALES, WHOLE), (STORES, WHOLE)}


@pytest.mark.parametrize(
    "sql",
    [
        "select ((",
        "",
        "copy x to 'y'",
        "select {% for n in range(3) %} kind as k{{ n }}, {% endfor %} 1 as one from {{ ref('stg_sales') }}",
        "select * from {{ source('erp', 'stores') }}",
        "select kind from {{ ref('unknown') }}",
    ],
)
def test_what_cannot_be_followed_comes_from_everything(sql: str) -> None:
    traced = trace(sql, PARENTS, COLUMNS)
    assert traced.is_whole
    assert {parent for parent, _ in traced.origins("anything")} >= ({STORES} if "stores" in sql else {SALES, STORES})
