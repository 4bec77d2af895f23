"""dbt's complaint -> the file and line it is about. Reads the dbt project's files, changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from metrics_catalog.located import InvalidFiles, Problem, read
from metrics_catalog.project import Project

NOT_OURS = {"target", "logs", "dbt_packages", ".user.yml"}
# What an existing dbt project's folder holds besides it: state, history, environments, its own database.
_OTHER_FOLDERS = {"dbt_packages", "node_modules", "venv", "env", "target", "logs"}
_KINDS = (".sql", ".yml", ".yaml", ".csv", ".py", ".md")
_NAMED = re.compile(rf"(?:\(|at |in )((?:[\w.-]+/)+[\w.-]+(?:{'|'.join(map(re.escape, _KINDS))}))")
_HEADING = re.compile(r"(Compilation|Runtime|Database|Parsing|Dependency) Error")
# Errors of dbt that are always about one file and seldom say so.
_FILE_OF = {"DbtProjectError": "dbt_project.yml", "DbtProfileError": "profiles.yml"}


class DbtFailed(Exception):
    """dbt itself could not run (not the project's fault)."""


def files(project: Project, *kinds: str) -> Iterator[Path]:
    """The files of the dbt project that people write (of these endings, when given), sorted."""
    for path in sorted(_under(project.dbt) if project.is_dbt else project.dbt.rglob("*")):
        written = path.relative_to(project.dbt).parts[0] not in NOT_OURS and path.is_file()
        if written and (not kinds or path.suffix in kinds):
            yield path


def _under(folder: Path) -> Iterator[Path]:
    """Files of the kinds dbt reads, without looking into folders that are not its own."""
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith(".") and path.name not in _OTHER_FOLDERS:
            yield from _under(path)
        elif path.suffix in _KINDS and not path.name.startswith("."):
            yield path


def explain(project: Project, error: BaseException) -> Exception:
    """An error of dbt as `InvalidFiles` with its place; `DbtFailed` when it is about no file."""
    if broken := list(_unreadable(project)):
        return InvalidFiles(broken)
    text = plain(str(error))
    own = _FILE_OF.get(type(error).__name__)
    if place := located(project, text):
        return InvalidFiles([place])
    blamed = _quoted(project, text, [project.dbt / own] if own else files(project, ".yml", ".yaml", ".sql"))
    blamed = blamed or _offset(project, text) or (own and (own, 1))
    if not blamed and re.match(r"(Parsing|Compilation) Error", text):
        blamed = ("dbt_project.yml", 1)
    return InvalidFiles([_problem(project, *blamed, text)]) if blamed else DbtFailed(text or type(error).__name__)


def located(project: Project, text: str, path: str | None = None) -> Problem | None:
    """dbt's message as a problem of the file it names, else of ``path``; both relative to the dbt project."""
    found = _NAMED.search(text)
    where = found[1] if found and (project.dbt / found[1]).is_file() else path
    return None if where is None else _problem(project, where, _line(project, where, text), text)


def plain(text: str) -> str:
    """Without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).strip()


def _problem(project: Project, path: str, line: int, text: str) -> Problem:
    return Problem(project.named(path), line, _tidy(text))


def _tidy(text: str) -> str:
    """One line: without dbt's heading and the names of its own macros."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and _HEADING.match(lines[0]):
        lines = lines[1:]
    return "; ".join(line for line in lines if not line.startswith(("> in ", "> called by ")))


def _unreadable(project: Project) -> Iterator[Problem]:
    for path in files(project, ".yml", ".yaml"):
        try:
            read(path, project.root)
        except InvalidFiles as invalid:
            yield from (problem for problem in invalid.problems if "empty" not in problem.message)


def _line(project: Project, path: str, text: str) -> int:
    """The line dbt names; else the line of SQL the database shows; else where a quoted word stands; else 1."""
    if named := re.search(r"^\s*line (\d+)\s*$", text, re.MULTILINE):
        return int(named[1])
    if not (project.dbt / path).is_file():
        return 1
    shown = re.search(r"^\s*LINE \d+: (.+)$", text, re.MULTILINE)
    wanted = shown[1].strip().strip(".").strip() if shown else ""
    for number, line in enumerate((project.dbt / path).read_text("utf-8").splitlines(), start=1):
        if wanted and wanted in line:
            return number
    quoted = _quoted(project, text, [project.dbt / path])
    return quoted[1] if quoted else 1


def _quoted(project: Project, text: str, candidates: Iterable[Path]) -> tuple[str, int] | None:
    """Where the first word stands that the message quotes and a file has."""
    contents = {path: path.read_text("utf-8").splitlines() for path in candidates}
    for word in re.findall(r"[`'\"]([^`'\"\s]+)[`'\"]", text):
        whole = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
        for path, lines in contents.items():
            for number, line in enumerate(lines, start=1):
                if whole.search(line):
                    return path.relative_to(project.dbt).as_posix(), number
    return None


def _offset(project: Project, text: str) -> tuple[str, int] | None:
    """The file that has a tag where dbt's template reader says one starts; it names an offset and no file."""
    if not (found := re.search(r"started at (\d+)\)", text)):
        return None
    offset = int(found[1])
    for path in files(project, ".sql", ".md"):
        content = path.read_text("utf-8")
        if content[offset : offset + 2] == "{%":
            return path.relative_to(project.dbt).as_posix(), content.count("\n", 0, offset) + 1
    return None
