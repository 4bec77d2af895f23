"""Where the files of a project are. Pure: reads no environment and touches no disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """A project folder and its state folder (default ``<root>/.metrics``); every path of either is named here."""

    root: Path
    state: Path
    published: Path

    @classmethod
    def at(cls, root: Path, state: Path | None = None, published: Path | None = None) -> Project:
        """The project in ``root``; state and published values may live elsewhere."""
        root = root.resolve()
        state = (root / ".metrics" if state is None else state).resolve()
        return cls(root, state, (state / "published" if published is None else published).resolve())

    @property
    def metrics(self) -> Path:
        """Metric files, one folder per domain."""
        return self.root / "metrics_catalog" / "metrics"

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
    def dbt(self) -> Path:
        """The dbt project."""
        return self.root / "dbt_project"

    @property
    def manifest(self) -> Path:
        """What dbt last parsed."""
        return self.dbt / "target" / "manifest.json"

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
