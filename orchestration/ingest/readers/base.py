"""What every reader of landed files offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from orchestration.ingest.casting import parameters
from orchestration.ingest.manifest import LandedFile
from orchestration.ingest.relation import Relation, Target, complaints
from orchestration.ingest.result import Reject
from orchestration.ingest.spec import AnySource
from orchestration.ingest.statement import run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Reader(ABC):
    """Reads files of one source. ``workspace`` is an empty folder that lives as long as the load."""

    _leavings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, con: DuckDBPyConnection, spec: AnySource, workspace: Path) -> None:
        self.con, self.spec, self.workspace = con, spec, workspace

    @abstractmethod
    def relations(self, files: Sequence[LandedFile]) -> list[Relation]:
        """The rows of ``files``. Raises `SourceError` for a file that is not what the source declares."""

    def close(self) -> None:
        """Remove what reading left in the connection."""
        for relation in self._leavings:
            self.con.execute(f"DROP TABLE IF EXISTS {relation}")

    def dropped_rows(self) -> int:
        """Rows the last statement over the relations left out by itself, because they are no rows at all."""
        return 0

    def dropped(self, limit: int | None = None) -> list[Reject]:
        """Those rows, placed."""
        return []

    def rejects(self, file: LandedFile, columns: Sequence[Target], limit: int | None = None) -> list[Reject]:
        """Every bad value of one file, placed."""
        found: list[Reject] = []
        for relation in self.relations([file]):
            query = complaints(relation, columns, self.spec) + ("" if limit is None else f" LIMIT {limit}")
            values = {**parameters(self.spec.options), **relation.parameters}
            found += [Reject(*row) for row in run(self.con, query, values).fetchall()]
        return found
