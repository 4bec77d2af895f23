"""Suites and results as HTML pages anybody can open: no server, no network, one page per source and an index.

Adding a language means adding its words to ``words.yml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from expectations import results
from expectations.results import Outcome, Recorded
from expectations.sql import columns, scalar, table
from expectations.suite import ExpectationSpec, Suite, Wording

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from jinja2 import Environment

HISTORY_RUNS = 30
LANGUAGES = ("en", "zh")
State = Literal["pass", "warn", "fail", "none"]
_WORST_LAST: tuple[State, ...] = ("none", "pass", "warn", "fail")


@dataclass(frozen=True)
class Row:
    """One expectation with its outcomes, the newest run first; None where a run did not judge it."""

    spec: ExpectationSpec
    outcomes: tuple[Outcome | None, ...]

    @property
    def latest(self) -> Outcome | None:
        """The last outcome there is."""
        return next((outcome for outcome in self.outcomes if outcome), None)

    def note(self, language: str) -> str:
        """Why it is expected, in ``language`` or else in what there is."""
        note = self.spec.note
        if isinstance(note, Wording):
            return getattr(note, language) or note.en or note.zh
        return note


@dataclass(frozen=True)
class Page:
    """What is told of one source. ``runs`` are (run id, time in UTC), the newest first."""

    suite: Suite
    rows: tuple[Row, ...]
    runs: tuple[tuple[str, datetime], ...]
    quarantined: int

    @property
    def state(self) -> State:
        """The worst of the latest outcomes."""
        states: list[State] = [state(row.latest) for row in self.rows]
        return max(states, key=_WORST_LAST.index) if states else "none"


def state(outcome: Outcome | None) -> State:
    """How an outcome is shown: fail when it blocks its source by itself."""
    if outcome is None:
        return "none"
    if outcome.success:
        return "pass"
    return "fail" if outcome.stops else "warn"


def render_docs(con: DuckDBPyConnection, suites: Iterable[Suite], folder: Path) -> Path:
    """Write the pages of ``suites`` into ``folder`` in every language; returns the index (English)."""
    pages = [_page(con, suite) for suite in sorted(suites, key=lambda suite: suite.name)]
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        _write(folder / _file("index", language), "index.html", language, "index", pages=pages)
        for page in pages:
            _write(folder / _file(page.suite.name, language), "source.html", language, page.suite.name, page=page)
    return folder / _file("index", LANGUAGES[0])


def _page(con: DuckDBPyConnection, suite: Suite) -> Page:
    recorded = results.history(con, suite.name, HISTORY_RUNS)
    by_run = {run: _by_name(records) for run, records in groupby(recorded, lambda item: (item.run_id, item.checked_at))}
    rows = tuple(
        Row(spec, tuple(outcomes.get(spec.name) for outcomes in by_run.values())) for spec in suite.expectations
    )
    kept = columns(con, "quarantine", suite.name)
    quarantined = scalar(con, f"SELECT count(*) FROM {table('quarantine', suite.name)}") if kept else 0  # noqa: S608
    return Page(suite, rows, tuple(by_run), quarantined)


def _by_name(records: Iterable[Recorded]) -> dict[str, Outcome]:
    return {record.outcome.name: record.outcome for record in records}


def _write(path: Path, template: str, language: str, name: str, **values: Any) -> None:
    words = _words()
    text = (
        _environment()
        .get_template(template)
        .render(
            language=language,
            words=words[language],
            others=[(words[other]["name"], other, _file(name, other)) for other in LANGUAGES if other != language],
            link=lambda target: _file(target, language),
            **values,
        )
    )
    path.write_text(text, encoding="utf-8")


def _file(name: str, language: str) -> str:
    return f"{name}.html" if language == LANGUAGES[0] else f"{name}.{language}.html"


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    return yaml.safe_load(files("expectations").joinpath("templates/words.yml").read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("expectations"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"state": state, "number": lambda value: "–" if value is None else f"{value:,}"}
    return environment
