"""What these commands share: the desk of decisions, a decision as text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from metrics_catalog.catalog import Catalog
from metrics_catalog.cli import print_json, project_of
from metrics_catalog.governance.begun import official_catalog

if TYPE_CHECKING:
    from metrics_catalog.decisions.desk import Decisions
    from metrics_catalog.decisions.record import Decision


def desk_of(context: typer.Context) -> tuple[Decisions, Catalog]:
    """The desk of decisions, and the official catalog."""
    from metrics_catalog.decisions.desk import Decisions
    from metrics_catalog.ops.store import open_store

    project = project_of(context)
    catalog = official_catalog(project)
    return Decisions(open_store(project.ops), catalog, lambda: datetime.now(UTC)), catalog


def shown(catalog: Catalog, decision: Decision, as_json: bool) -> None:
    """A decision as text, or as JSON."""
    if as_json:
        print_json(decision.as_json())
    else:
        print_decision(catalog, decision)


def print_decision(catalog: Catalog, decision: Decision) -> None:
    """A decision with its outcome."""
    from metrics_catalog.decisions.outcome import Outcome
    from metrics_catalog.decisions.words import asked_facts, outcome_lines

    entry = catalog.metrics.get(decision.metric)
    unit = unit_of(catalog, decision.metric)
    label = decision.metric if entry is None else f"{entry.spec.label.en} ({decision.metric})"
    typer.echo(f"{decision.name}  {decision.state}")
    print_lines(f"  {name}: {value}" for name, value in asked_facts(decision, label, unit, "en"))
    if decision.note:
        typer.echo(f"  note: {decision.note}")
    if decision.outcome is not None:
        title, lines = outcome_lines(decision, Outcome.read(decision.outcome), label, unit, "en")
        print_lines([title, *lines])


def print_lines(lines: Iterable[str]) -> None:
    """Lines, in which nothing that somebody typed can look like a line of ours."""
    from metrics_catalog.governance.card import one_line

    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        typer.echo(indent + one_line(line))


def unit_of(catalog: Catalog, metric: str) -> str:
    """The unit of a metric; of one that is gone, plain numbers."""
    entry = catalog.metrics.get(metric)
    return "number" if entry is None else entry.spec.unit
