"""Deliveries compared with the manifest: properties that hold for any order of events."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from orchestration.ingest.manifest import Delivery, Known, LandedFile, compare

NAMES = st.sampled_from(["甲.csv", "b.csv", "c.csv", "d.csv"])
FOLDERS = st.dictionaries(NAMES, st.sampled_from("123"))


def files(folder: dict[str, str]) -> list[LandedFile]:
    return [LandedFile(name, Path(name), 1, 1, content) for name, content in sorted(folder.items())]


def after(known: dict[str, Known], delivery: Delivery) -> dict[str, Known]:
    """The manifest once ``delivery`` is recorded."""
    kept = {name: entry for name, entry in known.items() if name not in delivery.remove}
    return kept | {
        file.name: Known(file.sha256, file.size, file.mtime_ns, delivery.duplicates.get(file.name))
        for file in delivery.present
    }


def contents(known: dict[str, Known]) -> list[str]:
    """What is loaded: the content of every file that has rows."""
    return sorted(entry.sha256 for entry in known.values() if entry.duplicate_of is None)


@given(st.lists(FOLDERS, min_size=1, max_size=6), st.booleans())
def test_every_content_present_is_loaded_exactly_once(events: list[dict[str, str]], deletes: bool) -> None:
    known: dict[str, Known] = {}
    for folder in events:
        delivery = compare(files(folder), known, deletes, forced=False)
        rows = {name: entry.sha256 for name, entry in known.items() if entry.duplicate_of is None}
        for name in delivery.remove:
            del rows[name]
        rows |= {file.name: file.sha256 for file in delivery.load}
        known = after(known, delivery)
        assert sorted(rows.values()) == contents(known)
        assert len(set(rows.values())) == len(rows)
        assert set(folder.values()) <= set(rows.values())
        if deletes:
            assert set(rows.values()) == set(folder.values())
        assert not compare(files(folder), known, deletes, forced=False).changes


@given(FOLDERS.filter(bool), st.booleans())
def test_force_loads_every_content_again(folder: dict[str, str], deletes: bool) -> None:
    known = after({}, compare(files(folder), {}, deletes, forced=False))
    delivery = compare(files(folder), known, deletes, forced=True)
    assert sorted(file.sha256 for file in delivery.load) == contents(known)
    assert not delivery.remove
