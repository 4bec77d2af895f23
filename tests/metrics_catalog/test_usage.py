"""Reads: written in batches, private as the policy says, never in the way of a read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.ops.store import open_store
from metrics_catalog.project import Project
from metrics_catalog.spec.review import Usage
from metrics_catalog.usage import BATCH, LIMIT, Recorder, code_of, forget, history, known_readers, recorded_since, used

NOW = datetime(2024, 3, 10, 8, tzinfo=UTC)
Made = Callable[..., Recorder]


@pytest.fixture
def project(tmp_path: Path, ops_url: str) -> Project:
    return Project.at(tmp_path, ops=ops_url)


@pytest.fixture
def recorder(project: Project) -> Made:
    return lambda now=NOW, **policy: Recorder(project, Usage(**policy), lambda: now)


def test_who_read_what_where(recorder: Made, project: Project) -> None:
    before = recorder(NOW - timedelta(days=40))
    before.note("show", "王芳", ["net_sales"])
    before.flush()
    one = recorder()
    one.note("query", "wei", ["net_sales", "units", "net_sales"], grain="day", by=["store"], where=[])
    one.note("report", None, ["net_sales"])
    one.flush()
    engine = open_store(project.ops)
    found = used(engine)
    assert {name: (reads.count, reads.faces, reads.readers) for name, reads in found.items()} == {
        "net_sales": (3, {"query": 1, "report": 1, "show": 1}, {"": 1, "wei": 1, "王芳": 1}),
        "units": (1, {"query": 1}, {"wei": 1}),
    }
    assert found["net_sales"].last == NOW
    assert used(engine, NOW - timedelta(days=30), "net_sales")["net_sales"].count == 2
    assert [read.what for read in history(engine, metric="units")] == [{"grain": "day", "by": ["store"]}]
    assert recorded_since(engine) == NOW - timedelta(days=40)
    assert forget(engine, Usage(keep_days=30), NOW) == 1
    assert recorded_since(engine) == NOW


@pytest.mark.parametrize("ops_url", ["sqlite"], indirect=True)
def test_reads_are_written_in_one_batch_without_waiting_for_the_end(recorder: Made, project: Project) -> None:
    one = recorder()
    for _ in range(BATCH - 1):
        one.note("portal", "wei", ["net_sales"])
    assert used(open_store(project.ops)) == {}
    one.note("portal", "wei", ["net_sales"])
    assert used(open_store(project.ops))["net_sales"].count == BATCH


@pytest.mark.parametrize("ops_url", ["sqlite"], indirect=True)
def test_names_are_kept_coded_or_dropped(recorder: Made, project: Project) -> None:
    for names in ("hash", "drop"):
        one = recorder(names=names)
        one.note("query", "wei", [names])
        one.flush()
    found = used(open_store(project.ops))
    assert list(found["drop"].readers) == [""]
    coded = list(found["hash"].readers)
    assert coded != ["wei"]
    assert known_readers(coded, ["fang", "wei"], Usage(names="hash"), project) == ["wei"]
    assert known_readers(["", "wei"], ["fang", "wei"], Usage(), project) == ["wei"]
    assert (project.state / "usage.key").stat().st_mode & 0o077 == 0
    elsewhere = Project.at(project.root / "other")
    assert code_of("wei", Usage(names="hash"), elsewhere) != coded[0], "the key is this project's own"


@pytest.mark.parametrize("ops_url", ["sqlite"], indirect=True)
def test_a_read_is_never_failed_by_its_record(
    recorder: Made, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metrics_catalog.ops.store.WAIT_SECONDS", 0.01)
    open_store(project.ops)
    one, path = recorder(), project.ops.removeprefix("sqlite:///")
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("begin immediate")
    one.note("query", "wei", ["net_sales"])
    one.flush()
    lock.execute("rollback")
    lock.close()
    assert used(open_store(project.ops)) == {}
    one.flush()
    assert used(open_store(project.ops))["net_sales"].count == 1, "kept until it can be written"
    unwritable = Recorder(Project.at(project.root, ops="sqlite:////proc/none/ops.db"), Usage(), lambda: NOW)
    for _ in range(3):
        unwritable.note("query", "wei", [f"m{n}" for n in range(LIMIT)])
    assert len(unwritable._kept) == LIMIT


@pytest.mark.parametrize("ops_url", ["sqlite"], indirect=True)
def test_a_policy_may_record_nothing(recorder: Made, project: Project) -> None:
    one: Any = recorder(record=False)
    one.note("query", "wei", ["net_sales"])
    one.flush()
    assert used(open_store(project.ops)) == {}
