"""What governance costs: a long ledger, and many metrics of which one was edited.

``python tests/benchmarks/bench_governance.py [entries] [metrics]``; by default 10,000 and 12,000. CPU seconds.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine_many import PEOPLE, write_project

from metrics_catalog.catalog import Catalog, entry_of, load_catalog
from metrics_catalog.governance.certified import official
from metrics_catalog.governance.ledger import Event, Head, Ledger
from metrics_catalog.governance.office import Office, Wish
from metrics_catalog.governance.replay import recorded
from metrics_catalog.located import parsed
from metrics_catalog.ops.store import open_store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

T = TypeVar("T")
NOW = datetime(2024, 4, 1, tzinfo=UTC)


def measured(name: str, work: Callable[[], T]) -> T:
    """The least of three, printed."""
    found, taken = [], []
    for _ in range(3):
        before = time.process_time()
        found.append(work())
        taken.append(time.process_time() - before)
    print(f"{name:40} {min(taken):6.2f}")
    return found[-1]


def ledger_of(folder: Path, count: int) -> Ledger:
    """Requests that were submitted, previewed and commented."""
    ledger = Ledger(open_store(f"sqlite:///{folder}/long.db"))
    events: list[Event] = []
    for number in range(1, count // 4 + 1):
        asked = {
            "request": number,
            "changes": ["calculation"],
            "reason": "口径改变",
            "base": 1,
            "text": "expr: a\n" * 40,
        }
        seen = {
            "fingerprint": "f",
            "preview": {"periods": [{"old": "1"}] * 12},
            "need": ["owner"],
            "author_counts": False,
        }
        events += [
            Event("submitted", f"metric/m{number}", "ada", asked),
            Event("previewed", f"request/{number}", "ada", seen),
            Event("commented", f"request/{number}", "vic", {"text": "为什么？"}),
            Event("rejected", f"request/{number}", "joe", {"reason": "不"}),
        ]
    ledger.append(Head(), events, NOW)
    return ledger


def edited(files: Catalog) -> tuple[Catalog, str]:
    """The files, with the calculation of one metric changed."""
    entry = next(one for one in files.metrics.values() if "agg: sum" in one.document.text)
    document = parsed(entry.document.text.replace("agg: sum", "agg: max"), entry.document.path)
    return replace(
        files, metrics={**files.metrics, entry.name: entry_of(entry.name, entry.domain, document)}
    ), entry.name


@contextmanager
def no_warehouse() -> Iterator[DuckDBPyConnection]:
    """Only what comes before the numbers is measured."""
    raise OSError("none")
    yield


def main(entries: int, metrics: int) -> None:
    """Print what each step takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = ledger_of(folder, entries)
        read = measured(f"read and check {entries:,} entries", ledger.entries)
        measured(f"fold {entries:,} entries", lambda: recorded(read))
        project = write_project(folder / "project", metrics)
        roles = {"people": {one: {**keys, "roles": ["admin"]} for one, keys in PEOPLE["people"].items()}}
        project.people.write_text(json.dumps({**PEOPLE, **roles}), encoding="utf-8")
        files = load_catalog(project)
        files = replace(files, semantics=replace(files.semantics, manifest=None))  # written by hand, with no SQL
        ledger = Ledger(open_store(f"sqlite:///{folder}/ops.db"))
        record = Office(files, ledger, no_warehouse, lambda: NOW).bootstrap("wang_fang", "first")
        measured(f"official of {metrics:,}, all as certified", lambda: official(files, record))
        files, metric = edited(files)
        measured("official, one edited", lambda: official(files, record))
        office = Office(files, ledger, no_warehouse, lambda: NOW)
        measured("propose the edited one", lambda: office.propose(metric, "wang_fang", Wish("why")))


if __name__ == "__main__":
    main(*[int(one) for one in sys.argv[1:]] or (10_000, 12_000))
