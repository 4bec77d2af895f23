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

    ``edited``: its file differs from ``version``. ``request``: the open one that asks for what the file says, or that
    ends it or takes its ending back. ``faults``: what is wrong with its file, so that it cannot be asked for.
    ``held``: why its last published values are older than its definition or data.
    """

    metric: str
    state: State
    version: Version | None = None
    edited: bool = False
    request: Request | None = None
    held: str | None = None
    faults: tuple[str, ...] = ()

    @property
    def marks(self) -> tuple[str, ...]:
        """What whoever reads its values should know."""
        held = () if self.held is None else (f"held: {self.held}",)
        return (*held, *([self.ending] if self.ending else []))

    @property
    def ending(self) -> str | None:
        """Of a deprecated or retired one: what to use instead, and until when it is computed, or since when not."""
        if self.version is None or self.state not in ("deprecated", "retired"):
            return None
        instead = f", use {self.version.successor}" if self.version.successor else ""
        if self.state == "retired":
            return f"retired on {self.version.at:%Y-%m-%d}{instead}"
        return f"deprecated{instead}" + (f" until {self.version.until}" if self.version.until else "")

    def __str__(self) -> str:
        ends = self.request is not None and self.request.text is None
        asked = "" if self.request is None or ends else f" ({self.request.name})"
        number = "" if self.version is None or self.state != "certified" else f" v{self.version.number}"
        stands = self.ending or f"{self.state}{number}"
        parts = [stands + (asked if self.state == "proposed" else "")]
        parts += [f"edited{asked}"] if self.edited else []
        if self.request is not None and ends:
            parts.append(f"{self.request.name} asks to {self.request.changes[0]} it")
        if self.faults:
            count = "a fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
            parts.append(f"its file has {count}, see `metrics check`")
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
            "faults": list(self.faults),
        }


def statuses(definitions: Definitions, last: PublishInfo | None) -> dict[str, Status]:
    """Of every metric that is certified or stands in a file, if a faulty one; ``last``: the last publish."""
    files, record = definitions.files, definitions.record
    held = {} if last is None else {name: last.why_held(name) for name in last.held}
    if record is None:
        return {name: Status(name, "draft", held=held.get(name)) for name in files.metrics}
    asked = {one.name for one in proposals(files, record, definitions.official)}
    faults = {name: tuple(map(str, some)) for name, some in definitions.faults.items()}
    found: dict[str, Status] = {}
    for name in sorted({*definitions.official.metrics, *files.metrics, *faults}):
        version, wrong = record.current(METRIC + name), faults.get(name, ())
        edited = name in asked or bool(wrong)
        found[name] = Status(name, _state(version), version, edited, _request(record, name), held.get(name), wrong)
        if found[name].state in ("proposed", "retired"):
            found[name] = replace(found[name], edited=False)
    return found


def ended_as(definitions: Definitions, metric: str) -> Status:
    """How a retired metric stands, of which there may be no file any more."""
    version = None if definitions.record is None else definitions.record.retired(metric)
    return Status(metric, "retired", version)


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
    asked = [one for one in record.open_requests(METRIC + metric) if one.changes != ("restate",)]
    return asked[-1] if asked else None
