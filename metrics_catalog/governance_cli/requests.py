"""The command line's change requests: certify, propose, preview, approve. Arguments in, text out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from metrics_catalog.cli import Json, app, print_json
from metrics_catalog.governance_cli.shared import (
    Needed,
    Number,
    Reason,
    follow_up,
    number_of,
    office_of,
    print_requests,
    request_json,
    told,
    user_of,
)
from metrics_catalog.query_text import day_range

if TYPE_CHECKING:
    from metrics_catalog.governance.office import Office


@app.command()
def certify(context: typer.Context, reason: Reason = "first use", as_json: Json = False) -> None:
    """Certify what is there, once: from then on an official number changes only by an approved request."""
    record = office_of(context, drafts=True).bootstrap(user_of(context), reason)
    if as_json:
        print_json({"certified": sorted(record.versions)})
        return
    typer.echo(f"certified {len(record.metrics())} metrics, people and policy; changes go through `metrics propose`")


@app.command()
def propose(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Metrics whose file you edited, or people, policy.")] = None,
    reason: Reason = "",
    effective: Annotated[str | None, typer.Option(help="First day the new calculation holds; else the next.")] = None,
    restate: Annotated[bool, typer.Option("--restate", help="Compute all of history by the new calculation.")] = False,
    as_json: Json = False,
) -> None:
    """Ask for what you edited: a request for each file, previewed on the numbers. Without names: list what differs."""
    from metrics_catalog.governance.office import Wish

    office = office_of(context, drafts=bool(names))
    if not names:
        _list_proposals(office, as_json)
        return
    if not reason.strip():
        raise typer.BadParameter("say why with --reason")
    if restate and effective is not None:
        raise typer.BadParameter("--restate is all of history, --effective begins somewhere; give one of them")
    since = None if effective is None else day_range(effective)[0]
    user, wish = user_of(context), Wish(reason, since, restate)
    print_requests(office, (office.propose(name, user, wish) for name in names), as_json)
    follow_up(context, office, ())  # an owner's own wording is approved at once


@app.command()
def requests(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    as_json: Json = False,
) -> None:
    """List change requests that wait for an answer, and who for."""
    office = office_of(context)
    found = [one for one in office.record.requests.values() if every or one.is_open]
    if as_json:
        print_json([request_json(office, one) for one in found])
        return
    for one in found:
        typer.echo(f"{one.name}  {one.subject}  {told(office, one)}")
    if not found:
        typer.echo("no request waits for an answer")


@app.command()
def request(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Show one change request: its preview, approvals, comments. That you read it is kept with it."""
    office = office_of(context)
    print_requests(office, [office.request(number_of(number), context.find_root().meta.get("user"))], as_json)


@app.command()
def preview(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A metric whose file you edited, or a request, such as CR-3.")],
    as_json: Json = False,
) -> None:
    """Show what an edited metric file would do to the numbers; of a request, compute that again."""
    office = office_of(context, drafts=not name.upper().startswith("CR-"))
    if name.upper().startswith("CR-"):
        user = user_of(context)
        office.preview(number_of(name), user)
        print_requests(office, [office.request(number_of(name), user)], as_json)
        return
    from metrics_catalog.governance import card

    found = office.what_if(name)
    if as_json:
        print_json(found)
    else:
        typer.echo("\n".join(card.preview_lines(found)).lstrip("\n"))


@app.command()
def approve(
    context: typer.Context,
    numbers: Annotated[list[str], typer.Argument(help="Change requests, such as CR-3 CR-4.", metavar="CR...")],
    fingerprint: Annotated[str | None, typer.Option(help="Of the preview you saw; refused when it is another.")] = None,
    as_json: Json = False,
) -> None:
    """Approve change requests as previewed, in this order. Whoever asked for one never can."""
    wanted = [number_of(one) for one in numbers]
    if fingerprint is not None and len(wanted) > 1:
        raise typer.BadParameter("--fingerprint is that of one request")
    user = user_of(context)
    # What is official changes with each, so each is decided on what the one before left.
    for number in wanted:
        office = office_of(context)
        approved = office.approve(number, user, fingerprint)
        follow_up(context, office, [approved])
        if not as_json:
            print_requests(office, [approved], as_json)
    if as_json:
        office = office_of(context)
        print_requests(office, [office.request(number) for number in wanted], as_json)


@app.command()
def reject(context: typer.Context, number: Number, reason: Needed, as_json: Json = False) -> None:
    """Reject a change request; what is certified stays as it is."""
    office = office_of(context)
    print_requests(office, [office.desk.reject(number_of(number), user_of(context), reason)], as_json)


@app.command()
def withdraw(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Take back a change request of yours."""
    office = office_of(context)
    print_requests(office, [office.desk.withdraw(number_of(number), user_of(context))], as_json)


@app.command()
def comment(context: typer.Context, number: Number, text: str, as_json: Json = False) -> None:
    """Say something about a change request."""
    office = office_of(context)
    print_requests(office, [office.desk.comment(number_of(number), user_of(context), text)], as_json)


def _list_proposals(office: Office, as_json: bool) -> None:
    found = office.proposals()
    if as_json:
        print_json([{"name": one.name, "changes": one.changes, "file": one.path, "version": one.base} for one in found])
        return
    for one in found:
        typer.echo(f"{one.name}  {', '.join(one.changes)}  {one.path}")
    if not found:
        typer.echo("every file is as certified")
