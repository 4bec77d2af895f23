"""A publish that dies or finds the disk full changes nothing for readers, and the next one works."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake.exceptions import DeltaError

from metrics_catalog.published import commits, staging
from metrics_catalog.published.errors import PublishFailed
from metrics_catalog.published.model import Days
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published

DAY, NEXT = date(2024, 1, 1), date(2024, 1, 2)

_DIES = """
import os, sys
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
import pyarrow as pa
from metrics_catalog.published.model import AuditRules, Days, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher

root, module, name, when, call = sys.argv[1:]
owner = import_module("metrics_catalog.published." + module)
original, calls = getattr(owner, name), []

def dying(*args, **kwargs):
    calls.append(1)
    if when == "before" and len(calls) == int(call):
        os._exit(9)
    result = original(*args, **kwargs)
    if when == "after" and len(calls) == int(call):
        os._exit(9)
    return result

setattr(owner, name, dying)
stream = pa.table({
    "metric": ["sales"] * 2, "grain": ["day"] * 2, "period": [date(2024, 1, 1), date(2024, 1, 2)], "slice": [""] * 2,
    "value": [Decimal(100)] * 2, "numerator": pa.nulls(2), "denominator": pa.nulls(2), "definition": ["d"] * 2})
rollup = pa.table({"day": [date(2024, 1, 1)], "quantity": [100]})
Publisher(Path(root)).publish(
    PublishInfo("dying", datetime(2025, 2, 1, tzinfo=UTC), date(2024, 12, 31)), [stream],
    [Scope("sales", "day", date(2024, 1, 1), date(2024, 1, 3))], AuditRules(),
    [("line", rollup, Days(date(2024, 1, 1), date(2024, 1, 2)))])
