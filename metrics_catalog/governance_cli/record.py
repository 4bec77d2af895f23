"""The command line's record: what was certified, decided and published, and that nobody changed that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from metrics_catalog.cli import Json, app, known_metric, note_read, print_json, project_of, with_retired
from metrics_catalog.governance.begun import definitions_of
from metrics_catalog.governance_cli.shared import office_of, request_json, told
from metrics_catalog.query_text import day_range, one_period

if TYPE_CHECKING:
    from metrics_catalog.published.value_history import Recorded
    from metrics_catalog.query_text import OnePeriod

ledger_app = typer.Typer(no_args_is_help=True, help="The append-only record behind every certified definition.")
app.add_typer(ledger_app, name="ledger")


@app.command()
def history(
    context: typer.Context,
    metric: str,
    period: Annotated[
        str | None, typer.Option(help="Every value ever published for this day, month, year, or hour (2017-05-03T18).")
    ] = None,
    grain: Annotated[str | None, typer.Option(help="Grain of the period, else that of what --period names.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="A member of a slice: --by store=367.")] = None,
    as_json: Json = False,
) -> None:
    """Print a metric's certified versions and change requests, or what was published for one period, oldest first."""
    from metrics_catalog.governance.card import version_line
    from metrics_catalog.governance.record import METRIC

    if period is not None:
        _print_published(context, metric, period, grain, by or (), as_json)
        return
    office = office_of(context)
    subject = METRIC + metric
    versions = office.record.versions.get(subject, ())
    asked = [one for one in office.record.requests.values() if one.subject == subject]
    if not versions and not asked:
        known_metric(office.files, metric)
    if as_json:
        requests = [request_json(office, one) for one in asked]
        print_json({"metric": metric, "versions": list(map(vars, versions)), "requests": requests})
    else:
        lines = [version_line(version) for version in versions]
        lines += [f"{one.name}  {one.opened_at:%Y-%m-%d %H:%M}  {told(office, one)}" for one in asked]
        typer.echo("\n".join(lines if versions else [*lines, "nothing of it is certified yet"]))
    note_read(context, office.official, "history", [metric])


@app.command()
def log(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(help="First day.")] = None,
    subject: Annotated[str | None, typer.Option("--of", help="Only of a metric, people or policy.")] = None,
    as_json: Json = False,
) -> None:
    """Print what was asked for, decided and certified, oldest first."""
    from metrics_catalog.governance.card import entry_line
    from metrics_catalog.governance.record import METRIC

    first = date.min if since is None else day_range(since)[0]
    office = office_of(context)
    names = {subject, f"{METRIC}{subject}"}
    about = {f"request/{one.id}" for one in office.record.requests.values() if one.subject in names}
    entries = [
        one
        for one in office.entries()
        if one.at.date() >= first and (subject is None or one.event.subject in names | about)
    ]
    if as_json:
        print_json([{"seq": one.seq, "at": one.at.isoformat(), **vars(one.event), "hash": one.hash} for one in entries])
        return
    typer.echo("\n".join(map(entry_line, entries)))


@ledger_app.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Prove that no entry of the ledger was edited, removed or put in; ends with 1 and names those that were.

    Every publish notes the entry it was made under, so entries cut off the end are missed too.
    """
    from metrics_catalog.governance.ledger import Head, Ledger
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.published.reader import Published

    project = project_of(context)
    seen = [version.info.ledger for version in Published(project.published).versions()]
    anchors = [Head(one["seq"], one["hash"]) for one in seen if one]
    faults = Ledger(open_store(project.ops)).verify(anchors)
    if as_json:
        print_json({"faults": [{"seq": one.seq, "message": one.message} for one in faults]})
    else:
        typer.echo("\n".join(map(str, faults)) or "the ledger is whole")
    raise typer.Exit(1 if faults else 0)


def _print_published(
    context: typer.Context, metric: str, period: str, grain: str | None, by: Iterable[str], as_json: bool
) -> None:
    from metrics_catalog.published.value_history import value_history

    project = project_of(context)
    definitions = definitions_of(project)
    asked = one_period(metric, period, grain, by, with_retired(definitions, definitions.official, metric))
    found = value_history(project.published, metric, asked.grain, asked.start, asked.members)
    if as_json:
        print_json([{**vars(one), "row": None if one.row is None else vars(one.row)} for one in found])
    else:
        _print_history(metric, asked, found)
    what = {"grain": asked.grain, "by": list(asked.members)}
    note_read(context, definitions.official, "history", [metric], **what)


def _print_history(metric: str, asked: OnePeriod, found: Sequence[Recorded]) -> None:
    for one in found:
        value = "no value" if one.row is None or one.row.value is None else f"{one.row.value.normalize():f}"
        certified = "" if one.certified is None else f"  by v{one.certified}"
        note = "" if one.note is None else f"  {one.note}"
        typer.echo(f"version {one.version}  {one.published_at:%Y-%m-%d %H:%M}  {value}{certified}{note}")
    if not found:
        typer.echo(f"nothing was ever published for {metric} by {asked.grain} of {asked.start}")
