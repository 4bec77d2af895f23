"""What is told of a decision, as messages to whoever it concerns, each in their language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.decisions.outcome import Outcome
from metrics_catalog.decisions.words import asked_facts, outcome_lines
from metrics_catalog.message import Button, Buttons, Facts, Letter, Message, Paragraph
from metrics_catalog.spec.people import Language, People

if TYPE_CHECKING:
    from metrics_catalog.catalog import Entry
    from metrics_catalog.decisions.record import Decision

CONSOLE = "console"


def addresses(people: People, owner: str) -> list[tuple[str, str, Language]]:
    """(channel, address, language) of an owner: of a team its own channel, else of each member; else the console.

    The first channel a person or team names is the one they read.
    """
    team = people.teams.get(owner)
    if team is not None and team.channels:
        return [(*next(iter(team.channels.items())), team.language)]
    found: list[tuple[str, str, Language]] = []
    for name in people.behind(owner):
        person = people.people.get(name)
        if person is not None:
            channel, address = next(iter(person.channels.items()), (CONSOLE, name))
            found.append((channel, address, person.language))
    return found or [(CONSOLE, owner, "en")]


def opened(decision: Decision, entry: Entry, people: People) -> Iterator[Letter]:
    """To the owner of an action that somebody else decided on."""
    for channel, address, language in addresses(people, decision.owner):
        chinese = language == "zh"
        label = entry.spec.label.to(language)
        title = (
            f"{decision.name} 由您负责：{decision.action}"
            if chinese
            else f"{decision.name} is yours: {decision.action}"
        )
        hint = (
            f"完成后：metrics decisions done {decision.name}；更改：metrics decide {decision.name}"
            if chinese
            else f"Once done: metrics decisions done {decision.name}; to change it: metrics decide {decision.name}"
        )
        parts = (
            Facts(tuple(asked_facts(decision, label, entry.spec.unit, language))),
            Buttons((Button("已完成" if chinese else "Done", "decision_done", decision.name, primary=True),)),
            Paragraph(hint, "muted"),
        )
        key = f"decision/{decision.number}/opened/{channel}/{address}"[:200]
        yield Letter(key, channel, address, Message(title, parts, language))


def measured(decision: Decision, outcome: Outcome, entry: Entry, people: People) -> Iterator[Letter]:
    """To its owner, and whoever decided: what came of it."""
    seen: set[tuple[str, str]] = set()
    for channel, address, language in [*addresses(people, decision.owner), *addresses(people, decision.author)]:
        if (channel, address) in seen:
            continue
        seen.add((channel, address))
        label = entry.spec.label.to(language)
        title, lines = outcome_lines(decision, outcome, label, entry.spec.unit, language)
        tone = {"met": "good", "not met": "bad"}.get(outcome.verdict, "plain")
        first, *rest = lines
        parts = (
            Paragraph(first, tone, strong=True),  # pyright: ignore[reportArgumentType]
            *(Paragraph(line) for line in rest),
            Facts(tuple(asked_facts(decision, label, entry.spec.unit, language))),
        )
        key = f"decision/{decision.number}/measured/{channel}/{address}"[:200]
        yield Letter(key, channel, address, Message(title, parts, language))
