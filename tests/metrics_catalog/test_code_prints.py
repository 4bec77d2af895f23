"""A model's fingerprint moves with what it computes and how it is built, and with nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from metrics_catalog.code_prints import code_prints

SALES, STORES, BANDS = "model.p.sales", "model.p.stores", "seed.p.bands"


def node(raw: str, kind: str = "model", **config: Any) -> dict[str, Any]:
    return {
        "resource_type": kind,
        "raw_code": raw,
        "language": "sql",
        "checksum": {"checksum": "abc"},
        "columns": {"金额": {"data_type": "decimal(28,6)", "description": "money"}},
        "config": {"materialized": "table", "tags": [], "meta": {}, "schema": "marts"} | config,
        "depends_on": {"macros": [], "nodes": []},
    }


def macro(name: str, sql: str, package: str = "p") -> dict[str, Any]:
    return {"name": name, "package_name": package, "macro_sql": sql}


def manifest() -> dict[str, Any]:
    return {
        "metadata": {"adapter_type": "duckdb"},
        "macros": {
            "macro.p.cents": macro("cents", "{% macro cents(x) %}{{ rounded(x) }} / 100{% endmacro %}"),
            "macro.p.rounded": macro("default__rounded", "{% macro default__rounded(x) %}round({{ x }}){% endmacro %}"),
            "macro.p.unused": macro("unused", "{% macro unused() %}1{% endmacro %}"),
            "macro.p.swap": macro("get_incremental_swap_sql", "{% macro get_incremental_swap_sql() %}a{% endmacro %}"),
            "macro.dbt.concat": macro("concat", "{% macro concat() %}||{% endmacro %}", "dbt"),
        },
        "nodes": {
            SALES: node("select {{ cents('a.金额') }} as 金额 from {{ ref('stg') }} as a where day > '{{ var(\"since\") }}'"),
            STORES: node("select 1 as one", materialized="incremental", incremental_strategy="swap"),
            BANDS: node("", kind="seed"),
            "test.p.x": node("select 1", kind="test"),
        },
    }  # fmt: skip


def changed(path: tuple[str, ...], value: Any) -> set[str]:
    """Nodes whose print moves when one thing of the manifest does."""
    other = copy.deepcopy(manifest())
    inner = other
    for key in path[:-1]:
        inner = inner[key]
    assert inner.get(path[-1]) != value
    inner[path[-1]] = value
    before, after = code_prints(manifest()), code_prints(other)
    return {key for key in before if before[key] != after[key]}


def test_every_model_and_seed_has_one() -> None:
    prints = code_prints(manifest())
    assert prints.keys() == {SALES, STORES, BANDS}
    assert all(len(one) == 16 for one in prints.values())


@pytest.mark.parametrize(
    ("path", "value", "moved"),
    [
        (("nodes", STORES, "raw_code"), "SELECT 1 -- one\n as one", set()),
        (("nodes", STORES, "raw_code"), "select 2 as one", {STORES}),
        (("nodes", STORES, "config", "tags"), ["daily"], set()),
        (("nodes", STORES, "config", "schema"), "other", set()),
        (("nodes", STORES, "config", "unique_key"), "day", {STORES}),
        (("nodes", STORES, "config", "meta"), {"changed": "week"}, {STORES}),
        (("nodes", SALES, "config", "meta"), {"changed": "week"}, set()),
        (("nodes", SALES, "config", "materialized"), "view", {SALES}),
        (("nodes", SALES, "columns", "金额", "description"), "钱", set()),
        (("nodes", SALES, "columns", "金额", "data_type"), "double", set()),
        (("nodes", BANDS, "checksum", "checksum"), "abd", {BANDS}),
        (("macros", "macro.p.rounded", "macro_sql"), "{% macro default__rounded(x) %}{{ x }}{% endmacro %}", {SALES}),
        (("macros", "macro.p.unused", "macro_sql"), "{% macro unused() %}2{% endmacro %}", set()),
        (("macros", "macro.p.swap", "macro_sql"), "{% macro get_incremental_swap_sql() %}b{% endmacro %}", {STORES}),
        (("macros", "macro.dbt.concat", "macro_sql"), "{% macro concat() %}+{% endmacro %}", set()),
    ],
)
def test_what_moves_it(path: tuple[str, ...], value: Any, moved: set[str]) -> None:
    assert changed(path, value) == moved


def test_an_alias_is_no_change_unless_a_macro_writes_it() -> None:
    renamed = manifest()
    renamed["nodes"][SALES]["raw_code"] = (
        manifest()["nodes"][SALES]["raw_code"].replace("'a.", "'b.").replace("as a", "as b")
    )
    assert code_prints(renamed)[SALES] != code_prints(manifest())[SALES]
    plain, other = manifest(), manifest()
    plain["nodes"][STORES]["raw_code"] = "select 甲.x, {{ unused() }} from t as 甲"
    other["nodes"][STORES]["raw_code"] = "select 乙.x, {{ unused() }} from t as 乙"
    assert code_prints(plain) == code_prints(other)


def test_types_count_where_dbt_casts_to_them() -> None:
    one, other = manifest(), manifest()
    for given in (one, other):
        given["nodes"][SALES]["config"]["contract"] = {"enforced": True}
    other["nodes"][SALES]["columns"]["金额"]["data_type"] = "double"
    assert code_prints(one)[SALES] != code_prints(other)[SALES]


def test_variables_that_a_model_reads() -> None:
    before = code_prints(manifest(), {"since": "2024-01-01", "other": 1})
    assert code_prints(manifest(), {"since": "2024-01-01", "other": 2}) == before
    assert code_prints(manifest(), {"since": "2024-01-02", "other": 1})[SALES] != before[SALES]
    assert code_prints(manifest(), {"p": {"since": "2024-01-02"}})[SALES] != before[SALES]
