"""policy.yml: the company's calendar, tiers, and how changes are decided."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from metrics_catalog.spec.alerting import Alerts
from metrics_catalog.spec.base import Label, Spec
from metrics_catalog.spec.governance import Governance
from metrics_catalog.spec.monitoring import Monitoring
from metrics_catalog.spec.review import Review, Usage


class Policy(Spec):
    """The whole file.

    ``business_date`` is the last day that is over; without it, yesterday in ``timezone``. On ``closed_days`` nothing is
    sold and no delivery is expected.
    """

    timezone: str = "UTC"
    week_start: Literal["monday", "sunday"] = "monday"
    business_date: date | None = None
    closed_days: tuple[date, ...] = ()
    tiers: dict[Literal[1, 2, 3], Label] = Field(default_factory=dict)
    governance: Governance = Field(default_factory=Governance)
    alerts: Alerts = Field(default_factory=Alerts)
    monitoring: Monitoring = Field(default_factory=Monitoring)
    usage: Usage = Field(default_factory=Usage)
    review: Review = Field(default_factory=Review)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f'"{zone}" is not a time zone (use a name such as "Asia/Shanghai")')
        return zone

    def closed_through(self, now: datetime) -> date:
        """The last day that is over at ``now`` (aware)."""
        if self.business_date is not None:
            return self.business_date
        return now.astimezone(ZoneInfo(self.timezone)).date() - timedelta(days=1)
