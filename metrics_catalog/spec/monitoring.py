"""What is watched: bounds, changes and anomalies in a metric file; sensitivity, calendar and events in policy.yml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from metrics_catalog.spec.base import Grain, Label, Name, Spec, Text
from metrics_catalog.spec.time import Offset

Sensitivity = Literal["off", "low", "medium", "high"]
Cut = Annotated[tuple[Name, ...], Field(min_length=1, max_length=3)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
_PREVIOUS = Offset.model_validate("previous")


class Limits(Spec):
    """Values the metric should stay within; either side may be open."""

    below: Decimal | None = None
    above: Decimal | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Limits:
        if self.below is None and self.above is None:
            raise ValueError("needs below, above, or both")
        if self.below is not None and self.above is not None and self.below >= self.above:
            raise ValueError("below must be less than above")
        return self


class Bounds(Spec):
    """Bounds judged on closed periods of ``grain``: outside ``warn`` is a warning, outside ``critical`` worse.

    They are of the total; ``slices``: of these slices' members too, as a rate may have to hold in every store.
    """

    grain: Grain = "day"
    warn: Limits | None = None
    critical: Limits | None = None
    slices: tuple[Cut, ...] = ()


class ChangeRule(Spec):
    """How far a period may be from the one ``against``: 0.1 is 10 %, of percentages 10 points.

    ``above: 0.1`` is broken by growing by more than that, ``below: -0.1`` by falling by more. It is of the total;
    ``slices``: of these slices' members too.
    """

    grain: Grain = "day"
    against: Offset = _PREVIOUS
    warn: Limits | None = None
    critical: Limits | None = None
    slices: tuple[Cut, ...] = ()

    @model_validator(mode="after")
    def _any(self) -> ChangeRule:
        if self.warn is None and self.critical is None:
            raise ValueError("needs warn, critical, or both")
        if not self.against.sees(self.grain):
            raise ValueError(f'a {self.grain} has no single period "{self.against}" before it')
        return self


class Anomaly(Spec):
    """How readily an unusual value is told of; what is not said is as in policy.yml.

    ``minimum``: smallest deviation that matters, relative to what was expected (0.1: 10 %). ``grain``: else the finest
    published one.
    """

    sensitivity: Sensitivity | None = None
    minimum: Annotated[Decimal, Field(ge=0)] | None = None
    grain: Literal["day", "week", "month"] | None = None


class Event(Spec):
    """Something known that moves numbers, on one day (``day``) or a range of days (``start`` to ``end``, both in it).

    ``metrics``, ``members`` (of dimensions): whom it concerns; else everything.
    """

    label: Label
    day: date | None = None
    start: date | None = None
    end: date | None = None
    metrics: tuple[Name, ...] = ()
    members: Mapping[Name, tuple[Text, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _days(self) -> Event:
        if (self.day is None) == (self.start is None and self.end is None):
            raise ValueError("needs day, or start and end")
        if self.day is None and (self.start is None or self.end is None or self.end < self.start):
            raise ValueError("needs both start and end, in this order")
        return self

    @property
    def first(self) -> date:
        """Its first day."""
        first = self.day or self.start
        assert first is not None
        return first

    @property
    def last(self) -> date:
        """Its last day."""
        last = self.day or self.end
        assert last is not None
        return last


class Monitoring(Spec):
    """policy.yml, monitoring: what holds for every metric that says nothing else.

    ``watch``: whether slices that a metric file does not list under ``watch`` are judged too. ``country``: whose public
    holidays are known (``US``, ``CN``, ``DE-BY``). ``weekly_alerts``: how many a channel can take in a week.
    """

    sensitivity: Sensitivity = "medium"
    minimum: Annotated[Decimal, Field(ge=0)] = Decimal("0.05")
    watch: Literal["total", "slices"] = "total"
    country: Country | None = None
    events: tuple[Event, ...] = ()
    weekly_alerts: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]] = (30, 50)

    @field_validator("country")
    @classmethod
    def _known_country(cls, code: str | None) -> str | None:
        if code is not None:
            from holidays.registry import EntityLoader  # codes alone: the days of a country load those of all

            country, _, region = code.partition("-")
            if country not in EntityLoader.get_country_codes():
                raise ValueError(f'no holidays are known of "{country}" (use a code such as "US" or "CN")')
            if region:
                from holidays import list_supported_countries

                known = list_supported_countries()[country]
                if region not in known:
                    raise ValueError(f'no holidays are known of "{region}" in {country}: {", ".join(known)}')
        return code
