"""Alert rules that compare with a period that no period of their grain has, as the time spine is built. Pure.

Of the usual grains the metric file alone says so; of the project's own it takes their periods.
"""

from __future__ import annotations

from collections.abc import Iterator

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.located import Problem


def check(catalog: Catalog) -> Iterator[Problem]:
    """Each such rule; none as long as the time spine was never built."""
    calendar = Calendar.of(catalog)
    if not all(one.starts for one in calendar.own.values()):
        return
    for entry in catalog.metrics.values():
        rule = entry.spec.change
        if rule is not None and not calendar.sees(rule.grain, rule.against):
            said = f'change.against: the time spine does not say which {rule.grain} is "{rule.against}" before another'
            yield entry.document.problem(("change", "against"), said)
