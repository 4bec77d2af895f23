"""Days of components that look up values of entities: put together from the rows when they are wanted, never stored.

An entity whose value crosses a filter's line moves rows of any day, so days that were stored would have to be looked
through again. Which days are wanted is known: those on which such entities have rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine import cumulative
from metrics_catalog.engine.building import Building, Source
from metrics_catalog.engine.metric_models import stored_query
from metrics_catalog.engine.periods import Span, merged
from metrics_catalog.engine.pieces import in_spans, table
from metrics_catalog.engine.rollup import Rollup, rollups_of
from metrics_catalog.engine.scan import Scan


def put_together(build: Building, catalog: Catalog) -> None:
    """Make the tables of days that the terms of ``build`` need, and let it read them as it reads what is stored."""
    sliced = [(formula, cut) for (_, cut), wanted in build.needs.cells.items() for formula in wanted]
    made, stored, days = rollups_of(build.semantics, sliced, picked=True), build.stored, _days(build)
    models = {component.holder: component.model for formula, _ in sliced for component in formula.components}
    for together in made.tables:
        model = together[0].model
        some = in_spans(Scan(build.semantics, model, (), ()).day, merged(days[model]))
        build.step(_name(together[0]), stored_query(catalog, together, some, build.place))

    def days_of(holder: str, dimensions: Collection[str]) -> Source:
        model = models.get(holder, holder)
        if model == holder:
            return stored(holder, dimensions)
        rollup = made.holding(model, dimensions)
        assert rollup is not None, (holder, dimensions)
        return Source(rollup.rows(table(_name(rollup))), rollup.keys)

    build.stored = days_of


def _name(rollup: Rollup) -> str:
    return f"picked_{rollup.table}"


def _days(build: Building) -> dict[str, set[Span]]:
    """Days that are read of each semantic model."""
    found: dict[str, set[Span]] = defaultdict(set)
    for grains in build.needs.wanted().values():
        for grain, terms in grains.items():
            for term, spans in terms.items():
                if term.component.lookups:
                    reach, calendar = term.reach, build.calendar
                    read = spans if reach is None else (cumulative.reads(calendar, grain, reach, one) for one in spans)
                    found[term.component.model].update(read)
    return found
