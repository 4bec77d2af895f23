"""One refresh at a time per project, across processes. A killed process gives its turn back by dying."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from metrics_catalog.project import Project


class Busy(Exception):
    """Another refresh of this project is running; the message says which."""


@contextmanager
def turn(project: Project, what: str, wait: bool = False, log: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the project's refresh lock; nested turns of one process share it.

    ``what`` is told to whoever finds the lock taken. Raises `Busy` at once unless ``wait``.
    """
    project.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(project.state / "refresh.lock", is_singleton=True, thread_local=False)
    outer = lock.is_locked
    try:
        lock.acquire(timeout=0)
    except Timeout:
        message = f"{_holder(project)} is running a refresh of {project.root}"
        if not wait:
            raise Busy(f"{message}; try again when it is done") from None
        if log is not None:
            log(f"{message}; waiting")
        lock.acquire()
    try:
        if not outer:
            _note(project).write_text(json.dumps({"pid": os.getpid(), "what": what, "since": _now()}), encoding="utf-8")
        yield
    finally:
        if not outer:
            _note(project).unlink(missing_ok=True)
        lock.release()


def _holder(project: Project) -> str:
    try:
        note = json.loads(_note(project).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "another process"
    return f"{note['what']} (process {note['pid']}, since {note['since']})"


def _note(project: Project) -> Path:
    return project.state / "refresh.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
