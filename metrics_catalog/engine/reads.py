"""What metrics read: semantic models and the joins to them, values of other metrics, the project's own grains."""

from __future__ import annotations

from collections.abc import Mapping

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.components import Lookup
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.own_grains import OwnGrain
from metrics_catalog.semantic import Attribute, Join


def joined(catalog: Catalog, metric: str) -> list[Attribute]:
    """Dimensions of other tables that a metric's slices and filters read."""
    models, cuts = catalog.models(metric, sliced=True), catalog.metrics[metric].spec.slices
    attributes = [catalog.semantics.attribute(model, name) for model in models for cut in cuts for name in cut]
    reads = (read for component in formulas(catalog)[metric].components for read in component.reads)
    attributes += [one for read in reads for one in read.joined]
    return [attribute for attribute in attributes if attribute.joins]


def keys_of(catalog: Catalog, lookup: Lookup) -> dict[str, Attribute]:
    """By each semantic model that a looked up metric counts, its key of the entity."""
    models = catalog.models(lookup.values.metric)
    return {model: catalog.semantics.key(model, lookup.values.entity) for model in models}


def joins_from(catalog: Catalog) -> Mapping[str, tuple[Join, ...]]:
    """By semantic model whose rows are counted, every join some metric makes from there: one scan makes all."""
    return catalog.once(joins_from, lambda: _joins_from(catalog))


def _joins_from(catalog: Catalog) -> dict[str, tuple[Join, ...]]:
    found: dict[str, dict[Join, None]] = {}
    for metric, formula in formulas(catalog).items():
        pairs = [pair for one in formula.components if one.conversion is not None for pair in one.conversion.keys]
        keys = [key for lookup in formula.lookups for key in keys_of(catalog, lookup).values()]
        for attribute in (*joined(catalog, metric), *(one for pair in pairs for one in pair), *keys):
            if attribute.joins:
                found.setdefault(attribute.joins[0].left, {}).update(dict.fromkeys(attribute.joins))
    return {model: tuple(joins) for model, joins in found.items()}


def models_read(catalog: Catalog, metric: str) -> set[str]:
    """Semantic models a metric reads: its facts, those its filters and slices join, those under values it looks up."""
    attributes, found = joined(catalog, metric), set(catalog.models(metric))
    todo = list(formulas(catalog)[metric].lookups)
    for lookup in todo:
        formula = formulas(catalog)[lookup.values.metric]
        keys = keys_of(catalog, lookup)
        found |= set(keys)
        attributes += [*keys.values(), *(one for component in formula.components for one in component.joined)]
        todo += [one for one in formula.lookups if one not in todo]
    found |= {join.right for one in attributes for join in one.joins}
    return {model for model in found if not catalog.semantics.is_values(model)}


def own_grains(catalog: Catalog, metric: str) -> Mapping[str, OwnGrain]:
    """The project's own grains that decide a metric's periods, or what it looks at from there, by name."""
    calendar, grains = Calendar.of(catalog), catalog.metrics[metric].spec.grains
    if not calendar.own:
        return {}
    units = {unit for term in formulas(catalog)[metric].terms for unit in term.units}
    longer = (calendar.unit(grain, unit) for grain in grains for unit in units)
    names = {*grains, *units, *(one.name for one in longer if one is not None)}
    return {name: one for name, one in calendar.own.items() if name in names}
