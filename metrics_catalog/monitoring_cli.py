"""The command line's alerts: what is open, who looks after it, what came of it. Arguments in, text out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metrics_catalog.cli import Json, app, console, print_json, project_of
from metrics_catalog.governance_cli.shared import user_of

if TYPE_CHECKING:
    from metrics_catalog.monitoring.incident import Incident
    from metrics_catalog.monitoring.incidents import Incidents

Name = Annotated[str, typer.Argument(help="An incident, such as INC-3.", metavar="INC")]
Chinese = Annotated[bool, typer.Option("--zh", help="In Chinese; else in your language of people.yml.")]

alerts_app = typer.Typer(help="Incidents: what is wrong with a number, why, and who looks after it.")
app.add_typer(alerts_app, name="alerts")


@alerts_app.callback(invoke_without_command=True)
def alerts(context: typer.Context) -> None:
    """List what is open when nothing else is asked."""
    if context.invoked_subcommand is None:
        listed(context)


@alerts_app.command(name="list")
def listed(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    metric: Annotated[str | None, typer.Option(help="Only what touches this metric.")] = None,
    zh: Chinese = False,
    as_json: Json = False,
) -> None:
    """List incidents, the worst first."""
    found = _incidents(context).found(every, metric)
    if as_json:
        print_json([one.as_json() for one in found])
        return
    language = _language(context, zh)
    for one in found:
        with_whom = one.assignee or ""
        state = one.state if one.state != "resolved" else f"resolved: {one.reason}"
        console().print(f"{one.name}  {one.severity}  {state:<13} {with_whom:<10} {one.text(language)}", markup=False)
    if not found:
        typer.echo("没有未了结的预警" if language == "zh" else "no alert is open")
    if told := _too_little(context, language):
        typer.echo(told)


@alerts_app.command()
def show(context: typer.Context, name: Name, zh: Chinese = False, as_json: Json = False) -> None:
    """Show one incident as people are told of it, and what happened to it."""
    from metrics_catalog.monitoring.alert_message import message

    known = _incidents(context)
    one = known.one(name)
    history = known.history(one)
    if as_json:
        events = [{"at": e.at.isoformat(), "kind": e.kind, "actor": e.actor, **dict(e.data)} for e in history]
        print_json({**one.as_json(), "history": events})
        return
    _print(message(one, _language(context, zh)))
    for event in history:
        typer.echo(f"{event.at.isoformat(timespec='minutes')}  {event.kind:<13} {event.actor}")


@alerts_app.command()
def ack(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Say that you look after it; nobody else is asked then."""
    _done(context, _incidents(context).acknowledge(name, user_of(context)), as_json)


@alerts_app.command()
def assign(context: typer.Context, name: Name, person: str, as_json: Json = False) -> None:
    """Give it to somebody, who is told."""
    _done(context, _incidents(context).assign(name, user_of(context), person), as_json)


@alerts_app.command()
def resolve(
    context: typer.Context,
    name: Name,
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            "-r",
            help='"real move", "data fault", "definition change", "known event", "false alarm", "other".',
        ),
    ],
    note: Annotated[str, typer.Option(help="What it was, and what you did.")] = "",
    as_json: Json = False,
) -> None:
    """Close it with a reason. While the same goes on it stays silent."""
    _done(context, _incidents(context).resolve(name, user_of(context), reason, note), as_json)


@alerts_app.command()
def snooze(
    context: typer.Context,
    name: Name,
    length: Annotated[str, typer.Argument(help='How long: "4h", "2d", or until a day: "2026-03-01".', metavar="TIME")],
    as_json: Json = False,
) -> None:
    """Hear nothing of it for a while."""
    known = _incidents(context)
    until = _until(length, datetime.now(UTC))
    _done(context, known.snooze(name, user_of(context), until), as_json)


def _incidents(context: typer.Context) -> Incidents:
    from metrics_catalog.governance.begun import official_catalog
    from metrics_catalog.monitoring.incidents import Incidents
    from metrics_catalog.ops.store import open_store

    project = project_of(context)
    return Incidents(open_store(project.ops), official_catalog(project), lambda: datetime.now(UTC))


def _too_little(context: typer.Context, language: str) -> str | None:
    """Series in which nothing unusual can be seen."""
    from metrics_catalog.monitoring.following import last_evaluated
    from metrics_catalog.ops.store import open_store

    last = last_evaluated(open_store(project_of(context).ops))
    if last is None or not last.too_little:
        return None
    if language == "zh":
        return f"{last.too_little} 个序列数据太少，未作异常检测；原因见 metrics backtest 指标"
    many = "1 series has" if last.too_little == 1 else f"{last.too_little} series have"
    return f"{many} too little data to look for anomalies in; metrics backtest METRIC says why"


def _language(context: typer.Context, zh: bool) -> Any:
    from metrics_catalog.governance.begun import official_catalog

    person = official_catalog(project_of(context)).people.people.get(context.find_root().meta.get("user") or "")
    return "zh" if zh or (person is not None and person.language == "zh") else "en"


def _done(context: typer.Context, one: Incident, as_json: bool) -> None:
    if as_json:
        print_json(one.as_json())
        return
    whose = f" ({one.assignee})" if one.assignee and one.lasts else ""
    typer.echo(f"{one.name} is {one.state}{whose}: {one.text(_language(context, False))}")


def _until(text: str, now: datetime) -> datetime:
    unit = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}.get(text[-1:])
    if unit is not None and text[:-1].isdigit() and int(text[:-1]) > 0:
        return now + int(text[:-1]) * unit
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), datetime.min.time(), UTC)
    except ValueError:
        raise typer.BadParameter(f'"{text}" is no time; write 4h, 2d, 1w, or a day such as 2026-03-01') from None


def _print(told: Any) -> None:
    from rich.markup import escape
    from rich.table import Table

    from metrics_catalog.message import Facts, Grid, Paragraph

    out = console()
    out.print(f"[bold]{escape(told.title)}[/bold]")
    for part in told.parts:
        if isinstance(part, Paragraph):
            out.print(escape(part.text))
        elif isinstance(part, Facts):
            out.print("  ".join(f"{escape(label)}: {escape(value)}" for label, value in part.pairs))
        elif isinstance(part, Grid):
            table = Table(*(escape(one) for one in part.headings), box=None)
            for row in part.rows:
                table.add_row(*(escape(one) for one in row))
            out.print(table)
