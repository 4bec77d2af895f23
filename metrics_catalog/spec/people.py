"""people.yml: who owns, approves and is told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from metrics_catalog.spec.base import Label, Name, Spec, Text

Role = Literal["viewer", "analyst", "owner", "steward", "admin"]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class Person(Spec):
    """One person."""

    name: Text
    email: Email
    language: Literal["en", "zh"] = "en"
    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = ("viewer",)


class Team(Spec):
    """A group that owns things together; ``members`` are people's names."""

    label: Label
    department: Name
    members: Annotated[tuple[Name, ...], Field(min_length=1)]


class People(Spec):
    """The whole file."""

    departments: dict[Name, Label]
    people: dict[Name, Person]
    teams: dict[Name, Team]

    @property
    def owners(self) -> set[str]:
        """Names that may stand as an owner: people and teams."""
        return set(self.people) | set(self.teams)

    def behind(self, owner: str) -> tuple[str, ...]:
        """The people an owner's name stands for: a team's members, or the person; none for who is not here."""
        team = self.teams.get(owner)
        return team.members if team else (owner,) if owner in self.people else ()
