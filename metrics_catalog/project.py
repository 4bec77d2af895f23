"""Where the files of a project are. Reads no environment; of the disk it asks only which folder is the dbt project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DBT_FILE = "dbt_project.yml"


@dataclass(frozen=True)
class Project:
    """A project folder and its state folder (default ``<root>/.metrics``); every path of either is named here.

    ``ops``: URL of the ops store. ``dbt``: the dbt project, ``<root>/dbt_project``, or the root itself when that is a
    dbt project of its own: then nothing is written outside the state folder.
    """

    root: Path
    state: Path
    published: Path
    dbt: Path
    ops: str = ""

    @classmethod
    def at(
        cls, root: Path, state: Path | None = None, published: Path | None = None, ops: str | None = None
    ) -> Project:
        """The project in ``root``; state, published values and the ops store may live elsewhere."""
        root = root.resolve()
        state = (root / ".metrics" if state is None else state).resolve()
        inner = root / "dbt_project"
        own = (root / DBT_FILE).is_file() and not (inner / DBT_FILE).is_file()
        return cls(
            root,
            state,
            (state / "published" if published is None else published).resolve(),
            root if own else inner,
            ops or f"sqlite:///{state / 'ops.db'}",
        )

    @property
    def is_dbt(self) -> bool:
        """Whether the root is an existing dbt project, which is read and built but never written to."""
        return self.dbt == self.root

    @property
    def metrics(self) -> Path:
        """Metric files, one folder per domain."""
        return self.root / "metrics_catalog" / "metrics"

    @property
    def reports(self) -> Path:
        """Report files."""
        return self.root / "metrics_catalog" / "reports"

    @property
    def issues(self) -> Path:
        """Every issue of every report, as it was sent."""
        return self.state / "reports"

    @property
    def people(self) -> Path:
        """People, teams and roles."""
        return self.root / "metrics_catalog" / "people.yml"

    @property
    def policy(self) -> Path:
        """Tiers, calendar, approval rules."""
        return self.root / "metrics_catalog" / "policy.yml"

    @property
    def sources(self) -> Path:
        """Source declarations."""
        return self.root / "orchestration" / "sources"

    @property
    def suites(self) -> Path:
        """Expectation suites."""
        return self.root / "expectations" / "suites"

    @property
    def profiles(self) -> Path:
        """The folder of dbt's profiles.yml: ours for an existing dbt project, whose own may name another database."""
        return self.state / "dbt" if self.is_dbt else self.dbt

    @property
    def target(self) -> Path:
        """Where dbt writes what it made."""
        return self.state / "dbt" / "target" if self.is_dbt else self.dbt / "target"

    @property
    def manifest(self) -> Path:
        """What dbt last parsed."""
        return self.target / "manifest.json"

    @property
    def columns(self) -> Path:
        """Columns of the tables dbt last built, for what the dbt project does not declare."""
        return self.state / "dbt" / "columns.json"

    @property
    def periods(self) -> Path:
        """Periods of the project's own grains, as the time spine was last built."""
        return self.state / "dbt" / "periods.json"

    def named(self, dbt_path: str) -> str:
        """A file of the dbt project as people know it: relative to the root."""
        return (self.dbt / dbt_path).relative_to(self.root).as_posix()

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.state / "warehouse.duckdb"

    @property
    def landing(self) -> Path:
        """Where delivered files arrive."""
        return self.state / "landing"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance folder."""
        return self.state / "dagster"

    @property
    def docs(self) -> Path:
        """Readable pages of suites and validation results."""
        return self.state / "docs"
