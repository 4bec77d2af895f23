"""Metrics computed together, and each by itself where one of them cannot be: no metric stops the others.

What cannot be computed: a sum beyond decimal(28,6), a text that is no number. Nothing of such a metric is published.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from metrics_catalog.published.errors import PublishFailed

_OF_DATA = ("Conversion Error", "Out of Range Error")  # what DuckDB's messages about values begin with


def apart(metrics: Sequence[str], compute: Callable[[Sequence[str]], None]) -> dict[str, str]:
    """Compute all; returns what the data is at fault for, by metric. Any other error is raised."""
    try:
        compute(metrics)
        return {}
    except Exception as error:
        if (said := of_data(error)) is None:
            raise
        if len(metrics) == 1:
            return {metrics[0]: said}
        middle = len(metrics) // 2
        return apart(metrics[:middle], compute) | apart(metrics[middle:], compute)


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
