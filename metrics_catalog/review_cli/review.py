"""`metrics review`: makes it, prints it, accepts what it proposes. Arguments in, text out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from metrics_catalog.cli import Json, app, print_json, project_of
from metrics_catalog.governance.begun import official_catalog
from metrics_catalog.governance_cli.shared import follow_up, office_of, print_requests, user_of
from metrics_catalog.located import suggest
from metrics_catalog.query_text import day_range
from metrics_catalog.review_cli.shared import desk_of, print_lines, shown

review_app = typer.Typer(help="The review of the metric system.", invoke_without_command=True)
app.add_typer(review_app, name="review")


@review_app.callback()
def review(
    context: typer.Context,
    month: Annotated[str | None, typer.Option(help="A month, 2017-12; else that of the last day.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Also to the governance group.")] = False,
    as_json: Json = False,
) -> None:
    """Review the metric system: what nobody uses, what cries wolf, what waits; each item can be accepted."""
    if context.invoked_subcommand is not None:
        return
    from metrics_catalog.review.make import keep, pack_of, scene_of, tell
    from metrics_catalog.review.words import title

    project = project_of(context)
    scene = scene_of(project, datetime.now(UTC), None if month is None else day_range(month)[0])
    pack = pack_of(scene, "demand")
    folder = keep(pack, project)
    if send:
        tell(pack, scene, project, folder, f"demand/{pack.made_at}")
    if as_json:
        print_json({**pack.as_json(), "folder": str(folder)})
        return
    typer.echo(title(pack, "en"))
    for number, item in enumerate(pack.items, start=1):
        print_lines(
            [f"\n{number}  {item.key}", f"   {item.title['en']}", *(f"   {one['en']}" for one in item.evidence)]
        )
        print_lines([f"   → {item.proposed['en']}"])
    typer.echo(f"\n{pack.unseen['en']}\npage: {folder / 'review.en.html'}, {folder / 'review.zh.html'}")


@review_app.command()
def accept(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="An item's key, of the newest review that has it; or its number there.")],
    now: Annotated[bool, typer.Option("--now", help="Retire at once, without a grace.")] = False,
    as_json: Json = False,
) -> None:
    """Ask for what an item proposes: a change request, or a decision."""
    from metrics_catalog.decisions.record import Decision
    from metrics_catalog.review.accept import accept as ask
    from metrics_catalog.review.make import kept

    project = project_of(context)
    packs = [pack for _, pack in kept(project)]
    # A review of an earlier month is as of that month's end, so the one just read need not be the newest.
    among = packs[:1] if item.isdigit() else packs
    found = next((one for pack in among if (one := pack.item(item)) is not None), None)
    if found is None:
        keys = [one.key for pack in packs[:1] for one in pack.items]
        hint = suggest(item, keys) if packs else "; make one with `metrics review`"
        raise typer.BadParameter(f'the last review has no item "{item}"{hint}')
    made = ask(found, lambda: office_of(context), lambda: desk_of(context)[0], user_of(context), project.root, now)
    if isinstance(made, Decision):
        shown(official_catalog(project), made, as_json)
        return
    office = office_of(context)
    follow_up(context, office, [made])
    print_requests(office, [made], as_json)
