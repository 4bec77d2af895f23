"""Health of sources -> facts: late, in part, stale, not loaded, blocked, failed checks, quarantine jumps. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from statistics import median

from metrics_catalog.health import SourceHealth
from metrics_catalog.monitoring import fact_words as words
from metrics_catalog.monitoring.fact import Fact, Kind

JUMP = 3.0  # times the usual share of bad rows: below it is the ordinary change from load to load
LEAST_SHARE = 0.005  # a share below half a percent moves no number that people look at
USUAL = 20  # loads that say what is usual


def facts(
    health: Sequence[SourceHealth], now: datetime, since: datetime | None = None, seen: str = ""
) -> Iterator[Fact]:
    """Of every source, what its newest health says, and quarantine jumps of loads after ``since``.

    ``seen``: the run that ended just after ``since``, whose loads were there then.
    """
    by_source: dict[str, list[SourceHealth]] = {}
    for one in health:
        by_source.setdefault(one.source, []).append(one)
    for past in by_source.values():
        yield from _state(past[-1], now)
        yield from _jump(past, since, seen)


def _state(one: SourceHealth, now: datetime) -> Iterator[Fact]:
    if one.late:
        yield _fact("late", one, words.late(one.source, one.late), late=True)
    for short in one.short:
        yield Fact("partial" if short.partial else "few", one.source, words.short(one.source, short), (short.day,))
    if one.is_stale(now) and one.due is not None:
        yield _fact("stale", one, words.stale(one.source, one.due))
    if one.error is not None:
        yield _fact("not loaded", one, words.not_loaded(one.source, one.error))
    if one.blocked is not None:
        yield _fact("blocked", one, words.blocked(one.source, one.blocked))
    for check in one.failed:
        # Bad rows within the tolerance are what quarantine is for; a jump of theirs is told as one.
        if check.rows is None and check.severity != "info" and one.blocked is None:
            yield _fact("failed check", one, words.failed(one.source, check.name, check.observed))


def _jump(past: Sequence[SourceHealth], since: datetime | None, seen: str) -> Iterator[Fact]:
    """The newest load, or one after ``since``, of which far more than usual did not pass."""
    loads = [one for number, one in enumerate(past) if number == 0 or one.loaded_at != past[number - 1].loaded_at]
    for number in range(len(loads) - 1, 0, -1):
        one = loads[number]
        if number < len(loads) - 1 and (since is None or one.at <= since or one.run_id == seen):
            return
        usual = median(other.quarantine_share for other in loads[max(0, number - USUAL) : number])
        if one.quarantine_share > max(LEAST_SHARE, JUMP * usual):
            yield _fact("quarantine", one, words.quarantine(one, usual))
            return


def _fact(kind: Kind, one: SourceHealth, text: dict[str, str], late: bool = False) -> Fact:
    return Fact(kind, one.source, text, one.late if late else ())
