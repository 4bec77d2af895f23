"""Which tests of a dbt project vouch for a partner of every row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from metrics_catalog.dbt_tests import Partner, vouched

FACT, DIM = "model.shop.fct_lines", "model.shop.dim_products"


def declared(kind: str, given: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    kwargs = {"column_name": "product_id", **(given or {})}
    return {
        "attached_node": FACT,
        "test_metadata": {"name": kind, "kwargs": kwargs, "namespace": None},
        "depends_on": {"nodes": [DIM, FACT] if given else [FACT]},
        "config": {"severity": "ERROR", "error_if": "!= 0", "where": None, "limit": None, **config},
    }


def related(**config: Any) -> dict[str, Any]:
    return declared("relationships", {"to": "ref('dim_products')", "field": "id"}, **config)


def partners(nodes: dict[str, Any]) -> Mapping[str, frozenset[Partner]]:
    return vouched(nodes).partners


FOUND = {FACT: frozenset({("product_id", DIM, "id")})}


def test_a_value_and_its_partner_are_both_tested() -> None:
    assert partners({"a": declared("not_null"), "b": related()}) == FOUND
    assert partners({"b": related()}) == {}, "a null has no partner"
    assert partners({"a": declared("not_null")}) == {}


@pytest.mark.parametrize(
    "config", [{"severity": "warn"}, {"where": "product_id > 5"}, {"limit": 10}, {"error_if": "> 100"}]
)
def test_a_test_that_lets_rows_pass_vouches_for_nothing(config: dict[str, Any]) -> None:
    assert partners({"a": declared("not_null"), "b": related(**config)}) == {}
    assert partners({"a": declared("not_null", **config), "b": related()}) == {}


@pytest.mark.parametrize(("enforced", "found"), [(True, FOUND), (False, {})])
def test_an_enforced_contract_sees_to_values(enforced: bool, found: object) -> None:
    columns = {"product_id": {"constraints": [{"type": "not_null"}]}}
    fact = {"config": {"contract": {"enforced": enforced}}, "columns": columns}
    assert partners({FACT: fact, "b": related()}) == found
    assert vouched({FACT: fact}).filled == ({FACT: {"product_id"}} if enforced else {})
