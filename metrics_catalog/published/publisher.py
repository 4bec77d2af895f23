"""Stage, audit, commit: the one way a number becomes official. One publish at a time; readers are never blocked.

Everything is written aside first. Rollups are committed before values, and the values commit names the rollup versions,
so that single commit is the moment the whole publish appears. Dying anywhere before it changes nothing for readers.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError
from filelock import FileLock, Timeout

from metrics_catalog.published import commits, staging, table
from metrics_catalog.published.audits import Staged, audit
from metrics_catalog.published.differences import TOLERANCE, WORST, Difference, differences
from metrics_catalog.published.errors import AuditFailed, BadInput, PublishedError, PublishFailed, PublishLocked
from metrics_catalog.published.model import FIXED, AuditReport, AuditRules, Days, PublishInfo, PublishResult, Scope
from metrics_catalog.published.places import VALUES, values_folder
from metrics_catalog.published.sql import literal

MEMORY = "1GB"  # DuckDB spills above it; enough for 30M rows (benchmark bench_published.py)


class Publisher:
    """Publishes to the folder ``root``. `open` gives a draft; nothing is official until its `commit`."""

    def __init__(self, root: Path, memory: str = MEMORY) -> None:
        self.root = root.resolve()
        self.memory = memory

    def open(self, info: PublishInfo) -> Draft:
        """Begin a publish. Raises `PublishLocked` while another runs, `BadInput` for a bad run id."""
        lock = FileLock(self.root / "publish.lock")
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise PublishLocked(f"another publish to {self.root} is running; try again when it has ended") from None
        except OSError as error:
            raise PublishFailed(f"cannot publish to {self.root}: {error}") from error
        try:
            with _failures("staging"):
                staging.clean(self.root)
                folder = staging.made(self.root, info.run_id)
                return Draft(self.root, folder, info, staging.connect(folder, self.memory), lock)
        except BaseException:
            lock.release()
            raise

    def publish(
        self,
        info: PublishInfo,
        values: Iterable[Any],
        scopes: Iterable[Scope],
        rules: AuditRules | None = None,
        rollups: Iterable[tuple[str, Any, Days | None]] = (),
    ) -> PublishResult:
        """Stage ``values`` (Arrow streams) and rollups, audit, commit. Raises `AuditFailed` for any finding."""
        with self.open(info) as draft:
            for rows in values:
                draft.add(rows)
            draft.replaces(scopes)
            for model, rows, days in rollups:
                draft.add_rollup(model, rows, days)
            draft.audit(rules or AuditRules())
            return draft.commit()


class Draft:
    """A publish being prepared: `add` rows, say what it `replaces`, `audit`, `commit`. Use as a context manager."""

    def __init__(
        self, root: Path, folder: Path, info: PublishInfo, con: duckdb.DuckDBPyConnection, lock: FileLock
    ) -> None:
        self.info = info
        self._root, self._folder, self._con, self._lock = root, folder, con, lock
        self._staged: list[Path] = []
        self._dimensions: list[str] = []
        self._scopes: list[Scope] = []
        self._rollups: list[commits.Rollup] = []
        self._report: AuditReport | None = None

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop what is staged and let the next publish in."""
        self._con.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()

    @property
    def staged_files(self) -> tuple[Path, ...]:
        """The staged values as Parquet files, to compare with what is published."""
        return tuple(self._staged)

    def add(self, rows: Any) -> None:
        """Stage an Arrow stream of values: the fixed columns but run_id, and a column per dimension of its slices."""
        path = self._folder / f"values-{len(self._staged):05}.parquet"
        with _failures("staging values"):
            dimensions = staging.stage_values(self._con, rows, path)
        self._staged.append(path)
        self._dimensions += [name for name in dimensions if name not in self._dimensions]
        self._report = None

    def add_rollup(self, model: str, rows: Any, days: Days | None = None) -> None:
        """Stage a rollup's rows (column ``day``, dimensions, components), replacing ``days`` of it, or all."""
        if any(rollup.model == model for rollup in self._rollups) or not model.isidentifier():
            raise BadInput(f'"{model}" is not a rollup name, or is given twice')
        path = self._folder / f"rollup-{model}.parquet"
        with _failures(f"staging rollup {model}"):
            schema = staging.stage_rollup(self._con, rows, path)
        self._rollups.append(commits.Rollup(model, path, schema, days))

    def replaces(self, scopes: Iterable[Scope]) -> None:
        """Declare what this publish replaces; a scope without rows removes what was published there."""
        scopes = list(scopes)
        wrong = [scope for scope in scopes if scope.start >= scope.end]
        if wrong:
            raise BadInput(f"{wrong[0]} ends before it starts")
        self._scopes += scopes
        self._report = None

    def audit(self, rules: AuditRules) -> AuditReport:
        """Judge the staged rows. Findings do not raise here; `commit` refuses metrics that have any."""
        self._report = AuditReport((), {})
        with _failures("audit"):
            self._show_scopes(self._scopes)
            if self._staged:
                self._show_staged()
                slices = self._con.execute("select distinct slice from staged where slice is not null").fetchall()
                names = tuple(sorted(name for (name,) in slices))
                self._report = audit(self._con, Staged(tuple(self._dimensions), names, self.info.closed_through, rules))
        return self._report

    def differences(self, tolerance: float = TOLERANCE, worst: int = WORST) -> dict[str, Difference]:
        """What would change among values already published, by metric; call it after `audit`."""
        self._judged()
        delta = table.opened(values_folder(self._root))
        if delta is None:
            return {}
        known = (name for name in table.columns(delta).names if name not in FIXED)
        files = ((values_folder(self._root) / file.path, file) for file in table.files(delta, VALUES))
        with _failures("comparing"):
            dimensions = {*known, *self._dimensions}
            return differences(self._con, self._staged, files, self._scopes, dimensions, tolerance, worst)

    def commit(self, leave_out: Iterable[str] = ()) -> PublishResult:
        """Make it official, except metrics in ``leave_out``, which keep what was last published for them.

        Raises `AuditFailed` when a metric that is not left out has findings, `PublishFailed` when the system fails.
        """
        held = frozenset(leave_out)
        report = self._judged().without(held)
        if report.total:
            raise AuditFailed(report)
        with _failures("commit"):
            self._show_scopes([scope for scope in self._scopes if scope.metric not in held])
            info = replace(self.info, held=tuple(sorted(held)))
            return commits.commit(self._con, self._root, self._folder, info, self._fresh(held), self._rollups)

    def _judged(self) -> AuditReport:
        if self._report is None:
            raise BadInput("the draft has not been audited since rows or scopes were added")
        return self._report

    def _fresh(self, held: frozenset[str]) -> commits.Values:
        scopes = tuple(scope for scope in self._scopes if scope.metric not in held)
        return commits.Values(tuple(self._dimensions), scopes, tuple(sorted(held)), bool(self._staged))

    def _show_scopes(self, scopes: Sequence[Scope]) -> None:
        names = ("metric", "grain", "start", "end")
        self._con.execute('create or replace temp table scopes (metric varchar, grain varchar, start date, "end" date)')
        if scopes:
            columns = {name: [getattr(scope, name) for scope in scopes] for name in names}
            unnested = ", ".join(f"unnest(${name})" for name in names)
            self._con.execute(f"insert into scopes select {unnested}", columns)

    def _show_staged(self) -> None:
        paths = ", ".join(literal(path) for path in self._staged)
        self._con.execute(f"create or replace temp view staged as from read_parquet([{paths}], union_by_name = true)")


@contextmanager
def _failures(step: str) -> Iterator[None]:
    try:
        yield
    except PublishedError:
        raise
    except duckdb.ConversionException as error:
        raise BadInput(f"{step}: {error}") from error
    except (duckdb.OperationalError, duckdb.InvalidInputException, DeltaError, pa.ArrowException, OSError) as error:
        raise PublishFailed(f"{step} failed, published values are unchanged: {error}") from error
