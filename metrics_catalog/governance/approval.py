"""Who must approve a request, and whether those who did are enough. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

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

    An unknown effect counts as above every limit, and needs one steward more. A change that no rule covers at a tier
    whatever its effect needs everybody: what nobody thought of is not easier.
    """
    rules: list[Rule] = []
    covered, pairs = True, list(product(set(changes), set(tiers)))
    for change, tier in pairs:
        found = [rule for rule in policy.rules if change in rule.changes and tier in rule.tiers]
        rules += [rule for rule in found if _large(effect, rule.effect_above)]
        covered = covered and any(rule.effect_above is None for rule in found)
    covered = covered and bool(pairs)
    most: Counter[Approver] = Counter(() if covered else PLACES)
    for rule in rules:
        most |= Counter(rule.need)
    if effect is None:
        most["steward"] += 1
    need: tuple[Approver, ...] = tuple(one for one in PLACES for _ in range(most[one]))
    return Requirement(need, covered and effect is not None and all(rule.author_counts for rule in rules))


def _large(effect: Decimal | None, limit: Decimal | None) -> bool:
    return limit is None or effect is None or effect > limit


@dataclass(frozen=True)
class Jury:
    """Who may fill what for one request. ``owners``: people who own its subject as certified; of a new one, as asked.

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
            others = (self.owners & self.people.people.keys()) - {self.author}
            return person in self.owners or (not others and "admin" in roles)
        return place in roles or (place == "steward" and "admin" in roles)

    def missing(self, need: Sequence[Approver], approvers: Iterable[str]) -> tuple[Approver, ...]:
        """The places still open when as many as possible are filled, each by another person."""
        seated: dict[int, str] = {}

        def seat(person: str, tried: set[int]) -> bool:
            """Give a person a place, moving others on; a maximum matching, one augmenting path at a time."""
            for place in range(len(need)):
                if place in tried or not self.may(person, need[place]):
                    continue
                tried.add(place)
                if place not in seated or seat(seated[place], tried):
                    seated[place] = person
                    return True
            return False

        for person in sorted(set(approvers)):
            seat(person, set())
        return tuple(place for number, place in enumerate(need) if number not in seated)

    def candidates(self, need: Iterable[Approver], asked: Iterable[str] = ()) -> dict[Approver, list[str]]:
        """Who could still fill each place."""
        done = set(asked)
        return {
            place: sorted(one for one in self.people.people if one not in done and self.may(one, place))
            for place in dict.fromkeys(need)
        }
