"""Which of the company's days a time is on, and in which hour. SQL expressions; columns are known by declared types.

A point in time (``timestamp with time zone``) falls on the day that the company's clocks show, and so does a plain
timestamp whose dimension says in which zone it was written (``config.meta.timezone``). Any other is what it says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sqlglot import exp

from metrics_catalog.engine.tree import text, typed
from metrics_catalog.expressions import qualified
from metrics_catalog.semantic import SemanticModel, Semantics

_UTC = "UTC"
_INSTANTS = ("timestamp with time zone", "timestamptz", "timestamp_tz", "timestamp_ltz")


def day_of(semantics: Semantics, model: str, expr: str) -> exp.Expr:
    """The date of a time of ``model``, an expression of the dbt project over its columns."""
    holder = semantics.model(model)
    time = qualified(expr, model)
    if _kind(holder, time) == "date":
        return time
    return typed(_shown(time, _zone(semantics, holder, time, expr), semantics.timezone), "date")


def hour_of(semantics: Semantics, model: str, expr: str) -> exp.Expr:
    """When the hour of a time of ``model`` began, as a timestamp in UTC: of an hour that comes twice, each has its own.

    A plain timestamp within such an hour counts as in one of both, and one within an hour that is left out as later.
    """
    holder = semantics.model(model)
    time = qualified(expr, model)
    written_in = _zone(semantics, holder, time, expr)
    utc = _shown(time, written_in, _UTC)
    if _whole_hours(semantics.timezone):
        return _begun(utc)
    local = _shown(time, written_in, semantics.timezone)
    return exp.Sub(this=utc, expression=exp.Paren(this=exp.Sub(this=local, expression=_begun(local.copy()))))


def zone_of(semantics: Semantics, model: str) -> str:
    """The zones that decide the days of rows of ``model``; "" where none does."""
    return semantics.once((zone_of, model), lambda: _zone_of(semantics, model))


def _zone_of(semantics: Semantics, model: str) -> str:
    holder = semantics.model(model)
    edges = () if holder.validity is None else (holder.validity.start, holder.validity.end)
    time = holder.dimensions.get(holder.time or "")
    times = [*edges] if time is None else [time.expr, *edges]
    instant = any(_is_instant(_kind(holder, qualified(expr, model))) for expr in times)
    written_in = sorted({zone for expr in times if (zone := _written_in(holder, expr))})
    return " ".join([*written_in, semantics.timezone]) if instant or written_in else ""


def _kind(model: SemanticModel, time: exp.Expr) -> str:
    """SQL type of a column; "" of what is none: it gives whatever its author means."""
    return model.columns.get(time.name.lower(), "") if isinstance(time, exp.Column) else ""


def _is_instant(kind: str) -> bool:
    return kind.startswith(_INSTANTS)


def _zone(semantics: Semantics, model: SemanticModel, time: exp.Expr, expr: str) -> str:
    """The zone that a time was written in; "" of a point in time, which has none."""
    return "" if _is_instant(_kind(model, time)) else _written_in(model, expr) or semantics.timezone


def _shown(time: exp.Expr, written_in: str, zone: str) -> exp.Expr:
    """What the clocks of ``zone`` show at a time that was written in another."""
    if written_in == zone:
        return time.copy()
    source = {"source_tz": text(written_in)} if written_in else {}
    return exp.ConvertTimezone(**source, target_tz=text(zone), timestamp=time.copy())


def _begun(time: exp.Expr) -> exp.Expr:
    return exp.TimestampTrunc(this=time, unit=exp.var("hour"))


@cache
def _whole_hours(zone: str) -> bool:
    """Whether its clocks differ from UTC by whole hours, as they have since 1970."""
    days = (datetime(year, month, 1, 12) for year in range(1970, 2038) for month in (1, 7))
    return all((ZoneInfo(zone).utcoffset(day) or timedelta()) % timedelta(hours=1) == timedelta() for day in days)


def _written_in(model: SemanticModel, expr: str) -> str:
    return next((one.timezone for one in model.dimensions.values() if one.expr == expr and one.timezone), "")
