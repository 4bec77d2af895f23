"""How far cleaning has come with a source, and what is new since. Kept in ``ingest.bookmarks``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expectations.quarantine import NOTHING
from expectations.suite import Suite

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGE = "clean"


@dataclass(frozen=True)
class Progress:
    """Load ids: ``accepted`` is the last that clean shows, ``latest`` the last there is (-1: none).

    ``reloaded``: referenced sources that were loaded since this one was judged. ``full``: the suite is another one (or
    the first), so every row is judged, not only those of new loads.
    """

    source: str
    fingerprint: str
    accepted: int
    latest: int
    full: bool
    references: dict[str, int]
    reloaded: frozenset[str]

    @classmethod
    def read(cls, con: DuckDBPyConnection, suite: Suite) -> Progress:
        """Where ``suite.name`` stands."""
        bookmark = _bookmark(con, STAGE, suite.name)
        references = {name: _latest(con, name) for name in sorted(suite.references)}
        seen = {name: _bookmark(con, _references_stage(suite.name), name) for name in references}
        return cls(
            suite.name,
            suite.fingerprint,
            NOTHING if bookmark is None else bookmark[0],
            _latest(con, suite.name),
            bookmark is None or bookmark[1] != suite.fingerprint,
            references,
            frozenset(name for name, load in references.items() if (seen[name] or (None,))[0] != load),
        )

    @property
    def since(self) -> int:
        """Rows of loads after this one are judged by row-level expectations."""
        return NOTHING if self.full else self.accepted

    @property
    def loaded(self) -> bool:
        """The source itself must be judged: it was loaded again, or the suite changed."""
        return self.full or self.latest != self.accepted

    @property
    def nothing_new(self) -> bool:
        """Every verdict stands."""
        return not self.loaded and not self.reloaded

    def accept(self, con: DuckDBPyConnection) -> None:
        """Remember that everything up to ``latest`` is judged and accepted."""
        _set(con, STAGE, self.source, self.latest, self.fingerprint)
        for name, load in self.references.items():
            _set(con, _references_stage(self.source), name, load, "")


def _references_stage(source: str) -> str:
    return f"references of {source}"


def _latest(con: DuckDBPyConnection, source: str) -> int:
    row = con.execute("SELECT max(load_id) FROM ingest.loads WHERE source = $1", [source]).fetchone()
    return NOTHING if row is None or row[0] is None else int(row[0])


def _bookmark(con: DuckDBPyConnection, stage: str, source: str) -> tuple[int, str] | None:
    query = "SELECT load_id, fingerprint FROM ingest.bookmarks WHERE stage = $1 AND source = $2"
    return con.execute(query, [stage, source]).fetchone()


def _set(con: DuckDBPyConnection, stage: str, source: str, load_id: int, fingerprint: str) -> None:
    con.execute(
        "INSERT INTO ingest.bookmarks (stage, source, load_id, fingerprint) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (stage, source) DO UPDATE SET load_id = excluded.load_id, fingerprint = excluded.fingerprint",
        [stage, source, load_id, fingerprint],
    )
