"""An incident as it is kept: a row, and what no query asks for as JSON. Plain data; decides nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from metrics_catalog.monitoring.routing import Recipient
from metrics_catalog.monitoring.trouble import Member
from metrics_catalog.ops.times import stamp

State = Literal["open", "acknowledged", "resolved", "recovered"]
LASTING: tuple[State, ...] = ("open", "acknowledged")
Reason = Literal["real move", "data fault", "definition change", "known event", "false alarm", "other"]
_NAME = re.compile(r"(?:INC-)?(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Incident:
    """``data``, read by others too: ``cause``, ``rule`` and ``members`` of what leads, ``reason`` it was resolved with.

    Besides: ``series`` that break a rule, ``metrics`` touched, ``text`` by language, ``subjects`` of the cause,
    ``standing``: it lasts as long as the pipeline says so, ``fault``: until somebody says it is over; ``messages`` by
    language, ``recipients``, ``behind``: people in the order they are asked, ``asked``: how many of them were.
    """

    number: int
    key: str
    state: State
    severity: int
    metric: str | None
    assignee: str | None
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How people call it: ``INC-12``."""
        return f"INC-{self.number}"

    @property
    def lasts(self) -> bool:
        """Whether it is not over."""
        return self.state in LASTING

    @property
    def cause(self) -> str:
        """Why, as a word of `spec.alerting.Cause`."""
        return self.data["cause"]

    @property
    def reason(self) -> str:
        """What it was resolved with, "" while it was not."""
        return self.data.get("reason", "")

    @cached_property
    def series(self) -> dict[Member, str]:
        """The rules and series that are broken (of one resolved: that stay silent), and how badly."""
        return {Member.read(one[:4]): one[4] for one in self.data.get("series", ())}

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics touched, the leading one first."""
        return tuple(self.data.get("metrics", ()))

    @cached_property
    def recipients(self) -> tuple[Recipient, ...]:
        """Who was told where."""
        return tuple(Recipient(**one) for one in self.data.get("recipients", ()))

    @property
    def behind(self) -> tuple[str, ...]:
        """People who answer for it, in the order in which they are asked."""
        return tuple(self.data.get("behind", ()))

    @property
    def snoozed_until(self) -> datetime | None:
        """When it may be heard again."""
        return _time(self.data.get("snoozed_until"))

    @property
    def notified_at(self) -> datetime:
        """When people last heard of it."""
        return _time(self.data.get("notified_at")) or self.opened_at

    def is_snoozed(self, now: datetime) -> bool:
        """Whether it is silent now."""
        return self.snoozed_until is not None and now < self.snoozed_until

    def text(self, language: str) -> str:
        """Its first line."""
        text = self.data["text"]
        return text.get(language) or text["en"]

    def row(self) -> dict[str, Any]:
        """The columns of its table."""
        given = {name: value for name, value in asdict(self).items() if name != "data"}
        times = {name: _iso(given[name]) for name in ("opened_at", "updated_at", "closed_at")}
        return {**given, **times, "data": json.dumps(self.data, ensure_ascii=False, sort_keys=True)}

    def as_json(self) -> dict[str, Any]:
        """What commands print."""
        shown = ("cause", "rule", "text", "subjects", "reason", "note", "snoozed_until", "behind")
        said = {name: self.data[name] for name in shown if self.data.get(name) not in (None, "")}
        series = [{**_series(member), "level": level} for member, level in self.series.items()]
        told = [{"name": one.name, "channel": one.channel, "why": one.why} for one in self.recipients]
        row = {name: value for name, value in self.row().items() if name != "data"}
        return {"incident": self.name, **row, **said, "metrics": list(self.metrics), "series": series, "told": told}


def read(row: Any) -> Incident:
    """An incident from its row."""
    return Incident(
        row.number,
        row.key,
        row.state,
        row.severity,
        row.metric,
        row.assignee,
        datetime.fromisoformat(row.opened_at),
        datetime.fromisoformat(row.updated_at),
        _time(row.closed_at),
        json.loads(row.data),
    )


def number_of(name: str) -> int | None:
    """12 of ``INC-12``, ``inc-12`` or ``12``; None: not an incident's name."""
    match = _NAME.fullmatch(name.strip())
    return int(match[1]) if match else None


def written(series: Mapping[Member, str]) -> list[list[Any]]:
    """Series as `Incident.series` reads them."""
    return [[*member.as_json(), level] for member, level in sorted(series.items(), key=lambda one: str(one[0]))]


def _series(member: Member) -> dict[str, Any]:
    series = member.series
    return {"metric": series.metric, "grain": series.grain, "slice": dict(series.members), "rule": member.rule}


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _iso(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
