"""Who must approve and who may, against brute force."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_catalog.governance.approval import PLACES, Jury, Requirement, required
from metrics_catalog.spec.governance import CHANGES, Approver, Change, Governance, Rule, Tier
from metrics_catalog.spec.people import People

TIERS: tuple[Tier, ...] = (1, 2, 3)
PERSONS = [f"p{n}" for n in range(6)]

effects = st.one_of(st.none(), st.decimals(min_value=0, max_value=2, places=3))
some_changes = st.sets(st.sampled_from(CHANGES), min_size=1, max_size=3)
some_tiers = st.sets(st.sampled_from(TIERS), min_size=1)
rules = st.builds(
    Rule,
    changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3).map(tuple),
    tiers=st.sets(st.sampled_from(TIERS), min_size=1).map(tuple),
    effect_above=st.one_of(st.none(), st.decimals(min_value=0, max_value=1, places=2)),
    need=st.lists(st.sampled_from(PLACES), min_size=1, max_size=3).map(tuple),
    author_counts=st.booleans(),
)
policies = st.one_of(
    st.just(Governance()), st.builds(Governance, rules=st.lists(rules, min_size=1, max_size=5).map(tuple))
)
roles = st.dictionaries(
    st.sampled_from(PERSONS), st.sets(st.sampled_from(["viewer", "analyst", *PLACES]), min_size=1).map(sorted)
)


def people_of(given: dict[str, Any]) -> People:
    persons = {name: {"name": name, "email": f"{name}@example.com", "roles": list(has)} for name, has in given.items()}
    return People.model_validate({"departments": {}, "people": persons, "teams": {}})


def covers(more: Requirement, less: Requirement) -> bool:
    """Whether whatever satisfies ``more`` satisfies ``less``: every place, and the author no easier."""
    return Counter(less.need) <= Counter(more.need) and (less.author_counts or not more.author_counts)


@given(policies, some_changes, some_tiers, effects, effects)
def test_a_larger_or_unknown_effect_never_needs_less(
    policy: Governance, changes: set[Change], tiers: set[Tier], one: Decimal | None, other: Decimal | None
) -> None:
    small, large = sorted((one, other), key=lambda effect: Decimal("inf") if effect is None else effect)
    assert covers(required(policy, changes, tiers, large), required(policy, changes, tiers, small))


@given(policies, some_changes, some_changes, some_tiers, some_tiers, effects)
def test_more_kinds_of_change_and_more_tiers_never_need_less(
    policy: Governance, few: set[Change], more: set[Change], one: set[Tier], other: set[Tier], effect: Decimal | None
) -> None:
    assert covers(required(policy, few | more, one | other, effect), required(policy, few, one, effect))


@given(policies, some_changes, some_tiers, st.decimals(min_value=0, max_value=2, places=3))
def test_an_unknown_effect_needs_one_more_than_the_largest(
    policy: Governance, changes: set[Change], tiers: set[Tier], effect: Decimal
) -> None:
    known, unknown = (required(policy, changes, tiers, one) for one in (effect, None))
    assert Counter(unknown.need) >= Counter([*known.need, "steward"])
    assert not unknown.author_counts


@given(some_changes, effects)
def test_by_default_a_higher_tier_never_needs_less(changes: set[Change], effect: Decimal | None) -> None:
    by_tier = [required(Governance(), changes, [tier], effect) for tier in TIERS]
    # Only tier 2 asks for the effect: a board metric needs a steward whatever it is.
    assert covers(by_tier[0], by_tier[1])
    assert covers(by_tier[1], by_tier[2])


@given(policies, some_changes, some_tiers, effects)
def test_there_is_always_somebody_to_ask(
    policy: Governance, changes: set[Change], tiers: set[Tier], effect: Decimal | None
) -> None:
    needs = required(policy, changes, tiers, effect)
    assert needs.need
    assert [*needs.need] == sorted(needs.need, key=PLACES.index)


def test_a_change_no_rule_names_needs_everybody() -> None:
    policy = Governance(
        rules=(
            Rule(changes=("wording",), need=("owner",), author_counts=True),
            Rule(changes=("bounds",), tiers=(1,), need=("owner",)),
            Rule(changes=("calculation",), effect_above=Decimal("0.05"), need=("steward",)),
        )
    )
    everybody = Requirement(PLACES)
    assert required(policy, ["retire"], [1], Decimal(0)) == everybody
    assert required(policy, ["wording", "retire"], [1], Decimal(0)) == everybody
    assert required(policy, ["bounds"], [2], Decimal(0)) == everybody
    assert required(policy, ["bounds"], [1, 2], Decimal(0)) == everybody
    assert required(policy, ["calculation"], [1], Decimal("0.01")) == everybody
    assert required(policy, ["calculation"], [1], Decimal("0.06")) == everybody
    assert required(policy, ["bounds"], [1], Decimal(0)) == Requirement(("owner",))
    assert required(policy, [], [1], Decimal(0)) == everybody
    assert required(policy, ["wording"], [], Decimal(0)) == everybody


@pytest.mark.parametrize(
    ("changes", "tier", "effect", "need", "author_counts"),
    [
        ({"wording"}, 1, "0", ("owner",), True),
        ({"wording", "bounds"}, 3, "0", ("owner",), False),
        ({"calculation"}, 1, "0", ("owner", "steward"), False),
        ({"calculation"}, 2, "0.05", ("owner",), False),
        ({"calculation"}, 2, "0.0501", ("owner", "steward"), False),
        ({"calculation"}, 3, "0.9", ("owner",), False),
        ({"calculation"}, 3, None, ("owner", "steward"), False),
        ({"calculation"}, 2, None, ("owner", "steward", "steward"), False),
        ({"owner"}, 3, "0", ("owner", "steward"), False),
        ({"retire"}, 1, "0", ("owner", "steward"), False),
        ({"people"}, 1, "0", ("admin",), False),
        ({"policy"}, 1, "0", ("steward", "admin"), False),
    ],
)
def test_the_default_rules(
    changes: set[Change], tier: Tier, effect: str | None, need: tuple[Approver, ...], author_counts: bool
) -> None:
    known = None if effect is None else Decimal(effect)
    assert required(Governance(), changes, [tier], known) == Requirement(need, author_counts)


juries = st.builds(
    Jury,
    people=roles.map(people_of),
    owners=st.frozensets(st.sampled_from(PERSONS), max_size=3),
    author=st.sampled_from(PERSONS),
    author_counts=st.booleans(),
    escalate_to=st.sampled_from(PLACES),
    late=st.booleans(),
)
needs = st.lists(st.sampled_from(PLACES), max_size=4).map(tuple)
groups = st.sets(st.sampled_from(PERSONS), max_size=5)


@given(juries, needs, groups)
def test_places_are_filled_as_well_as_brute_force_can(jury: Jury, need: tuple[Approver, ...], group: set[str]) -> None:
    seats = [*group, *([None] * len(need))]
    most = max(
        sum(person is not None and jury.may(person, place) for person, place in zip(way, need, strict=True))
        for way in permutations(seats, len(need))
    )
    missing = jury.missing(need, group)
    assert len(need) - len(missing) == most
    assert Counter(missing) <= Counter(need)


@given(juries, needs, groups, groups)
def test_more_people_never_leave_more_open(
    jury: Jury, need: tuple[Approver, ...], some: set[str], more: set[str]
) -> None:
    assert len(jury.missing(need, some | more)) <= len(jury.missing(need, some))


@given(juries, st.lists(st.sampled_from(PLACES), min_size=1, max_size=4).map(tuple), groups)
def test_the_author_and_those_who_left_fill_nothing(jury: Jury, need: tuple[Approver, ...], group: set[str]) -> None:
    strict = Jury(jury.people, jury.owners, jury.author, False, jury.escalate_to, jury.late)
    present = {one for one in group if one in jury.people.people and one != jury.author}
    assert strict.missing(need, group) == strict.missing(need, present)
    assert strict.missing(need, [jury.author, "gone"]) == need
    for people in strict.candidates(need).values():
        assert jury.author not in people
        assert set(people) <= set(jury.people.people)


ROLES = {"boss": ["admin"], "ann": ["owner"], "bob": ["owner", "steward"], "joe": ["steward"], "vic": ["viewer"]}


def jury(**keys: Any) -> Jury:
    made = {"owners": frozenset({"ann", "bob"}), "author": "joe", "author_counts": False, "escalate_to": "admin"}
    return Jury(people_of(ROLES), **(made | keys))


def test_who_may_fill_what() -> None:
    able = jury().candidates(PLACES)
    assert able == {"owner": ["ann", "bob"], "steward": ["bob", "boss"], "admin": ["boss"]}
    assert jury().candidates(["owner", "owner"], asked=["ann"]) == {"owner": ["bob"]}
    assert jury().missing(("owner", "steward"), ["bob"]) == ("steward",)
    assert jury().missing(("owner", "steward"), ["bob", "ann"]) == ()
    assert jury(author="ann", author_counts=True).missing(("owner",), ["ann"]) == ()
    # The word "owner" among somebody's roles opens nothing: owning this metric does.
    assert not jury(owners=frozenset({"ann"})).may("bob", "owner")


def test_when_the_author_is_the_only_owner_an_admin_stands_in() -> None:
    alone = jury(owners=frozenset({"ann"}), author="ann")
    assert alone.candidates(["owner"]) == {"owner": ["boss"]}
    gone = jury(owners=frozenset({"ann", "long_gone"}), author="ann")
    assert gone.candidates(["owner"]) == {"owner": ["boss"]}
    assert jury(owners=frozenset()).candidates(["owner"]) == {"owner": ["boss"]}


def test_when_it_is_late_the_next_in_line_may_fill_any_place_but_not_for_himself() -> None:
    assert jury().missing(("owner",), ["boss"]) == ("owner",)
    assert jury(late=True).missing(("owner",), ["boss"]) == ()
    assert jury(late=True, escalate_to="steward").candidates(["admin"]) == {"admin": ["bob", "boss"]}
    assert jury(late=True, author="boss").missing(("owner",), ["boss"]) == ("owner",)
    assert jury(late=True).missing(("owner", "steward"), ["boss"]) != ()
