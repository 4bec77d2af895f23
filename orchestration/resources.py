"""The one Dagster resource: the running refresh, which holds the project's lock for as long as the run lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import dagster as dg

from orchestration.declared import Declared
from orchestration.lock import turn
from orchestration.refresh import Refresh, Report

KEY = "refresh"
JOB = "refresh"


@dataclass(frozen=True)
class Listener:
    """Who follows a run in this process: ``report`` is filled, ``tell`` hears each step."""

    report: Report = field(default_factory=Report)
    tell: Callable[[str], None] = lambda step: None


def refresh_resource(declared: Declared, listener: Listener | None = None) -> dg.ResourceDefinition:
    """The refresh of a run. It waits for its turn when another process refreshes the same project."""

    def start(context: dg.InitResourceContext) -> Iterator[Refresh]:
        run_id = context.run_id or "no run"
        log = dg.get_dagster_logger().info if context.log is None else context.log.info
        with turn(declared.project, f"Dagster run {run_id}", wait=True, log=log):
            if listener is None:
                refresh = Refresh(declared, run_id, tell=log)
            else:
                refresh = Refresh(declared, run_id, listener.report, listener.tell, listener.tell)
            try:
                yield refresh
                refresh.document()
            finally:
                refresh.end(JOB)
                refresh.close()

    return dg.ResourceDefinition(dg.resource(start).resource_fn)


def refresh_of(context: dg.AssetExecutionContext) -> Refresh:
    """The refresh an asset's function runs in."""
    return context.resources.refresh
