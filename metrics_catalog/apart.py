"""Metrics computed together, and each by itself where one of them cannot be: no metric stops the others.

What cannot be computed: a sum beyond decimal(28,6), a text that is no number. Nothing of such a metric is published.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from metrics_catalog.published.of_data import of_data


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
