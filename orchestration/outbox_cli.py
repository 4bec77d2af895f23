"""`metrics outbox`: what waits to be told, sending it, trying again. Arguments in, text out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metrics_catalog.cli import Json, app, print_json, project_of
from metrics_catalog.governance.card import one_line

if TYPE_CHECKING:
    from orchestration.settings import Settings

outbox_app = typer.Typer(no_args_is_help=True, help="What is to be told to people, and whether it was.")
app.add_typer(outbox_app, name="outbox")


@outbox_app.command(name="list")
def list_letters(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="What was sent, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the letters that wait or were given up and why, and channels that do not work."""
    from metrics_catalog.ops import channel_health, letters
    from orchestration.notify.outbox import store_of

    engine = store_of(project_of(context))
    found = [] if engine is None else letters.letters(engine, everything)
    ways = [] if engine is None else [way for way in channel_health.ways(engine) if way.failures]
    if as_json:
        channels = [{"name": way.name, "since": way.since.isoformat(), "error": way.error} for way in ways]
        print_json({"letters": [one.as_json() for one in found], "channels": channels})
        return
    for one in found:
        why = f"  {one_line(one.error)}" if one.error and one.state != "sent" else ""
        typer.echo(f"{one.state:8} {one.channel} {one.address}  {one.key}  {one_line(one.title)}{why}")
    for way in ways:
        typer.echo(f"{way.name} does not work since {way.since:%Y-%m-%d %H:%M} UTC: {one_line(way.error)}")
    if not found and not ways:
        typer.echo("nothing waits")


@outbox_app.command()
def drain(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(help="How long to stay for it.", min=0.1)] = 60.0,
    as_json: Json = False,
) -> None:
    """Send what waits; ends with 3 when some of it could not be sent."""
    from orchestration.notify.drain import Drained
    from orchestration.notify.outbox import drain as send

    done = send(_settings(context), seconds, _say) or Drained()
    if as_json:
        print_json(done.as_json())
    else:
        counts = done.counts
        typer.echo(f"sent {done.sent}, put off {counts['later']}, given up {counts['dead']}")
        for channel, error in done.errors.items():
            typer.echo(f"{channel}: {error}", err=True)
    raise typer.Exit(3 if done.errors or done.unfinished else 0)


@outbox_app.command()
def retry(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="A letter's key, from `metrics outbox list`.")],
    as_json: Json = False,
) -> None:
    """Try a letter that was given up or put off again."""
    from metrics_catalog.ops import claims
    from orchestration.notify.outbox import store_of

    engine = store_of(project_of(context))
    if engine is None or not claims.retry(engine, key, datetime.now(UTC)):
        raise typer.BadParameter(f'no letter "{key}" waits or was given up; see `metrics outbox list`')
    if as_json:
        print_json({"waiting": key})
    else:
        typer.echo("it will be tried again; `metrics outbox drain` does so now")


@outbox_app.command()
def drop(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="A letter's key, from `metrics outbox list`.")],
    as_json: Json = False,
) -> None:
    """Never send a letter that was given up or waits, nor a later edition of it."""
    from metrics_catalog.ops import claims
    from orchestration.notify.outbox import store_of
    from orchestration.notify.watching import undelivered

    project = project_of(context)
    engine = store_of(project)
    if engine is None or not claims.drop(engine, key):
        raise typer.BadParameter(f'no letter "{key}" waits or was given up; see `metrics outbox list`')
    undelivered(project, engine)
    if as_json:
        print_json({"dropped": key})
    else:
        typer.echo("it will not be sent")


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _settings(context: typer.Context) -> Settings:
    found: Any = context.find_root().meta["settings"]
    return found
