"""What the commands of governance share: whose project it is, who gives the command, a request as text or JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metrics_catalog.catalog import load_catalog
from metrics_catalog.cli import print_json, project_of
from metrics_catalog.governance.begun import definitions_of

if TYPE_CHECKING:
    from metrics_catalog.governance.office import Office
    from metrics_catalog.governance.record import Request

Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept with the change.")]
Number = Annotated[str, typer.Argument(help="A change request, such as CR-3.", metavar="CR")]
Needed = Annotated[str, typer.Option("--reason", "-r", help="Why.")]


def office_of(context: typer.Context, drafts: bool = False) -> Office:
    """Governance of the project this command works on. ``drafts``: what it asks for must be free of faults.

    Else a file that somebody is still writing keeps nobody from deciding about another.
    """
    from metrics_catalog.governance.ledger import Ledger
    from metrics_catalog.governance.office import Office, read_only
    from metrics_catalog.ops.store import open_store

    project = project_of(context)
    ledger = Ledger(open_store(project.ops))
    files = load_catalog(project) if drafts else definitions_of(project).files
    return Office(files, ledger, partial(read_only, project.warehouse), lambda: datetime.now(UTC))


def user_of(context: typer.Context) -> str:
    """Who gives the command. Raises a usage error when nobody said."""
    user = context.find_root().meta.get("user")
    if not user:
        raise typer.BadParameter("say who you are: METRICS_USER=<your name in people.yml>")
    return user


def told(office: Office, one: Request) -> str:
    """A request in one line."""
    waiting = sorted({person for people in office.desk.missing(one).values() for person in people})
    stands = f"waits for {', '.join(waiting)}" if one.is_open else one.state
    return f"{', '.join(one.changes)}  by {one.author}  {stands}: {one.reason}"


def follow_up(context: typer.Context, office: Office, done: Iterable[Request]) -> None:
    """After an approval: remove the file of what was retired; commit, where the project is in a repository."""
    from metrics_catalog.governance.endings import remove_file
    from metrics_catalog.governance.repository import Repository, commit_certified

    root = project_of(context).root
    for one in done:
        if one.state == "approved" and "retire" in one.changes and remove_file(root, office.record, one.metric or ""):
            typer.echo(f"removed {one.path}", err=True)
    if (repository := Repository.around(root)) is not None:
        for line in commit_certified(repository, office.record, office.official.people, root):
            typer.echo(line, err=True)


def print_requests(office: Office, found: Iterable[Request], as_json: bool) -> None:
    """Requests as cards, or as JSON."""
    if as_json:
        print_json([request_json(office, one) for one in found])
        return
    from metrics_catalog.governance.card import request_lines

    for one in found:
        typer.echo("\n".join(request_lines(one, office.desk.missing(one), office.record.before(one))))


def request_json(office: Office, one: Request) -> dict[str, Any]:
    """All of a request as plain data."""
    from metrics_catalog.governance.edits import edits

    before = office.record.before(one)
    changed = [] if one.text is None else edits(None if before is None else before.text, one.text)
    lists: dict[str, Any] = {"edits": [{"key": key, "old": old, "new": new} for key, old, new in changed]}
    lists |= {key: list(map(vars, getattr(one, key))) for key in ("approvals", "readings", "comments")}
    return {"request": one.name, **vars(one), **lists, "missing": office.desk.missing(one)}


def number_of(text: str) -> int:
    """The number of a request by its name. Raises a usage error."""
    digits = text.upper().removeprefix("CR-")
    if not digits.isdigit():
        raise typer.BadParameter(f'"{text}" is not a change request; they are called CR-1, CR-2 …')
    return int(digits)
