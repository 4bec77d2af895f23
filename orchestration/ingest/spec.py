"""What a source file (`orchestration/sources/<name>.yml`) may say. Pure: reads YAML, touches no data.

Adding a source means adding a file. Adding a kind means adding a class here and its reader in `readers/`.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from metrics_catalog.located import InvalidFiles, Problem, check, read, suggest
from metrics_catalog.project import Project
from metrics_catalog.spec.base import Label, Name, Spec, Text
from orchestration.ingest.columns import Column, Freshness, Options, Partition

_LAG = re.compile(r"^(\d+) (day|hour|minute)s?$")
# Changing these leaves landed rows right, so nothing is read again.
_WORDING = {"label", "description", "domain", "owner", "freshness", "path", "partition", "on_missing", "max_rejects"}


def _landing_path(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value or not path.parts:
        raise ValueError("must be a path under the landing folder: not absolute, no .., forward slashes")
    return value


LandingPath = Annotated[str, AfterValidator(_landing_path)]
SecretName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", description="name of an environment variable")]


class Source(Spec):
    """What every kind of source declares. ``name`` is the name of its file."""

    name: SkipJsonSchema[Name] = ""
    label: Label
    description: Text
    domain: Name
    owner: Name
    day: str | None = Field(default=None, description="date or timestamp column: the business day of a row")
    start: date | None = Field(default=None, description="first day delivered whole; no earlier period is official")
    on_new_column: Literal["add", "ignore", "fail"] = "fail"
    max_rejects: float = Field(default=0.01, ge=0, lt=1, description="share of rows that may fail to read")
    freshness: Freshness | None = None
    options: Options = Options()
    columns: dict[Name, Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _columns_agree(self) -> Source:
        if self.day is not None and self.column_type(self.day, "day") not in ("date", "timestamp"):
            raise ValueError(f'day: "{self.day}" must be a date or timestamp column')
        origins = [self.origin(name).casefold() for name in self.columns]
        twice = sorted({origin for origin in origins if origins.count(origin) > 1})
        if twice:
            raise ValueError(f"columns: {', '.join(twice)} is read twice")
        return self

    def column_type(self, column: str, key: str) -> str:
        """Declared type of the column that ``key`` names. Raises `ValueError` when there is none."""
        if column not in self.columns:
            raise ValueError(f'{key}: "{column}" is not a declared column{suggest(column, self.columns)}')
        return self.columns[column].type

    def origin(self, column: str) -> str:
        """Name of a declared column in the source."""
        return self.columns[column].from_ or column

    @property
    def required(self) -> frozenset[str]:
        """Columns without whose value a row is rejected."""
        return frozenset(name for name, column in self.columns.items() if column.required)

    @property
    def contract(self) -> str:
        """What decides how rows are read; when it changes, everything is read again."""
        columns = [[name, column.type, column.from_, column.required] for name, column in self.columns.items()]
        return f"{self.model_dump_json(exclude=_WORDING | {'columns'})} {columns}"


class LandedSource(Source):
    """Files in the landing folder, told apart by their content."""

    path: LandingPath
    load: Literal["by_file", "full"] = "by_file"
    on_missing: Literal["keep", "delete"] = Field(default="keep", description="rows of a file that is gone")
    partition: Partition | None = None

    @model_validator(mode="after")
    def _partition_is_by_file(self) -> LandedSource:
        if self.partition is not None and (self.load != "by_file" or self.day is None):
            raise ValueError("partition: needs load: by_file and a day column")
        if self.partition is not None and self.partition.parts is not None:
            self.column_type(self.partition.parts, "partition.parts")
        return self

    @property
    def deletes_missing(self) -> bool:
        """Rows leave with their file; ``load: full`` means the table is exactly the files present."""
        return self.load == "full" or self.on_missing == "delete"


class FilesSource(LandedSource):
    """CSV, JSON (lines or one array) or Parquet files."""

    kind: Literal["files"]
    format: Literal["csv", "json", "parquet"]

    @model_validator(mode="after")
    def _options_fit(self) -> FilesSource:
        unfit = sorted(self.options.model_fields_set & Options.CSV_ONLY) if self.format != "csv" else []
        if unfit:
            raise ValueError(f"options: {', '.join(unfit)} needs format: csv")
        return self


class ExcelSource(LandedSource):
    """One sheet of each workbook."""

    kind: Literal["excel"]
    sheet: str | None = Field(default=None, description="default: the first")
    header_row: int = Field(default=1, ge=1)


class QueriedSource(Source):
    """A table or API that is asked, whole or from a cursor on."""

    load: Literal["full", "incremental"] = "full"
    cursor: str | None = Field(default=None, description="column that only grows: updated_at, or a number")
    lag: str | int | None = Field(default=None, description='what to read again: "2 days"; a count for a number')
    key: tuple[str, ...] = Field(default=(), description="columns that identify a row")

    @model_validator(mode="after")
    def _incremental_is_whole(self) -> QueriedSource:
        given = [name for name in ("cursor", "lag", "key") if getattr(self, name) not in (None, ())]
        if self.load == "full" and given:
            raise ValueError(f"{given[0]}: needs load: incremental")
        if self.load == "incremental":
            if self.cursor is None or len(given) < 3:
                raise ValueError("load: incremental needs cursor, lag (may be 0) and key")
            for column in self.key:
                self.column_type(column, "key")
            self._check_lag(self.cursor, self.column_type(self.cursor, "cursor"))
        return self

    @property
    def required(self) -> frozenset[str]:
        """Also the key and the cursor: without them a row can neither be replaced nor found again."""
        return super().required | {*self.key, *([self.cursor] if self.cursor else [])}

    def _check_lag(self, cursor: str, kind: str) -> None:
        if kind in ("date", "timestamp"):
            if self.lag != 0 and not (isinstance(self.lag, str) and _LAG.match(self.lag)):
                raise ValueError('lag: must be 0 or like "2 days", "6 hours", "30 minutes"')
        elif kind in ("bigint", "integer"):
            if not isinstance(self.lag, int) or self.lag < 0:
                raise ValueError("lag: must be a whole number when the cursor is a number")
        else:
            raise ValueError(f'cursor: "{cursor}" must be a date, timestamp, bigint or integer column')

    def since(self, newest: date | int) -> date | int:
        """Where reading starts again when ``newest`` is the newest cursor value loaded."""
        if isinstance(newest, int):
            return newest - int(self.lag or 0)
        match = _LAG.match(str(self.lag))
        if match is None:
            return newest
        lag = timedelta(**{f"{match[2]}s": int(match[1])})
        # A date minus hours stays the same date in Python: whole days back, never too few.
        return newest - lag if isinstance(newest, datetime) else newest - timedelta(days=-(-lag // timedelta(days=1)))


class SqliteSource(QueriedSource):
    """A table of a SQLite file in the landing folder."""

    kind: Literal["sqlite"]
    path: LandingPath
    table: Text


class DatabaseSource(QueriedSource):
    """A table of a PostgreSQL or MySQL server. Its URL is a secret: only the secret's name is written here."""

    kind: Literal["postgres", "mysql"]
    connection_env: SecretName
    table: str = Field(pattern=r"^[^.]+(\.[^.]+)?$", description="schema.table; MySQL: table, or database.table")


