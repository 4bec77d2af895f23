"""A review as a message to those who govern, and notice to those who read what will end. Pure but for usage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from metrics_catalog.decisions.letters import addresses
from metrics_catalog.message import Attachment, Facts, Letter, Message, Paragraph, Part
from metrics_catalog.review.item import Item, Pack
from metrics_catalog.review.words import ACCEPT, KINDS, NOTHING, subtitle, title
from metrics_catalog.spec.people import Language, People
from metrics_catalog.wording import day

if TYPE_CHECKING:
    from metrics_catalog.governance.record import Version

SHOWN = 8  # items in a message; the page has them all
GROUP = "governance"


def group(people: People, named: str | None) -> list[str]:
    """Who governs: the policy's group, else all stewards, else all admins."""
    if named is not None:
        return [named]
    for role in ("steward", "admin"):
        if found := [name for name, person in people.people.items() if role in person.roles]:
            return found
    return [GROUP]


def letters(pack: Pack, people: People, named: str | None, folder: Path, state: Path, event: str) -> Iterator[Letter]:
    """The pack to each of the group, once for each ``event``; ``folder``: where its pages are, under ``state``."""
    seen: set[tuple[str, str]] = set()
    for name in group(people, named):
        for channel, address, language in addresses(people, name):
            if (channel, address) not in seen:
                seen.add((channel, address))
                file = (folder / f"review.{language}.html").relative_to(state).as_posix()
                key = f"review/{event}/{channel}/{address}"[:200]
                yield Letter(key, channel, address, message(pack, language, file))


def message(pack: Pack, language: Language, file: str) -> Message:
    """A pack, short: counts, the items that come first, the page attached."""
    counts: dict[str, int] = {}
    for item in pack.items:
        counts[item.kind] = counts.get(item.kind, 0) + 1
    pairs = tuple((KINDS[kind][language], str(count)) for kind, count in counts.items())  # pyright: ignore
    parts: list[Part] = [Paragraph(subtitle(pack, language), "muted")]
    parts += [Facts(pairs)] if pairs else [Paragraph(NOTHING[language], "good")]
    for item in _first(pack.items):
        parts.append(Paragraph(item.title[language], strong=True))
        said = f"{item.evidence[0][language]} {item.proposed[language]}" if item.evidence else item.proposed[language]
        asked = "" if item.proposal is None else f" ({ACCEPT[language].format(key=item.key)})"
        parts.append(Paragraph(said + asked))
    parts.append(Paragraph(pack.unseen.get(language, ""), "muted"))
    name = f"review-{pack.month[:7]}.html"
    return Message(title(pack, language), tuple(parts), language, attachments=(Attachment(file, name, "text/html"),))


def notices(
    name: str, label: dict[str, str], version: Version, readers: Iterable[str], people: People, today: date
) -> Iterator[Letter]:
    """To everybody who read a metric that will end: until when it is computed, and what to use instead."""
    if version.until is None or version.until < today:
        return
    for reader in readers:
        for channel, address, language in addresses(people, reader):
            key = f"ending/{name}/{version.number}/{channel}/{address}"[:200]
            yield Letter(key, channel, address, _ending(name, label[language], version, version.until, language))


def _ending(name: str, label: str, version: Version, until: date, language: Language) -> Message:
    if language == "zh":
        use = f"请改用 {version.successor}。" if version.successor else "没有替代指标。"
        text = f"您曾查看该指标。{use}如仍需要，请在此之前联系负责人：{version.reason}"
        return Message(f"{label}（{name}）将于{day(until, language)}后下线", (Paragraph(text),), language)
    use = f"Use {version.successor} instead." if version.successor else "Nothing takes its place."
    text = f"You have read it. {use} Say so before then if you need it: {version.reason}"
    return Message(f"{label} ({name}) ends after {day(until, language)}", (Paragraph(text),), language)


def _first(items: Iterable[Item]) -> list[Item]:
    """The items a message shows: those that ask for something, one of each kind before the second of any."""
    by_kind: dict[str, int] = {}
    ranked = []
    for place, item in enumerate(one for one in items if one.proposal is not None):
        by_kind[item.kind] = by_kind.get(item.kind, 0) + 1
        ranked.append((by_kind[item.kind], place, item))
    return [item for _, _, item in sorted(ranked, key=lambda one: one[:2])[:SHOWN]]
