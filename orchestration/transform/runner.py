"""The only door to dbt: parse and build, in this process or through dbt's command line. One invocation at a time.

In this process a build costs 0.3-0.7 CPU s once dbt is imported (3 s); the command line costs 8 each time.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from metrics_catalog.located import InvalidFiles, Problem
from metrics_catalog.project import DBT_FILE, Project
from orchestration.settings import WAREHOUSE_VARIABLE, Settings
from orchestration.transform.blame import explain, files
from orchestration.transform.profile import PROFILE, write_profile

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunner

_ONE_AT_A_TIME = Lock()
NOTE = "parsed.sha256"  # what manifest.json was parsed from
_FINISHED = "NodeFinished"
_BAD = ("error", "fail", "runtime error")


@dataclass(frozen=True)
class NodeResult:
    """How one node ended. ``status``: success, pass, warn, fail, error, skipped. ``failures``: rows a test found."""

    id: str
    status: str
    message: str
    seconds: float
    failures: int

    @property
    def failed(self) -> bool:
        """The node, or what it tests, is wrong."""
        return self.status in _BAD


OnNode = Callable[[NodeResult], None]


def ensure_parsed(project: Project) -> Path:
    """Path of an up-to-date manifest.json; dbt parses only when a file of the project changed since.

    Raises `InvalidFiles` when the project does not parse.
    """
    stamp = _stamp(project)
    if project.manifest.is_file() and _noted(project) == stamp:
        return project.manifest
    if not (project.dbt / DBT_FILE).is_file():
        raise InvalidFiles([Problem(project.named(DBT_FILE), 1, "file does not exist")])
    with _ONE_AT_A_TIME, _environment(project):
        _parsed.cache_clear()  # manifest.json may be another process's, of files that have since been changed back
        _parsed(project, stamp)
    return project.manifest


def build(
    project: Project, settings: Settings, select: Sequence[str], changed_days: Iterable[date] | None, on_node: OnNode
) -> list[NodeResult]:
    """Run ``dbt build`` for the selectors; all other connections of this process to the warehouse must be closed.

    Returns how each node ended, failures included. Raises `InvalidFiles` when nothing could run, `DbtFailed`.
    """
    arguments = ["build", "--select", " ".join(select), "--indirect-selection", "empty"]
    if changed_days is not None:
        days = [day.isoformat() for day in sorted(changed_days)]
        arguments += ["--vars", json.dumps({"changed_days": days})]
    with _ONE_AT_A_TIME, _environment(project):
        run = _build_here if settings.dbt == "in_process" else _build_by_command
        results: list[NodeResult] = []

        def note(result: NodeResult) -> None:
            results.append(result)
            on_node(result)

        run(project, arguments, note)
    return results


def _common(project: Project) -> list[str]:
    folders = ["--project-dir", str(project.dbt), "--profiles-dir", str(project.profiles)]
    if project.is_dbt:
        folders += ["--profile", PROFILE, "--target-path", str(project.target)]
        folders += ["--log-path", str(project.state / "dbt" / "logs")]
    return [*folders, "--log-level", "none", "--log-level-file", "none"]


def _build_here(project: Project, arguments: list[str], note: OnNode) -> None:
    from google.protobuf.json_format import MessageToDict

    def on_event(event: Any) -> None:
        if event.info.name == _FINISHED:
            data = MessageToDict(event, preserving_proto_field_name=True)["data"]
            run = data["run_result"]
            note(_node_result(data["node_info"]["unique_id"], run, run.get("num_failures")))

    manifest = _parsed(project, _stamp(project))
    try:
        # What it would write is written when the project is parsed.
        command = ["--no-write-json", *arguments, *_common(project)]
        outcome = _runner(manifest=manifest, callbacks=[on_event]).invoke(command)
    finally:
        _close_connections()
    if outcome.exception is not None:
        raise explain(project, outcome.exception)


def _runner(**how: Any) -> dbtRunner:
    from dbt.cli.main import dbtRunner
    from dbt_common.behavior_flags import BehaviorFlagRendered

    # To name who declares a flag dbt reads the source of every frame of the stack: a sixth of a small build.
    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # pyright: ignore[reportPrivateUsage]
    _say_little()
    return dbtRunner(**how)


@lru_cache(maxsize=1)
def _say_little() -> None:
    """Leave out what dbt says for debugging: 700 messages in a day's build, each made for nobody to read."""
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager

    say = EventManager.fire_event

    def say_what_is_heard(
        self: EventManager, e: BaseEvent, level: EventLevel | None = None, *rest: Any, **named: Any
    ) -> None:
        if (level or e.level_tag()) != EventLevel.DEBUG or type(e).__name__ == _FINISHED:
            say(self, e, level, *rest, **named)

    EventManager.fire_event = say_what_is_heard


