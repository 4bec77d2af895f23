"""The command line's endings: deprecate, revive, retire. Arguments in, text out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from metrics_catalog.cli import Json, app
from metrics_catalog.governance_cli.shared import Needed, office_of, print_requests, user_of

if TYPE_CHECKING:
    from metrics_catalog.governance.endings import Ending

Successor = Annotated[str | None, typer.Option(help="The metric to use instead.")]


@app.command()
def deprecate(
    context: typer.Context, metric: str, reason: Needed, successor: Successor = None, as_json: Json = False
) -> None:
    """Ask to deprecate a metric: it is computed until its grace ends, and says so wherever it is used."""
    _end(context, metric, reason, "deprecate", successor, as_json)


@app.command()
def revive(context: typer.Context, metric: str, reason: Needed, as_json: Json = False) -> None:
    """Ask to take the deprecation of a metric back."""
    _end(context, metric, reason, "revive", None, as_json)


@app.command()
def retire(
    context: typer.Context, metric: str, reason: Needed, successor: Successor = None, as_json: Json = False
) -> None:
    """Ask to retire a metric: it is no longer computed and its file goes; what was published stays readable."""
    _end(context, metric, reason, "retire", successor, as_json)


def _end(
    context: typer.Context, metric: str, reason: str, change: Ending, successor: str | None, as_json: bool
) -> None:
    office = office_of(context)
    print_requests(office, [office.end(metric, user_of(context), reason, change, successor)], as_json)
