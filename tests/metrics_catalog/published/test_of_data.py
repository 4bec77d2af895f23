"""Values that cannot be are told from every other error, whichever connection found them."""

from __future__ import annotations

import duckdb
import pytest

from metrics_catalog.published.errors import PublishFailed
from metrics_catalog.published.of_data import must_be_of_data, of_data


def test_an_error_of_the_system_is_raised() -> None:
    with pytest.raises(duckdb.IOException):
        must_be_of_data(duckdb.IOException("IO Error: no space left"))


def test_what_another_connection_read_counts_as_what_it_was() -> None:
    wrapped = PublishFailed("staging values failed")
    assert of_data(wrapped) is None
    wrapped.__cause__ = duckdb.InvalidInputException("arrow_scan: get_next failed(): Conversion Error: Casting value")
    assert str(of_data(wrapped)).startswith("a value cannot be: Conversion Error: Casting value;")
