"""Who is told of a case, where, and who comes next when nobody answers. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.case import Case
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


def recipients(catalog: Catalog, case: Case, avoid: Collection[str] = ()) -> tuple[Recipient, ...]:
    """Everybody to be told, each address once; the log, where nobody can be reached. ``avoid``: channels that fail."""
    found: dict[tuple[str, str], Recipient] = {}
    for name, why in _named(catalog, case):
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
    usable = [(channel, address) for channel, address in holder.channels.items() if channel not in avoid]
    if usable:
        channel, address = usable[0]
        yield Recipient(name, channel, address, holder.language, why)
    elif name in people.teams:
        for member in people.teams[name].members:
            yield from addresses(people, member, why, avoid)


def answering(catalog: Catalog, case: Case) -> tuple[str, ...]:
    """People who answer for a case, in the order in which they are asked; whoever has the last role comes last."""
    people = catalog.people
    named = [person for name, _ in _named(catalog, case) for person in _persons(people, name)]
    last = [name for name, person in people.people.items() if catalog.policy.alerts.escalate_to in person.roles]
    return tuple(dict.fromkeys([*named, *last]))


def _named(catalog: Catalog, case: Case) -> Iterator[tuple[str, str]]:
    """Names and why they are told: who can mend it, who owns the number, whose slice it is, by policy."""
    cause = case.explained.cause
    yield from ((owner, "source") for owner in case.owners)
    if case.metrics and not (cause in DATA and case.owners and not case.findings):
        entry = catalog.metrics.get(case.metrics[0])
        yield from [(entry.spec.owner, "owner")] if entry is not None else []
    if cause not in DATA:
        yield from ((person, "slice") for person in _slice_owners(catalog.people, case))
    yield from ((name, "route") for route in _matching(catalog, case) for name in route.to)
    if cause == "fault" and not any(cause in route.causes for route in catalog.policy.alerts.routes):
        yield from ((name, "role") for name, one in catalog.people.people.items() if "admin" in one.roles)


def _slice_owners(people: People, case: Case) -> list[str]:
    members = {pair for one in case.findings for pair in one.series.members}
    return [
        name
        for name, person in people.people.items()
        if any((dimension, member) in members for dimension, some in person.answers_for.items() for member in some)
    ]


def _matching(catalog: Catalog, case: Case) -> Iterator[Route]:
    alerts: Alerts = catalog.policy.alerts
    entries = [catalog.metrics[one] for one in case.metrics if one in catalog.metrics]
    for route in alerts.routes:
        if (
            case.severity <= route.severity
            and (not route.causes or case.explained.cause in route.causes)
            and _any(route.domains, (entry.domain for entry in entries))
            and _any(route.metrics, case.metrics)
            and _any(route.tiers, (entry.spec.tier for entry in entries))
        ):
            yield route


def _any(wanted: Sequence[object], found: Iterable[object]) -> bool:
    return not wanted or any(one in wanted for one in found)


def _persons(people: People, name: str) -> tuple[str, ...]:
    if name in people.departments and name not in people.owners:
        return tuple(one for team in people.teams.values() if team.department == name for one in team.members)
    return people.behind(name)
