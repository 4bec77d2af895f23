"""Reasons that a publish gives in English are said in Chinese to who reads Chinese."""

from __future__ import annotations

import pytest

from metrics_catalog.monitoring.fact_words import definition, held, restated


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("certified rate v2, sales v3", "新认证 rate v2, sales v3"),
        ("late rows of tills; changed rows of stores", "tills 有迟到数据；stores 的数据有改动"),
        ("changed code: fct_sales", "代码已改：fct_sales"),
        ("changed rows of products, stores", "products, stores 的数据有改动"),
        ("the till was offline", "the till was offline"),
    ],
)
def test_why_values_changed(why: str, said: str) -> None:
    assert restated(why) == {"en": f"published values were restated: {why}", "zh": f"已发布数值有更正：{said}"}
    assert held(why)["zh"].endswith(f"：{said}")


def test_a_definition_with_its_versions() -> None:
    assert definition("rate", 1, 2)["zh"] == "指标 rate 的口径已改（v1 → v2）"
    assert definition("rate", None, 2) == {"en": "the definition of rate changed", "zh": "指标 rate 的口径已改"}
