"""The command line's governance: certify, propose, preview, approve, what was decided. Arguments in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metrics_catalog.catalog import load_catalog
from metrics_catalog.cli import Json, app, known_metric, note_read, print_json, project_of
from metrics_catalog.governance.begun import definitions_of, official_catalog
from metrics_catalog.query_text import day_range, one_period

if TYPE_CHECKING:
    from metrics_catalog.governance.office import Office
    from metrics_catalog.governance.record import Request
    from metrics_catalog.published.value_history import Recorded
    from metrics_catalog.query_text import OnePeriod

Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept with the change.")]
Number = Annotated[str, typer.Argument(help="A change request, such as CR-3.", metavar="CR")]
Needed = Annotated[str, typer.Option("--reason", "-r", help="Why.")]

ledger_app = typer.Typer(no_args_is_help=True, help="The append-only record behind every certified definition.")
app.add_typer(ledger_app, name="ledger")


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
    _show(office, (office.propose(name, user, wish) for name in names), as_json)
    _commit(context, office)  # an owner's own wording is approved at once


@app.command()
def deprecate(
    context: typer.Context,
    metric: str,
    reason: Needed,
    successor: Annotated[str | None, typer.Option(help="The metric to use instead.")] = None,
    as_json: Json = False,
) -> None:
    """Ask to deprecate a metric: it is still computed, and says so wherever it is used."""
    office = office_of(context)
    _show(office, [office.end(metric, user_of(context), reason, successor, retire=False)], as_json)


@app.command()
def retire(context: typer.Context, metric: str, reason: Needed, as_json: Json = False) -> None:
    """Ask to retire a metric: it is no longer computed; what was published stays readable as of then."""
    office = office_of(context)
    _show(office, [office.end(metric, user_of(context), reason, None, retire=True)], as_json)


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
        print_json([_as_json(office, one) for one in found])
        return
    for one in found:
        typer.echo(f"{one.name}  {one.subject}  {_told(office, one)}")
    if not found:
        typer.echo("no request waits for an answer")


@app.command()
def request(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Show one change request: its preview, approvals, comments."""
    office = office_of(context)
    _show(office, [office.request(_number(number))], as_json)


@app.command()
def preview(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A metric whose file you edited, or a request, such as CR-3.")],
    as_json: Json = False,
) -> None:
    """Show what an edited metric file would do to the numbers; of a request, compute that again."""
    office = office_of(context, drafts=not name.upper().startswith("CR-"))
    if name.upper().startswith("CR-"):
        _show(office, [office.preview(_number(name), user_of(context))], as_json)
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
    wanted = [_number(one) for one in numbers]
    if fingerprint is not None and len(wanted) > 1:
        raise typer.BadParameter("--fingerprint is that of one request")
    user = user_of(context)
    # What is official changes with each, so each is decided on what the one before left.
    for number in wanted:
        office = office_of(context)
        approved = office.approve(number, user, fingerprint)
        _commit(context, office)
        if not as_json:
            _show(office, [approved], as_json)
    if as_json:
        office = office_of(context)
        _show(office, [office.request(number) for number in wanted], as_json)


@app.command()
def reject(context: typer.Context, number: Number, reason: Needed, as_json: Json = False) -> None:
    """Reject a change request; what is certified stays as it is."""
    office = office_of(context)
    _show(office, [office.desk.reject(_number(number), user_of(context), reason)], as_json)


@app.command()
def withdraw(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Take back a change request of yours."""
    office = office_of(context)
    _show(office, [office.desk.withdraw(_number(number), user_of(context))], as_json)


@app.command()
def comment(context: typer.Context, number: Number, text: str, as_json: Json = False) -> None:
    """Say something about a change request."""
    office = office_of(context)
    _show(office, [office.desk.comment(_number(number), user_of(context), text)], as_json)


@app.command()
def history(
    context: typer.Context,
    metric: str,
    period: Annotated[str | None, typer.Option(help="Every value ever published for this day, month or year.")] = None,
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
        requests = [_as_json(office, one) for one in asked]
        print_json({"metric": metric, "versions": list(map(vars, versions)), "requests": requests})
    else:
        lines = [version_line(version) for version in versions] or ["nothing of it is certified yet"]
        told = [f"{one.name}  {one.opened_at:%Y-%m-%d %H:%M}  {_told(office, one)}" for one in asked]
        typer.echo("\n".join([*lines[: len(versions)], *told, *lines[len(versions) :]]))
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
    catalog = official_catalog(project)
    asked = one_period(metric, period, grain, by, catalog)
    found = value_history(project.published, metric, asked.grain, asked.start, asked.members)
    if as_json:
        print_json([{**vars(one), "row": None if one.row is None else vars(one.row)} for one in found])
    else:
        _print_history(metric, asked, found)
    note_read(context, catalog, "history", [metric], grain=asked.grain, by=list(asked.members))


def _print_history(metric: str, asked: OnePeriod, found: Sequence[Recorded]) -> None:
    for one in found:
        value = "no value" if one.row is None or one.row.value is None else f"{one.row.value.normalize():f}"
        certified = "" if one.certified is None else f"  by v{one.certified}"
        note = "" if one.note is None else f"  {one.note}"
        typer.echo(f"version {one.version}  {one.published_at:%Y-%m-%d %H:%M}  {value}{certified}{note}")
    if not found:
        typer.echo(f"nothing was ever published for {metric} by {asked.grain} of {asked.start}")


def _told(office: Office, one: Request) -> str:
    """A request in one line."""
    waiting = sorted({person for people in office.desk.missing(one).values() for person in people})
    stands = f"waits for {', '.join(waiting)}" if one.is_open else one.state
    return f"{', '.join(one.changes)}  by {one.author}  {stands}: {one.reason}"


def _commit(context: typer.Context, office: Office) -> None:
    """Put what was approved into git, where the project is in a repository."""
    from metrics_catalog.governance.repository import Repository, commit_certified

    root = project_of(context).root
    if (repository := Repository.around(root)) is not None:
        for line in commit_certified(repository, office.record, office.official.people, root):
            typer.echo(line, err=True)


def _list_proposals(office: Office, as_json: bool) -> None:
    found = office.proposals()
    if as_json:
        print_json([{"name": one.name, "changes": one.changes, "file": one.path, "version": one.base} for one in found])
        return
    for one in found:
        typer.echo(f"{one.name}  {', '.join(one.changes)}  {one.path}")
    if not found:
        typer.echo("every file is as certified")


def _show(office: Office, found: Iterable[Request], as_json: bool) -> None:
    if as_json:
        print_json([_as_json(office, one) for one in found])
        return
    from metrics_catalog.governance.card import request_lines

    for one in found:
        typer.echo("\n".join(request_lines(one, office.desk.missing(one), office.record.before(one))))


def _as_json(office: Office, one: Request) -> dict[str, Any]:
    from metrics_catalog.governance.edits import edits

    before = office.record.before(one)
    changed = [] if one.text is None else edits(None if before is None else before.text, one.text)
    lists: dict[str, Any] = {"edits": [{"key": key, "old": old, "new": new} for key, old, new in changed]}
    lists |= {"approvals": list(map(vars, one.approvals)), "comments": list(map(vars, one.comments))}
    return {"request": one.name, **vars(one), **lists, "missing": office.desk.missing(one)}


def _number(text: str) -> int:
    digits = text.upper().removeprefix("CR-")
    if not digits.isdigit():
        raise typer.BadParameter(f'"{text}" is not a change request; they are called CR-1, CR-2 …')
    return int(digits)
