"""Dagster's own instance: the dagster.yaml of a project, written from its settings. SQLite, or PostgreSQL by URL."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

from orchestration.settings import InvalidSettings, Settings

if TYPE_CHECKING:
    from alembic.config import Config
    from dagster import DagsterInstance

# The password stays in the environment; dagster.yaml names the variable.
PASSWORD_VARIABLE = "METRICS_DAGSTER_POSTGRES_PASSWORD"  # noqa: S105 a name
_HEADER = "# Written by `metrics`; change settings (.env.example), not this file.\n"


def configure(settings: Settings) -> dict[str, str]:
    """Write dagster.yaml where it differs; the variables Dagster's processes need in their environment."""
    home = settings.locate().dagster_home
    home.mkdir(parents=True, exist_ok=True)
    text = _HEADER + yaml.safe_dump(instance_config(settings), sort_keys=False, allow_unicode=True)
    path = home / "dagster.yaml"
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        aside = path.with_suffix(".partial")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    variables = {"DAGSTER_HOME": str(home), "DO_NOT_TRACK": "1"}
    if settings.dagster_postgres_url:
        variables[PASSWORD_VARIABLE] = unquote(urlsplit(settings.dagster_postgres_url).password or "")
    return variables


def instance_config(settings: Settings) -> dict[str, Any]:
    """The content of dagster.yaml."""
    home = settings.locate().dagster_home
    return {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        # One refresh at a time: the warehouse has one writer. Later runs wait in the queue.
        "concurrency": {"runs": {"max_concurrent_runs": 1}},
        "run_monitoring": {"enabled": True},
        # A sensor that found nothing says so every minute.
        "retention": {"sensor": {"purge_after_days": {"skipped": 3}}},
        # Capturing output starts two processes per step; what a step has to say is in the event log.
        "compute_logs": {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        },
        **(_postgres(settings.dagster_postgres_url) if settings.dagster_postgres_url else _sqlite(str(home))),
    }


def open_instance(settings: Settings) -> DagsterInstance:
    """The project's instance, for use in this process. Hands the database's password on in the environment."""
    from dagster import DagsterInstance

    _read_migrations_once()
    _make_classes_once()
    variables = configure(settings)
    os.environ.update({name: value for name, value in variables.items() if name == PASSWORD_VARIABLE})
    return DagsterInstance.from_config(variables["DAGSTER_HOME"])


def _sqlite(home: str) -> dict[str, Any]:
    def part(module: str, name: str, folder: str) -> dict[str, Any]:
        return {"module": module, "class": name, "config": {"base_dir": f"{home}/{folder}"}}

    return {
        "run_storage": part("dagster._core.storage.runs", "SqliteRunStorage", "history"),
        "event_log_storage": part("orchestration.event_log", "KeptSqliteEventLogStorage", "history/runs"),
        "schedule_storage": part("dagster._core.storage.schedules", "SqliteScheduleStorage", "schedules"),
    }


def _postgres(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    database = parts.path.lstrip("/")
    query = dict(parse_qsl(parts.query))
    socket = query.get("host")  # a folder: the server listens on a Unix socket there
    if not (parts.hostname or socket) or not database or not parts.username:
        raise InvalidSettings("METRICS_DAGSTER_POSTGRES_URL must be postgresql://user:password@host:port/database")
    connection = {
        "username": unquote(parts.username),
        "password": {"env": PASSWORD_VARIABLE},
        "hostname": "" if socket else parts.hostname,
        "db_name": unquote(database),
        "port": parts.port or 5432,
        # Plain "postgresql" makes SQLAlchemy 2.1 look for psycopg 3, which is not installed.
        "scheme": "postgresql+psycopg2",
        **({"params": query} if query else {}),
    }
    return {"storage": {"postgres": {"postgres_db": connection}}}


@cache
def _read_migrations_once() -> None:
    """Dagster opens five SQLite files in a run; for each alembic imports its 90 migrations: a tenth of a refresh."""
    from alembic.script import ScriptDirectory

    read, kept = ScriptDirectory.from_config, dict[str | None, ScriptDirectory]()

    def read_once(config: Config) -> ScriptDirectory:
        folder = config.get_main_option("script_location")
        if folder not in kept:
            kept[folder] = read(config)
        return kept[folder]

    ScriptDirectory.from_config = staticmethod(read_once)


@cache
def _make_classes_once() -> None:
    """For each output of a step Dagster makes two named tuples to hold its resources: 729 classes in a refresh."""
    from collections import namedtuple

    from dagster._core.definitions import scoped_resources_builder

    made = cache(namedtuple)
    scoped_resources_builder.namedtuple = lambda name, fields: made(name, tuple(fields))  # pyright: ignore[reportPrivateImportUsage]
