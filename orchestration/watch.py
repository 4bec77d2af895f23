"""When a running code server must load the project again: what it was loaded from, and whether that loads now."""

from __future__ import annotations

import sys
from hashlib import sha256

from metrics_catalog.governance.begun import ledger_of
from metrics_catalog.project import Project
from orchestration.approved import KINDS, METRIC_MODELS
from orchestration.landing import look


def source_of(project: Project) -> str:
    """Hash of what definitions are made from: the project's files as they lie there, and what was approved last.

    Raises `OpsUnavailable`.
    """
    written = (project.target, project.dbt / "logs", project.dbt / "models" / METRIC_MODELS)
    folders = [project.metrics.parent, project.sources, project.suites, project.dbt]
    files = [look(folder, without=written).state for folder in folders]
    ledger = ledger_of(project)
    approved = 0 if ledger is None else ledger.newest(*KINDS)
    return sha256("\n".join([*files, str(approved)]).encode()).hexdigest()


def main() -> None:
    """Load the definitions as a code server would, and end with the exit code and message of what keeps them."""
    from orchestration.definitions import project
    from orchestration.faults import exit_code, message

    try:
        project()
    except Exception as error:
        print(message(error), file=sys.stderr)
        raise SystemExit(exit_code(error)) from None


if __name__ == "__main__":
    main()
