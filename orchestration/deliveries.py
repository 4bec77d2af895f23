"""What came of daily sources: days that are missing, days with far fewer rows than usual. Reads the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from metrics_catalog.engine.windows import Coverage
from orchestration.tables import quoted, row_count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from duckdb import DuckDBPyConnection

    from metrics_catalog.health import ShortDay
    from metrics_catalog.monitoring.short_days import Profile
    from metrics_catalog.spec.policy import Policy
    from orchestration.ingest.columns import Partition

_FILES = (
    "select f.file, case when o.rows > 0 then o.file end, coalesce(o.rows, f.rows) from ingest.files f"
    " left join ingest.files o on o.source = f.source and o.file = f.duplicate_of where f.source = ?"
)


def coverages(con: DuckDBPyConnection, sources: Mapping[str, Any], policy: Policy, last: date) -> dict[str, Coverage]:
    """For each source with a first day, that day, and the days up to ``last`` whose daily file is not there yet."""
    found: dict[str, Coverage] = {}
    for name, spec in sources.items():
        partition: Partition | None = getattr(spec, "partition", None)
        if partition is None:
            found |= {name: Coverage(spec.start)} if spec.start else {}
            continue
        expected = {partition.start + timedelta(days=n) for n in range((last - partition.start).days + 1)}
        missing = expected - set(delivered(con, name, partition)) - set(policy.closed_days)
        found[name] = Coverage(partition.start, frozenset(missing))
    return found


def delivered(con: DuckDBPyConnection, source: str, partition: Partition) -> dict[date, int]:
    """Rows of the days whose file came.

    The rows of another day under this day's name are not its own; two days without rows do have the same content.
    """
    found: dict[date, int] = {}
    for file, original, rows in con.execute(_FILES, [source]).fetchall():
        day = partition.day(file)
        if day and (original is None or partition.day(original) in (None, day)):
            found[day] = found.get(day, 0) + rows
    return found


def short_days(con: DuckDBPyConnection, name: str, spec: Any, policy: Policy, last: date) -> tuple[ShortDay, ...]:
    """The last days up to ``last`` of a daily source that have far fewer rows than usual.

    Only where the number of rows is conspicuous, rows are looked at: those of the day and of the days that say what is
    usual.
    """
    from metrics_catalog.monitoring.calendar import known_days
    from metrics_catalog.monitoring.finding import Series
    from metrics_catalog.monitoring.short_days import judged, suspects

    partition: Partition | None = getattr(spec, "partition", None)
    if partition is None or row_count(con, "source", name) == 0:
        return ()
    rows = delivered(con, name, partition)
    known = known_days(policy, last - timedelta(weeks=10), last)
    found: list[ShortDay] = []
    for day, before in suspects(rows, known, last):
        of = _profiles(con, name, spec, rows, (day, *before))
        event = known.event(Series("", "day"), day)  # whichever metric: what is about everything
        one = judged(day, of[day], [of[other] for other in before], event, partition.parts or "")
        found += [] if one is None else [one]
    return tuple(sorted(found, key=lambda one: one.day))


def _profiles(
    con: DuckDBPyConnection, name: str, spec: Any, rows: Mapping[date, int], days: Collection[date]
) -> dict[date, Profile]:
    from metrics_catalog.monitoring.short_days import Profile

    at, timed = quoted(spec.day), spec.column_type(spec.day, "day") == "timestamp"
    begins = f"from source.{quoted(name)} where cast({at} as date) in (select unnest($1::date[]))"
    hours: dict[date, dict[int, int]] = {}
    ends: dict[date, tuple[Any, Any]] = {}
    if timed:
        hour = f"select cast({at} as date), hour({at}), count(*) {begins} group by all"
        hours = _nested(con.execute(hour, [list(days)]).fetchall())
        first = f"select cast({at} as date), min({at}), max({at}) {begins} group by all"
        ends = {day: (low.time(), high.time()) for day, low, high in con.execute(first, [list(days)]).fetchall()}
    parts: dict[date, dict[str, int]] = {}
    if spec.partition.parts is not None:
        part = f"cast({quoted(spec.partition.parts)} as varchar)"
        query = f"select cast({at} as date), {part}, count(*) {begins} group by all"
        parts = _nested(con.execute(query, [list(days)]).fetchall())
    return {
        day: Profile(rows[day], hours.get(day, {}), *ends.get(day, (None, None)), parts.get(day, {})) for day in days
    }


def _nested(rows: Iterable[tuple[Any, ...]]) -> dict[date, dict[Any, int]]:
    found: dict[date, dict[Any, int]] = {}
    for day, key, count in rows:
        if key is not None:
            found.setdefault(day, {})[key] = count
    return found
