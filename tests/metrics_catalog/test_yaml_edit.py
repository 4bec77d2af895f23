"""One key of a YAML text changes; comments, order and everything else stay."""

from __future__ import annotations

import pytest
import yaml

from metrics_catalog.yaml_edit import with_key

TEXT = """\
# yaml-language-server: $schema=../../schema/metric.json
label: {en: Net sales, zh: 净销售额}   # what people call it
bounds:
  grain: day
  warn: {below: 9000, above: 20000}  # agreed in May

# the board's
target: {month: 380000}
playbook: look
"""


def test_a_block_is_replaced_and_the_comment_after_it_stays() -> None:
    new = with_key(TEXT, "bounds", {"grain": "day", "warn": {"below": 8000}})
    assert yaml.safe_load(new) == {**yaml.safe_load(TEXT), "bounds": {"grain": "day", "warn": {"below": 8000}}}
    assert "\n\n# the board's\ntarget: {month: 380000}\n" in new
    assert new.startswith(TEXT[: TEXT.index("bounds")])


def test_a_flow_value_keeps_its_comment() -> None:
    new = with_key(TEXT, "label", {"en": "Sales", "zh": "销售额"})
    assert "label: {en: Sales, zh: 销售额}   # what people call it\nbounds:" in new


def test_the_last_key_and_a_new_one() -> None:
    assert with_key(TEXT, "playbook", "ask").endswith("target: {month: 380000}\nplaybook: ask\n")
    assert with_key(TEXT, "anomaly", {"sensitivity": "low"}) == TEXT + "anomaly: {sensitivity: low}\n"


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(ValueError, match="not a mapping"):
        with_key("- a\n", "b", 1)
