"""`metrics run`, `up` and `demo`: what the command line does once its arguments are read."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from orchestration.collector import seldom
from orchestration.faults import SYSTEM, USAGE, Failed, exit_code, message
from orchestration.lock import Busy, turn
from orchestration.notify.outbox import drain_quietly
from orchestration.settings import Settings
from orchestration.summary import Summary, summarize

if TYPE_CHECKING:
    from dagster import AssetKey, Definitions, ExecuteInProcessResult

    from orchestration.resources import Listener


def run(settings: Settings, select: str | None = None, quiet: bool = False) -> Summary:
    """Refresh (or only the assets of a Dagster selection) in this process, recorded like any run of the UI; then tell.

    A run that published all but some held metrics has a summary, which says so. Raises `InvalidFiles` when the
    project's files are at fault, `Busy` when it is being refreshed, `Failed` when a stage failed; the message says
    whether anything was published then.
    """
    try:
        return _refreshed(settings, select, quiet)
    finally:
        drain_quietly(settings, lambda text: print(text, file=sys.stderr, flush=True))


def measure_itself(settings: Settings, quiet: bool = False) -> Summary | None:
    """Refresh what the platform knows of itself and what is made of that; None where the project has no such source.

    Raises as `run`.
    """
    from orchestration.ingest.spec import load_specs
    from orchestration.platform import SOURCE

    if SOURCE not in load_specs(settings.locate()):
        return None
    return _refreshed(settings, f'key:"source/{SOURCE}"+', quiet)


def _refreshed(settings: Settings, select: str | None, quiet: bool) -> Summary:
    with seldom(), turn(settings.locate(), "`metrics run`"), _progress(quiet) as tell:
        tell("reading the project")
        from orchestration.dead_runs import COMMAND, bury
        from orchestration.definitions import build
        from orchestration.generate import read_current
        from orchestration.instance import open_instance
        from orchestration.resources import Listener

        listener = Listener(tell=tell)
        declared = read_current(settings)
        definitions = build(declared, listener)
        selected = _selected(definitions, select)
        try:
            with open_instance(settings) as instance:
                bury(instance)
                result = definitions.resolve_job_def("refresh").execute_in_process(
                    instance=instance,
                    asset_selection=selected,
                    raise_on_error=False,
                    tags=COMMAND,
                    run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                )
        except Exception as error:  # of Dagster's own records; what a stage raises is in the result
            raise Failed(f"{message(error)}\n{_published(listener)}", exit_code(error)) from error
    summary = summarize(listener.report, result, declared.definitions)
    if not result.success and (listener.report.errors or not summary.held):
        raise _failure(result, listener)
    return summary


def up(settings: Settings) -> None:
    """Run Dagster's servers until Ctrl-C or SIGTERM. Raises `Failed` when one of them ends by itself."""
    from orchestration.dead_runs import bury
    from orchestration.instance import open_instance
    from orchestration.serve import serve

    with suppress(Busy), turn(settings.locate(), "`metrics up`"), open_instance(settings) as instance:
        bury(instance, servers_too=True)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    serve(settings, lambda line: print(line, flush=True), stop)


def lay_out_demo(settings: Settings, days: int | None = None, quiet: bool = False) -> None:
    """Lay out the demo's deliveries in the landing folder. Raises `DemoMissing`."""
    from orchestration.demo import lay_out

    with _progress(quiet) as tell:
        lay_out(settings.locate().landing, days, lambda delivery: tell(f"laying out {delivery}"))


def certify_once(settings: Settings) -> str | None:
    """Certify the project as an admin of its people.yml, unless it is certified or has none; returns who did."""
    from metrics_catalog.governance.ledger import Ledger
    from metrics_catalog.governance.office import Office, read_only
    from metrics_catalog.ops.store import open_store
    from orchestration.declared import read_declared

    definitions = read_declared(settings).definitions
    admins = [name for name, person in definitions.files.people.people.items() if "admin" in person.roles]
    if definitions.record is not None or not admins:
        return None
    project = settings.locate()
    warehouse = partial(read_only, project.warehouse)
    office = Office(definitions.files, Ledger(open_store(project.ops)), warehouse, lambda: datetime.now(UTC))
    admin = settings.user if settings.user in admins else admins[0]
    office.bootstrap(admin, "first use")
    return admin


def next_steps(
    settings: Settings,
    certified_by: str | None = None,
    report: Path | None = None,
    review: Path | None = None,
    own: Path | None = None,
) -> str:
    """Where to look after the demo; ``certified_by``: who certified it just now; folders of its reports and review.

    ``own``: of the report about the platform itself.
    """
    certified = f"Certified by {certified_by}: from now on an official number changes only by an approved request."
    return "\n".join(
        (
            *([certified] if certified_by else []),
            *(_report(report) if report else []),
            *([f"How the platform did:  {own / 'report.html'}"] if own else []),
            *([f"Read the review:       {review / 'review.en.html'}, {review / 'review.zh.html'}"] if review else []),
            "Look at the numbers:   metrics query net_sales --grain month",
            "See all metrics:       metrics list",
            "Change one:            edit its file, then METRICS_USER=<you> metrics propose <metric> --reason <why>",
            f"Watch it in Dagster:   metrics up      (http://127.0.0.1:{settings.port})",
            f"What was quarantined:  {settings.locate().docs / 'index.html'}",
        )
    )


def _report(folder: Path) -> list[str]:
    return [
        f"Read the report:       {folder / 'report.html'}",
        f"  on paper, in Slack:  {folder / 'report.pdf'}, {folder.parents[1] / 'slack.json'}",
        "  another, or another reader's:  metrics report list; metrics report NAME --for PERSON --format pdf",
    ]


def _selected(definitions: Definitions, select: str | None) -> list[AssetKey] | None:
    """Keys of a Dagster asset selection; ``clean/products`` alone is a selection too."""
    if select is None:
        return None
    import dagster as dg

    graph = definitions.resolve_asset_graph()
    key = dg.AssetKey(select.split("/"))
    if graph.has(key):
        return [key]
    try:
        keys = dg.AssetSelection.from_string(select).resolve(graph)
    except dg.DagsterError as error:
        raise Failed(f'--select "{select}" is not a selection: {str(error).splitlines()[0]}', USAGE) from None
    found = sorted(key for key in keys if graph.get(key).is_executable)
    if not found:
        raise Failed(f'--select "{select}" selects nothing; see `metrics list`, or use e.g. "group:sales"', USAGE)
    return found


def _failure(result: ExecuteInProcessResult, listener: Listener) -> Failed:
    errors = listener.report.errors
    lines, codes = [message(error) for error in errors], [exit_code(error) for error in errors]
    for event in result.all_events:
        data: Any = event.event_specific_data
        if event.is_step_failure and data.user_failure_data is not None:
            lines.append(data.user_failure_data.description)
            given = data.user_failure_data.metadata.get("exit_code")
            codes.append(SYSTEM if given is None else int(given.value))
        elif event.is_step_failure and data.error is not None and not errors:
            lines.append(f"{event.step_key}: {data.error.message.strip()}")
    told = dict.fromkeys(lines or ["the run failed"])
    return Failed("\n".join([*told, _published(listener)]), max(codes, default=SYSTEM))


def _published(listener: Listener) -> str:
    """What people read after a run that failed."""
    done = listener.report.published
    if done is None or done.version is None:
        return "Published values are as they were; the next run catches up."
    return f"Everything else was published, as version {done.version}."


@contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    """A line that says what is being done, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda step: status.update(step)
