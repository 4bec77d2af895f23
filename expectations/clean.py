"""One source, judged: what is new is looked at once, bad rows go to quarantine, and the load is accepted or not.

What a run changes it changes in one transaction: quarantine, results, the accepted load, the view. A run that stops
anywhere before that leaves everything as it was. Great Expectations is imported only when it has something to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from expectations import quarantine, results
from expectations.judging import judge
from expectations.progress import Progress
from expectations.quarantine import Share
from expectations.results import Outcome
from expectations.sql import columns
from expectations.suite import Suite
from metrics_catalog.located import InvalidFiles

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class NotLoadedError(Exception):
    """The source has no table yet: nothing was ever loaded."""


@dataclass(frozen=True)
class CleanResult:
    """What came of judging one source: ``quarantined_rows`` of ``batch_rows`` are bad, a ``share`` of 0 to 1.

    ``blocked``: the load is not accepted, ``clean.<source>`` shows what it showed before, and the next run judges it
    again. ``skipped``: nothing was new, and ``outcomes`` are those of the runs before.
    """

    source: str
    batch_rows: int
    quarantined_rows: int
    share: float
    blocked: bool
    skipped: bool
    outcomes: tuple[Outcome, ...]
    message: str = ""

    def level(self, outcome: Outcome) -> Literal["pass", "warn", "error"]:
        """How loud the check of ``outcome`` should be: error when it is a reason for the block."""
        if outcome.success:
            return "pass"
        return "error" if self.blocked and (outcome.stops or outcome.quarantined) else "warn"


def clean(con: DuckDBPyConnection, suite: Suite, run_id: str, now: datetime) -> CleanResult:
    """Judge what is new in ``source.<name>`` and bring ``quarantine``, ``validation`` and ``clean`` up to date.

    Call it outside a transaction. Raises `InvalidFiles` for a suite that does not make sense, `NotLoadedError`, and
    duckdb.Error when the database fails.
    """
    if problems := suite.problems():
        raise InvalidFiles(problems)
    source = suite.name
    if not columns(con, "source", source):
        raise NotLoadedError(f"source.{source} does not exist; load the source before it is judged")
    results.prepare(con)
    progress = Progress.read(con, suite)
    if progress.nothing_new:
        return _skipped(con, suite)
    quarantine.prepare(con, source)
    judged = judge(con, suite, progress)
    outcomes = tuple(judged.outcomes[spec.name] for spec in suite.expectations if spec.name in judged.outcomes)
    reasons = [spec.name for spec in suite.expectations if spec.quarantines]
    quarantine.settle(con, source, reasons, judged.kept, progress.accepted)
    share = max(quarantine.shares(con, source, progress.since, progress.accepted), key=lambda item: item.value)
    blocked = share.value > suite.tolerance or any(outcome.stops for outcome in outcomes)
    with _transaction(con):
        if blocked:
            quarantine.keep_accepted(con, source, progress.accepted)
        quarantine.apply(con, source, _utc(now))
        new = [outcome for outcome in outcomes if outcome.name in judged.new]
        results.write(con, run_id, source, progress.latest, _utc(now), new)
        if not blocked:
            progress.accept(con)
        quarantine.show(con, source, progress.accepted if blocked else progress.latest)
    message = _message(suite, share, outcomes, quarantine.files(con, source, progress.since)) if blocked else ""
    return CleanResult(source, share.rows, share.bad, share.value, blocked, False, outcomes, message)


def _skipped(con: DuckDBPyConnection, suite: Suite) -> CleanResult:
    known = results.latest(con, suite.name)
    outcomes = tuple(known[spec.name] for spec in suite.expectations if spec.name in known)
    return CleanResult(suite.name, 0, 0, 0.0, False, True, outcomes)


def _message(suite: Suite, share: Share, outcomes: tuple[Outcome, ...], files: Sequence[str]) -> str:
    """Why the load is not accepted, in one line per reason, and where to look."""
    lines = [
        f"{outcome.name}: {outcome.error or f'is critical and fails, observed {outcome.observed}'}"
        for outcome in outcomes
        if outcome.stops
    ]
    if share.value > suite.tolerance:
        counts = f"{share.bad:,} of {share.rows:,} rows are bad ({share.value:.2%}, tolerance {suite.tolerance:.2%})"
        reasons = ", ".join(f"{item.name} {item.quarantined:,}" for item in outcomes if item.quarantined)
        lines.append(f"{counts}: {reasons}")
    if files:
        lines.append(f"the bad rows are in quarantine.{suite.name}, from {', '.join(files)}")
    return f"{suite.name} is not accepted: " + "\n".join(lines)


def _utc(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now


@contextmanager
def _transaction(con: DuckDBPyConnection) -> Iterator[None]:
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()
