"""The plain data of publishing: what is replaced, what a publish was, what an audit found. No database, no files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any

KEY = ("metric", "grain", "period", "slice")
NUMBERS = ("value", "numerator", "denominator")
FIXED = (*KEY, *NUMBERS, "definition", "run_id")  # every other column is a dimension


@dataclass(frozen=True, order=True)
class Scope:
    """All slices of one metric at one grain over the periods in ``[start, end)``; a publish replaces exactly these."""

    metric: str
    grain: str
    start: date
    end: date


@dataclass(frozen=True)
class Days:
    """The days ``[start, end)`` of a rollup that a publish replaces."""

    start: date
    end: date


@dataclass(frozen=True)
class PublishInfo:
    """What one publish was, as kept in its commit. ``published_at`` is UTC.

    ``loads``: the last load seen of each source. ``definitions``: the fingerprint of each metric. ``rollups``: the
    Delta version of each semantic model's rollup. ``held``: the metrics left out, in ``marks`` what they wait
    for, and in ``faults`` what is wrong with the others. ``members``: fingerprint of each dimension joined.
    ``code``: fingerprint of each thing but facts that values stand on. ``versions``: certified version of each
    metric. ``notes``: why values published before were changed, by metric, and ``restated``: the first and last such
    period of each grain. ``ledger``: its last entry's number and hash then. ``grains``: the project's own then.
    """

    run_id: str
    published_at: datetime
    closed_through: date
    loads: Mapping[str, int] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    rollups: Mapping[str, int] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    coverages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    restated: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    marks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    ledger: Mapping[str, Any] | None = None
    grains: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.published_at.tzinfo is None:
            raise ValueError("published_at needs a time zone")
        object.__setattr__(self, "published_at", self.published_at.astimezone(UTC))

    def why_held(self, metric: str) -> str | None:
        """Why a metric keeps what was published before, with the request that asks for its new values."""
        if metric not in self.held:
            return None
        mark = self.marks.get(metric)
        if mark is None:
            return self.faults.get(metric, "its new values failed the audit")
        return mark["why"] + (f" ({mark['request']})" if "request" in mark else "")

    def changed(self, metric: str, grain: str, period: date) -> bool:
        """Whether the value of a period published before was, as far as is known, changed by this publish."""
        if metric not in self.notes:
            return False
        if metric not in self.restated:
            return True  # an older release did not say which
        first, last = self.restated[metric].get(grain, ("", ""))
        return first <= period.isoformat() <= last

    def to_json(self) -> str:
        """One line of JSON, as kept in the commit."""
        data = {one.name: getattr(self, one.name) for one in fields(self)}
        data["published_at"] = self.published_at.isoformat()
        data["closed_through"] = self.closed_through.isoformat()
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=dict)

    @classmethod
    def from_json(cls, text: str) -> PublishInfo:
        """Back from `to_json`, of an older release too, which kept less."""
        data: dict[str, Any] = json.loads(text)
        data["published_at"] = datetime.fromisoformat(data["published_at"])
        data["closed_through"] = date.fromisoformat(data["closed_through"])
        data["held"], data["grains"] = tuple(data["held"]), tuple(data.get("grains", ()))
        return cls(**data)


@dataclass(frozen=True)
class Version:
    """One publish in the history; ``number`` is the Delta version of the values table."""

    number: int
    info: PublishInfo


@dataclass(frozen=True, order=True)
class Finding:
    """One thing an audit refused. ``metric`` None means the row names none, so it can never be left out."""

    rule: str
    metric: str | None
    grain: str | None
    period: str | None
    slice: str | None
    message: str

    def __str__(self) -> str:
        place = " ".join(part for part in (self.metric, self.grain, self.period, self.slice) if part)
        return f"{place or '(no metric)'}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class AuditReport:
    """Findings (a limited number per rule and metric) and how many there were in all per (rule, metric)."""

    findings: tuple[Finding, ...]
    counts: Mapping[tuple[str, str | None], int]

    @property
    def total(self) -> int:
        """Number of findings, shown or not."""
        return sum(self.counts.values())

    @property
    def failed(self) -> frozenset[str | None]:
        """Metrics with at least one finding."""
        return frozenset(metric for _, metric in self.counts)

    def also(self, findings: Iterable[Finding]) -> AuditReport:
        """The same report with more found."""
        more = tuple(findings)
        counts = Counter(self.counts) + Counter((one.rule, one.metric) for one in more)
        return AuditReport((*self.findings, *more), dict(counts))

    def without(self, metrics: Iterable[str]) -> AuditReport:
        """The same report when ``metrics`` are left out of the publish."""
        out = frozenset(metrics)
        return AuditReport(
            tuple(finding for finding in self.findings if finding.metric not in out),
            {key: count for key, count in self.counts.items() if key[1] not in out},
        )


@dataclass(frozen=True)
class AuditRules:
    """What the audit must know of the catalog: whose values, numerators or denominators add up over slices.

    ``periods``: of each own grain the first and, without counting, the last day of every period.
    """

    additive: frozenset[str] = frozenset()
    additive_numerators: frozenset[str] = frozenset()
    additive_denominators: frozenset[str] = frozenset()
    dimensions: frozenset[str] | None = None  # the names slices may use; None: any column
    week_start: int = 0  # 0 Monday … 6 Sunday
    periods: Mapping[str, Collection[tuple[date, date]]] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishResult:
    """What a commit did. ``bytes_written`` counts every new data file, rollups included."""

    version: int
    info: PublishInfo
    rows_written: int
    files_written: int
    files_removed: int
    bytes_written: int
