"""The command line's `metrics backtest`: what rules would have fired. Arguments in, text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from metrics_catalog import wording
from metrics_catalog.cli import Json, app, console, known_metric, print_json, project_of
from metrics_catalog.governance.begun import Definitions, definitions_of
from metrics_catalog.located import suggest

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog
    from metrics_catalog.monitoring.backtest import Backtest, Fired
    from metrics_catalog.monitoring.finding import RuleName

SHOWN = 20


@app.command()
def backtest(
    context: typer.Context,
    metric: Annotated[str | None, typer.Argument(help="A metric; without, how much every owner would be told.")] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Only this rule: bounds, target, drift, change, anomaly, shift, missing.")
    ] = None,
    days: Annotated[int, typer.Option(help="How far back.", min=7, max=1000)] = 180,
    wanted: Annotated[float | None, typer.Option(help="Messages a week the metric may send.", min=0)] = None,
    as_json: Json = False,
) -> None:
    """Show what the rules of a metric file, certified or not, would have fired on what is published."""
    from metrics_catalog.monitoring.backtest import backtest as test
    from metrics_catalog.monitoring.backtest import loads
    from metrics_catalog.published.reader import Published

    definitions = definitions_of(project_of(context))
    snapshot = Published(project_of(context).published).at()
    if metric is None:
        found = loads(definitions.files, snapshot, days)
        print_json(_rounded(found)) if as_json else _show_loads(found, definitions.files)
        return
    entry = known_metric(definitions.files, metric)
    if note := _not_as_published(definitions, metric):
        typer.echo(note, err=True)
    made = test(definitions.files, snapshot, metric, days, _rules(rule or []), wanted)
    if as_json:
        print_json(made.as_json())
        return
    _show(made, entry.spec.unit)


def _rules(names: list[str]) -> tuple[RuleName, ...]:
    from metrics_catalog.monitoring.detectors import DETECTORS

    for name in names:
        if name not in DETECTORS:
            known = ", ".join(DETECTORS)
            raise typer.BadParameter(f'there is no rule "{name}"{suggest(name, DETECTORS)}; there are {known}')
    return tuple(rule for rule in DETECTORS if rule in names)


def _not_as_published(definitions: Definitions, metric: str) -> str | None:
    from metrics_catalog.engine.fingerprint import calculations

    official, files = definitions.official, definitions.files
    if metric not in official.metrics:
        return f"{metric} is not certified: nothing is published of it"
    if calculations(official)[metric] != calculations(files)[metric]:
        return f"{metric} is computed differently in its file: the values are those of the certified definition"
    return None


def _show(made: Backtest, unit: str) -> None:
    typer.echo(f"{made.metric}: {_times(len(made.fired))} in {made.days} days up to {made.last}")
    for name, count in Counter(one.worst.rule for one in made.fired).most_common():
        typer.echo(f"  {name}: {_times(count)}")
    if made.fired:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("when", "rule", "level", "slice", "value", "expected", "known event"):
            table.add_column(column, no_wrap=True)
        for one in made.fired[-SHOWN:]:
            table.add_row(*map(escape, _row(one, unit)))
        console().print(table)
        if len(made.fired) > SHOWN:
            typer.echo(f"… and {len(made.fired) - SHOWN} before; --json has them all")
    for why, count in made.too_little.items():
        typer.echo(f"anomalies are not looked for in {count} of {made.watched} series: {why}")
    typer.echo("\n".join(_load(made)))


def _times(count: int) -> str:
    return "would not have fired" if count == 0 else f"would have fired {count} time{'s' if count > 1 else ''}"


def _row(one: Fired, unit: str) -> tuple[str, ...]:
    found = one.worst
    when = wording.period(found.series.grain, one.first, "en")
    until = "" if one.last == one.first else f" to {wording.period(found.series.grain, one.last, 'en')}"
    value, expected = (wording.number(value, unit, "en") for value in (found.value, found.expected))
    members = wording.members(found.series.members, "en")
    return when + until, found.rule, found.level, members, value, expected, (found.event or {}).get("en", "")


def _load(made: Backtest) -> Iterator[str]:
    low, high = made.room
    total = made.weekly + made.others
    yield f"{made.weekly:.1f} messages a week; with all its metrics {made.owner} gets {total:.1f} (room: {low}-{high})"
    if made.by_sensitivity:
        shown = ", ".join(f"{name} {load:.1f}" for name, load in made.by_sensitivity.items())
        yield f"messages a week by sensitivity: {shown}"
        best = made.suggested
        within = f"for at most {made.wanted:.1f} a week"
        yield f"{within}: sensitivity {best}" if best else f"{within}: even low is too much; watch fewer slices"


def _show_loads(found: dict[str, dict[str, float]], catalog: Catalog) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    low, high = catalog.policy.monitoring.weekly_alerts
    for column in ("owner", "messages a week", f"room {low}-{high}", "most from"):
        table.add_column(column)
    for owner, of in found.items():
        total = sum(of.values())
        most = [f"{name} {load:.1f}" for name, load in sorted(of.items(), key=lambda one: -one[1])[:3] if load]
        table.add_row(owner, f"{total:.1f}", "too many" if total > high else "fine", ", ".join(most))
    console().print(table)


def _rounded(found: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {owner: {name: round(load, 2) for name, load in of.items()} for owner, of in found.items()}
