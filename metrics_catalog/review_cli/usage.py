"""`metrics usage`: who reads what. Arguments in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from metrics_catalog.cli import Json, app, console, known_metric, print_json, project_of
from metrics_catalog.governance.begun import official_catalog

_UNSEEN = "Direct reads of the published tables are not seen."


@app.command()
def usage(
    context: typer.Context,
    metric: Annotated[str | None, typer.Argument(help="A metric; without it, all.")] = None,
    days: Annotated[int, typer.Option(help="How far back.", min=1)] = 90,
    as_json: Json = False,
) -> None:
    """Print who read which metric, through which face; those nobody read, too."""
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.usage import used

    project, catalog = project_of(context), official_catalog(project_of(context))
    if metric is not None:
        known_metric(catalog, metric)
    since = datetime.now(UTC) - timedelta(days=days)
    found = used(open_store(project.ops), since, metric)
    if as_json:
        print_json(
            {"since": since.isoformat(), "unseen": _UNSEEN, "metrics": [one.as_json() for one in found.values()]}
        )
        return
    names = [metric] if metric else list(catalog.metrics)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("metric", "reads", "last", "by face", "readers"):
        table.add_column(column)
    for name in sorted(names, key=lambda name: -(found[name].count if name in found else 0)):
        one = found.get(name)
        if one is None:
            table.add_row(name, "0", "", "", "")
        else:
            readers = _counted(one.readers) if metric else str(len(one.readers))
            table.add_row(name, str(one.count), f"{one.last:%Y-%m-%d}", _counted(one.faces), escape(readers))
    console().print(table)
    typer.echo(
        f"since {since:%Y-%m-%d}. {_UNSEEN}" + ("" if catalog.policy.usage.record else " Policy records nothing.")
    )


def _counted(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{name or 'unknown'} {count}" for name, count in ordered)
