"""Every grain a metric names is a usual one, or one that the dbt project's time spine declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Loc, Problem, suggest
from metrics_catalog.spec.base import GRAINS, Grain
from metrics_catalog.spec.metric import ConversionMetric, CumulativeMetric, Input

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog, Entry


def check(catalog: Catalog) -> Iterator[Problem]:
    """Grains nobody declares: of values, of offsets, of longer reaches."""
    known = (*GRAINS, *catalog.semantics.own_grains)
    for entry in catalog.metrics.values():
        for loc, grain in _named(entry):
            if grain not in known:
                hint = suggest(grain, known) or f"; use {', '.join(known)}"
                where = ".".join(str(part) for part in loc if isinstance(part, str))
                yield entry.document.problem(loc, f'{where}: there is no grain "{grain}"{hint}')


def _named(entry: Entry) -> Iterator[tuple[Loc, Grain]]:
    spec = entry.spec
    yield from ((("grains", index), grain) for index, grain in enumerate(spec.grains))
    for loc, part in entry.parts:
        if isinstance(part, Input) and part.offset is not None:
            yield from (((*loc, "offset"), unit) for unit in (part.offset.grain, part.offset.start_of) if unit)
    if isinstance(spec, CumulativeMetric) and spec.to_date is not None:
        yield ("to_date",), spec.to_date
    if isinstance(spec, CumulativeMetric) and spec.window is not None:
        yield ("window",), spec.window.grain
    if isinstance(spec, ConversionMetric):
        yield ("window",), spec.window.grain
    if spec.change is not None and (unit := spec.change.against.grain or spec.change.against.start_of):
        yield ("change", "against"), unit
