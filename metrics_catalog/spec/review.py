"""policy.yml, usage and review: what is kept of who reads what, and when the review speaks up."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from metrics_catalog.spec.base import Name, Spec

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Usage(Spec):
    """What is recorded of each read of a metric.

    ``names``: who read, as it is (``keep``), as a code that only this project can match with its people (``hash``), or
    not at all (``drop``). Reads older than ``keep_days`` are deleted.
    """

    record: bool = True
    names: Literal["keep", "hash", "drop"] = "keep"
    keep_days: Count = 400


class CoreSet(Spec):
    """How many metrics one audience should be given to steer by."""

    least: Count = 5
    most: Count = 8

    @model_validator(mode="after")
    def _ordered(self) -> CoreSet:
        if self.least > self.most:
            raise ValueError("least must not be more than most")
        return self


class Triggers(Spec):
    """What starts a review before the month is over.

    ``breaches`` incidents of one series within ``within_days``; an incident nobody answered for ``unanswered_hours``;
    a target missed ``missed_targets`` periods in a row; a certified calculation that changed.
    """

    breaches: Count = 3
    within_days: Count = 30
    unanswered_hours: Count = 48
    missed_targets: Count = 2
    definition_changed: bool = True


class Review(Spec):
    """The review of the metric system, and who gets it: ``group``, a team or person; without it, all stewards.

    A metric nobody read for ``unused_days`` is proposed to be retired. A rule that opened at least ``noisy_alerts``
    incidents in the period, of which at most ``noisy_precision`` were real, is proposed to be calmed. Two metrics are
    duplicates when their values correlate above ``duplicate_correlation`` over at least ``duplicate_periods`` periods.
    """

    group: Name | None = None
    unused_days: Count = 90
    noisy_alerts: Count = 4
    noisy_precision: Share = 0.5
    duplicate_correlation: Annotated[float, Field(gt=0.9, le=1)] = 0.9999
    duplicate_periods: Annotated[int, Field(ge=8)] = 12
    core_set: CoreSet = Field(default_factory=CoreSet)
    triggers: Triggers = Field(default_factory=Triggers)
