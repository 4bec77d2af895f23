"""`metrics report`: a report as it would be now, or as it was sent; sending it. Arguments in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from metrics_catalog.cli import Json, app, console, note_read, print_json, project_of
from metrics_catalog.located import suggest
from metrics_catalog.query_text import day_range, parse_as_of
from orchestration.report_formats import FORMATS, rendered

if TYPE_CHECKING:
    from metrics_catalog.project import Project
    from metrics_catalog.report_files import ReportFile
    from metrics_catalog.reporting.making import Source
    from metrics_catalog.reporting.recipients import Audience
    from metrics_catalog.reporting.shelf import Row


@app.command()
def report(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help='A report, or "list".')],
    person: Annotated[str | None, typer.Option("--for", help="The copy this person of people.yml gets.")] = None,
    member: Annotated[str | None, typer.Option(help="The copy for this member, of a report with one for each.")] = None,
    issue: Annotated[str | None, typer.Option(help="As it was sent for this period, by any day of it.")] = None,
    as_of: Annotated[str | None, typer.Option(help="By what was published then: a day, a time, a version.")] = None,
    language: Annotated[str | None, typer.Option(help="en or zh; else the reader's own.")] = None,
    kind: Annotated[str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file, whose ending says the format.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Send what is due to everybody who has not got it.")] = False,
    as_json: Json = False,
) -> None:
    """Show a report: as it would be now, with --issue as it was; `metrics report list` says which there are."""
    if name == "list":
        _list(context, as_json)
        return
    if send:
        _send(context, name, as_json)
        return
    wanted = _format(kind, output, as_json)
    found = _reports(context)
    if name not in found:
        raise typer.BadParameter(f'there is no report "{name}"{suggest(name, found)}')
    if language not in (None, "en", "zh"):
        raise typer.BadParameter("--language is en or zh")
    source = _source(context)
    if issue is not None:
        _kept(context, found[name], issue, person, member, language, wanted, output)
        note_read(context, source.definitions.official, "report", found[name].spec.metrics, report=name)
        return
    audience = _audience(source, found[name], person, member, language)
    body = _body(source, found[name], audience, as_of)
    _give(body, wanted, output or _draft(project_of(context), name, wanted), output)
    note_read(context, source.definitions.official, "report", found[name].spec.metrics, report=name)


def _body(source: Source, report: ReportFile, audience: Audience, as_of: str | None) -> dict[str, Any]:
    from metrics_catalog.reporting.compose import compose
    from metrics_catalog.reporting.copy import Copy
    from metrics_catalog.reporting.making import make

    at = None if as_of is None else parse_as_of(as_of)
    issue = make(source, report, datetime.now(UTC), as_of=at)
    return compose(Copy(issue, audience.name, audience.language, audience.members)).as_json()


def _audience(
    source: Source, report: ReportFile, person: str | None, member: str | None, language: str | None
) -> Audience:
    """The copy that was asked for; without any word the total, in the report's language or English."""
    from metrics_catalog.reporting.recipients import TOTAL, Audience, copy_for

    people, spec = source.definitions.official.people, report.spec
    own: Any = language or spec.language
    if member is not None:
        if spec.audience.per is None:
            raise typer.BadParameter(f"{report.name} has no copies for members; its audience has no per")
        return Audience(f"{spec.audience.per}={member}", own or "en", ((spec.audience.per, member),))
    if person is None:
        return Audience(TOTAL, own or "en")
    if person not in people.people:
        raise typer.BadParameter(f'"{person}" is not among the people of people.yml{suggest(person, people.people)}')
    copies = copy_for(spec, people, person)
    if not copies:
        raise typer.BadParameter(f"{person} is not in the audience of {report.name}")
    if len(copies) > 1:
        names = ", ".join(one.members[0][1] or "" for one in copies)
        raise typer.BadParameter(f"{person} answers for several ({names}); say which with --member")
    return Audience(copies[0].name, own or copies[0].language, copies[0].members)


