"""Lengths of time and ways back, as people write them: ``28 days``, ``1 year``, ``previous``, ``start of month``."""

from __future__ import annotations

import re
from typing import Annotated, Any, cast

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from metrics_catalog.spec.base import GRAINS, HOUR, NAME, Grain, Spec


def _whole(grain: str) -> str:
    if grain in (HOUR, "day"):
        raise ValueError(f"{grain} is too short; use week, month, quarter or year, or a grain of the time spine")
    return grain


Longer = Annotated[Grain, AfterValidator(_whole)]
_LENGTH = re.compile(rf"(\d{{1,4}})\s+({NAME})")
_OFFSET = re.compile(rf"previous|start of ({NAME})|{_LENGTH.pattern}")
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _unit(text: str) -> str:
    """A grain from its name in the singular or the plural."""
    unit = text[:-1] if text[:-1] in GRAINS and text.endswith("s") else text
    if unit == HOUR:
        raise ValueError("lengths of time are in days or longer; of an hour, the one before is previous")
    return unit


class _Text(Spec):
    """A spec written as text in YAML."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "description": cls.__doc__}


def counted(count: int, grain: Grain) -> str:
    """``1 day``, ``28 days``, ``2 fiscal_month``."""
    return f"{count} {grain}{'s' if count > 1 and grain in GRAINS else ''}"


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
        return {"count": int(match[1]), "grain": _unit(match[2])}

    def __str__(self) -> str:
        return counted(self.count, self.grain)

    @property
    def days(self) -> int | None:
        """The same in days; None for lengths that depend on the calendar."""
        return {"day": self.count, "week": 7 * self.count}.get(self.grain)


class Offset(_Text):
    """Another period to look at: "previous", "1 month" or "1 year" before, "start of month"."""

    count: Annotated[int, Field(ge=1)] | None = None
    grain: Grain | None = None
    start_of: Longer | None = None

    @model_validator(mode="before")
    @classmethod
    def _parsed(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if (match := _OFFSET.fullmatch(value.strip())) is None:
            raise ValueError(f'"{value}" is not an offset; write "previous", "1 year" or "start of month"')
        if match[1]:
            return {"start_of": match[1]}
        return {"count": int(match[2] or 1), "grain": _unit(match[3]) if match[3] else None}

    @property
    def is_previous(self) -> bool:
        """Whether it means the period before, whatever the grain."""
        return self.grain is None and self.start_of is None

    def sees(self, grain: Grain) -> bool:
        """Whether a period of ``grain`` has exactly one period this far back; of own grains the time spine decides."""
        unit = self.start_of or self.grain
        if unit is None or not {grain, unit} <= set(GRAINS):
            return True
        if self.start_of is not None:
            return GRAINS.index(grain) < GRAINS.index(unit)
        count = cast(int, self.count)
        if grain in (HOUR, "day", "week"):
            return grain != "week" or unit != "day" or count % 7 == 0
        return unit in _MONTHS and _MONTHS[unit] * count % _MONTHS[grain] == 0

    def __str__(self) -> str:
        if self.start_of is not None:
            return f"start of {self.start_of}"
        return "previous" if self.grain is None else counted(cast(int, self.count), self.grain)
