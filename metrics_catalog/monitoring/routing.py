"""Who is told of a trouble, where, and who comes next when nobody answers. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.spec.alerting import Alerts, Route
from metrics_catalog.spec.people import Language, People

CONSOLE = "console"
EVERYBODY = "everybody"  # the address of whoever reads the log, where nobody has a channel
DATA: tuple[str, ...] = ("late", "check", "code", "restatement", "fault")  # of these a store's manager can mend nothing


@dataclass(frozen=True)
class Recipient:
    """One address. ``name``: the person, team or department told there; ``why``: owner, slice, source, route, role."""

    name: str
    channel: str
    address: str
    language: Language
    why: str

    @property
    def key(self) -> str:
        """Short and the same for the same address, as part of a letter's key."""
        return hashlib.sha256(f"{self.channel} {self.address}".encode()).hexdigest()[:12]


def recipients(catalog: Catalog, trouble: Trouble, avoid: Collection[str] = ()) -> tuple[Recipient, ...]:
    """Everybody to be told, each address once; the log, where nobody can be reached.

    ``avoid``: channels that fail, and single addresses of one, as ``slack:#data``.
    """
    found: dict[tuple[str, str], Recipient] = {}
    for name, why in _named(catalog, trouble):
        for one in addresses(catalog.people, name, why, avoid):
            found.setdefault((one.channel, one.address), one)
    return tuple(found.values()) or (Recipient(EVERYBODY, CONSOLE, EVERYBODY, "en", "nobody"),)


def addresses(people: People, name: str, why: str, avoid: Collection[str] = ()) -> Iterator[Recipient]:
    """Where a person, a team (else its members) or a department (its teams) is told: by the first channel named."""
    if name in people.departments and name not in people.owners:
        for team, spec in people.teams.items():
            if spec.department == name:
                yield from addresses(people, team, why, avoid)
        return
    holder = people.teams.get(name) or people.people.get(name)
    if holder is None:
        return
    usable = [pair for pair in holder.channels.items() if not {pair[0], ":".join(pair)} & set(avoid)]
    if usable:
        channel, address = usable[0]
        yield Recipient(name, channel, address, holder.language, why)
    elif name in people.teams:
        for member in people.teams[name].members:
            yield from addresses(people, member, why, avoid)


def answering(catalog: Catalog, trouble: Trouble) -> tuple[str, ...]:
    """People who answer for a trouble, in the order in which they are asked; whoever has the last role comes last."""
    people = catalog.people
    named = [person for name, _ in _named(catalog, trouble) for person in _persons(people, name)]
    last = [name for name, person in people.people.items() if catalog.policy.alerts.escalate_to in person.roles]
    return tuple(dict.fromkeys([*named, *last]))


def _named(catalog: Catalog, trouble: Trouble) -> Iterator[tuple[str, str]]:
    """Names and why they are told: who can mend it, who owns the number, whose slice it is, by policy."""
    cause = trouble.explained.cause
    yield from ((owner, "source") for owner in trouble.owners)
    if trouble.metrics and not (cause in DATA and trouble.owners and not trouble.findings):
        entry = catalog.metrics.get(trouble.metrics[0])
        yield from [(entry.spec.owner, "owner")] if entry is not None else []
    if cause not in DATA:
        yield from ((person, "slice") for person in _slice_owners(catalog.people, trouble))
    yield from ((name, "route") for route in _matching(catalog, trouble) for name in route.to)
    if cause == "fault" and not any(cause in route.causes for route in catalog.policy.alerts.routes):
        yield from ((name, "role") for name, one in catalog.people.people.items() if "admin" in one.roles)


def _slice_owners(people: People, trouble: Trouble) -> list[str]:
    members = {pair for one in trouble.findings for pair in one.series.members}
    return [
        name
        for name, person in people.people.items()
        if any((dimension, member) in members for dimension, some in person.answers_for.items() for member in some)
    ]


def _matching(catalog: Catalog, trouble: Trouble) -> Iterator[Route]:
    alerts: Alerts = catalog.policy.alerts
    entries = [catalog.metrics[one] for one in trouble.metrics if one in catalog.metrics]
    for route in alerts.routes:
        if (
            trouble.severity <= route.severity
            and (not route.causes or trouble.explained.cause in route.causes)
            and _any(route.domains, (entry.domain for entry in entries))
            and _any(route.metrics, trouble.metrics)
            and _any(route.tiers, (entry.spec.tier for entry in entries))
        ):
            yield route


def _any(wanted: Sequence[object], found: Iterable[object]) -> bool:
    return not wanted or any(one in wanted for one in found)


def _persons(people: People, name: str) -> tuple[str, ...]:
    if name in people.departments and name not in people.owners:
        return tuple(one for team in people.teams.values() if team.department == name for one in team.members)
    return people.behind(name)
