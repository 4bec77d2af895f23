"""A process with the tools imported that forks a child per `metrics` command.

A test gets a real process for the price of its work, and may have it killed or its disk full at a chosen place. Reads a
JSON request per line and answers each with the child's exit code (negative: the signal that ended it). Importing starts
no refresh, so the children inherit no open database and no runtime that does not survive a fork.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from orchestration import defs

TOOLS = (
    "babel.dates",
    "dagster._core.execution.asset_backfill",
    "dagster._core.execution.execute_in_process",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.instance.runs.run_domain",
    "dagster._core.storage.legacy_storage",
    "dagster._core.storage.noop_compute_log_manager",
    "dagster._core.storage.runs",
    "dagster._core.storage.schedules.sqlite",
    "dbt.adapters.duckdb.environments.local",
    "dbt.task.build",
    "dlt.sources.helpers.rest_client.client",
    "duckdb_sqlalchemy.alembic_impl",
    "expectations.clean",
    "expectations.docs",
    "expectations.gx.judge",
    "metrics_catalog.governance.office",
    "metrics_catalog.governance.status",
    "metrics_catalog.monitoring.watching",
    "metrics_catalog.monitoring.what_if",
    "metrics_catalog.published.answer",
    "metrics_catalog.published.formats",
    "metrics_catalog.published.publisher",
    "metrics_catalog.refresh",
    "orchestration.alerting",
    "orchestration.cli",
    "orchestration.commands",
    "orchestration.dead_runs",
    "orchestration.definitions",
    *(f"orchestration.defs.{module.name}" for module in iter_modules(defs.__path__)),
    "orchestration.event_log",
    "orchestration.ingest.load",
    "orchestration.ingest.readers.delimited",
    "orchestration.instance",
    "orchestration.notify.channels.console",
    "orchestration.notify.drain",
    "orchestration.notify.requests",
    "orchestration.source_health",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "sqlglot.lineage",
    "upath.implementations.local",
)


def strike(what: str, when: str, nth: int, target: str) -> None:
    """Arrange for ``what`` (kill, or starve: no file may grow) before, during or after the nth call of ``target``."""
    module, _, path = target.partition(":")
    *outer, name = path.split(".")
    owner: Any = functools.reduce(getattr, outer, import_module(module))
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    @functools.wraps(original)
    def struck(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != nth:
            return original(*args, **kwargs)
        if what == "starve":
            return _starved(original, args, kwargs)
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, struck)


def _starved(original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        return original(*args, **kwargs)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def command(request: dict[str, Any]) -> int:
    """One command in the child."""
    from orchestration.cli import main

    for number, name in ((1, "out"), (2, "err")):
        file = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
    os.environ.update(request["environment"])
    for wanted in request["strikes"]:
        strike(*wanted)
    sys.argv = ["metrics", *request["arguments"]]
    signal.setitimer(signal.ITIMER_REAL, request["seconds"])  # nobody handles it: the process is gone
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def parse(root: Path) -> None:
    """Parse and generate what the project in ``root`` lacks, here, so that its children find it done."""
    from metrics_catalog.catalog import load_catalog
    from orchestration.generate import write
    from orchestration.settings import read_settings
    from orchestration.transform.runner import ensure_parsed

    project = read_settings({}, project=root).locate()
    ensure_parsed(project)
    write(load_catalog(project))
    ensure_parsed(project)


def serve(root: Path) -> None:
    """Answer requests until the input ends."""
    from dbt_common.tests import enable_test_caching

    for module in TOOLS:
        import_module(module)
    enable_test_caching()  # of dbt's own 500 macros, which depend on no project
    parse(root)
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = command(json.loads(line))
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
