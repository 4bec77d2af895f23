"""Words of a command line -> `Query`. Pure. Dates may be a day, a month or a year; both ends count."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.hours import hour_of, local
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.query import Filter, InvalidQuery, Op, Query
from metrics_catalog.located import suggest
from metrics_catalog.own_grains import OutsideSpine
from metrics_catalog.semantic import AT
from metrics_catalog.spec.base import GRAINS, HOUR, Grain

_FILTER = re.compile(r"^\s*(?P<dimension>\w+)\s*(?P<op>!=|=|not\s+in\b|in\b)\s*(?P<values>.*)$", re.IGNORECASE)


def parse_query(
    metrics: Sequence[str],
    grain: str,
    by: Sequence[str] = (),
    where: Sequence[str] = (),
    start: str | None = None,
    end: str | None = None,
    as_of: str | None = None,
    grains: Collection[str] = GRAINS,
) -> Query:
    """A query from texts; ``grains``: all there are. Raises `InvalidQuery` that quotes the word at fault."""
    if grain not in grains:
        raise InvalidQuery(f'"{grain}" is not a grain; use one of {", ".join(grains)}')
    return Query(
        metrics=tuple(dict.fromkeys(metrics)),
        grain=grain,
        by=_names(by),
        where=tuple(parse_filter(text) for text in where),
        start=None if start is None else day_range(start)[0],
        end=None if end is None else day_range(end)[1],
        as_of=None if as_of is None else parse_as_of(as_of),
    )


@dataclass(frozen=True)
class OnePeriod:
    """One period of a metric, for one member of a slice (none: the total), in the slice's order."""

    grain: Grain
    start: date
    members: Mapping[str, str | None]


def one_period(metric: str, period: str, grain: str | None, by: Iterable[str], catalog: Catalog) -> OnePeriod:
    """One published value from texts; ``period`` is any day of it, an hour (2017-05-03T18), a month or a year.

    Raises `InvalidQuery`.
    """
    calendar = Calendar.of(catalog)
    at = hour(period, calendar) if "T" in period else None
    start, end = day_range(period.partition("T")[0])
    length = "day" if (end - start).days == 1 else "month" if (end - start).days < 32 else "year"
    query = parse_query([metric], grain or (HOUR if at else length), where=tuple(by), grains=calendar.grains)
    if (query.grain == HOUR) != (at is not None):
        raise InvalidQuery(f'"{period}" by {query.grain}: an hour, and only an hour, is written as 2017-05-03T18')
    if metric not in catalog.metrics:
        raise InvalidQuery(f'there is no metric "{metric}"{suggest(metric, catalog.metrics)}')
    given = {one.dimension: one.values[0] for one in query.where if one.op == "="}
    cuts = [(), *catalog.metrics[metric].spec.slices]
    cut = next((cut for cut in cuts if set(cut) == set(given) and len(query.where) == len(given)), None)
    if cut is None:
        shown = ", ".join(" × ".join(one) for one in cuts if one) or "its total only"
        raise InvalidQuery(f"{metric} is published by {shown}; give each dimension one member: --by store=367")
    try:
        first = calendar.start(query.grain, start)
    except OutsideSpine as error:
        raise InvalidQuery(str(error)) from None
    members = {name: given[name] for name in cut}
    if at is not None:
        return OnePeriod(HOUR, local(calendar.timezone, at).date(), {AT: str(at), **members})
    return OnePeriod(query.grain, first, members)


def parse_filter(text: str) -> Filter:
    """``brand=Private``, ``store in 367,406``, ``dept != "MEAT, FRESH"``; nothing after ``=`` is the empty member."""
    match = _FILTER.match(text)
    if match is None:
        raise InvalidQuery(f'"{text}" is not a filter; write brand=Private, store!=367 or "store in 367,406"')
    op: Op = (
        "="
        if match["op"] == "="
        else "!="
        if match["op"] == "!="
        else "in"
        if match["op"].lower() == "in"
        else "not in"
    )
    values = [match["values"].strip()] if op in ("=", "!=") and '"' not in match["values"] else _list(match["values"])
    if op in ("=", "!=") and len(values) != 1:
        raise InvalidQuery(f'"{text}": {op} takes one value; use in for several')
    return Filter(match["dimension"], op, tuple(value or None for value in values))


def parse_as_of(text: str) -> int | date | datetime:
    """A version number, a day (its end), or a time; times without a zone are UTC."""
    if text.isdigit() and len(text) < 8:
        return int(text)
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        raise InvalidQuery(f'"{text}" is not a version, a day (2017-05-03) or a time (2017-05-03T18:00)') from None


def hour(text: str, calendar: Calendar) -> datetime:
    """When an hour began, in UTC (without tzinfo); an hour without a zone is the company's. Raises `InvalidQuery`."""
    try:
        return hour_of(calendar.timezone, datetime.fromisoformat(text))
    except ValueError:
        raise InvalidQuery(f'"{text}" is not an hour (2017-05-03T18, or 2017-05-03T18+02:00)') from None


def _names(by: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for text in by for name in text.split(",") if name.strip()))


def _list(text: str) -> list[str]:
    return [value.strip() for value in next(csv.reader([text.strip()], skipinitialspace=True), [""])]


def day_range(text: str) -> tuple[date, date]:
    """First day and the day after the last of a day, month or year. Raises `InvalidQuery`."""
    try:
        if re.fullmatch(r"\d{4}", text):
            return date(int(text), 1, 1), date(int(text) + 1, 1, 1)
        if re.fullmatch(r"\d{4}-\d{2}", text):
            first = date.fromisoformat(f"{text}-01")
            return first, (first + timedelta(days=31)).replace(day=1)
        day = date.fromisoformat(text)
        return day, day + timedelta(days=1)
    except ValueError:
        raise InvalidQuery(f'"{text}" is not a day (2017-05-03), a month (2017-05) or a year (2017)') from None
