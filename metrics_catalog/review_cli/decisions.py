"""`metrics decide` and `metrics decisions`. Arguments in, text out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from metrics_catalog.cli import Json, app, console, print_json, project_of
from metrics_catalog.governance.begun import official_catalog
from metrics_catalog.governance_cli.shared import user_of
from metrics_catalog.review_cli.shared import desk_of, print_decision, shown, unit_of

Number = Annotated[str, typer.Argument(help="A decision, such as D-3.", metavar="D")]

decisions_app = typer.Typer(help="What was decided, and what came of it.", invoke_without_command=True)
app.add_typer(decisions_app, name="decisions")


@app.command()
def decide(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="A metric, an alert (INC-4), or a decision to say more of (D-2).")],
    action: Annotated[str | None, typer.Option("--action", "-a", help="What is to be done.")] = None,
    cause: Annotated[str | None, typer.Option(help="Why it is as it is.")] = None,
    expect: Annotated[str | None, typer.Option(help='What it should do: "store=367 +5% by 2018-01-31".')] = None,
    owner: Annotated[
        str | None, typer.Option(help="Who does it (default: the alert's, else the metric's owner).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decide: what is done about a metric or an alert, and what it should bring; measured by itself when it is due."""
    from metrics_catalog.decisions.desk import Said

    desk, catalog = desk_of(context)
    decision = desk.decide(target, Said(action, cause, expect, owner), user_of(context))
    if as_json:
        print_json(decision.as_json())
        return
    print_decision(catalog, decision)
    if decision.expected.size is None:
        typer.echo(f'say what it should bring: metrics decide {decision.name} --expect "+5% by {decision.due}"')


@decisions_app.callback()
def decisions(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Measured and dropped ones too.")] = False,
    metric: Annotated[str | None, typer.Option(help="Only of this metric.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only those you or a team of yours answer for.")] = False,
    as_json: Json = False,
) -> None:
    """List decisions whose outcome is still to come."""
    if context.invoked_subcommand is not None:
        return
    from metrics_catalog.decisions.record import UNFINISHED, listed
    from metrics_catalog.ops.store import open_store

    catalog = official_catalog(project_of(context))
    owners: tuple[str, ...] = ()
    if mine:
        user = user_of(context)
        owners = (user, *(name for name, team in catalog.people.teams.items() if user in team.members))
    found = listed(open_store(project_of(context).ops), () if every else UNFINISHED, metric, owners)
    if as_json:
        print_json([one.as_json() for one in found])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("decision", "state", "metric", "action", "expected", "owner", "due"):
        table.add_column(column)
    for one in found:
        words = one.expected.words(unit_of(catalog, one.metric), "en")
        table.add_row(*map(escape, (one.name, one.state, one.metric, one.action, words, one.owner, str(one.due))))
    console().print(table if found else "no decision waits for its outcome")


@decisions_app.command()
def show(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Show one decision, what happened to it, and what came of it."""
    from metrics_catalog.decisions.record import events
    from metrics_catalog.ops.store import open_store

    desk, catalog = desk_of(context)
    decision = desk.get(_number(number))
    happened = events(open_store(project_of(context).ops), decision.number)
    if as_json:
        print_json({**decision.as_json(), "events": list(map(vars, happened))})
        return
    print_decision(catalog, decision)
    for one in happened:
        typer.echo(f"{one.at:%Y-%m-%d %H:%M}  {one.kind} by {one.actor}")


@decisions_app.command()
def done(
    context: typer.Context,
    number: Number,
    note: Annotated[str, typer.Option(help="What was done, in a word.")] = "",
    as_json: Json = False,
) -> None:
    """Say that the action was taken; its effect is still measured on the due date."""
    desk, catalog = desk_of(context)
    shown(catalog, desk.done(_number(number), user_of(context), note), as_json)


@decisions_app.command()
def drop(
    context: typer.Context,
    number: Number,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why.")],
    as_json: Json = False,
) -> None:
    """Give a decision up; its effect is not measured."""
    desk, catalog = desk_of(context)
    shown(catalog, desk.drop(_number(number), user_of(context), reason), as_json)


@decisions_app.command()
def measure(context: typer.Context, as_json: Json = False) -> None:
    """Measure what is due now, and tell the owners; the review job does the same by itself."""
    from metrics_catalog.decisions.due import measure_due
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.published.reader import Published

    project, catalog = project_of(context), official_catalog(project_of(context))
    found = measure_due(open_store(project.ops), catalog, Published(project.published), datetime.now(UTC))
    if as_json:
        print_json([one.as_json() for one in found])
        return
    for one in found:
        print_decision(catalog, one)
    if not found:
        typer.echo("nothing is due")


def _number(text: str) -> int:
    from metrics_catalog.decisions.desk import number_of

    number = number_of(text, "D")
    if number is None and text.isdigit():
        number = int(text)
    if number is None:
        raise typer.BadParameter(f'"{text}" is not a decision; they are called D-1, D-2 …')
    return number
