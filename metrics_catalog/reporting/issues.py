"""Makes what is due of a report and puts its letters into the outbox: once for each period and copy.

What cannot be made is kept as failed with its error, and tried again; after three tries it goes out without the part
that fails, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from metrics_catalog.engine.periods import Calendar
from metrics_catalog.message import Letter
from metrics_catalog.own_grains import OutsideSpine
from metrics_catalog.published.errors import NotPublished
from metrics_catalog.report_files import ReportFile
from metrics_catalog.reporting import shelf
from metrics_catalog.reporting.compose import compose
from metrics_catalog.reporting.copy import Copy, Issue
from metrics_catalog.reporting.letters import message, picture
from metrics_catalog.reporting.making import Source, last_period, make
from metrics_catalog.reporting.recipients import Audience, audiences
from metrics_catalog.reporting.shelf import Row
from metrics_catalog.spec.report import Report
from metrics_catalog.usage import Recorder

if TYPE_CHECKING:
    from sqlalchemy import Engine

TRIES = 3  # before it goes out without what cannot be made
BATCH = 50  # copies kept in one transaction
AGAIN = timedelta(minutes=5)


@dataclass
class Outcome:
    """What became of one report. ``made``, ``already``: copies; ``letters``: new ones; ``errors``: why some failed.

    ``waiting``: why nothing goes out yet.
    """

    report: str
    period: date | None = None
    made: int = 0
    already: int = 0
    letters: int = 0
    waiting: str | None = None
    errors: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """In one line."""
        about = f"{self.report} of {self.period}"
        if self.waiting is not None:
            return f"{about} waits: {self.waiting}"
        before = f", {self.already} had been made" if self.already else ""
        return f"{about}: {self.made} copies made{before}, {self.letters} letters put in the outbox"


def deliver(
    source: Source,
    engine: Engine,
    report: ReportFile,
    now: datetime,
    tell: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Make the issue that is due now, for everybody who is to get it and has not; one process at a time.

    Raises `OpsUnavailable`; what a copy fails by is in the outcome.
    """
    source.project.issues.mkdir(parents=True, exist_ok=True)
    with FileLock(source.project.issues / ".lock"):
        return _deliver(source, engine, report, now, tell)


def _deliver(source: Source, engine: Engine, report: ReportFile, now: datetime, tell: Callable[[str], None]) -> Outcome:
    policy, spec = source.policy, report.spec
    closed_through = policy.closed_through(now)
    try:
        period = last_period(Calendar.of(source.definitions.official), spec.grain, closed_through)
    except OutsideSpine as error:
        return Outcome(report.name, closed_through, waiting=str(error))
    known = {row.key: row for row in shelf.rows(engine, report.name)}
    outcome = Outcome(report.name, period)
    try:
        issue = make(source, report, now, period, since=shelf.last_version(engine, report.name, period))
    except (NotPublished, OutsideSpine) as error:
        outcome.waiting = str(error)
        return outcome
    todo: list[tuple[Audience, Row]] = []
    copies = audiences(spec, source.definitions.official.people, _members(issue))
    if not copies:
        outcome.waiting = "nobody of people.yml is to get it"
    rows = [Row(report.name, period, one.name, one.folder, "waiting", now) for one in copies]
    _skip_others(engine, known.values(), period, {row.key for row in rows}, now)
    for audience, row in zip(copies, rows, strict=True):
        row = known.get(row.key, row)
        outcome.already += row.state == "made"
        todo += [(audience, row)] if row.state != "made" else []
    if todo and (why := _waits(spec, issue, [row for _, row in todo], now)):
        outcome.waiting = why
        shelf.record(engine, [(_put_off(row, issue, now), ()) for _, row in todo], now)
        return outcome
    recorder = Recorder(source.project, policy.usage)
    for start in range(0, len(todo), BATCH):
        batch = list(_made(source, issue, todo[start : start + BATCH], outcome))
        outcome.letters += shelf.record(engine, batch, now)
        for reader in (one["name"] for row, _ in batch if row.state == "made" for one in row.data["readers"]):
            recorder.note("report", reader, spec.metrics, report=report.name)
        tell(f"{report.name}: {min(start + BATCH, len(todo))} of {len(todo)} copies")
    recorder.flush()
    return outcome


def wants_another_try(row: Row, newest: int | None, report: Report, now: datetime) -> bool:
    """Whether an unfinished copy may come out better now: there is a newer publish, or it has waited long enough."""
    if row.state == "failed":
        return now >= row.at + AGAIN * 2 ** min(int(row.data.get("tries", 1)) - 1, 6)
    return newest != row.data.get("version") or _is_over(report, row, now)


