"""A metric file: one metric is one file, and its file name is its name everywhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from metrics_catalog.spec.base import HOUR, Grain, Label, Name, Spec, Text, Words
from metrics_catalog.spec.monitoring import Anomaly, Bounds, ChangeRule, Cut
from metrics_catalog.spec.time import Duration, Longer, Offset

Agg = Literal["sum", "count", "count_distinct", "average", "min", "max", "median", "percentile"]
Unit = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(/[a-z0-9_]+)?$")]


class SemiAdditive(Spec):
    """A stock: of a period only its last (first) day with rows counts; ``per``: each of its members has its own day."""

    take: Literal["last", "first"] = "last"
    per: tuple[Name, ...] = ()


class Measure(Spec):
    """An aggregation over the rows of a semantic model.

    ``filter`` keeps rows, by their columns, joined dimensions, and values of other metrics for the entity they name
    (``metric(receipts, by=household) >= 5``); ``having`` keeps the entities of a ``count_distinct`` by an aggregate
    over their rows of the period (``count(*) >= 2``: entities with at least two rows). ``semi_additive``: days do not
    add up, as in a stock. ``missing``: what no rows mean beside a metric that has some: ``zero``, as sums and counts do
    by themselves, or ``none``, no data, as in dbt's semantic layer (where rows without a key are 0 distinct keys).
    """

    model: Name
    agg: Agg
    expr: Text | None = None
    percentile: Annotated[float, Field(gt=0, lt=1)] | None = None
    filter: Text | None = None
    having: Text | None = None
    semi_additive: SemiAdditive | None = None
    missing: Literal["zero", "none"] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Measure:
        if self.expr is None and self.agg != "count":
            raise ValueError(f'agg "{self.agg}" needs an expr (only "count" may count rows)')
        if (self.percentile is None) == (self.agg == "percentile"):
            raise ValueError('percentile (0-1) goes with agg "percentile", and only with it')
        if self.having is not None and self.agg != "count_distinct":
            raise ValueError('having goes with agg "count_distinct" only')
        if self.semi_additive is not None and self.agg in ("count_distinct", "median", "percentile"):
            raise ValueError(f'semi_additive goes with sum, count, average, min and max, not with "{self.agg}"')
        return self


class Input(Spec):
    """A metric as part of another: ``offset`` looks at another period, ``filter`` at fewer rows."""

    metric: Name
    offset: Offset | None = None
    filter: Text | None = None


class MetricFile(Spec):
    """What every kind of metric says about itself. ``watch``: slices whose members are judged, besides the total."""

    label: Label
    description: Words
    synonyms: tuple[Text, ...] = ()
    owner: Name
    tier: Literal[1, 2, 3]
    unit: Unit
    direction: Literal["up", "down", "none"]
    grains: Annotated[tuple[Grain, ...], Field(min_length=1)]
    slices: tuple[Cut, ...] = ()
    bounds: Bounds | None = None
    target: dict[Grain, Decimal] = Field(default_factory=dict)
    change: ChangeRule | None = None
    anomaly: Anomaly | None = None
    watch: tuple[Cut, ...] | None = None
    playbook: Words | None = None

    @property
    def judged_grains(self) -> tuple[Grain, ...]:
        """Those at which values are judged, reported and compared: all but hours."""
        return tuple(grain for grain in self.grains if grain != HOUR)

    @field_validator("grains", "slices", "synonyms", "watch")
    @classmethod
    def _no_repeats(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if values is None:
            return None
        keys = [tuple(sorted(value)) if isinstance(value, tuple) else value for value in values]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise ValueError(f"{values[index]!r} is given twice")
            if isinstance(key, tuple) and len(set(key)) < len(key):
                raise ValueError(f"{values[index]!r} names a dimension twice")
        return values

    @model_validator(mode="after")
    def _published_grains(self) -> MetricFile:
        judged = [one.grain for one in (self.bounds, self.change, self.anomaly) if one is not None and one.grain]
        if missing := [grain for grain in (*self.target, *judged) if grain not in self.grains]:
            raise ValueError(f'a target, bound or rule is at grain "{missing[0]}", which is not in grains')
        if HOUR in (*self.target, *judged):
            raise ValueError("a target, bound or rule is at grain hour; days and what is longer are judged")
        if HOUR in self.grains and "day" not in self.grains:
            raise ValueError("hours are published beside their days: add day to grains")
        known = {frozenset(cut) for cut in self.slices}
        named = [one.slices for one in (self.bounds, self.change) if one is not None]
        for cut in (*(self.watch or ()), *(cut for cuts in named for cut in cuts)):
            if frozenset(cut) not in known:
                raise ValueError(f'"{", ".join(cut)}" is watched, and not in slices')
        return self


class SimpleMetric(MetricFile, Measure):
    """One measure."""

    type: Literal["simple"]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return "name"
    return "input" if isinstance(value, Input) or (isinstance(value, dict) and "metric" in value) else "measure"


Part = Annotated[
    Annotated[Name, Tag("name")] | Annotated[Input, Tag("input")] | Annotated[Measure, Tag("measure")],
    Discriminator(_written),
]
Whole = Annotated[Annotated[Name, Tag("name")] | Annotated[Measure, Tag("measure")], Discriminator(_written)]


class RatioMetric(MetricFile):
    """Numerator over denominator, each a metric or a measure; re-aggregated from both, never averaged."""

    type: Literal["ratio"]
    numerator: Part
    denominator: Part


class DerivedMetric(MetricFile):
    """Arithmetic over metrics. Names in ``expr`` are metrics, or ``inputs``: metrics under another name.

    What adds up (sums, counts) is 0 in ``expr`` where a slice has none while another input has some.
    """

    type: Literal["derived"]
    expr: Text
    inputs: dict[Name, Input] = Field(default_factory=dict)


class CumulativeMetric(MetricFile):
    """A metric over more than its period.

    Over the ``window`` that ends with it, or everything from the beginning of the week, month, quarter or year, or
    of a period of an own grain (``to_date``), to its end; without either, from the first day on.
    """

    type: Literal["cumulative"]
    metric: Whole
    window: Duration | None = None
    to_date: Longer | None = None

    @model_validator(mode="after")
    def _one_reach(self) -> CumulativeMetric:
        if self.window is not None and self.to_date is not None:
            raise ValueError("window and to_date exclude each other")
        if HOUR in self.grains:
            raise ValueError("what is cumulated is cumulated by the day; leave hour out of grains")
        return self


class ConversionMetric(MetricFile):
    """Of ``base`` events, those the same ``entity`` follows with a ``conversion`` event within ``window``.

    Each conversion belongs to the last base event before it (the same day counts) and to the period, and the slices,
    of that base event. ``same``: dimensions both events must agree on. ``calculation``: the conversions, or their rate.
    """

    type: Literal["conversion"]
    base: Whole
    conversion: Whole
    entity: Name
    window: Duration
    same: tuple[Name, ...] = ()
    calculation: Literal["rate", "count"] = "rate"

    @field_validator("window")
    @classmethod
    def _in_days(cls, window: Duration) -> Duration:
        if window.days is None:
            raise ValueError("a conversion's window is in days or weeks")
        return window


AnyMetric = SimpleMetric | RatioMetric | DerivedMetric | CumulativeMetric | ConversionMetric
KINDS = ("simple", "ratio", "derived", "cumulative", "conversion")


def metric_of(part: str | Measure | Input) -> str | None:
    """The metric a part names; None for a measure."""
    return part if isinstance(part, str) else part.metric if isinstance(part, Input) else None


def _kind(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return str(kind)


Metric = Annotated[
    Annotated[SimpleMetric, Tag("simple")]
    | Annotated[RatioMetric, Tag("ratio")]
    | Annotated[DerivedMetric, Tag("derived")]
    | Annotated[CumulativeMetric, Tag("cumulative")]
    | Annotated[ConversionMetric, Tag("conversion")],
    Discriminator(
        _kind, custom_error_type="metric_type", custom_error_message=f"type must be one of {', '.join(KINDS)}"
    ),
]