class Auth(Spec):
    """Credentials of an API, by the names of their secrets."""

    type: Literal["bearer", "api_key", "basic"]
    token_env: SecretName | None = None
    username_env: SecretName | None = None
    password_env: SecretName | None = None
    header: str = Field(default="X-API-Key", description="header that carries an api_key")

    @model_validator(mode="after")
    def _has_secrets(self) -> Auth:
        needed = ("username_env", "password_env") if self.type == "basic" else ("token_env",)
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{self.type} needs {' and '.join(missing)}")
        return self


class Paginate(Spec):
    """How the next page of an API is found."""

    type: Literal["none", "page_number", "offset", "cursor", "next_link", "header_link"] = "none"
    page_param: str = "page"
    first_page: int = 1
    offset_param: str = "offset"
    limit_param: str = "limit"
    limit: int = Field(default=100, ge=1)
    total: str | None = Field(default=None, description="path of the total in the answer; default: until an empty page")
    next: str = Field(default="next", description="path of the next link or cursor in the answer")
    cursor_param: str = "cursor"


class RestSource(QueriedSource):
    """Records behind an HTTP API that answers JSON."""

    kind: Literal["rest"]
    url: str = Field(pattern=r"^https?://[^@\s]+$")
    records: str = Field(default="$", description="path of the list of records in the answer")
    params: dict[str, str | int | float | bool] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    auth: Auth | None = None
    paginate: Paginate = Paginate()
    since_param: str | None = Field(default=None, description="query parameter that takes where reading starts again")
    retries: int = Field(default=5, ge=0, le=20, description="on 429, 5xx, broken connections; Retry-After is obeyed")
    timeout_seconds: float = Field(default=60, gt=0)

    @model_validator(mode="after")
    def _since_is_sent(self) -> RestSource:
        if (self.load == "incremental") != (self.since_param is not None):
            raise ValueError("load: incremental and since_param go together")
        return self


AnySource = FilesSource | ExcelSource | SqliteSource | DatabaseSource | RestSource
SourceSpec = Annotated[AnySource, Field(discriminator="kind")]
KINDS: dict[str, type[Source]] = {
    "files": FilesSource,
    "excel": ExcelSource,
    "sqlite": SqliteSource,
    "postgres": DatabaseSource,
    "mysql": DatabaseSource,
    "rest": RestSource,
}


def load_specs(project: Project) -> dict[str, AnySource]:
    """Every declared source by name. Raises `InvalidFiles` with all problems of all files."""
    specs: dict[str, AnySource] = {}
    problems: list[Problem] = []
    for path in sorted(project.sources.glob("*.yml")):
        try:
            document = read(path, project.root)
            kind = str(document.data.get("kind"))
            if "name" in document.data:
                problems.append(document.problem(("name",), "name: is not a known key; a source is named by its file"))
            elif kind not in KINDS:
                known = ", ".join(KINDS)
                message = f'kind: "{kind}" is not a kind of source{suggest(kind, KINDS)}; use {known}'
                problems.append(document.problem(("kind",), message))
            else:
                specs[path.stem] = check(document, KINDS[kind], {**document.data, "name": path.stem})  # pyright: ignore[reportArgumentType]
        except InvalidFiles as error:
            problems += error.problems
    if problems:
        raise InvalidFiles(problems)
    return specs
