"""The stages of a refresh, one project, one process: land, clean, transform, publish. Knows no Dagster.

Each stage does its work in its own transactions, so a refresh that is killed anywhere is continued by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING

from orchestration import warehouse
from orchestration.declared import Declared
from orchestration.faults import Blocked
from orchestration.governed import after_publish, origins
from orchestration.platform import SOURCE, deliver_events
from orchestration.tables import row_count
from orchestration.transform import state
from orchestration.transform.run import TransformResult, transform

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from duckdb import DuckDBPyConnection

    from expectations.clean import CleanResult
    from metrics_catalog.catalog import Catalog
    from metrics_catalog.engine.windows import Coverage
    from metrics_catalog.health import ShortDay
    from metrics_catalog.monitoring.watching import Watch
    from metrics_catalog.outcome import PublishOutcome
    from orchestration.ingest.load import LoadResult

Tell = Callable[[str], None]


def _nobody(_step: str) -> None:
    return


@dataclass
class Report:
    """What a refresh did so far, stage by stage; filled while it runs.

    ``rows``: rows of each table landed or cleaned, by "schema.name". ``loaded_at``: when the newest load of a source
    ended, UTC. ``not_loaded``: sources that could not be loaded, and why. ``coverages``: of daily sources, once known;
    ``short``: their days with far fewer rows than usual.
    ``notices``: what governance did or wants people to do.
    """

    loads: dict[str, LoadResult] = field(default_factory=dict)
    cleans: dict[str, CleanResult] = field(default_factory=dict)
    transformed: TransformResult | None = None
    published: PublishOutcome | None = None
    rows: dict[str, int] = field(default_factory=dict)
    loaded_at: dict[str, datetime | None] = field(default_factory=dict)
    not_loaded: dict[str, str] = field(default_factory=dict)
    coverages: Mapping[str, Coverage] | None = None
    short: Mapping[str, tuple[ShortDay, ...]] = field(default_factory=dict)
    watched: Watch | None = None
    errors: list[BaseException] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


class Refresh:
    """One refresh run. ``tell`` hears each stage in words, ``detail`` the steps inside."""

    def __init__(
        self,
        declared: Declared,
        run_id: str,
        report: Report | None = None,
        tell: Tell = _nobody,
        detail: Tell = _nobody,
    ) -> None:
        self.declared = declared
        self.run_id = run_id
        self.report = Report() if report is None else report
        self.tell, self.detail = tell, detail
        self._con: DuckDBPyConnection | None = None
        self._official: Catalog | None = None

    def land(self, name: str, only: tuple[date, date] | None = None) -> LoadResult:
        """Load what is new of a source; ``only``: the daily files of these days (inclusive) again, changed or not."""
        self.tell(f"source {name}")
        if name == SOURCE:
            deliver_events(self.declared)
        with self._timed("sources"), self._warehouse() as con:
            from orchestration.ingest.load import load

            try:
                result = load(
                    self.declared.sources[name],
                    con,
                    self.declared.project.landing,
                    self.declared.settings.secret,
                    only,
                    lambda step: self.detail(f"source {name}: {step}"),
                )
            except Exception as error:
                self.report.not_loaded[name] = str(error).strip() or type(error).__name__
                raise
            self.report.rows[f"source.{name}"] = row_count(con, "source", name)
            self.report.loaded_at[name] = _last_loaded(con, name)
        self.report.loads[name] = result
        return result

    def clean(self, name: str) -> CleanResult:
        """Judge what is new of a source. A load that is not accepted is in the report and raises `Blocked`."""
        self.tell(f"clean {name}")
        with self._timed("clean"), self._warehouse() as con:
            from expectations.clean import clean

            result = clean(con, self.declared.suites[name], self.run_id, datetime.now(UTC))
            bad = row_count(con, "quarantine", name)
            self.report.rows[f"clean.{name}"] = row_count(con, "source", name) - bad
        self.report.cleans[name] = result
        return result

    def transform(self, only: Collection[str] | None = None) -> TransformResult:
        """Bring dbt's tables up to date; ``only``: rebuild these nodes."""
        self.tell("dbt")
        declared = self.declared
        self.close()  # dbt opens the warehouse itself
        with self._timed("dbt"):
            result = transform(declared.project, declared.settings, declared.graph, only, self.tell)
        self.report.transformed = result
        return result

    def publish(self) -> PublishOutcome:
        """Compute, audit and publish the metrics whose input or definition changed."""
        self.tell("metrics")
        with self._timed("metrics"), self._warehouse() as con:
            from metrics_catalog.built_periods import with_built_periods
            from metrics_catalog.changes import Inputs
            from metrics_catalog.governance.begun import definitions_of, ledger_of
            from metrics_catalog.refresh import publish

            # What dbt does not declare, of columns and of the time spine's periods, is known now that they are built.
            project, semantics = self.declared.project, self.declared.catalog.semantics
            is_stale = project.is_dbt or with_built_periods(semantics, project).own_grains != semantics.own_grains
            known = definitions_of(project) if is_stale else self.declared.definitions
            self._official = known.official
            state.prepare(con)
            built = state.seen(con)
            inputs = Inputs(
                loads={source: load_id for source, (load_id, _) in built.items()},
                contracts={source: fingerprint for source, (_, fingerprint) in built.items()},
                coverages=self._coverages(con),
                changed_since=cache(lambda source, load_id: state.changed_days(con, source, load_id, built[source][0])),
                corrected_since=cache(lambda source, load_id: state.corrected(con, source, load_id, built[source][0])),
                origin=origins(self.declared),
            )
            now = datetime.now(UTC)
            ledger, desk = ledger_of(self.declared.project), None
            if ledger is not None:
                from metrics_catalog.governance.requests import Desk

                desk = Desk(ledger, known.official.people, known.official.policy, lambda: datetime.now(UTC))
            result = publish(con, known.official, inputs, self.run_id, now, self.detail, desk, known.versions)
            for line in () if ledger is None else after_publish(con, self.declared, known, ledger, now):
                self.tell(line)
                self.report.notices.append(line)
        self.report.published = result
        return result

    def keep_health(self) -> None:
        """Keep how each source came out. What goes wrong with that is said and fails nothing."""
        if not self.declared.sources:
            return
        from orchestration.source_health import keep

        try:
            with self._warehouse() as con:
                if self.report.coverages is None:
                    self._coverages(con)
                self.report.short = self._short_days(con)
            keep(self.declared, self.report, self.run_id, datetime.now(UTC))
        except Exception as error:  # whatever ended the refresh is what people must read
            self.tell(f"the health of sources is not kept: {error}")

    def watch(self, judge: bool = True) -> Watch:
        """Bring incidents in line with values and sources as they are now; once in a refresh."""
        if self.report.watched is None:
            from orchestration.alerting import watch

            self.tell("alerts")
            self.keep_health()
            with self._timed("alerts"):
                self.report.watched = watch(self.declared, datetime.now(UTC), judge, self._official)
        return self.report.watched

    def end(self, job: str) -> None:
        """What is kept and told of every refresh, of one that failed too. What goes wrong with it fails nothing."""
        from metrics_catalog.governance.ledger import Lost
        from orchestration.alerting import run_ended

        if any(isinstance(error, Lost) for error in self.report.errors):
            return  # an empty ops store is no substitute for the one that is gone
        try:
            run_ended(self.declared, self.report, job)
            self.watch(judge=self.report.published is not None)
        except Exception as error:  # whatever ended the refresh is what people must read
            self.tell(f"incidents are not up to date: {error}")

    def document(self) -> None:
        """Bring the pages of suites and results up to date, when something was judged."""
        if all(result.skipped for result in self.report.cleans.values()):
            return
        from expectations.docs import render_docs

        with self._timed("clean"), self._warehouse() as con:
            render_docs(con, self.declared.suites.values(), self.declared.project.docs)

    def close(self) -> None:
        """Let go of the warehouse."""
        if self._con is not None:
            self._con.close()
            self._con = None

    @contextmanager
    def _warehouse(self) -> Iterator[DuckDBPyConnection]:
        """The open warehouse, kept for the next stage: opening costs 20 ms, and a refresh has many short stages.

        After an error it is closed, so that whatever was under way is rolled back.
        """
        if self._con is None:
            self._con = warehouse.connect(self.declared.project)
        try:
            yield self._con
        except BaseException:
            self.close()
            raise

    def _timed(self, stage: str) -> _Timed:
        return _Timed(self.report, stage)

    def _coverages(self, con: DuckDBPyConnection) -> Mapping[str, Coverage]:
        from orchestration.deliveries import coverages

        policy = self.declared.catalog.policy
        last = policy.closed_through(datetime.now(UTC))
        self.report.coverages = coverages(con, self.declared.sources, policy, last)
        return self.report.coverages

    def _short_days(self, con: DuckDBPyConnection) -> dict[str, tuple[ShortDay, ...]]:
        from orchestration.deliveries import short_days

        policy = self.declared.catalog.policy
        last = policy.closed_through(datetime.now(UTC))
        return {name: short_days(con, name, spec, policy, last) for name, spec in self.declared.sources.items()}


def _last_loaded(con: DuckDBPyConnection, name: str) -> datetime | None:
    row = con.execute("select max(finished_at) from ingest.loads where source = ?", [name]).fetchone()
    return None if row is None or row[0] is None else row[0].replace(tzinfo=UTC)


def accept(result: CleanResult) -> CleanResult:
    """The result itself. Raises `Blocked` when its load is not accepted."""
    if result.blocked:
        raise Blocked(result.message)
    return result


class _Timed:
    def __init__(self, report: Report, stage: str) -> None:
        self._report, self._stage = report, stage

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        spent = self._report.seconds.get(self._stage, 0.0) + perf_counter() - self._start
        self._report.seconds[self._stage] = spent
        if error is not None:
            self._report.errors.append(error)
