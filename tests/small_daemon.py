"""What Dagster's daemon does with a project, in this process and by a clock that tests move.

Schedules tick, sensors look, and what they ask for runs. Definitions are loaded before each round, as `metrics up`
loads them again when files changed or something was approved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

CATCH_UP = 5  # of the ticks that were missed, the newest: Dagster's default
ROUNDS = 6  # of sensors, until none asks for anything
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Ran:
    """A run: of which job, asked for by whom, with which tags."""

    job: str
    by: str
    tags: dict[str, str]


@dataclass
class Daemon:
    """``load``: the definitions as they are now; ``move_to``: sets the clock; ``ran``: every run so far."""

    load: Callable[[], dg.Definitions]
    move_to: Callable[[datetime], None]
    instance: dg.DagsterInstance
    now: datetime
    ran: list[Ran] = field(default_factory=list)
    cursors: dict[str, str | None] = field(default_factory=dict)
    keys: set[tuple[str, str]] = field(default_factory=set)

    def wait_until(self, moment: datetime, off: bool = False) -> list[Ran]:
        """Let time pass; ``off``: with the machine switched off until then. Returns what ran."""
        before, ticks = len(self.ran), list(self._ticks(moment))
        if off:
            self._set(moment)
            ticks = _newest(ticks)
        for at, name in ticks:
            if not off:
                self._set(at)
            self._tick(name, at)
        self._set(moment)
        self.look()
        return self.ran[before:]

    def look(self) -> list[Ran]:
        """Evaluate every sensor, until none asks for a run any more."""
        before = len(self.ran)
        for _ in range(ROUNDS):
            definitions = self.load()
            asked = [self._sense(definitions, name) for name in _sensors(definitions)]
            if not any(asked):
                break
        return self.ran[before:]

    def _set(self, moment: datetime) -> None:
        """Forward only: what ran took its time."""
        self.now = moment
        if moment > datetime.now(UTC):
            self.move_to(moment)

    def _ticks(self, until: datetime) -> Iterator[tuple[datetime, str]]:
        from dagster._utils.schedules import schedule_execution_time_iterator

        found: list[tuple[datetime, str]] = []
        for one in (one for one in self.load().schedules or () if isinstance(one, dg.ScheduleDefinition)):
            zone = one.execution_timezone or "UTC"
            for at in schedule_execution_time_iterator(self.now.timestamp() + 1, one.cron_schedule, zone):
                if at > until:
                    break
                found.append((at.astimezone(UTC), one.name))
        yield from sorted(found)

    def _tick(self, name: str, at: datetime) -> None:
        definitions = self.load()
        schedule = definitions.get_schedule_def(name)
        with dg.build_schedule_context(instance=self.instance, scheduled_execution_time=at) as context:
            asked = schedule.evaluate_tick(context).run_requests
        for request in asked or ():
            self._run(definitions, request, schedule.job_name, name)

    def _sense(self, definitions: dg.Definitions, name: str) -> int:
        """Evaluate one sensor and run what it asks for; returns how many runs that were."""
        sensor = definitions.get_sensor_def(name)
        context = dg.build_sensor_context(
            self.instance, self.cursors.get(name), sensor_name=name, definitions=definitions
        )
        with context:
            done = sensor.evaluate_tick(context)
        self.cursors[name] = done.cursor
        asked = [one for one in done.run_requests or () if one.run_key is None or (name, one.run_key) not in self.keys]
        for request in asked:
            self.keys.add((name, request.run_key or ""))
            self._run(definitions, request, request.job_name or sensor.job_name or "", name)
        return len(asked)

    def _run(self, definitions: dg.Definitions, request: dg.RunRequest, job: str, by: str) -> None:
        done = definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            run_config={**request.run_config, **QUIET},
            tags=dict(request.tags),
            asset_selection=list(request.asset_selection) if request.asset_selection else None,
        )
        assert done.success, (job, by)
        self.ran.append(Ran(job, by, dict(request.tags)))


def _sensors(definitions: dg.Definitions) -> list[str]:
    """Those that look; those that follow runs are Dagster's own business."""
    return [one.name for one in definitions.sensors or () if type(one) is dg.SensorDefinition]


def _newest(ticks: Iterable[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    """The last ticks of each schedule, in order."""
    by_name: dict[str, list[tuple[datetime, str]]] = {}
    for one in ticks:
        by_name.setdefault(one[1], []).append(one)
    return sorted(one for some in by_name.values() for one in some[-CATCH_UP:])
