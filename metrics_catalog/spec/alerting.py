"""policy.yml, alerts: how bad something is, who is told, when nobody is, and when somebody else is."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from metrics_catalog.spec.base import Name, Spec
from metrics_catalog.spec.governance import Tier
from metrics_catalog.spec.people import Role

# In the order in which they are asked for; "fault" is of the platform itself: a run, a channel.
Cause = Literal["late", "check", "code", "definition", "restatement", "event", "move", "fault"]
CAUSES: tuple[Cause, ...] = get_args(Cause)
Severity = Literal[1, 2, 3, 4, 5]
Hours = Annotated[float, Field(gt=0)]

_SEVERITIES: dict[Tier, dict[Literal["warn", "critical"], Severity]] = {
    1: {"warn": 2, "critical": 1},
    2: {"warn": 3, "critical": 2},
    3: {"warn": 4, "critical": 3},
}


class Route(Spec):
    """Who is told besides those who answer for it: ``to`` people, teams or departments. What is not said, matches."""

    to: Annotated[tuple[Name, ...], Field(min_length=1)]
    causes: tuple[Cause, ...] = ()
    domains: tuple[Name, ...] = ()
    metrics: tuple[Name, ...] = ()
    tiers: tuple[Tier, ...] = ()
    severity: Severity = 5  # this bad or worse


class Quiet(Spec):
    """Hours of the day, in the company's time zone, in which only severities up to ``but`` are sent; others wait."""

    start: time
    end: time
    but: Annotated[int, Field(ge=0, le=5)] = 1

    @field_validator("end")
    @classmethod
    def _some_time(cls, end: time, info: object) -> time:
        if end == getattr(info, "data", {}).get("start"):
            raise ValueError("start and end are the same; leave quiet out if no hour is quiet")
        return end


class Alerts(Spec):
    """How incidents are told.

    ``severities``: by tier and level, 1 the worst. ``renotify_hours``, ``escalate_hours``: by severity, how long nobody
    answers before it is said again, and before the next person is told; ``escalate_to``: the role that comes last.
    ``catch_up_days``: how old a finding may be to open an incident. ``at_most``: incidents one evaluation opens with a
    message each; more are told in one. ``mute_days``: how long what was resolved stays silent while it goes on.
    """

    severities: dict[Tier, dict[Literal["warn", "critical"], Severity]] = Field(default_factory=lambda: _SEVERITIES)
    routes: tuple[Route, ...] = ()
    quiet: Quiet | None = None
    renotify_hours: dict[Severity, Hours] = Field(default_factory=lambda: {1: 2.0, 2: 12.0, 3: 48.0})
    escalate_hours: dict[Severity, Hours] = Field(default_factory=lambda: {1: 1.0, 2: 6.0, 3: 24.0})
    escalate_to: Role = "admin"
    catch_up_days: Annotated[int, Field(ge=0)] = 7
    at_most: Annotated[int, Field(ge=1)] = 12
    mute_days: Annotated[int, Field(ge=0)] = 14

    def severity(self, tier: Tier, level: Literal["warn", "critical"]) -> Severity:
        """How bad a real move of a metric of this tier is."""
        return self.severities.get(tier, {}).get(level, _SEVERITIES[tier][level])
