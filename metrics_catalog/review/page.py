"""A review as one page of HTML that needs nothing else: for a phone, a desk, a printer; light and dark."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from metrics_catalog.review.item import Item, Pack
from metrics_catalog.review.words import ACCEPT, KINDS, NOTHING, subtitle, title

if TYPE_CHECKING:
    from jinja2 import Template


def page(pack: Pack, language: str) -> str:
    """The page in one language."""
    groups: dict[str, list[tuple[int, Item]]] = {}
    for number, item in enumerate(pack.items, start=1):
        groups.setdefault(item.kind, []).append((number, item))
    return _template().render(
        language=language,
        title=title(pack, language),
        subtitle=subtitle(pack, language),
        facts=[(label[language], value) for label, value in pack.facts],
        groups=[(KINDS[kind][language], items) for kind, items in groups.items()],  # pyright: ignore[reportArgumentType]
        accept=ACCEPT[language].split("{key}")[0],
        nothing=NOTHING[language],
        unseen=pack.unseen.get(language, ""),
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader

    folder = Path(__file__).parent / "templates"
    return Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True).get_template("review.html")
