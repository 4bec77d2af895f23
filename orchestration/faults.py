"""Whose fault an error is: exit code and message. 1 the data or a definition, 2 wrong usage, 3 the system."""

from __future__ import annotations

from metrics_catalog.located import InvalidFiles
from orchestration.lock import Busy
from orchestration.settings import InvalidSettings

DATA, USAGE, SYSTEM = 1, 2, 3
# How the operating system, SQLite and a quota say it; every tool passes one of them on.
_DISK_FULL = ("No space left on device", "disk is full", "disk I/O error", "Disk quota exceeded", "File too large")


class Blocked(Exception):
    """A load was not accepted: too many bad rows, or a critical expectation failed."""


class Failed(Exception):
    """A run that failed; carries the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def exit_code(error: BaseException) -> int:
    """The exit code an error deserves."""
    if isinstance(error, Failed):
        return error.code
    if isinstance(error, _usage_faults()):
        return USAGE
    return DATA if isinstance(error, _data_faults()) else SYSTEM


def message(error: BaseException) -> str:
    """What to tell a person; the type is named only when the error was not foreseen."""
    text = str(error).strip()
    if not isinstance(error, Failed) and any(sign in text for sign in _DISK_FULL):
        return f"the disk is full or cannot be written; make room and run again ({text.splitlines()[0]})"
    foreseen = (*_data_faults(), *_system_faults(), *_usage_faults(), Failed)
    return text if text and isinstance(error, foreseen) else f"{type(error).__name__}: {text}"


def _usage_faults() -> tuple[type[BaseException], ...]:
    from metrics_catalog.engine.query import InvalidQuery
    from metrics_catalog.governance.clerk import Refused
    from metrics_catalog.published.errors import NotWritable
    from metrics_catalog.semantic import UnknownName

    return (NotWritable, Refused, InvalidSettings, InvalidQuery, UnknownName)


def _data_faults() -> tuple[type[BaseException], ...]:
    from metrics_catalog.own_grains import OutsideSpine
    from metrics_catalog.published.errors import AuditFailed, BadInput, NotPublished, UnknownDimension
    from orchestration.ingest.result import SourceError

    return (InvalidFiles, Blocked, SourceError, AuditFailed, BadInput, NotPublished, UnknownDimension, OutsideSpine)


def _system_faults() -> tuple[type[BaseException], ...]:
    from metrics_catalog.governance.ledger import Damaged, Lost
    from metrics_catalog.ops.store import OpsUnavailable
    from metrics_catalog.published.errors import PublishedError
    from orchestration.demo import DemoMissing
    from orchestration.ingest.result import SourceUnavailable
    from orchestration.transform.blame import DbtFailed

    return (Busy, SourceUnavailable, DbtFailed, DemoMissing, PublishedError, OpsUnavailable, Damaged, Lost)
