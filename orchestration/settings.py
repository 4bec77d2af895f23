"""The only reader of the environment. Settings are read when asked, never at import.

A setting is an environment variable ``METRICS_<FIELD>``; the project's ``.env`` file supplies what the environment does
not. Every setting stands in ``.env.example`` with one line of explanation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, StringConstraints, ValidationError

from metrics_catalog.located import suggest
from metrics_catalog.project import DBT_FILE, Project

PREFIX = "METRICS_"
# Read by dbt's own profiles.yml, written by us; not a setting.
WAREHOUSE_VARIABLE = "METRICS_WAREHOUSE"
_UNSAID = ("_URL", "_TOKEN", "_SECRET")


class InvalidSettings(Exception):
    """A setting has a value it cannot have, or a secret is missing; the message names the variable."""


class Settings(BaseModel):
    """Everything the environment decides. Paths are absolute once read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: Path
    state: Path | None = None
    published: Path | None = None
    dagster_postgres_url: Annotated[str, StringConstraints(pattern=r"^postgresql(\+psycopg2)?://")] | None = None
    ops_url: Annotated[str, StringConstraints(pattern=r"^(sqlite:///|postgresql://)")] | None = None
    user: str | None = None
    dbt: Literal["in_process", "cli"] = "in_process"
    port: Annotated[int, Field(ge=1, le=65535)] = 3000
    refresh_cron: str = "0 6 * * *"
    new_files_seconds: Annotated[int, Field(ge=5)] = 60
    slack_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api: Annotated[str, StringConstraints(pattern=r"^https?://.+/$")] = "https://slack.com/api/"
    slack_port: Annotated[int, Field(ge=1, le=65535)] = 3001
    smtp_url: SecretStr | None = None
    mail_from: str | None = None

    _environment: Mapping[str, str] = PrivateAttr(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether an environment variable is set."""
        return bool(self._environment.get(name))

    def secret(self, name: str) -> str:
        """Value of an environment variable a file names. Raises `InvalidSettings` when it is not set."""
        value = self._environment.get(name)
        if not value:
            hint = suggest(name, self._environment)
            raise InvalidSettings(f"{name} is not set{hint}; set it in the environment or in {self.project / '.env'}")
        return value

    def must_be_project(self) -> None:
        """Raise `InvalidSettings` when there is no project in the folder."""
        if not any((self.project / name).exists() for name in ("metrics_catalog", "dbt_project", DBT_FILE)):
            where = f"{self.project} is not a project"
            raise InvalidSettings(
                f"{where}: name one with --project or METRICS_PROJECT, or write one with `metrics init`"
            )

    def locate(self) -> Project:
        """Where the project's files and state are."""
        return Project.at(self.project, self.state, self.published, self.ops_url)


def read_settings(
    environment: Mapping[str, str] | None = None,
    project: Path | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """Settings of ``project`` (default: ``METRICS_PROJECT``, else the working directory). Raises `InvalidSettings`.

    ``overrides`` win over the environment, which wins over the project's ``.env``.
    """
    given = {**(os.environ if environment is None else environment), **(overrides or {})}
    root = (project or Path(given.get(f"{PREFIX}PROJECT") or Path.cwd())).resolve()
    merged = {**_env_file(root / ".env"), **given}
    known = {f"{PREFIX}{name.upper()}": name for name in Settings.model_fields if name != "project"}
    allowed = {*known, f"{PREFIX}PROJECT", WAREHOUSE_VARIABLE}
    unknown = [key for key in merged if key.startswith(PREFIX) and key not in allowed]
    if unknown:
        raise InvalidSettings(f"{unknown[0]} is not a setting{suggest(unknown[0], known)}")
    values: dict[str, object] = {field: merged[key] for key, field in known.items() if merged.get(key)}
    for field in ("state", "published"):
        if field in values:
            values[field] = root / Path(str(values[field])).expanduser()
    try:
        settings = Settings(project=root, **values)  # pyright: ignore[reportArgumentType]
    except ValidationError as error:
        raise InvalidSettings(_explain(error)) from None
    settings._environment.update(merged)  # type: ignore[attr-defined]
    return settings


def _env_file(path: Path) -> dict[str, str]:
    """``NAME=value`` lines; quotes around a value are dropped, ``#`` begins a comment line, ``export`` is allowed."""
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for number, raw in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        line = raw.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise InvalidSettings(f"{path.name}:{number} is not NAME=value")
        found[name.strip()] = _unquote(value.strip())
    return found


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()


def _explain(error: ValidationError) -> str:
    lines = []
    for item in error.errors():
        name = PREFIX + str(item["loc"][0]).upper()
        shown = "" if name.endswith(_UNSAID) else f", got {item.get('input')!r}"
        lines.append(f"{name}: {item['msg']}{shown}")
    return "\n".join(lines)
