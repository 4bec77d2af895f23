"""Failures nobody foresaw still name the source and whose fault they are."""

from __future__ import annotations

import errno

import duckdb
import pytest

from orchestration.ingest.result import SourceError, SourceUnavailable
from orchestration.ingest.run import blamed


@pytest.mark.parametrize(
    ("failure", "kind", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/tmp/x"),
            SourceUnavailable,
            "orders: /tmp/x: No space left",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a.csv"),
            SourceUnavailable,
            "orders: a.csv: Permission denied",
        ),
        (duckdb.IOException("IO Error: disk full\nmore"), SourceUnavailable, "orders: IO Error: disk full"),
        (duckdb.InvalidInputException("Invalid: 表\nmore"), SourceError, "orders: Invalid: 表"),
    ],
)
def test_failures_name_the_source(failure: Exception, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as caught, blamed("orders"):
        raise failure
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_fault_of_ours_is_not_blamed_on_the_data() -> None:
    with pytest.raises(duckdb.BinderException), blamed("orders"), duckdb.connect() as con:
        con.execute("SELECT nothing")
