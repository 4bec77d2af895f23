"""One dbt metric -> the calculation of a spec. One function for each type; names of other metrics stay names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from metrics_catalog.dbt_metrics.filters import filters, translated
from metrics_catalog.dbt_metrics.measures import lost, measure
from metrics_catalog.dbt_metrics.parts import NotRead
from metrics_catalog.expressions import InvalidExpression, names, parse, values_asked
from metrics_catalog.located import Loc
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.base import GRAINS, HOUR, OF_DAYS, Grain
from metrics_catalog.spec.metric import Measure
from metrics_catalog.spec.time import Duration, Offset


@dataclass(frozen=True)
class Calculation:
    """``keys``: of a spec. ``fits``: grains at which its value is MetricFlow's. ``models``: whose rows it counts.

    The project's own grains are among ``fits`` where all of it is of one period only: by other periods, windows and
    conversions MetricFlow means something else there.
    """

    keys: Mapping[str, Any]
    fits: tuple[Grain, ...]
    models: tuple[str, ...]
    notes: tuple[tuple[Loc, str], ...] = ()


@dataclass(frozen=True)
class Definitions:
    """``known``: the calculation of another metric by name; raises `NotRead` when it has none."""

    semantics: Semantics
    measures: Mapping[str, tuple[str, Mapping[str, Any]]]
    known: Callable[[str], Calculation]

    def calculation(self, metric: Mapping[str, Any]) -> Calculation:
        """How a metric of the manifest is computed. Raises `NotRead`."""
        kinds: dict[str, Callable[[Mapping[str, Any]], Calculation]] = {
            "simple": self._simple,
            "ratio": self._ratio,
            "derived": self._derived,
            "cumulative": self._cumulative,
            "conversion": self._conversion,
        }
        if metric["type"] not in kinds:
            raise NotRead(f'metrics of type "{metric["type"]}" are not supported', ("type",))
        made = kinds[metric["type"]](metric)
        least = metric.get("time_granularity")
        first = GRAINS.index(least) if least in GRAINS else 0
        fits = tuple(grain for grain in made.fits if grain not in GRAINS[:first])
        if not fits:
            raise NotRead(
                f'MetricFlow means something else by it at every grain from "{least}" on', ("time_granularity",)
            )
        return Calculation({"type": metric["type"], **made.keys}, fits, made.models, made.notes)

    def _simple(self, metric: Mapping[str, Any]) -> Calculation:
        made, notes = self._measure(metric["type_params"]["measure"], filters(metric.get("filter")))
        return Calculation(made.model_dump(exclude_none=True), self._grains(made), (made.model,), notes)

    def _measure(
        self, use: Mapping[str, Any] | None, more: Iterable[str]
    ) -> tuple[Measure, tuple[tuple[Loc, str], ...]]:
        """A measure as a metric uses it; ``more``: the metric's own filters."""
        if use is None or use["name"] not in self.measures:
            raise NotRead(f'there is no measure "{(use or {}).get("name")}"', ("model",))
        model, given = self.measures[use["name"]]
        made = measure(self.semantics, model, given)
        condition = self._translated([*filters(use.get("filter")), *more], made.model)
        missing = "zero" if use.get("fill_nulls_with") == 0 else "none"
        notes = tuple((("model",), text) for text in lost(given, use))
        return made.model_copy(update={"filter": condition, "missing": missing}), notes

    def _translated(self, templates: Iterable[str], model: str) -> str | None:
        """The condition of filters, which ask for values of metrics that are read. Raises `NotRead`."""
        condition = translated(templates, self.semantics, model)
        for values in values_asked(condition) if condition else ():
            self.known(values.metric)
        return condition

    def _grains(self, made: Measure) -> tuple[Grain, ...]:
        """From the grain its time is known at; own grains, too, of what is known by the day."""
        model = self.semantics.model(made.model)
        time = model.dimensions.get(model.time or "")
        first = OF_DAYS.index(time.grain) if time is not None and time.grain in OF_DAYS else 0
        hours = (HOUR,) if time is not None and time.tells_hours else ()
        return (*hours, *OF_DAYS[first:], *(() if first else self.semantics.own_grains))

    def _input(self, use: Mapping[str, Any], more: Iterable[str]) -> tuple[dict[str, Any], Calculation]:
        """A metric as part of another: ``metric``, with ``offset`` and ``filter`` where there is one."""
        part = self.known(use["name"])
        templates = [*filters(use.get("filter")), *more]
        conditions = dict.fromkeys(self._translated(templates, model) for model in part.models)
        if len(conditions) > 1:
            raise NotRead(
                f'the filter on "{use["name"]}" means different things in {" and ".join(part.models)}', ("filter",)
            )
        made = {"metric": use["name"], "offset": _offset(use), "filter": next(iter(conditions), None)}
        return {key: value for key, value in made.items() if value is not None}, part

    def _ratio(self, metric: Mapping[str, Any]) -> Calculation:
        own, params = filters(metric.get("filter")), metric["type_params"]
        top, over = self._input(params["numerator"], own)
        bottom, below = self._input(params["denominator"], own)
        if "ratio" in (over.keys["type"], below.keys["type"]):
            raise NotRead("a ratio of ratios is not supported; name the parts instead", ("numerator",))
        return _joined({"numerator": _short(top), "denominator": _short(bottom)}, [over, below])

    def _derived(self, metric: Mapping[str, Any]) -> Calculation:
        own, params = filters(metric.get("filter")), metric["type_params"]
        expr = params.get("expr") or metric["name"]
        try:
            parse(expr)
        except InvalidExpression as error:
            raise NotRead(f"expr: {error}", ("expr",)) from None
        inputs: dict[str, Any] = {}
        parts: list[Calculation] = []
        fits: set[Grain] = {*GRAINS, *self.semantics.own_grains}
        for use in params["metrics"]:
            made, part = self._input(use, own)
            parts.append(part)
            fits &= set(_seen(use, part.fits))
            name = use.get("alias") or use["name"]
            if name != use["name"] or len(made) > 1:
                inputs[name] = made
        given = {use.get("alias") or use["name"] for use in params["metrics"]}
        if loose := [name for name in names(expr) if name not in given]:
            raise NotRead(f'expr: "{loose[0]}" is none of its metrics', ("expr",))
        made = {
            "expr": expr,
            **({"inputs": {name: inputs[name] for name in names(expr) if name in inputs}} if inputs else {}),
        }
        return _joined(made, parts, fits)

    def _cumulative(self, metric: Mapping[str, Any]) -> Calculation:
        params = metric["type_params"]
        reach = params.get("cumulative_type_params") or {}
        if reach.get("metric"):
            raise NotRead("a cumulative metric over a metric is not read from dbt; name its measure", ("metric",))
        made, notes = self._measure(params.get("measure"), filters(metric.get("filter")))
        window = reach.get("window") or params.get("window")
        to_date = reach.get("grain_to_date") or params.get("grain_to_date")
        if to_date is not None and to_date not in OF_DAYS[1:]:
            raise NotRead(f'to date within "{to_date}" is not supported', ("grain_to_date",))
        keys = {"metric": made.model_dump(exclude_none=True), "window": _duration(window), "to_date": to_date}
        fits = tuple(grain for grain in self._grains(made) if grain in OF_DAYS)
        if reach.get("period_agg", "first") != "last":
            fits = fits[:1]  # of a longer period MetricFlow gives its first day, or an average of its days
        if window is not None and Duration.model_validate(keys["window"]).days is None:
            notes = (
                *notes,
                (("window",), f"the last {keys['window']} may begin a day earlier here at the end of a month"),
            )
        kept = {key: value for key, value in keys.items() if value is not None}
        return Calculation(kept, fits, (made.model,), notes)

    def _conversion(self, metric: Mapping[str, Any]) -> Calculation:
        params = metric["type_params"]["conversion_type_params"]
        base, notes = self._measure(params["base_measure"], filters(metric.get("filter")))
        event, more = self._measure(params["conversion_measure"], ())
        window = _duration(params.get("window"))
        if window is None:
            raise NotRead("a conversion needs a window here: without one no period is ever complete", ("window",))
        if Duration.model_validate(window).days is None:
            raise NotRead(f'a conversion\'s window is in days or weeks here, not "{window}"', ("window",))
        for loc, part in ((("base",), base), (("conversion",), event)):
            if part.agg not in ("sum", "count", "count_distinct") or (part is event and part.agg == "count_distinct"):
                raise NotRead(f'conversions are counted or summed here, not "{part.agg}"', loc)
        same = []
        for pair in params.get("constant_properties") or ():
            if pair["base_property"] != pair["conversion_property"]:
                raise NotRead("constant_properties of two names are not supported", ("constant_properties",))
            same.append(pair["base_property"])
        keys = {
            "base": base.model_dump(exclude_none=True),
            "conversion": event.model_dump(exclude_none=True),
            "entity": params["entity"],
            "window": window,
            "same": same,
            "calculation": "count" if params.get("calculation") == "conversions" else "rate",
        }
        fits = tuple(grain for grain in self._grains(base) if grain in OF_DAYS)
        return Calculation(keys, fits, (base.model,), (*notes, *more))


