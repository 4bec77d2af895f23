"""Where each metric stands: certified, proposed, edited, held, deprecated, draft. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from metrics_catalog.engine.query import Result
from metrics_catalog.governance.begun import Definitions
from metrics_catalog.governance.proposals import proposals
from metrics_catalog.governance.record import METRIC, Record, Request, Version
from metrics_catalog.published.model import PublishInfo

State = Literal["draft", "proposed", "certified", "deprecated", "retired"]


@dataclass(frozen=True)
class Status:
    """One metric. ``draft``: nothing in its project is certified yet; ``proposed``: it stands in a file only.

    ``edited``: its file differs from ``version``. ``request``: the open one that asks for what the file says.
    ``held``: why its last published values are older than its definition or data.
    """

    metric: str
    state: State
    version: Version | None = None
    edited: bool = False
    request: Request | None = None
    held: str | None = None

    @property
    def marks(self) -> tuple[str, ...]:
        """What whoever reads its values should know."""
        held = () if self.held is None else (f"held: {self.held}",)
        return (*held, *([self.ending] if self.ending else []))

    @property
    def ending(self) -> str | None:
        """Of a deprecated one: what to use instead, and until when it is computed."""
        if self.version is None or self.state != "deprecated":
            return None
        instead = f", use {self.version.successor}" if self.version.successor else ""
        return f"deprecated{instead}" + (f" until {self.version.until}" if self.version.until else "")

    def __str__(self) -> str:
        asked = "" if self.request is None else f" ({self.request.name})"
        number = "" if self.version is None or self.state != "certified" else f" v{self.version.number}"
        stands = self.ending or f"{self.state}{number}"
        parts = [stands + (asked if self.state == "proposed" else "")]
        parts += [f"edited{asked}"] if self.edited else []
        return "; ".join([*parts, *([f"held: {self.held}"] if self.held else [])])

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        version, request = self.version, self.request
        return {
            "state": self.state,
            "version": None if version is None else version.number,
            "edited": self.edited,
            "request": None if request is None else request.name,
            "held": self.held,
            "successor": None if version is None else version.successor,
            "until": None if version is None else version.until,
        }


def statuses(definitions: Definitions, last: PublishInfo | None) -> dict[str, Status]:
    """Of every metric that is certified or stands in a file; ``last``: the last publish."""
    files, record = definitions.files, definitions.record
    held = {} if last is None else {name: last.why_held(name) for name in last.held}
    if record is None:
        return {name: Status(name, "draft", held=held.get(name)) for name in files.metrics}
    asked = {one.name for one in proposals(files, record, definitions.official)}
    broken = {one.path for one in definitions.problems}
    found: dict[str, Status] = {}
    for name in sorted({*definitions.official.metrics, *files.metrics}):
        version = record.current(METRIC + name)
        entry = files.metrics.get(name)
        edited = name in asked or (entry is not None and entry.document.path in broken)
        found[name] = Status(name, _state(version), version, edited, _request(record, name), held.get(name))
        if found[name].state in ("proposed", "retired"):
            found[name] = replace(found[name], edited=False)
    return found


def marked(result: Result, definitions: Definitions) -> Result:
    """A result that also says which of its metrics are deprecated; what was held it knows from its publish."""
    marks = dict(result.marks)
    for metric in result.query.metrics:
        version = None if definitions.record is None else definitions.record.current(METRIC + metric)
        if ending := Status(metric, _state(version), version).ending:
            marks[metric] = (*marks.get(metric, ()), ending)
    return replace(result, marks=marks)


def _state(version: Version | None) -> State:
    return "proposed" if version is None else version.status


def _request(record: Record, metric: str) -> Request | None:
    asked = [one for one in record.open_requests(METRIC + metric) if one.text is not None]
    return asked[-1] if asked else None
