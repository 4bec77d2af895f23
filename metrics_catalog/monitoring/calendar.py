"""Days people know of: public holidays, events of policy.yml, days that are closed. Pure; no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.engine.periods import Calendar
from metrics_catalog.monitoring.finding import Series
from metrics_catalog.monitoring.holiday_names import chinese
from metrics_catalog.own_grains import OwnGrain
from metrics_catalog.spec.base import Grain
from metrics_catalog.spec.monitoring import Event, Monitoring
from metrics_catalog.spec.policy import Policy

if TYPE_CHECKING:
    from numpy.typing import NDArray

Names = Mapping[str, str]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Known:
    """What is known of days.

    ``holidays``: names by day. ``events``: of policy.yml. ``closed``: days on which nothing is sold.
    """

    calendar: Calendar
    holidays: Mapping[date, Names]
    events: tuple[Event, ...] = ()
    closed: frozenset[date] = frozenset()

    def nearness(self, grain: Grain, starts: Sequence[date]) -> NDArray[np.int64]:
        """Per period 0 (plain), 1 (a day beside a holiday) or 2 (a holiday). Longer periods are plain."""
        if grain != "day":
            return np.zeros(len(starts), dtype=np.int64)
        near = [
            2 if day in self.holidays else 1 if day - DAY in self.holidays or day + DAY in self.holidays else 0
            for day in starts
        ]
        return np.array(near, dtype=np.int64)

    def is_closed(self, grain: Grain, start: date) -> bool:
        """Whether nothing is to be expected of a period."""
        return grain == "day" and start in self.closed

    def falls(self, event: Event, grain: Grain, start: date) -> bool:
        """Whether an event has a day in a period."""
        return event.first < self.calendar.next(grain, start) and event.last >= start

    def concerns(self, event: Event, series: Series) -> bool:
        """Whether an event is about a series, or about everything."""
        if event.metrics and series.metric not in event.metrics:
            return False
        members = dict(series.members)
        return all(members.get(name) in names for name, names in event.members.items())

    def event(self, series: Series, start: date) -> Names | None:
        """The event or holiday that falls into a period of a series, else the holiday beside the day."""
        span = self.calendar.span(series.grain, start)
        for event in self.events:
            weighs = (
                14 * (event.last - event.first + DAY) >= span.end - span.start
            )  # three days move a month, no quarter
            if weighs and self.falls(event, series.grain, start) and self.concerns(event, series):
                return {"en": event.label.en, "zh": event.label.zh}
        if series.grain not in ("day", "week"):
            return None
        days = [start + timedelta(days=number) for number in range((span.end - span.start).days)]
        beside = [start + DAY, start - DAY] if series.grain == "day" else []
        for day in days:
            if day in self.holidays:
                return self.holidays[day]
        for day in beside:
            if day in self.holidays:
                name, before = self.holidays[day], day > start
                said = ("the day before", "前一天") if before else ("the day after", "后一天")
                return {"en": f"{said[0]} {name['en']}", "zh": f"{name['zh']}{said[1]}"}
        return None

    def lasting(self, series: Series, last: date, days: int) -> Names | None:
        """The event of policy.yml that takes half of the ``days`` up to ``last``: a shorter one moves no level."""
        first = last - (days - 1) * DAY
        for event in self.events:
            shared = (min(event.last, last) - max(event.first, first) + DAY).days
            if 2 * shared >= days and self.concerns(event, series):
                return {"en": event.label.en, "zh": event.label.zh}
        return None


def known_days(policy: Policy, first: date, last: date, own: Mapping[str, OwnGrain] | None = None) -> Known:
    """Everything known of the days between two, and of those beside them; ``own``: the project's own grains."""
    holidays = _holidays(policy.monitoring, range(first.year - 1, last.year + 2))
    calendar = Calendar(policy.week_start, own or {})
    return Known(calendar, holidays, policy.monitoring.events, frozenset(policy.closed_days))


def _holidays(policy: Monitoring, years: range) -> Mapping[date, Names]:
    return {} if policy.country is None else _of_country(policy.country, years.start, years.stop)


@cache
def _of_country(code: str, first: int, last: int) -> Mapping[date, Names]:
    from holidays import country_holidays

    country, _, region = code.partition("-")
    plain = country_holidays(country, region or None, years=range(first, last))
    speaks = getattr(plain, "supported_languages", ())
    english = _in(country, region, first, last, "en_US") if "en_US" in speaks else plain
    zh = _in(country, region, first, last, "zh_CN") if "zh_CN" in speaks else None
    return {
        day: {"en": english[day], "zh": zh[day] if zh is not None else chinese(english[day])} for day in sorted(plain)
    }


def _in(country: str, region: str, first: int, last: int, language: str) -> Mapping[date, str]:
    from holidays import country_holidays

    return country_holidays(country, region or None, years=range(first, last), language=language)
