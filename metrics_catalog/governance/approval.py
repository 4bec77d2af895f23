"""Who must approve a request, and whether those who did are enough. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from metrics_catalog.spec.governance import Approver, Change, Governance, Rule, Tier
from metrics_catalog.spec.people import People

PLACES: tuple[Approver, ...] = ("owner", "steward", "admin")


@dataclass(frozen=True)
class Requirement:
    """One different person for each of ``need``; ``author_counts``: whoever asks may be one of them."""

    need: tuple[Approver, ...]
    author_counts: bool = False


def required(
    policy: Governance, changes: Iterable[Change], tiers: Iterable[Tier], effect: Decimal | None
) -> Requirement:
    """What the rules ask for; ``effect``: largest relative change of a value, None when it could not be computed.

    An unknown effect counts as above every limit, and needs one steward more.
    """
    changes, tiers = set(changes), set(tiers)
    rules = [rule for rule in policy.rules if _applies(rule, changes, tiers, effect)]
    most: Counter[Approver] = Counter()
    for rule in rules:
        most |= Counter(rule.need)
    if changes - {change for rule in rules for change in rule.changes}:
        most |= Counter(PLACES)  # what nobody thought of is not easier
    if effect is None:
        most["steward"] += 1
    need: tuple[Approver, ...] = tuple(one for one in PLACES for _ in range(most[one]))
    return Requirement(need, bool(rules) and all(rule.author_counts for rule in rules) and effect is not None)


def _applies(rule: Rule, changes: set[Change], tiers: set[Tier], effect: Decimal | None) -> bool:
    large = rule.effect_above is None or effect is None or effect > rule.effect_above
    return large and not changes.isdisjoint(rule.changes) and not tiers.isdisjoint(rule.tiers)


@dataclass(frozen=True)
class Jury:
    """Who may fill what for one request. ``owners``: people who own its subject, before the change and after.

    ``late``: nobody answered in time, so ``escalate_to`` may fill any place. Owners that are all the author themselves
    are stood in for by an admin.
    """

    people: People
    owners: frozenset[str]
    author: str
    author_counts: bool
    escalate_to: Approver
    late: bool = False

    def may(self, person: str, place: Approver) -> bool:
        """Whether a person may fill a place."""
        if person not in self.people.people or (person == self.author and not self.author_counts):
            return False
        roles = self.people.people[person].roles
        if self.late and self.escalate_to in roles:
            return True
        if place == "owner":
            others = self.owners - {self.author}
            return person in self.owners or (not others and "admin" in roles)
        return place in roles or (place == "steward" and "admin" in roles)

    def missing(self, need: Sequence[Approver], approvers: Iterable[str]) -> tuple[Approver, ...]:
        """The places still open when as many as possible are filled, each by another person."""
        return self._left(tuple(need), frozenset(approvers))

    def candidates(self, need: Iterable[Approver], asked: Iterable[str] = ()) -> dict[Approver, list[str]]:
        """Who could still fill each place."""
        done = set(asked)
        return {
            place: sorted(one for one in self.people.people if one not in done and self.may(one, place))
            for place in dict.fromkeys(need)
        }

    def _left(self, need: tuple[Approver, ...], people: frozenset[str]) -> tuple[Approver, ...]:
        if not need:
            return ()
        place, rest = need[0], need[1:]
        ways = [self._left(rest, people - {one}) for one in people if self.may(one, place)]
        return min([*ways, (place, *self._left(rest, people))], key=len)


def people_behind(people: People, owner: str) -> frozenset[str]:
    """The people an owner's name stands for: a team's members, or the person."""
    team = people.teams.get(owner)
    return frozenset(team.members) if team else frozenset({owner} & set(people.people))
