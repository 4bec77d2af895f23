"""The command `metrics`: the catalog's commands and those that run, and which exit code an error gets.

0 fine, 1 the data or a definition is at fault, 2 wrong usage, 3 the system failed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import metrics_catalog.backtest_cli
import metrics_catalog.governance_cli
import metrics_catalog.monitoring_cli
import metrics_catalog.review_cli  # noqa: F401
import orchestration.outbox_cli
import orchestration.report_cli  # noqa: F401 - their commands join `app`
from metrics_catalog.cli import app, console, print_json
from orchestration.collector import leave_all, seldom
from orchestration.settings import Settings, read_settings

if TYPE_CHECKING:
    from orchestration.summary import Summary

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.callback()
def prepare(
    context: typer.Context,
    project: Annotated[Path | None, typer.Option(help="The project (default: METRICS_PROJECT, else here).")] = None,
    debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False,
) -> None:
    """Metric center: runs, governs and watches a company's numbers."""
    settings = read_settings(project=project)
    if context.invoked_subcommand not in ("init", "import-dbt"):
        settings.must_be_project()
    context.obj = settings.locate()
    context.meta["settings"] = settings
    context.meta["debug"] = debug
    context.meta["user"] = settings.user


@app.command()
def run(
    context: typer.Context,
    select: Annotated[str | None, typer.Option(help='Only these assets: "clean/products", "group:sales".')] = None,
    as_json: Json = False,
) -> None:
    """Refresh: land, clean, build, publish whatever changed since last time."""
    _run(_settings(context), select, as_json)


@app.command()
def demo(
    context: typer.Context,
    days: Annotated[int | None, typer.Option(help="Only the first days of the year.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Lay out the demo's data, certify it once, refresh, report, review, measure all that; say where to look."""
    from orchestration.commands import certify_once, lay_out_demo, measure_itself, next_steps
    from orchestration.commands import run as refresh
    from orchestration.reports import shown
    from orchestration.reviewing import reviewed
    from orchestration.summary import together

    settings = _settings(context)
    lay_out_demo(settings, days, quiet=as_json)
    certified_by = certify_once(settings)
    summary = refresh(settings, quiet=as_json)
    if summary.held:
        _print(summary, as_json)
    report, review = shown(settings), reviewed(settings.locate())
    # What was published, told and reviewed just now is what the platform measures itself by.
    itself = measure_itself(settings, quiet=as_json)
    own = None if itself is None else shown(settings, own=True)
    _print(summary if itself is None else together(summary, itself), as_json)
    if not as_json:
        typer.echo("\n" + next_steps(settings, certified_by, report, review, own))


@app.command()
def init(folder: Path) -> None:
    """Write an empty project of the same shape into a new folder."""
    from orchestration.scaffold import create

    made = create(folder)
    typer.echo(f"wrote {made}\nread its README.md, then: cd {made} && metrics check")


@app.command()
def check(context: typer.Context, as_json: Json = False) -> None:
    """Check every file of the project; print each problem with its file and line."""
    from orchestration.check import check_project

    checked = check_project(_settings(context))
    if as_json:
        found = [{"file": p.path, "line": p.line, "level": p.level, "message": p.message} for p in checked.problems]
        print_json({**checked.counts, "problems": found})
    else:
        for problem in checked.problems:
            typer.echo(str(problem))
        typer.echo(", ".join(f"{count} {what}" for what, count in checked.counts.items()))
    raise typer.Exit(1 if checked.errors else 0)


@app.command()
def generate(context: typer.Context) -> None:
    """Write the files made from others: metric models, JSON Schemas, shared dbt macros."""
    from orchestration.declared import read_declared
    from orchestration.generate import write

    declared = read_declared(_settings(context))
    changed = write(declared.catalog)
    for path in changed:
        typer.echo(path.relative_to(declared.project.root).as_posix())
    if not changed:
        typer.echo("everything is up to date")


@app.command(name="import-dbt")
def import_dbt(
    folder: Annotated[Path, typer.Argument(help="A dbt project with a semantic layer; nothing is written to it.")],
    as_json: Json = False,
) -> None:
    """Report what a dbt project's metrics are here: taken over, missing, not read and why (then it ends with 1)."""
    from orchestration.exchange import import_dbt as report

    found = report(folder)
    if as_json:
        print_json(found.as_json())
    else:
        typer.echo("\n".join(found.lines()))
    raise typer.Exit(1 if found.not_read else 0)


@app.command()
def export(
    context: typer.Context,
    kind: Annotated[
        str, typer.Option("--format", help="dbt (semantic layer of dbt 1.11) or osi (0.2.0.dev0).")
    ] = "dbt",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file, or a folder for metrics.yml.")] = None,
    files: Annotated[bool, typer.Option("--files", help="What the files say, drafts too.")] = False,
) -> None:
    """Write the certified definitions for other tools; says on standard error what is not in them."""
    from orchestration.exchange import export as write

    exported = write(_settings(context), kind, files)
    if exported.said:
        typer.echo(f"exported {exported.said}", err=True)
    for name, reason in exported.left_out.items():
        typer.echo(f"left out  {name}: {reason}", err=True)
    if output is None:
        typer.echo(exported.text, nl=False)
        return
    path = output / "metrics.yml" if output.is_dir() else output
    path.write_text(exported.text, encoding="utf-8")
    typer.echo(f"wrote {path}")


@app.command()
def up(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port of the webserver.", min=1, max=65535)] = None,
    postgres: Annotated[str | None, typer.Option(help="URL of a database for Dagster's records.")] = None,
) -> None:
    """Start Dagster's webserver, daemon and code server; Ctrl-C stops them."""
    from orchestration.commands import up as serve

    given = {"METRICS_PORT": port, "METRICS_DAGSTER_POSTGRES_URL": postgres}
    overrides = {name: str(value) for name, value in given.items() if value is not None}
    serve(read_settings(project=_settings(context).project, overrides=overrides))


def main() -> None:
    """Entry point of the command."""
    debug = "--debug" in sys.argv
    with seldom():
        try:
            code = app(standalone_mode=False)
        except (typer.Abort, KeyboardInterrupt):
            raise SystemExit(130) from None
        except Exception as error:
            if debug:
                raise
            raise SystemExit(_explain(error)) from None
        finally:
            leave_all()
    # Outside its standalone mode typer hands an Exit's code back.
    raise SystemExit(code if isinstance(code, int) else 0)


def _explain(error: Exception) -> int:
    show = getattr(error, "show", None)
    if isinstance(error, typer.TyperException) and show is not None:
        show()
        return 2
    from orchestration.faults import exit_code, message

    typer.echo(message(error), err=True)
    return exit_code(error)


def _run(settings: Settings, select: str | None, as_json: bool) -> None:
    from orchestration.commands import run as refresh

    _print(refresh(settings, select, quiet=as_json), as_json)


def _print(summary: Summary, as_json: bool) -> None:
    """The summary; ends with 1 when anything is held back."""
    from orchestration.summary import footer, table

    if as_json:
        print_json(summary.as_json())
    else:
        if summary.sources or not summary.is_dbt:
            console().print(table(summary))
        typer.echo("\n" + "\n".join(footer(summary)))
    for reason in (reason for one in summary.held for reason in one.why):
        typer.echo(f"held back: {reason}", err=True)
    if summary.held:
        raise typer.Exit(1)


def _settings(context: typer.Context) -> Settings:
    return context.find_root().meta["settings"]
