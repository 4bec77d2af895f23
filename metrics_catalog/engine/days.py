"""Which of the company's days a time is on. Makes SQL expressions; knows columns by their declared types only.

A point in time (``timestamp with time zone``) falls on the day that the company's clocks show, and so does a plain
timestamp whose dimension says in which zone it was written (``config.meta.timezone``). Any other is what it says.
"""

from __future__ import annotations

from sqlglot import exp

from metrics_catalog.engine.tree import text, typed
from metrics_catalog.expressions import qualified
from metrics_catalog.semantic import SemanticModel, Semantics

_INSTANTS = ("timestamp with time zone", "timestamptz", "timestamp_tz", "timestamp_ltz")


def day_of(semantics: Semantics, model: str, expr: str) -> exp.Expr:
    """The date of a time of ``model``, an expression of the dbt project over its columns."""
    holder = semantics.model(model)
    time = qualified(expr, model)
    kind = _kind(holder, time)
    if _is_instant(kind):
        return typed(exp.ConvertTimezone(target_tz=text(semantics.timezone), timestamp=time), "date")
    written_in = _written_in(holder, expr)
    if written_in:
        zones = {"source_tz": text(written_in), "target_tz": text(semantics.timezone)}
        return typed(exp.ConvertTimezone(**zones, timestamp=time), "date")
    return time if kind == "date" else typed(time, "date")


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


def _written_in(model: SemanticModel, expr: str) -> str:
    return next((one.timezone for one in model.dimensions.values() if one.expr == expr and one.timezone), "")