def _build_by_command(project: Project, arguments: list[str], note: OnNode) -> None:
    from dagster_dbt import DbtCliResource

    command = shutil.which("dbt", path=str(Path(sys.executable).parent)) or "dbt"
    dbt = DbtCliResource(
        project_dir=str(project.dbt),
        profiles_dir=str(project.profiles),
        profile=PROFILE if project.is_dbt else None,
        dbt_executable=command,
    )
    target = project.target / "command"
    shutil.rmtree(target, ignore_errors=True)
    run = dbt.cli(arguments, raise_on_error=False, target_path=target)
    events = [message.raw_event for message in run.stream_raw_events()]
    errors = [event["info"]["msg"] for event in events if event["info"]["name"] == "MainEncounteredError"]
    if errors:
        raise explain(project, Exception("\n".join(errors)))
    for result in run.get_artifact("run_results.json")["results"]:
        note(_node_result(result["unique_id"], result, result.get("failures")))
    shutil.copytree(target / "compiled", project.target / "compiled", dirs_exist_ok=True)


def _node_result(id_: str, run: Mapping[str, Any], failures: int | None) -> NodeResult:
    return NodeResult(
        id=id_,
        status=str(run["status"]).lower(),
        message=str(run.get("message") or ""),
        seconds=float(run.get("execution_time") or 0),
        failures=int(failures or 0),
    )


@lru_cache(maxsize=1)
def _parsed(project: Project, stamp: str) -> Any:
    """dbt's own manifest object, kept warm until a file changes (``stamp``)."""
    return _parse(project, stamp)


def _parse(project: Project, stamp: str) -> Any:
    """Parse and write manifest.json.

    What was parsed is noted last, so a process that dies while dbt writes leaves nothing to be taken for finished.
    """
    _distrust(project, stamp)
    note = project.manifest.with_name(NOTE)
    note.unlink(missing_ok=True)
    faults: list[str] = []
    try:
        outcome = _runner(callbacks=[lambda event: _note_fault(event, faults)]).invoke(["parse", *_common(project)])
    finally:
        _close_connections()
    if outcome.exception is not None:
        raise explain(project, Exception("\n".join(["Parsing Error", *faults])) if faults else outcome.exception)
    note.write_text(stamp, "utf-8")
    return outcome.result


def _note_fault(event: Any, faults: list[str]) -> None:
    """dbt tells what is wrong with a semantic layer beside its error, which only says that something is."""
    if event.info.name == "SemanticValidationFailure" and event.info.level == "error":
        faults.append(str(event.data.msg))


def _distrust(project: Project, stamp: str) -> None:
    """Drop dbt's partial parse when a changed file is older than it.

    dbt takes a YAML file with a date it has seen for unchanged, and so misses one put back from a copy.
    """
    partial = project.manifest.with_name("partial_parse.msgpack")
    changed = set(stamp.splitlines()) - set((_noted(project) or "").splitlines())
    paths = [project.dbt / line.partition(" ")[2] for line in changed]
    if partial.is_file() and any(path.stat().st_mtime < partial.stat().st_mtime for path in paths):
        partial.unlink()


def _noted(project: Project) -> str | None:
    note = project.manifest.with_name(NOTE)
    return note.read_text("utf-8") if note.is_file() else None


def _close_connections() -> None:
    """dbt keeps the warehouse open for the rest of the process unless told to let go."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


@contextmanager
def _environment(project: Project) -> Iterator[None]:
    """The variables dbt and the project's profile read, for the time of one invocation."""
    ours = {WAREHOUSE_VARIABLE: str(project.warehouse), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    before = {name: os.environ.get(name) for name in ours}
    project.state.mkdir(parents=True, exist_ok=True)
    if project.is_dbt:
        write_profile(project)
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _stamp(project: Project) -> str:
    """A line per file of the dbt project: hash and path."""
    lines = (f"{sha256(path.read_bytes()).hexdigest()} {path.relative_to(project.dbt)}" for path in files(project))
    return "\n".join(lines)
