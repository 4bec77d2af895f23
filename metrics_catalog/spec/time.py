"""Lengths of time and ways back, as people write them: ``28 days``, ``1 year``, ``previous``, ``start of month``."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from metrics_catalog.spec.base import Grain, Spec

Calendar = Literal["week", "month", "quarter", "year"]
_LENGTH = re.compile(r"(\d{1,4})\s+(day|week|month|quarter|year)s?")
_OFFSET = re.compile(rf"previous|start of ({'|'.join(get_args(Calendar))})|{_LENGTH.pattern}")


class _Text(Spec):
    """A spec written as text in YAML."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "description": cls.__doc__}


class Duration(_Text):
    """A length of time: "28 days", "3 months"."""

    count: Annotated[int, Field(ge=1)]
    grain: Grain

    @model_validator(mode="before")
    @classmethod
    def _parsed(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if (match := _LENGTH.fullmatch(value.strip())) is None:
            raise ValueError(f'"{value}" is not a length of time; write it as "28 days" or "3 months"')
        return {"count": int(match[1]), "grain": match[2]}

    def __str__(self) -> str:
        return f"{self.count} {self.grain}{'s' if self.count > 1 else ''}"

    @property
    def days(self) -> int | None:
        """The same in days; None for lengths that depend on the calendar."""
        return {"day": self.count, "week": 7 * self.count}.get(self.grain)


class Offset(_Text):
    """Another period to look at: "previous", "1 month" or "1 year" before, "start of month"."""

    count: Annotated[int, Field(ge=1)] | None = None
    grain: Grain | None = None
    start_of: Calendar | None = None

    @model_validator(mode="before")
    @classmethod
    def _parsed(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if (match := _OFFSET.fullmatch(value.strip())) is None:
            raise ValueError(f'"{value}" is not an offset; write "previous", "1 year" or "start of month"')
        if match[1]:
            return {"start_of": match[1]}
        return {"count": int(match[2] or 1), "grain": match[3]}

    @property
    def is_previous(self) -> bool:
        """Whether it means the period before, whatever the grain."""
        return self.grain is None and self.start_of is None

    def sees(self, grain: Grain) -> bool:
        """Whether a period of ``grain`` has exactly one period this far back."""
        if self.is_previous:
            return True
        if self.start_of is not None:
            return get_args(Grain).index(grain) < get_args(Grain).index(self.start_of)
        count, unit = cast(int, self.count), cast(Grain, self.grain)
        if grain in ("day", "week"):
            return grain == "day" or unit != "day" or count % 7 == 0
        months = {"month": 1, "quarter": 3, "year": 12}
        return unit in months and months[unit] * count % months[grain] == 0

    def __str__(self) -> str:
        if self.start_of is not None:
            return f"start of {self.start_of}"
        return (
            "previous" if self.grain is None else f"{self.count} {self.grain}{'s' if cast(int, self.count) > 1 else ''}"
        )
