"""Metric -> tree: the arithmetic a metric is, down to the measures. Pure; values, where published, are given to it."""

from __future__ import annotations

from dataclasses import dataclass

from metrics_catalog.catalog import Catalog
from metrics_catalog.spec.metric import (
    AnyMetric,
    ConversionMetric,
    CumulativeMetric,
    DerivedMetric,
    Input,
    Measure,
    RatioMetric,
    metric_of,
)
from metrics_catalog.spec.time import Offset


@dataclass(frozen=True)
class Node:
    """A part of a metric.

    ``role``: what it is called there. ``metric``: whose value it is, None for a measure or among fewer rows.
    ``offset``: the other period it is looked at.
    """

    role: str
    metric: str | None
    calculation: str
    parts: tuple[Node, ...] = ()
    offset: Offset | None = None


def decomposed(catalog: Catalog, metric: str, role: str = "") -> Node:
    """The whole tree of a metric."""
    entry = catalog.metrics[metric]
    if isinstance(entry.spec, Measure):
        return Node(role, metric, calculation(entry.spec))
    parts = (_part(catalog, str(loc[-1] if loc[-1] != "expr" else part), part) for loc, part in entry.parts)
    return Node(role, metric, calculation(entry.spec), tuple(parts))


def _part(catalog: Catalog, role: str, part: str | Measure | Input) -> Node:
    name = metric_of(part)
    if name is None:
        assert isinstance(part, Measure)
        return Node(role, None, calculation(part))
    if isinstance(part, Input) and (part.offset or part.filter):
        whole = decomposed(catalog, name)
        return Node(role, None if part.filter else name, described(part), whole.parts, part.offset)
    return decomposed(catalog, name, "" if role == name else role)


def calculation(spec: AnyMetric | Measure) -> str:
    """A metric or measure as one readable line."""
    if isinstance(spec, RatioMetric):
        return f"{described(spec.numerator)} / {described(spec.denominator)}"
    if isinstance(spec, DerivedMetric):
        given = [f"{name} = {described(part)}" for name, part in spec.inputs.items()]
        return spec.expr + (f" with {', '.join(given)}" if given else "")
    if isinstance(spec, CumulativeMetric):
        reach = f"{spec.to_date} to date" if spec.to_date else f"last {spec.window}" if spec.window else "since ever"
        return f"{described(spec.metric)}, {reach}"
    if isinstance(spec, ConversionMetric):
        share = "share" if spec.calculation == "rate" else "number"
        same = f" of the same {' and '.join(spec.same)}" if spec.same else ""
        followed = f"followed within {spec.window} by {described(spec.conversion)}{same}"
        return f"{share} of {described(spec.base)} that are, for the same {spec.entity}, {followed}"
    return described(spec)


def described(part: str | Measure | Input) -> str:
    """A part of a metric in words."""
    if isinstance(part, str):
        return part
    if isinstance(part, Input):
        where = f" where {part.filter}" if part.filter else ""
        return f"{part.metric}{where}{f', {_ago(part)}' if part.offset else ''}"
    fraction = f" {part.percentile:g}" if part.percentile is not None else ""
    tests = [f" where {part.filter}"] if part.filter else []
    tests += [f" having {part.having}"] if part.having else []
    tests += [f" on the {part.semi_additive.take} day"] if part.semi_additive else []
    return f"{part.agg}{fraction}({part.expr or '*'}) of {part.model}{''.join(tests)}"


def _ago(part: Input) -> str:
    assert part.offset is not None
    if part.offset.start_of is not None:
        return f"at the {part.offset}"
    return "the period before" if part.offset.is_previous else f"{part.offset} before"
