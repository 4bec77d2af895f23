"""YAML files with the place of every value, and problems that name it. The bottom of everything: imports no other room.

Every hand-written YAML file of a project (metrics, people, policy, sources, suites) is read here, so a typo in any of
them is reported the same way: ``metrics/sales/revenue.yml:7 error owner: ...``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Loc = tuple[str | int, ...]
Level = Literal["error", "warning"]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one place. ``path`` is relative to the project, ``line`` counts from 1."""

    path: str
    line: int
    message: str
    level: Level = "error"

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.level} {self.message}"


class InvalidFiles(Exception):
    """Project files are at fault; carries every problem found, not just the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class Document:
    """A parsed YAML file: plain data, the line of every key and item, and the text (empty for what has none)."""

    path: str
    data: Any
    lines: Mapping[Loc, int]
    text: str = ""

    def line(self, loc: Sequence[str | int] = ()) -> int:
        """Line of ``loc``, or of its nearest parent; parts pydantic adds for unions are skipped."""
        known: Loc = ()
        for part in loc:
            if (*known, part) in self.lines:
                known = (*known, part)
        return self.lines.get(known, 1)

    def problem(self, loc: Sequence[str | int], message: str, level: Level = "error") -> Problem:
        """A problem at ``loc`` of this file."""
        return Problem(self.path, self.line(loc), message, level)


class _Lines(Mapping[Loc, int]):
    """The line of every key and item of a text, found when first asked for: most files have no problem."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __getitem__(self, loc: Loc) -> int:
        return self._known[loc]

    def __iter__(self) -> Iterator[Loc]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    @cached_property
    def _known(self) -> dict[Loc, int]:
        node = yaml.compose(self._text, _SafeLoader)
        return {} if node is None else dict(_lines(node))


if TYPE_CHECKING:
    _SafeLoader = yaml.SafeLoader
else:
    _SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):
    """SafeLoader, in C where there is one, that refuses a key given twice; plain YAML silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        before, pairs = node.value, list(node.value)
        mapping = super().construct_mapping(node, deep)
        if len(mapping) < len(pairs) or node.value is not before:  # merging ("<<") makes a new list
            self._refuse_repeats(pairs)
        return mapping

    def _refuse_repeats(self, pairs: list[tuple[yaml.Node, yaml.Node]]) -> None:
        seen: set[Any] = set()
        for key_node, _ in pairs:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f'"{key}" is given twice', key_node.start_mark)
            seen.add(key)


def _at_its_line(construct: Callable[[Any, yaml.Node], Any]) -> Callable[[_Loader, yaml.Node], Any]:
    """A constructor that says where a scalar is that looks right and is not, such as a date that does not exist."""

    def constructed(loader: _Loader, node: yaml.Node) -> Any:
        try:
            return construct(loader, node)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from None

    return constructed


for _kind in ("int", "float", "timestamp", "binary"):
    _tag = f"tag:yaml.org,2002:{_kind}"
    _Loader.add_constructor(_tag, _at_its_line(_SafeLoader.yaml_constructors[_tag]))


def read(path: Path, root: Path) -> Document:
    """Parse one YAML file. Raises `InvalidFiles` with the line when it is not UTF-8, not YAML, or empty."""
    name = _relative(path, root)
    try:
        return parsed(path.read_bytes().decode("utf-8-sig"), name)
    except FileNotFoundError:
        raise InvalidFiles([Problem(name, 1, "file does not exist")]) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InvalidFiles([Problem(name, line, "is not UTF-8 text; save it as UTF-8")]) from None


def parsed(text: str, name: str) -> Document:
    """Parse the text of the file ``name``. Raises `InvalidFiles` with the line when it is not YAML, or empty."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else min(mark.line, text.rstrip("\n").count("\n")) + 1  # never past the end
        raise InvalidFiles([Problem(name, line, f"is not valid YAML: {error.problem}")]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidFiles([Problem(name, 1, f"is not valid YAML: {error}")]) from None
    if node is None or not isinstance(data, dict):
        raise InvalidFiles([Problem(name, 1, "must be a mapping of keys to values, and not empty")])
    return Document(name, data, _Lines(text), text)


def _relative(path: Path, root: Path) -> str:
    """As it is named in problems. Plain text: pathlib's way takes as long as reading the file."""
    name, above = path.as_posix(), f"{root.as_posix()}/"
    return name.removeprefix(above)


def _lines(node: yaml.Node, loc: Loc = ()) -> Iterable[tuple[Loc, int]]:
    yield loc, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*loc, str(key.value))
            yield from _lines(value, inner)
            yield inner, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*loc, index))


def check(document: Document, model: type[M], data: Any = None) -> M:
    """Validate a document (or ``data`` made from it) as ``model``. Raises `InvalidFiles` with every problem's line."""
    try:
        return model.model_validate(document.data if data is None else data)
    except ValidationError as error:
        raise InvalidFiles(_problem(document, model, item) for item in error.errors()) from None


def load(path: Path, model: type[M], root: Path) -> tuple[M, Document]:
    """Read and validate one file. Raises `InvalidFiles`."""
    document = read(path, root)
    return check(document, model), document


def suggest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean "x"?)`` for the nearest known word, or nothing."""
    match = get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f' (did you mean "{match[0]}"?)' if match else ""


def _problem(document: Document, model: type[BaseModel], error: Any) -> Problem:
    loc = _written(document, error["loc"], _field_names(model))
    where = ".".join(str(part) for part in loc)
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"is not a known key{suggest(str(loc[-1]), _field_names(model))}"
    elif error["type"] == "missing":
        message = "is required"
    elif error["type"] != "value_error" and not isinstance(error.get("input"), (dict, list)):
        message = f"{message}, got {error.get('input')!r}"
    return document.problem(loc, f"{where}: {message}" if where else message)


def _written(document: Document, loc: Sequence[str | int], fields: Collection[str]) -> Loc:
    """``loc`` without the parts pydantic adds for unions and keys; the last may be one of ``fields`` not written."""
    known: Loc = ()
    for index, part in enumerate(loc):
        if (*known, part) in document.lines or (index == len(loc) - 1 and part in fields):
            known = (*known, part)
    return known


def _field_names(model: type[BaseModel]) -> set[str]:
    """Names a key of this model, or of a model inside it, may have."""
    names: set[str] = set()
    todo: list[Any] = [model]
    seen: set[Any] = set()
    while todo:
        item = todo.pop()
        if item in seen:
            continue
        seen.add(item)
        if isinstance(item, type) and issubclass(item, BaseModel):
            names |= {field.alias or name for name, field in item.model_fields.items()}
            todo += [field.annotation for field in item.model_fields.values()]
        todo += list(getattr(item, "__args__", ()))
    return names
