"""people.yml: who owns, approves and is told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from metrics_catalog.spec.base import Label, Name, Spec, Text

PLATFORM = "platform"  # who did what nobody asked for; no person has this name
Role = Literal["viewer", "analyst", "owner", "steward", "admin"]
Language = Literal["en", "zh"]
Channel = Literal["slack", "email", "dingtalk", "feishu", "wecom", "webhook", "apprise", "console"]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


# A Slack channel or user id; a mail address; for the others the environment variable that holds the webhook's URL.
Channels = dict[Channel, Text]


class Person(Spec):
    """One person. ``answers_for``: members of dimensions this person answers for, as a store's manager does."""

    name: Text
    email: Email
    language: Language = "en"
    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = ("viewer",)
    channels: Channels = Field(default_factory=dict)
    answers_for: dict[Name, tuple[Text, ...]] = Field(default_factory=dict)


class Team(Spec):
    """A group that owns things together; ``members`` are people's names, the first answers first."""

    label: Label
    department: Name
    members: Annotated[tuple[Name, ...], Field(min_length=1)]
    channels: Channels = Field(default_factory=dict)
    language: Language = "en"


class People(Spec):
    """The whole file."""

    departments: dict[Name, Label]
    people: dict[Name, Person]
    teams: dict[Name, Team]

    @field_validator("people")
    @classmethod
    def _not_the_platform(cls, people: dict[str, Person]) -> dict[str, Person]:
        if PLATFORM in people:
            raise ValueError(f'"{PLATFORM}" is who does what nobody asked for; give the person another name')
        return people

    @property
    def owners(self) -> set[str]:
        """Names that may stand as an owner: people and teams."""
        return set(self.people) | set(self.teams)

    def behind(self, owner: str) -> tuple[str, ...]:
        """The people behind an owner: a team's members, or the person; nobody for a name that is gone."""
        if owner in self.teams:
            return self.teams[owner].members
        return (owner,) if owner in self.people else ()
