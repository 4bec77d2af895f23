"""Who gets which copy: people and teams the total, each in the own language; whoever answers for a member, that."""

from __future__ import annotations

from typing import Any

from metrics_catalog.catalog import Catalog
from metrics_catalog.reporting.recipients import audiences, copy_for


def shown(found: list) -> list[tuple[str, str, list[str]]]:
    return [(one.name, one.language, [f"{r.channel} {r.address}" for r in one.readers]) for one in found]


def test_one_copy_for_each_language_and_an_address_once(weekly: Any, catalog: Catalog, room: Any) -> None:
    assert shown(audiences(weekly.spec, catalog.people)) == [
        ("all", "zh", ["slack U1"]),
        ("all", "en", ["email ann@example.com"]),
    ]
    twice = room.report_file(room.REPORT, audience={"people": ["wang_fang"], "teams": ["sales"]}, language="en")
    assert shown(audiences(twice.spec, catalog.people)) == [("all", "en", ["slack U1"])]


def test_a_member_is_told_to_whoever_answers_for_it(per_store: Any, catalog: Catalog, room: Any) -> None:
    found = audiences(per_store.spec, catalog.people, room.STORES)
    assert shown(found) == [
        ("store=静安", "zh", ["slack U2"]),
        (f"store={room.HOSTILE}", "zh", ["slack U2"]),
    ]
    assert found[0].members == (("store", "静安"),)
    assert len({one.folder for one in found}) == 2
    assert all("/" not in one.folder and "<" not in one.folder for one in found)


def test_whoever_has_no_channel_reads_on_the_console(weekly: Any, catalog: Catalog) -> None:
    bare = {name: one.model_copy(update={"channels": {}}) for name, one in catalog.people.people.items()}
    people = catalog.people.model_copy(update={"people": bare})
    assert shown(audiences(weekly.spec, people)) == [
        ("all", "zh", ["console everybody"]),
        ("all", "en", ["console everybody"]),
    ]


def test_the_copy_of_one_person(weekly: Any, per_store: Any, catalog: Catalog) -> None:
    assert [one.name for one in copy_for(weekly.spec, catalog.people, "ann")] == ["all"]
    assert copy_for(weekly.spec, catalog.people, "li") == []
    assert copy_for(per_store.spec, catalog.people, "li")[0].name == "store=静安"
