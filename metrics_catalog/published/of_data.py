"""What the data is at fault for: values that cannot be, told from every other error of the database."""

from __future__ import annotations

from metrics_catalog.published.errors import PublishFailed

_OF_DATA = ("Conversion Error", "Out of Range Error")  # what DuckDB's messages about values begin with


def of_data(error: BaseException) -> str | None:
    """What an error says of a value that cannot be; None when it is about anything else."""
    import duckdb

    if isinstance(error, (duckdb.ConversionException, duckdb.OutOfRangeException)):
        return _told(str(error))
    cause = error.__cause__
    if isinstance(error, PublishFailed) and cause is not None and any(kind in str(cause) for kind in _OF_DATA):
        return _told(str(cause))
    return None


def must_be_of_data(error: Exception) -> str:
    """The same; raises an error that is about anything else."""
    if (said := of_data(error)) is None:
        raise error
    return said


def _told(text: str) -> str:
    """DuckDB's message from the kind of error on, on one line."""
    start = min((text.find(kind) for kind in _OF_DATA if kind in text), default=0)
    first = text[start:].splitlines()[0]
    return f"a value cannot be: {first}; amounts must fit decimal(28,6), and what is converted must be one"
