"""Joins go along declared keys and never add rows."""

from __future__ import annotations

import pytest

from metrics_catalog.semantic import Semantics, UnknownName


def test_dimensions_two_joins_away_are_found(semantics: Semantics) -> None:
    country = semantics.attribute("sales", "country")
    assert [(join.left, join.right) for join in country.joins] == [("sales", "products"), ("products", "makers")]


def test_a_key_of_the_model_itself_needs_no_join(semantics: Semantics) -> None:
    assert semantics.attribute("sales", "store").joins == ()


def test_a_dimension_of_many_rows_is_not_reached(semantics: Semantics) -> None:
    with pytest.raises(
        UnknownName, match='"is_promoted" is not a dimension of semantic model "products"; it belongs to "sales"'
    ):
        semantics.attribute("products", "is_promoted")
