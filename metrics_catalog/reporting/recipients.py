"""Who gets which copy of a report, and where. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from metrics_catalog.monitoring.routing import CONSOLE, EVERYBODY, Recipient, addresses
from metrics_catalog.reporting.numbers import Members
from metrics_catalog.spec.people import Language, People
from metrics_catalog.spec.report import Report

TOTAL = "all"


@dataclass(frozen=True)
class Audience:
    """One copy: ``name`` says of what ("all", "store=367"), in one language, with the addresses it goes to."""

    name: str
    language: Language
    members: Members = ()
    readers: tuple[Recipient, ...] = ()

    @property
    def folder(self) -> str:
        """Its folder's name: readable where the member's name allows it."""
        safe = "".join(char for char in self.name if char.isascii() and (char.isalnum() or char in "=-_."))
        mark = "" if safe == self.name else f"-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"
        return f"{safe[:60]}{mark}-{self.language}"


def audiences(report: Report, people: People, members: Iterable[str] = ()) -> list[Audience]:
    """Every copy somebody is to get. ``members``: those of the dimension of ``per`` that have numbers.

    Whoever has no channel reads on the console, where nobody else would have been told either.
    """
    found: dict[tuple[str, Members, Language], list[Recipient]] = {}
    for name in (*report.audience.people, *report.audience.teams):
        for reader in _addresses(people, name):
            found.setdefault((TOTAL, (), report.language or reader.language), []).append(reader)
    if report.audience.per is not None:
        for member in members:
            for reader in _answering(people, report.audience.per, member):
                one, inside = f"{report.audience.per}={member}", ((report.audience.per, member),)
                found.setdefault((one, inside, report.language or reader.language), []).append(reader)
    return [Audience(name, language, inside, _once(readers)) for (name, inside, language), readers in found.items()]


def copy_for(report: Report, people: People, person: str) -> list[Audience]:
    """The copies one person would read: the total, or a copy for each member the person answers for."""
    known = people.people[person]
    language = report.language or known.language
    mine = known.answers_for.get(report.audience.per, ()) if report.audience.per else ()
    if mine:
        per = str(report.audience.per)
        return [Audience(f"{per}={member}", language, ((per, member),)) for member in mine]
    return [Audience(TOTAL, language)] if is_reader(report, people, person) else []


def is_reader(report: Report, people: People, person: str) -> bool:
    """Whether a person is meant by the people and teams it names."""
    return person in report.audience.people or any(person in people.behind(team) for team in report.audience.teams)


def _answering(people: People, dimension: str, member: str) -> Iterator[Recipient]:
    for name, person in people.people.items():
        if member in person.answers_for.get(dimension, ()):
            yield from _addresses(people, name)


def _addresses(people: People, name: str) -> Sequence[Recipient]:
    found = list(addresses(people, name, "audience"))
    if found or name not in people.owners:
        return found
    holder = people.people.get(name) or people.teams[name]
    return [Recipient(name, CONSOLE, EVERYBODY, holder.language, "nobody")]


def _once(readers: Collection[Recipient]) -> tuple[Recipient, ...]:
    return tuple({(one.channel, one.address): one for one in readers}.values())
