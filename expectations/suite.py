"""Suites as written: one YAML file per source. Adding expectations to a source means adding ``suites/<source>.yml``.

Light on purpose: reading a suite imports neither Great Expectations nor a database, so definitions load fast. What
Great Expectations itself must say about a suite is asked in check.py.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from expectations.vocabulary import ExpectationType, vocabulary
from metrics_catalog.located import Document, InvalidFiles, Problem, load, suggest

Severity = Literal["critical", "warning", "info"]
DEFAULT_TOLERANCE = 0.01


class Wording(BaseModel):
    """A sentence in the languages readers use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str = ""
    zh: str = ""


class ExpectationSpec(BaseModel):
    """One expectation of a suite. ``type`` is a Great Expectations name, or one of ours: references, unique_rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    type: str
    kwargs: dict[str, Any] = {}
    severity: Severity = "warning"
    note: Wording | str = ""

    @field_validator("kwargs")
    @classmethod
    def _dates_as_text(cls, kwargs: dict[str, Any]) -> dict[str, Any]:
        # YAML reads 2017-01-01 as a date; Great Expectations compares bounds right only when they are ISO text.
        return _as_text(kwargs)

    @property
    def kind(self) -> ExpectationType:
        """What is known about this type. Raises KeyError for an unknown one, which no loaded suite has."""
        return vocabulary()[self.type]

    @property
    def quarantines(self) -> bool:
        """Bad rows are taken out: an expectation about rows that is more than information."""
        return self.kind.level != "table" and self.severity != "info"

    @property
    def column(self) -> str:
        """Columns it judges, as one text; empty when it judges the table."""
        return ", ".join(name for name, place in self.kind.columns_of(self.kwargs) if place != ("row_condition",))


class SuiteFile(BaseModel):
    """The shape of ``suites/<source>.yml``; ``tolerance`` is the share of a batch's rows that may be quarantined."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: Annotated[float, Field(ge=0, le=1)] = DEFAULT_TOLERANCE
    expectations: tuple[ExpectationSpec, ...] = ()


@dataclass(frozen=True)
class Suite:
    """The expectations of one source, and where they were written."""

    name: str
    tolerance: float = DEFAULT_TOLERANCE
    expectations: tuple[ExpectationSpec, ...] = ()
    document: Document | None = field(default=None, compare=False, repr=False)

    @classmethod
    def empty(cls, name: str) -> Suite:
        """A source nobody expects anything of: every load is accepted."""
        return cls(name)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits of everything that can change a verdict; wording and order of keys are not in it."""
        verdicts = [spec.model_dump(mode="json", exclude={"note"}) for spec in self.expectations]
        text = json.dumps([self.tolerance, verdicts], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def references(self) -> frozenset[str]:
        """Sources that must be loaded before this one is judged."""
        return frozenset(str(spec.kwargs["source"]) for spec in self.expectations if spec.type == "references")

    def problems(self) -> list[Problem]:
        """Names given twice, unknown types, unknown or missing kwargs, each with its line."""
        problems: list[Problem] = []
        seen: dict[str, int] = {}
        for index, spec in enumerate(self.expectations):
            first = seen.setdefault(spec.name, index)
            if first != index:
                problems.append(self.problem(index, ("name",), f'"{spec.name}" is the name of expectation {first} too'))
            if spec.type not in vocabulary():
                message = f'"{spec.type}" is not a type of expectation{suggest(spec.type, vocabulary())}'
                problems.append(self.problem(index, ("type",), message))
                continue
            found = spec.kind.problems(spec.kwargs)
            problems += [self.problem(index, ("kwargs", *loc), message) for loc, message in found]
        return problems

    def problem(self, index: int, loc: tuple[str | int, ...], message: str) -> Problem:
        """A problem at ``loc`` of the expectation ``index``."""
        name = self.expectations[index].name
        return self.problem_at(("expectations", index, *loc), f"{'.'.join(map(str, (name, *loc)))}: {message}")

    def problem_at(self, loc: tuple[str | int, ...], message: str) -> Problem:
        """A problem at ``loc`` of the file."""
        if self.document is None:
            return Problem(f"suites/{self.name}.yml", 1, message)
        return self.document.problem(loc, message)


def load_suites(folder: Path, root: Path) -> dict[str, Suite]:
    """Every suite of ``folder`` by source name. Raises `InvalidFiles` with all problems of all files."""
    suites: dict[str, Suite] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            content, document = load(path, SuiteFile, root)
        except InvalidFiles as error:
            problems += error.problems
            continue
        suite = Suite(path.stem, content.tolerance, content.expectations, document)
        problems += suite.problems()
        suites[suite.name] = suite
    if problems:
        raise InvalidFiles(problems)
    return suites


def suite_schema() -> dict[str, Any]:
    """JSON Schema of a suite file for editors: types complete as one writes."""
    schema = SuiteFile.model_json_schema()
    schema["$defs"]["ExpectationSpec"]["properties"]["type"]["enum"] = sorted(vocabulary())
    return schema


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_text(item) for item in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value