def files_of(
    body: dict[str, Any], kinds: Sequence[str] = ("html", "pdf", "png")
) -> tuple[dict[str, bytes], dict[str, str]]:
    """A copy's files by kind, and why those that are not there could not be made."""
    made: dict[str, bytes] = {}
    failed: dict[str, str] = {}
    for kind in kinds:
        try:
            content = _RENDERERS[kind](body)
        except Exception as error:  # a renderer is others' code; its copy is kept as failed and said
            failed[kind] = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        else:
            made |= {kind: content} if content is not None else {}
    return made, failed


def _made(
    source: Source, issue: Issue, todo: Sequence[tuple[Audience, Row]], outcome: Outcome
) -> Iterator[tuple[Row, list[Letter]]]:
    for audience, row in todo:
        body = compose(Copy(issue, audience.name, audience.language, audience.members)).as_json()
        files, missing = files_of(body, ("html", *issue.report.spec.files))
        tries = int(row.data.get("tries", 0)) + bool(missing)
        data = {"language": audience.language, "version": body["version"], "missing": missing, "tries": tries}
        data |= {"since": row.data.get("since", issue.made.isoformat()), "late": issue.trust.is_late}
        data["readers"] = [{"name": one.name, "channel": one.channel} for one in audience.readers]
        if missing and (tries < TRIES or "html" in missing):
            outcome.errors += [f"{row.key}: {kind}: {why}" for kind, why in missing.items()]
            yield replace(row, state="failed", at=issue.made, data=data), []
            continue
        named = {f"report.{kind}": content for kind, content in files.items()}
        kept = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
        path = shelf.write(source.project, row, {**named, "body.json": kept})
        said = message(body, {kind: f"{path}/report.{kind}" for kind in files}, missing)
        outcome.made += 1
        letters = [
            Letter(f"report/{row.key}/{one.key}"[:200], one.channel, one.address, said) for one in audience.readers
        ]
        yield replace(row, state="made", at=issue.made, path=path, data=data), letters


def _members(issue: Issue) -> list[str]:
    """Members of the dimension a copy is made for, that have any number of the report in the period.

    While data is late nothing may be published of it yet; then those of the period before are expected, too.
    """
    spec, numbers = issue.report.spec, issue.numbers
    if spec.audience.per is None:
        return []
    shown = [name for name in spec.metrics if name in numbers.catalog.metrics]
    periods = [issue.period]
    if issue.trust.is_late:
        periods.append(numbers.calendar.back(spec.grain, issue.period, 1, spec.grain))
    return sorted({one for period in periods for one in numbers.members(spec.audience.per, shown, spec.grain, period)})


def _waits(spec: Report, issue: Issue, rows: Sequence[Row], now: datetime) -> str | None:
    """Why an issue is not sent yet, by the report's policy for late data."""
    if not issue.trust.is_late or spec.on_late == "send" or any(_is_over(spec, row, now) for row in rows):
        return None
    owed = ", ".join(f"{source or 'the period'} of {days[0]}" for source, days in issue.trust.missing.items())
    return f"data is late: {owed}"


def _is_over(spec: Report, row: Row, now: datetime) -> bool:
    """Whether it has waited for as long as it may."""
    since = row.data.get("since")
    waited = timedelta(0) if since is None else now - datetime.fromisoformat(since)
    return spec.on_late == "wait" and waited >= timedelta(hours=spec.wait_hours)


def _put_off(row: Row, issue: Issue, now: datetime) -> Row:
    since = row.data.get("since", now.isoformat())
    return replace(row, state="waiting", at=now, data={"version": issue.numbers.snapshot.version, "since": since})


def _skip_others(engine: Engine, known: Iterable[Row], period: date, wanted: Collection[str], now: datetime) -> None:
    """What still waits of an earlier period is not sent after a later one; nor what nobody is to get any more."""
    left = [
        row
        for row in known
        if row.state in ("waiting", "failed")
        and (row.period < period or (row.period == period and row.key not in wanted))
    ]
    if left:
        shelf.record(engine, [(replace(row, state="skipped", at=now), ()) for row in left], now)


def _page(body: dict[str, Any]) -> bytes:
    from metrics_catalog.reporting.html import page

    return page(body).encode()


def _document(body: dict[str, Any]) -> bytes:
    from metrics_catalog.reporting.pdf import document

    return document(body)


_RENDERERS: dict[str, Callable[[dict[str, Any]], bytes | None]] = {"html": _page, "pdf": _document, "png": picture}