def _kept(
    context: typer.Context,
    report: ReportFile,
    when: str,
    person: str | None,
    member: str | None,
    language: str | None,
    kind: str,
    output: Path | None,
) -> None:
    """An issue as it was sent."""
    from metrics_catalog.engine.periods import Calendar
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.reporting import shelf

    project, source = project_of(context), _source(context)
    period = Calendar.of(source.definitions.official).start(report.spec.grain, day_range(when)[0])
    rows = [one for one in shelf.rows(open_store(project.ops), report.name) if one.state == "made"]
    of_period = [one for one in rows if one.period == period]
    if person is not None or member is not None:
        audience = _audience(source, report, person, member, language)
        of_period = [one for one in of_period if one.audience == audience.name]
        language = language or audience.language
    best = sorted(of_period, key=lambda one: (one.data["language"] != (language or "en"), one.key))
    if not best:
        issued = ", ".join(dict.fromkeys(one.period.isoformat() for one in rows)) or "none"
        raise typer.BadParameter(f"no such issue of {report.name} for {period}; there are: {issued}")
    sent = shelf.file_of(project, best[0], kind)
    if sent is not None and output is None:
        typer.echo(str(sent))
    elif sent is not None and output is not None:
        output.write_bytes(sent.read_bytes())
        typer.echo(f"wrote {output}")
    else:
        _give(
            shelf.body_of(project, best[0]), kind, output or project.state / str(best[0].path) / f"again.{kind}", output
        )


def _draft(project: Project, name: str, kind: str) -> Path:
    """Where what was not asked for as a file is written."""
    return project.issues / name / f"draft.{kind}"


def _give(body: Mapping[str, Any], kind: str, path: Path, output: Path | None) -> None:
    """Print what is text to be read on, write the rest to a file and say which."""
    content = rendered(body, kind)
    if kind in ("json", "slack", "mail") and output is None:
        typer.echo(content.decode())
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    typer.echo(f"wrote {path}")


def _format(kind: str | None, output: Path | None, as_json: bool) -> str:
    given = kind or ("json" if as_json else output.suffix.lstrip(".") if output else "html")
    if given not in FORMATS:
        raise typer.BadParameter(f'"{given}" is not a format; there are {", ".join(FORMATS)}')
    return given


def _list(context: typer.Context, as_json: bool) -> None:
    from metrics_catalog.governance.begun import has_store
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.reporting import shelf

    project, found = project_of(context), _reports(context)
    rows = shelf.rows(open_store(project.ops)) if has_store(project) else []
    last = {one.report: one for one in reversed(rows) if one.state == "made"}
    if as_json:
        print_json([_listed(one, last.get(one.name)) for one in found.values()])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("report", "label", "报表", "by", "schedule", "owner", "metrics", "last issue"):
        table.add_column(column, no_wrap=column == "report")
    for one in found.values():
        shown = _listed(one, last.get(one.name))
        table.add_row(one.name, one.spec.label.en, one.spec.label.zh, *(str(shown[key] or "-") for key in _LISTED))
    console().print(table if found else "no reports yet; add one: metrics_catalog/reports/<name>.yml")


_LISTED = ("grain", "schedule", "owner", "metrics", "last_issue")


def _listed(one: ReportFile, last: Row | None) -> dict[str, Any]:
    spec = one.spec
    described = {"report": one.name, "label": spec.label.model_dump(), "grain": spec.grain, "schedule": spec.schedule}
    issued = None if last is None else last.period.isoformat()
    return {**described, "owner": spec.owner, "metrics": len(spec.metrics), "last_issue": issued}


def _send(context: typer.Context, name: str, as_json: bool) -> None:
    from orchestration.reports import deliver

    outcome = deliver(context.find_root().meta["settings"], name)
    if as_json:
        print_json(vars(outcome))
    else:
        typer.echo(outcome.line)
    for error in outcome.errors:
        typer.echo(error, err=True)
    raise typer.Exit(3 if outcome.errors else 0)


def _source(context: typer.Context) -> Source:
    from metrics_catalog.reporting.making import Source

    return Source.of(project_of(context))


def _reports(context: typer.Context) -> dict[str, ReportFile]:
    """The reports of the project; of those that cannot be read, why."""
    from metrics_catalog.report_files import read_reports

    found, problems = read_reports(project_of(context))
    for problem in problems:
        typer.echo(str(problem), err=True)
    return found
