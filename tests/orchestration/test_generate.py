"""Metric models follow what is certified, as dbt parsed them and not only as files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metrics_catalog.governance.begun import definitions_of
from metrics_catalog.located import InvalidFiles
from orchestration import generate
from orchestration.definitions import build
from orchestration.generate import read_current, stale, unparsed, write


def test_an_approval_changes_the_metric_models_without_anybody_writing_a_file(shop: Any) -> None:
    shop.declared()
    shop.certify()
    shop.change("net_sales", "expr: amount_usd", "expr: amount_usd * 2")
    assert stale(shop.declared().catalog)
    declared = read_current(shop.settings)
    assert (stale(declared.catalog), unparsed(declared)) == ([], [])


def test_models_another_process_wrote_are_parsed_before_anything_is_built(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a run would publish a new definition from rows of the old one."""
    before = shop.declared()
    shop.certify()
    shop.change("net_sales", "expr: amount_usd", "expr: amount_usd * 2")
    write(definitions_of(shop.project).official)
    late = replace(before, definitions=definitions_of(shop.project))
    assert [problem.path for problem in unparsed(late)] == ["dbt_project/models/metrics/sales_by_store_daily.sql"]
    with pytest.raises(InvalidFiles, match="sales_by_store_daily"):
        build(late)
    real, seen = generate.read_declared, [late]
    monkeypatch.setattr(generate, "read_declared", lambda settings: seen.pop() if seen else real(settings))
    assert unparsed(read_current(shop.settings)) == []
