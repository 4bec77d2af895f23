"""The command line's catalog half: list, show, query. Arguments to functions and results to text, nothing else.

The command `metrics` itself is put together in `orchestration.cli`, which adds what runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.decomposition import calculation
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.query import Result
from metrics_catalog.governance.begun import Definitions, definitions_of, official_catalog
from metrics_catalog.located import InvalidFiles, suggest
from metrics_catalog.project import Project
from metrics_catalog.query_text import parse_query

if TYPE_CHECKING:
    from metrics_catalog.governance.status import Status

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

PIPE_WIDTH = 1000
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def project_of(context: typer.Context) -> Project:
    """The project this command works on (set by the caller of `app`)."""
    return context.find_root().obj


def note_read(context: typer.Context, catalog: Catalog, face: str, metrics: Iterable[str], **what: Any) -> None:
    """Take note that somebody was shown these metrics; `metrics usage` prints it."""
    if not catalog.policy.usage.record:
        return
    from metrics_catalog.usage import Recorder

    recorder = Recorder(project_of(context), catalog.policy.usage)
    recorder.note(face, context.find_root().meta.get("user"), metrics, **what)
    recorder.flush()


@app.command(name="list")
def list_metrics(
    context: typer.Context,
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None,
    as_json: Json = False,
) -> None:
    """List the metrics with their state, labels, owners and tiers; those that wait to be certified or mended, too."""
    known, states = _known(project_of(context))
    catalog = _with_proposed(known)
    entries = [entry for entry in catalog.metrics.values() if domain in (None, entry.domain)]
    unread = [one for one in _unread(known, catalog) if domain in (None, one["domain"])]
    if as_json:
        described = [{**_described(catalog, entry), **states[entry.name].as_json()} for entry in entries]
        print_json([*described, *({**one, **states[one["metric"]].as_json()} for one in unread)])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("metric", "domain", "label", "指标", "type", "tier", "owner", "grains", "state"):
        table.add_column(column, no_wrap=column in ("metric", "domain"))
    for entry in entries:
        spec = entry.spec
        words = (spec.label.en, spec.label.zh, spec.type, f"T{spec.tier}", spec.owner, " ".join(spec.grains))
        table.add_row(entry.name, entry.domain, *words, escape(str(states[entry.name])))
    for one in unread:
        table.add_row(one["metric"], one["domain"], *([""] * 6), escape(str(states[one["metric"]])))
    console().print(table)


@app.command()
def show(
    context: typer.Context,
    metric: str,
    tree: Annotated[bool, typer.Option("--tree", help="What it is made of, with the last published values.")] = False,
    grain: Annotated[str | None, typer.Option(help="Grain of the values in the tree.")] = None,
    as_json: Json = False,
) -> None:
    """Show one metric: what it means, how it is computed, who answers for it; of a retired one, as it was."""
    from metrics_catalog.governance.status import ended_as

    if tree:
        catalog = official_catalog(project_of(context))
        _show_tree(project_of(context), catalog, known_metric(catalog, metric), grain, as_json)
        note_read(context, catalog, "show", [metric], grain=grain)
        return
    known, states = _known(project_of(context))
    catalog = with_retired(known, _with_proposed(known), metric)
    if metric not in catalog.metrics and metric in known.faults:
        raise InvalidFiles(known.faults[metric])
    entry = known_metric(catalog, metric)
    described, state = _described(catalog, entry), states.get(metric) or ended_as(known, metric)
    if as_json:
        print_json({**described, **state.as_json()})
    else:
        _print_described({**described, "state": str(state)})
    note_read(context, catalog, "show", [metric])


@app.command()
def query(
    context: typer.Context,
    metrics: Annotated[list[str], typer.Argument(help="One or more metrics.")],
    grain: Annotated[str, typer.Option(help="hour, day, week, month, quarter, year or an own one.")] = "month",
    by: Annotated[list[str] | None, typer.Option(help="Dimensions to slice by: --by store --by brand.")] = None,
    where: Annotated[list[str] | None, typer.Option(help='A filter: brand=Private, "store in 367,406".')] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day, month or year.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last day, month or year, included.")] = None,
    as_of: Annotated[str | None, typer.Option(help="As published then: a day, a time, or a version number.")] = None,
    kind: Annotated[str | None, typer.Option("--format", help="table, csv, json, parquet or arrow.")] = None,
    output: Annotated[Path | None, typer.Option(help="A file, whose ending says the format.")] = None,
    as_json: Json = False,
) -> None:
    """Print official values, as last published or as they were published before."""
    from metrics_catalog.governance.status import ended_as, marked
    from metrics_catalog.published.answer import answer
    from metrics_catalog.published.formats import write
    from metrics_catalog.published.reader import Published

    project = project_of(context)
    definitions = definitions_of(project)
    grains = Calendar.of(definitions.official).grains
    wanted = parse_query(metrics, grain, by or (), where or (), start, end, as_of, grains)
    retired = {name: entry for name in metrics if (entry := definitions.retired(name)) is not None}
    for name in metrics:
        if name in retired and as_of is None:
            ended = ended_as(definitions, name).ending
            raise typer.BadParameter(f"{name} was {ended}; read what was published of it with --as-of DAY")
        if name in {*definitions.files.metrics, *definitions.faults} - {*retired, *definitions.official.metrics}:
            raise typer.BadParameter(f'"{name}" is not certified, so nothing is published for it')
    result = marked(answer(wanted, definitions.official, Published(project.published), retired), definitions)
    for name, marks in result.marks.items():
        for mark in marks:
            typer.echo(f"{name}: {mark}", err=True)
    if as_json:
        print_json(_answered(result))
    else:
        write(result.table, kind or (None if output else "table"), output)  # pyright: ignore[reportArgumentType]
    filtered = [one.dimension for one in wanted.where]
    note_read(context, definitions.official, "query", wanted.metrics, grain=grain, by=wanted.by, where=filtered)


@app.command()
def impact(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A metric, dbt model, source (clean.tills), or column (model.column).")],
    as_json: Json = False,
) -> None:
    """Show what something is made of, and whose metrics would change with it."""
    from metrics_catalog import lineage
    from metrics_catalog.semantic import UnknownName

    try:
        found = lineage.impact(official_catalog(project_of(context)), name)
    except UnknownName as unknown:
        raise typer.BadParameter(str(unknown)) from None
    if as_json:
        print_json({**asdict(found), "people": found.people})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("metric that would change", "by", "through", "owner", "people"):
        table.add_column(column)
    for one in found.metrics:
        table.add_row(one.metric, one.how, " ".join(one.through), one.owner, " ".join(one.people))
    console().print(table if found.metrics else "No metric would change.")
    words = {
        "reports that would change": found.reports,
        "models that would change": found.models,
        **{f"from {kind}": of for kind, of in found.made_of.items()},
    }
    for title, names in {**words, "counted whole, as their SQL cannot be followed": found.untraced}.items():
        if names:
            console().print(f"\n[bold]{title.replace('_', ' ')}[/bold]: {escape(', '.join(names))}")


def _print_described(described: dict[str, Any]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in described.items():
        table.add_row(key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    console().print(table)


def _show_tree(project: Project, catalog: Catalog, entry: Entry, grain: str | None, as_json: bool) -> None:
    from metrics_catalog.published.explain import explain
    from metrics_catalog.published.reader import Published

    grains = Calendar.of(catalog).grains
    wanted = parse_query([entry.name], grain or entry.spec.grains[-1], grains=grains).grain
    explained = explain(catalog, Published(project.published), entry.name, wanted)
    if as_json:
        print_json(explained.as_json())
        return
    branches: list[Tree] = []
    for depth, one in explained.walk():
        node = one.node
        name = f"{node.role}: {node.metric}" if node.role and node.metric else node.metric or node.role
        value = "" if one.value is None else f" = {one.value.normalize():f} ({one.period})"
        text = escape(f"{name}{value}  {node.calculation}")
        branches[depth:] = [branches[depth - 1].add(text) if depth else Tree(text)]
    console().print(branches[0])


def _answered(result: Result) -> dict[str, Any]:
    return {
        "metrics": dict(result.definitions),
        "version": result.version,
        "published_at": result.published_at.isoformat(),
        "closed_through": result.closed_through.isoformat(),
        "marks": result.marks,
        "notes": result.notes,
        "rows": result.table.to_pylist(),
    }


def _known(project: Project) -> tuple[Definitions, dict[str, Status]]:
    """The definitions, and where each metric stands."""
    from metrics_catalog.governance.status import statuses
    from metrics_catalog.published.history import latest
    from metrics_catalog.published.places import values_folder

    definitions, last = definitions_of(project), latest(values_folder(project.published))
    return definitions, statuses(definitions, None if last is None else last.info)


def _with_proposed(definitions: Definitions) -> Catalog:
    """What is official, and metrics that only stand in a file yet."""
    files, official = definitions.files, definitions.official
    new = {name: entry for name, entry in files.metrics.items() if name not in official.metrics}
    ordered = sorted([*official.metrics.values(), *new.values()], key=lambda entry: (entry.domain, entry.name))
    return replace(official, metrics={entry.name: entry for entry in ordered})


def with_retired(definitions: Definitions, catalog: Catalog, name: str) -> Catalog:
    """The catalog, and a retired metric in it as it was last certified."""
    entry = None if name in catalog.metrics else definitions.retired(name)
    return catalog if entry is None else replace(catalog, metrics={**catalog.metrics, name: entry}, eras=())


def _unread(definitions: Definitions, catalog: Catalog) -> list[dict[str, str]]:
    """Proposed metrics whose file is at fault, so that nothing else is known of them."""
    faults = {name: found[0].path for name, found in definitions.faults.items() if name not in catalog.metrics}
    return [{"metric": name, "domain": Path(path).parent.name, "file": path} for name, path in sorted(faults.items())]


def known_metric(catalog: Catalog, name: str) -> Entry:
    """A metric by name. Raises a usage error with the nearest name."""
    if name not in catalog.metrics:
        raise typer.BadParameter(f'there is no metric "{name}"{suggest(name, catalog.metrics)}')
    return catalog.metrics[name]


def _described(catalog: Catalog, entry: Entry) -> dict[str, Any]:
    spec = entry.spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    members = list(catalog.people.behind(entry.spec.owner)) or [entry.spec.owner]
    about = {
        "metric": entry.name,
        "domain": entry.domain,
        "file": entry.document.path,
        "calculation": calculation(entry.spec),
    }
    return {**about, **spec, **about, "answers": members, "models": list(catalog.models(entry.name))}


def print_json(value: Any) -> None:
    """One JSON document on standard output, Chinese as it is."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def console() -> Console:
    """A console as wide as the terminal; in a pipe nothing is wrapped or cut."""
    return Console(width=None if Console().is_terminal else PIPE_WIDTH, highlight=False)
