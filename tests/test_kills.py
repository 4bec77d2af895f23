"""kill -9 anywhere in a refresh: the next run ends where one that nothing happened to does."""

from __future__ import annotations

import signal
from typing import Any

import pytest

# What a refresh does, in order; the process kills itself before or after the call counted.
STEPS = {
    "before the first load is written": ("before", 1, "orchestration.ingest.table:SourceTable.insert"),
    "in a load, all but committed": ("after", 2, "orchestration.ingest.books:write"),
    "between a load's commit and Dagster's event": ("after", 2, "orchestration.refresh:Refresh.land"),
    "between a load and the note of its database file": ("before", 1, "orchestration.ingest.queried:record"),
    "in judging, rows in quarantine": ("after", 1, "expectations.quarantine:apply"),
    "in judging, all but committed": ("after", 1, "expectations.quarantine:show"),
    "between judging and Dagster's event": ("after", 2, "orchestration.refresh:Refresh.clean"),
    "between two dbt models": ("after", 2, "orchestration.transform.runner:_node_result"),
    "late among dbt's models": ("after", 7, "orchestration.transform.runner:_node_result"),
    "after dbt, before its bookmark": ("after", 1, "orchestration.transform.runner:build"),
    "in dbt's bookmark": ("after", 1, "orchestration.transform.state:mark_seen"),
    "between dbt and publishing": ("before", 1, "orchestration.refresh:Refresh.publish"),
    "staging values": ("after", 1, "metrics_catalog.published.staging:stage_values"),
    "with data files written": ("before", 1, "metrics_catalog.published.commits:_move"),
    "with data files in their tables": ("after", 1, "metrics_catalog.published.commits:_move"),
    "between rollups and values": ("after", 1, "metrics_catalog.published.commits:_commit_rollup"),
    "after values, before Dagster's event": ("after", 1, "metrics_catalog.published.commits:_commit_values"),
    "after everything, before Dagster is told": ("after", 1, "orchestration.refresh:Refresh.publish"),
    "while Dagster notes an event": ("before", 60, "orchestration.event_log:KeptSqliteEventLogStorage._connect"),
}
# Between steps that are tested always; the machine's time is better spent elsewhere.
LESS = (
    "before the first load is written",
    "in judging, rows in quarantine",
    "between judging and Dagster's event",
    "late among dbt's models",
    "in dbt's bookmark",
    "between dbt and publishing",
    "staging values",
    "with data files written",
    "after everything, before Dagster is told",
)
LATE = ("after values, before Dagster's event", "after everything, before Dagster is told")
FIRST = ("between rollups and values", "in a load, all but committed", "late among dbt's models")


def killed(chain: Any, step: str) -> None:
    when, nth, target = STEPS[step]
    done = chain.run(strikes=[("kill", when, nth, target)])
    assert done.code == -signal.SIGKILL, (step, done)


def finishes(chain: Any) -> None:
    """One more run, undisturbed; it finds no lock, and Dagster knows of no run that goes on for ever."""
    done = chain.run()
    assert done.code == 0, done.err
    assert done.err.partition("─")[0] == ""  # alerts may follow
    assert set(chain.run_statuses()) <= {"SUCCESS", "FAILURE"}


@pytest.mark.parametrize(
    "step", [step if step not in LESS else pytest.param(step, marks=pytest.mark.slow) for step in STEPS]
)
def test_killed_once(chain: Any, undisturbed: Any, step: str) -> None:
    published = chain.published()
    chain.deliver_after()
    killed(chain, step)
    assert (chain.published() == published) == (step not in LATE)
    finishes(chain)
    assert chain.state() == undisturbed


@pytest.mark.parametrize("step", [FIRST[0], *(pytest.param(step, marks=pytest.mark.slow) for step in FIRST[1:])])
def test_killed_in_the_very_first_refresh(new_chain: Any, undisturbed: Any, step: str) -> None:
    killed(new_chain, step)
    assert new_chain.version() == -1
    new_chain.deliver_after()
    finishes(new_chain)
    assert new_chain.state() == undisturbed


def test_killed_at_one_step_after_the_other(chain: Any, undisturbed: Any) -> None:
    chain.deliver_after()
    chain.replace("dbt_project/models/staging/stg_receipts.sql", "quantity,", "quantity + 0 as quantity,")
    for step in (
        "in a load, all but committed",
        "in judging, all but committed",
        "between two dbt models",
        "between rollups and values",
    ):
        killed(chain, step)
    finishes(chain)
    assert chain.state() == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(30))
def test_killed_at_any_moment(chain: Any, undisturbed: Any, moment: int) -> None:
    """By the clock, not at a step somebody thought of: 30 moments spread over three seconds."""
    chain.deliver_after()
    done = chain.run(seconds=0.05 + moment / 10)
    assert done.code in (0, -signal.SIGALRM), done.err
    finishes(chain)
    assert chain.state() == undisturbed
