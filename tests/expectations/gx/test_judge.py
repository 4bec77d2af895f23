"""Every type of the vocabulary, asked of DuckDB: an answer without an error, and the rows that were counted."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from expectations.vocabulary import vocabulary

COLUMNS = "n BIGINT, m BIGINT, d DOUBLE, 名称 VARCHAR, day DATE"
ROWS = [(i, i % 3, i / 2, f"甲{i % 4}", f"2017-01-{1 + i % 28:02}") for i in range(40)] + [
    (None, None, 1000.0, None, None)
]
SETS = {"column": "n", "value_set": [1, 2, 3]}
BOUNDS = {"column": "n", "min_value": 1, "max_value": 30}
TEXT = {"column": "名称"}
KWARGS: dict[str, dict[str, Any]] = {
    "expect_column_distinct_values_to_be_in_set": SETS,
    "expect_column_distinct_values_to_contain_set": SETS,
    "expect_column_distinct_values_to_equal_set": SETS,
    "expect_column_max_to_be_between": BOUNDS,
    "expect_column_mean_to_be_between": BOUNDS,
    "expect_column_median_to_be_between": BOUNDS,
    "expect_column_min_to_be_between": BOUNDS,
    "expect_column_most_common_value_to_be_in_set": {"column": "m", "value_set": [1]},
    "expect_column_pair_values_a_to_be_greater_than_b": {"column_A": "n", "column_B": "m"},
    "expect_column_pair_values_to_be_equal": {"column_A": "n", "column_B": "m"},
    "expect_column_pair_values_to_be_in_set": {"column_A": "n", "column_B": "m", "value_pairs_set": [[1, 1], [2, 2]]},
    "expect_column_proportion_of_non_null_values_to_be_between": {"column": "n", "min_value": 0.5},
    "expect_column_proportion_of_unique_values_to_be_between": {"column": "n", "min_value": 0.5},
    "expect_column_quantile_values_to_be_between": {
        "column": "n",
        "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[1, 30]]},
    },
    "expect_column_stdev_to_be_between": BOUNDS,
    "expect_column_sum_to_be_between": BOUNDS,
    "expect_column_to_exist": {"column": "n"},
    "expect_column_type_to_be": {"column": "n", "type_": "BIGINT"},
    "expect_column_unique_value_count_to_be_between": BOUNDS,
    "expect_column_value_lengths_to_be_between": {**TEXT, "min_value": 3},
    "expect_column_value_lengths_to_equal": {**TEXT, "value": 3},
    "expect_column_value_z_scores_to_be_less_than": {"column": "d", "threshold": 3, "double_sided": True},
    "expect_column_values_to_be_between": BOUNDS,
    "expect_column_values_to_be_in_set": SETS,
    "expect_column_values_to_be_in_type_list": {"column": "n", "type_list": ["BIGINT", "INTEGER"]},
    "expect_column_values_to_be_null": {"column": "n"},
    "expect_column_values_to_be_of_type": {"column": "day", "type_": "DATE"},
    "expect_column_values_to_be_unique": {"column": "名称", "row_condition": 'col("n") < 6'},
    "expect_column_values_to_match_like_pattern": {**TEXT, "like_pattern": "%3"},
    "expect_column_values_to_match_like_pattern_list": {**TEXT, "like_pattern_list": ["%3", "%2"], "match_on": "any"},
    "expect_column_values_to_match_regex": {**TEXT, "regex": "^甲[01]"},
    "expect_column_values_to_match_regex_list": {**TEXT, "regex_list": ["甲", "1"], "match_on": "all"},
    "expect_column_values_to_not_be_in_set": SETS,
    "expect_column_values_to_not_be_null": {"column": "n"},
    "expect_column_values_to_not_be_outliers": {"column": "d", "method": "std", "multiplier": 3},
    "expect_column_values_to_not_match_like_pattern": {**TEXT, "like_pattern": "%3"},
    "expect_column_values_to_not_match_like_pattern_list": {**TEXT, "like_pattern_list": ["%3", "%2"]},
    "expect_column_values_to_not_match_regex": {**TEXT, "regex": "3"},
    "expect_column_values_to_not_match_regex_list": {**TEXT, "regex_list": ["3", "2"]},
    "expect_compound_columns_to_be_unique": {"column_list": ["m", "名称"]},
    "expect_multicolumn_sum_to_equal": {"column_list": ["n", "m"], "sum_total": 5},
    "expect_multicolumn_values_to_be_equal": {"column_list": ["n", "m"]},
    "expect_select_column_values_to_be_unique_within_record": {"column_list": ["n", "m"]},
    "expect_table_column_count_to_be_between": {"min_value": 1},
    "expect_table_column_count_to_equal": {"value": 8},
    "expect_table_columns_to_match_ordered_list": {"column_list": ["n", "m"]},
    "expect_table_columns_to_match_set": {"column_set": ["n", "m"], "exact_match": False},
    "expect_table_row_count_to_be_between": {"min_value": 1},
    "expect_table_row_count_to_equal": {"value": 41},
    "expect_table_row_count_to_equal_other_table": {"other_table_name": "other"},
    "unexpected_rows_expectation": {"unexpected_rows_query": "SELECT * FROM {batch} WHERE n > 35"},
    "expect_column_kl_divergence_to_be_less_than": {
        "column": "m",
        "partition_object": {"values": [0, 1, 2], "weights": [0.3, 0.3, 0.4]},
        "threshold": 0.5,
    },
}


def test_every_type_has_an_example() -> None:
    assert KWARGS.keys() == {name for name, kind in vocabulary().items() if not kind.own}


def test_every_type_runs_on_whole_and_increment(warehouse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One suite of all of them: no error, the guard holds for each, and nothing is sent anywhere."""

    def refuse(*_: Any) -> None:
        raise AssertionError("the library wants to talk to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    warehouse.load("other", "n BIGINT", [(1,)])
    suite = warehouse.suite(*(warehouse.spec(f"r_{name}", name, **kwargs) for name, kwargs in KWARGS.items()))
    for part in ("a.csv", "b.csv"):
        warehouse.load("sales", COLUMNS, ROWS, part)
        result = warehouse.clean(suite)
        assert {outcome.name: outcome.error for outcome in result.outcomes if outcome.error} == {}
        assert result.batch_rows == len(ROWS)
    by_name = {outcome.type: outcome for outcome in result.outcomes}
    assert by_name["expect_column_values_to_be_between"].unexpected_count == 10
    assert by_name["expect_column_values_to_match_regex"].unexpected_count == 20
    assert by_name["expect_column_values_to_match_regex_list"].unexpected_count == 30
    assert by_name["expect_column_values_to_not_match_like_pattern_list"].unexpected_count == 20
    assert by_name["expect_column_value_z_scores_to_be_less_than"].unexpected_count == 2
    assert by_name["expect_table_row_count_to_equal"].observed == "82"
