"""How a source file describes columns, text and files per day. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from metrics_catalog.located import suggest
from metrics_catalog.spec.base import Spec

TYPES = ("bigint", "integer", "double", "varchar", "boolean", "date", "timestamp", "json")
_DECIMAL = re.compile(r"^decimal\((\d{1,2}), ?(\d{1,2})\)$")


def _column_type(value: str) -> str:
    match = _DECIMAL.match(value)
    if match and 1 <= int(match[1]) <= 38 and int(match[2]) <= int(match[1]):
        return value.replace(" ", "")
    if value in TYPES:
        return value
    raise ValueError(f'"{value}" is not a column type{suggest(value, TYPES)}; use {", ".join(TYPES)} or decimal(p,s)')


def _long_form(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class _Column(Spec):
    """A declared column. ``from`` is its name in the source when that differs; case does not matter."""

    type: Annotated[str, AfterValidator(_column_type)]
    from_: str | None = Field(default=None, alias="from", min_length=1)
    required: bool = Field(default=False, description="a row without a value is rejected")
    optional: bool = Field(default=False, description="the source may lack the column; its values are then null")
    description: str = ""
    classification: Literal["public", "internal", "personal"] = "internal"

    @model_validator(mode="after")
    def _required_is_there(self) -> _Column:
        if self.required and self.optional:
            raise ValueError("a required column cannot be optional")
        return self


Column = Annotated[_Column, BeforeValidator(_long_form, json_schema_input_type=_Column | str)]


class Options(Spec):
    """How text becomes rows and values."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    escape: str = Field(default='"', min_length=1, max_length=1)
    header: bool = True
    encoding: str = Field(default="utf-8", description="a name Python knows: utf-8, gb18030, latin-1 ...")
    null_values: tuple[str, ...] = Field(default=("",), description="texts that mean: no value")
    date_format: str | None = Field(default=None, description="strptime, as %d/%m/%Y; default ISO 8601")
    timestamp_format: str | None = Field(
        default=None, description="strptime; default ISO 8601, where an offset is turned to UTC"
    )

    CSV_ONLY: ClassVar = frozenset({"delimiter", "quote", "escape", "header"})

    @model_validator(mode="after")
    def _known_encoding(self) -> Options:
        try:
            "".encode(self.encoding)
        except LookupError:
            raise ValueError(f'encoding "{self.encoding}" is not known; use utf-8, gb18030, latin-1 ...') from None
        return self


class Partition(Spec):
    """One file per day: the first day, and the strftime pattern of the file's name."""

    start: date
    file: str = Field(description="file name with %Y, %m and %d")
    parts: str | None = Field(
        default=None,
        description="column whose values come each on its own, as of a store's till; says which are missing",
    )

    @model_validator(mode="after")
    def _names_a_day(self) -> Partition:
        days = [self.start + timedelta(days=n) for n in (0, 1, 400)]
        if "/" in self.file or [self.day(day.strftime(self.file)) for day in days] != days:
            raise ValueError(f'file: "{self.file}" must be a file name in which %Y, %m and %d name one day')
        return self

    def day(self, file: str) -> date | None:
        """The day of a file (path or name); None when its name does not follow the pattern."""
        try:
            return datetime.strptime(PurePosixPath(file).name, self.file).date()
        except ValueError:
            return None


class Freshness(Spec):
    """Age of the newest load at which people are told."""

    warn_after_hours: float | None = Field(default=None, gt=0)
    fail_after_hours: float | None = Field(default=None, gt=0)