"""


def quantity(snapshot):
    return duckdb.read_parquet([str(path) for path in snapshot.rollup("line")]).fetchall()


def total(snapshot):
    return [int(value) for value in snapshot.values(["sales"], "day")["value"].to_pylist()]


def more(day, amount):
    return [("line", pa.table({"day": [day], "quantity": [amount]}), Days(day, date(day.year, day.month, day.day + 1)))]


def files_no_version_names(root):
    """Data files that neither the table nor its history knows."""
    named = {Path(name).name for folder in root.glob("**/_delta_log") for name in _named(folder.parent)}
    return [path for path in root.rglob("*.parquet") if "_delta_log" not in path.parts and path.name not in named]


def _named(folder):
    log = [str(path) for path in (folder / "_delta_log").glob("*.json")]
    read = "read_json($log, format = 'newline_delimited', columns = {'add': 'struct(path varchar)'})"
    return [
        path
        for (path,) in duckdb.sql(f"select add.path from {read} where add is not null", params={"log": log}).fetchall()
    ]


@pytest.mark.parametrize(
    ("module", "name", "when", "call"),
    [
        ("staging", "stage_values", "after", 1),
        ("publisher", "audit", "before", 1),
        ("replace", "_write", "after", 1),
        ("replace", "_write", "after", 2),
        ("staging", "remember_moved", "after", 1),
        ("commits", "_commit_rollup", "before", 1),
        ("commits", "_commit_rollup", "after", 1),
        ("table", "commit", "before", 2),
    ],
)
def test_a_publish_killed_before_its_commit(tmp_path, publish, module, name, when, call):
    publish(1, {"a": 1}, more=more(DAY, 1))
    root = tmp_path / "published"
    killed = subprocess.run([sys.executable, "-c", _DIES, str(root), module, name, when, str(call)], check=False)
    assert killed.returncode == 9
    snapshot = Published(root).at()
    assert (snapshot.info.run_id, total(snapshot), quantity(snapshot)) == ("run-1", [1], [(DAY, 1)])
    publish(2, {"a": 2}, day=NEXT, more=more(NEXT, 2))
    snapshot = Published(root).at()
    assert (total(snapshot), sorted(quantity(snapshot))) == ([1, 2], [(DAY, 1), (NEXT, 2)])
    assert list((root / "staging").iterdir()) == []
    assert files_no_version_names(root) == []


@pytest.mark.parametrize(("module", "name", "when"), [("table", "commit", "after"), ("table", "checkpoint", "before")])
def test_a_publish_killed_after_its_commit_is_published(tmp_path, publish, module, name, when):
    publish(1, {"a": 1}, more=more(DAY, 1))
    root = tmp_path / "published"
    call = "2" if name == "commit" else "1"  # the first commit is the rollup's
    killed = subprocess.run([sys.executable, "-c", _DIES, str(root), module, name, when, call], check=False)
    assert killed.returncode == 9
    snapshot = Published(root).at()
    assert (snapshot.info.run_id, total(snapshot), quantity(snapshot)) == ("dying", [100, 100], [(DAY, 100)])
    publish(3, {"a": 3}, more=more(NEXT, 3))
    assert total(Published(root).at()) == [3, 100]
    assert files_no_version_names(root) == []


def test_dying_while_files_move_into_the_table(tmp_path, publish, monkeypatch):
    publish(1, {"a": 1}, more=more(DAY, 1))
    moved = []

    def dying(self, into):
        if moved:
            raise KeyboardInterrupt
        moved.append(into)
        self.rename(into)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dying)
        patched.setattr("metrics_catalog.published.publisher.Draft.close", lambda draft: draft._lock.release())
        with pytest.raises(KeyboardInterrupt):
            publish(2, {"a": 2}, more=more(DAY, 2))
    assert moved[0].exists()
    publish(3, {"a": 3}, day=NEXT, more=more(NEXT, 3))
    assert not moved[0].exists()
    assert files_no_version_names(tmp_path / "published") == []


def test_an_error_after_the_log_entry_is_written_is_no_failure(tmp_path, publish, monkeypatch):
    original = commits.table.commit

    def wrote_and_failed(*args, **kwargs):
        original(*args, **kwargs)
        raise DeltaError("no space left for the rest")

    with monkeypatch.context() as patched:
        patched.setattr(commits.table, "commit", wrote_and_failed)
        result = publish(1, {"a": 1})
    assert Published(tmp_path / "published").at().version == result.version


def test_an_error_before_the_log_entry_is_a_failure(tmp_path, publish, monkeypatch):
    publish(1, {"a": 1})

    def failed(*_args, **_kwargs):
        raise DeltaError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(commits.table, "commit", failed)
        with pytest.raises(PublishFailed, match="commit failed, published values are unchanged: no space left"):
            publish(2, {"a": 2})
    assert total(Published(tmp_path / "published").at()) == [1]
    publish(3, {"a": 3})
    assert total(Published(tmp_path / "published").at()) == [3]


def test_a_checkpoint_that_fails_is_passed_over(tmp_path, publish, monkeypatch, caplog):
    def failed(_):
        raise DeltaError("no space left")

    monkeypatch.setattr("metrics_catalog.published.table.CHECKPOINT_EVERY", 1)
    monkeypatch.setattr("metrics_catalog.published.table.DeltaTable.create_checkpoint", failed)
    publish(1, {"a": 1})
    assert total(Published(tmp_path / "published").at()) == [1]
    assert "no checkpoint of values: no space left" in caplog.text


def test_a_stream_that_breaks_half_way(tmp_path, publish, kit):
    publish(1, {"a": 1})
    root = tmp_path / "published"
    batches = kit.rows([("sales", DAY, {}, 2)]).to_batches()

    def broken():
        yield from batches
        raise OSError("the warehouse went away")

    stream = pa.RecordBatchReader.from_batches(batches[0].schema, broken())
    with pytest.raises(PublishFailed, match="the warehouse went away"):
        Publisher(root).publish(kit.info(2), [stream], [kit.days("sales", DAY, NEXT)])
    assert total(Published(root).at()) == [1]
    publish(3, {"a": 3})


@contextmanager
def small_disk(folder: Path, size: str):
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def big(kit, count):
    values = [("sales", DAY, {"store": f"店{n:06}"}, Decimal(n * 7919 % 1_000_003) / 1000) for n in range(count)]
    return [kit.rows([("sales", DAY, {}, 1), *values])]


def test_a_full_disk(tmp_path, kit):
    with small_disk(tmp_path / "disk", "3m") as root:
        scopes = [kit.days("sales", DAY, NEXT)]
        Publisher(root).publish(kit.info(1), big(kit, 10), scopes)
        before = Published(root).at()
        ballast = root / "ballast"
        sizes = range(2_900_000, 2_000_000, -100_000)  # full at different steps: staging, data files, log
        failures = []
        for number, size in enumerate(sizes, 2):
            ballast.write_bytes(b"\0" * size)
            try:
                Publisher(root).publish(kit.info(number), big(kit, 20_000), scopes)
            except PublishFailed as error:
                failures.append(str(error))
                assert Published(root).at().version == before.version
                assert total(Published(root).at()) == [1]
            ballast.unlink()
            if not failures or len(failures) < number - 1:
                break
        assert failures
        assert all("published values are unchanged" in text for text in failures)
        result = Publisher(root).publish(kit.info(99), big(kit, 5), scopes)
        assert Published(root).at().version == result.version
        assert Published(root).at().values(["sales"], "day", ["store"]).num_rows == 5


def test_a_half_written_note_of_moved_files_is_understood(tmp_path, publish):
    publish(1, {"a": 1})
    dead = tmp_path / "published" / "staging" / "dead"
    dead.mkdir()
    (dead / "moved.json").write_text('["/')
    staging.clean(tmp_path / "published")
    assert not dead.exists()