def _joined(
    keys: Mapping[str, Any], parts: Iterable[Calculation], fits: Collection[Grain] | None = None
) -> Calculation:
    every = list(parts)
    common = tuple(
        grain
        for grain in every[0].fits
        if all(grain in part.fits for part in every) and (fits is None or grain in fits)
    )
    if not common:
        raise NotRead("there is no grain at which all of its parts have MetricFlow's values", ("inputs",))
    return Calculation(keys, common, tuple(dict.fromkeys(model for part in every for model in part.models)))


def _short(made: Mapping[str, Any]) -> Any:
    return made["metric"] if len(made) == 1 else dict(made)


def _offset(use: Mapping[str, Any]) -> str | None:
    if use.get("offset_to_grain") is not None:
        if use["offset_to_grain"] not in OF_DAYS[1:]:
            raise NotRead(f'offset to "{use["offset_to_grain"]}" is not supported', ("inputs",))
        return f"start of {use['offset_to_grain']}"
    return _duration(use.get("offset_window"))


def _duration(window: Mapping[str, Any] | None) -> str | None:
    if window is None:
        return None
    grain = str(window["granularity"]).removesuffix("s")
    if grain not in OF_DAYS:
        raise NotRead(f'a length of time in "{window["granularity"]}" is not supported', ("window",))
    return f"{window['count']} {grain}{'s' if window['count'] > 1 else ''}"


def _seen(use: Mapping[str, Any], fits: Iterable[Grain]) -> tuple[Grain, ...]:
    """Grains at which an input's other period is the same one here and in MetricFlow."""
    text = _offset(use)
    if text is None:
        return tuple(fits)
    offset = Offset.model_validate(text)
    if offset.start_of is not None:
        return tuple(grain for grain in fits if grain == "day")
    months = offset.grain not in ("day", "week")
    usual = (grain for grain in fits if grain in GRAINS)
    return tuple(grain for grain in usual if offset.sees(grain) and not (grain == "week" and months))
