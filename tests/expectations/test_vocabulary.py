from __future__ import annotations

from importlib.resources import files

from expectations.vocabulary import generated, vocabulary


def test_it_says_what_the_installed_library_can() -> None:
    committed = files("expectations").joinpath("vocabulary.json").read_text(encoding="utf-8")
    assert committed == generated(), "run: python -m expectations.vocabulary"


def test_levels() -> None:
    assert vocabulary()["expect_column_values_to_match_regex"].level == "row"
    assert vocabulary()["expect_compound_columns_to_be_unique"].level == "set"
    assert vocabulary()["expect_column_values_to_be_of_type"].level == "table"
    assert vocabulary()["references"].own
    assert "expect_column_values_to_be_json_parseable" not in vocabulary()  # pandas only
