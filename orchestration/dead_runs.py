"""Runs whose process was killed: Dagster takes them for running, and its queue and sensors would wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

COMMAND = {"cause": "metrics run"}


def bury(instance: DagsterInstance, servers_too: bool = False) -> list[str]:
    """End as failed the runs that cannot be alive; returns their ids.

    Call it while holding the project's turn, which a run of the command has from before its beginning to its end. A
    run of Dagster's servers may be waiting for that turn; ``servers_too`` when they are not up.
    """
    from dagster import DagsterRunStatus, RunsFilter

    begun = [DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    of_command = RunsFilter(statuses=[*begun, DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING], tags=COMMAND)
    found = {run.run_id: run for run in instance.get_runs(of_command)}
    if servers_too:
        found |= {run.run_id: run for run in instance.get_runs(RunsFilter(statuses=begun))}
    for run in found.values():
        instance.report_run_failed(run, "its process ended without a word; the next run does its work")
    return list(found)
