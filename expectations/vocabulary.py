"""Which types of expectation exist and which kwargs each takes, without importing Great Expectations.

Types of Great Expectations are read from ``vocabulary.json``, written by ``python -m expectations.vocabulary`` from the
installed version (a test says when it is stale). Our own two types are declared here; rules.py judges them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from expectations import conditions
from metrics_catalog.located import suggest

# row: a row is judged by itself · set: by itself and the other rows · table: the table is judged, no row is at fault
Level = Literal["row", "set", "table"]
COLUMN_KWARGS = ("column", "column_A", "column_B")
COLUMN_LIST_KWARGS = ("column_list", "columns")


@dataclass(frozen=True)
class ExpectationType:
    """One type: its kwargs, those without a default, and what its verdict is about. ``own`` types are not GX's."""

    level: Level
    required: tuple[str, ...]
    kwargs: tuple[str, ...]
    own: bool = False

    def problems(self, kwargs: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
        """What is wrong with ``kwargs`` by their names and the shape of column kwargs: (place, message)."""
        for name in kwargs:
            if name not in self.kwargs:
                yield (name,), f"is not a known key{suggest(name, self.kwargs)}"
        for name in self.required:
            if name not in kwargs:
                yield (), f'"{name}" is required'
        for name in (*COLUMN_KWARGS, "source", "field"):
            if name in self.kwargs and not isinstance(kwargs.get(name, ""), str):
                yield (name,), f"must be one name, got {kwargs[name]!r}"
        for name in COLUMN_LIST_KWARGS:
            if name in kwargs and not _is_names(kwargs[name]):
                yield (name,), f"must be a list of names, got {kwargs[name]!r}"
        try:
            self.condition(kwargs)
        except conditions.ConditionError as error:
            yield ("row_condition",), str(error)

    def condition(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The row condition of ``kwargs`` as plain data, empty without one. Raises `ConditionError`."""
        text = kwargs.get("row_condition")
        return {} if text is None else conditions.parse(str(text))

    def columns_of(self, kwargs: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """Columns of the judged source that ``kwargs`` name, each with its place."""
        for name in COLUMN_KWARGS:
            if name in kwargs:
                yield kwargs[name], (name,)
        for name in COLUMN_LIST_KWARGS:
            for index, column in enumerate(kwargs.get(name, ())):
                yield column, (name, index)
        for column in conditions.columns(self.condition(kwargs)):
            yield column, ("row_condition",)


OWN_TYPES: dict[str, ExpectationType] = {
    "references": ExpectationType("set", ("column", "source", "field"), ("column", "source", "field"), own=True),
    "unique_rows": ExpectationType("set", (), ("columns",), own=True),
}


@cache
def vocabulary() -> dict[str, ExpectationType]:
    """Every type a suite may use, by name."""
    content = json.loads(files("expectations").joinpath("vocabulary.json").read_text(encoding="utf-8"))
    known = {
        name: ExpectationType(item["level"], tuple(item["required"]), tuple(item["kwargs"]))
        for name, item in content["types"].items()
    }
    return known | OWN_TYPES


def generated() -> str:
    """What ``vocabulary.json`` must say for the installed Great Expectations (imports it: seconds)."""
    from expectations.gx.types import read_types, version

    types = {name: _plain(kind) for name, kind in sorted(read_types().items())}
    lines = [f"    {json.dumps(name)}: {json.dumps(item)}" for name, item in types.items()]
    return f'{{\n  "great_expectations": "{version()}",\n  "types": {{\n' + ",\n".join(lines) + "\n  }\n}\n"


def _plain(kind: ExpectationType) -> dict[str, Any]:
    return {"level": kind.level, "required": kind.required, "kwargs": kind.kwargs}


def _is_names(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


if __name__ == "__main__":
    Path(__file__).with_name("vocabulary.json").write_text(generated(), encoding="utf-8")
