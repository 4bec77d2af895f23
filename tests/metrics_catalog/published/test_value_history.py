"""Every value ever published for one period, as the snapshots of all versions would say."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_catalog.engine.query import Filter
from metrics_catalog.published import replace
from metrics_catalog.published.history import settled
from metrics_catalog.published.layout import Sizes
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.places import values_folder
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published
from metrics_catalog.published.value_history import Row, value_history

DAY, NEXT = date(2024, 1, 1), date(2024, 1, 2)


def publish(root, kit, number, rows, start=DAY, end=NEXT, held=(), grain="day", definition="d", **about):
    with Publisher(root).open(kit.info(number, **about)) as draft:
        draft.add(kit.rows([("sales", *row) for row in rows], grain=grain, definition=definition))
        draft.replaces([Scope("sales", grain, start, end)])
        draft.audit(AuditRules())
        return draft.commit(leave_out=held)


def test_set_changed_removed_and_set_again(tmp_path, kit):
    root = tmp_path / "published"
    first = publish(root, kit, 1, [(DAY, {"店": "北"}, 1), (DAY, {"店": None}, 5)], versions={"sales": 1})
    publish(root, kit, 2, [(NEXT, {"店": "北"}, 9)], NEXT, date(2024, 1, 3))
    publish(root, kit, 3, [(DAY, {"店": "北"}, 1), (DAY, {"店": None}, 6)])
    restated = publish(
        root,
        kit,
        4,
        [(DAY, {"店": "北"}, 2), (DAY, {"店": None}, 6)],
        notes={"sales": "迟到的小票"},
        versions={"sales": 2},
    )
    publish(root, kit, 5, [(DAY, {"店": "北"}, 2)], definition="e")
    publish(root, kit, 6, [])
    publish(root, kit, 7, [(DAY, {"店": "北"}, None)])
    found = value_history(root, "sales", "day", DAY, {"店": "北"})
    assert [(one.run_id, one.row and (one.row.value, one.row.definition)) for one in found] == [
        ("run-1", (1, "d")),
        ("run-4", (2, "d")),
        ("run-5", (2, "e")),
        ("run-6", None),
        ("run-7", (None, "d")),
    ]
    assert found[0].version == first.version
    assert (found[1].version, found[1].note, found[1].certified) == (restated.version, "迟到的小票", 2)
    assert found[1].published_at == restated.info.published_at
    empty = value_history(root, "sales", "day", DAY, {"店": None})
    assert [one.row and one.row.value for one in empty] == [5, 6, None]
    assert value_history(root, "sales", "day", DAY) == []
    assert value_history(root, "sales", "day", DAY, {"品": "茶"}) == []
    assert value_history(root, "sales", "month", DAY, {"店": "北"}) == []
    assert value_history(root, "sale", "day", DAY, {"店": "北"}) == []


def test_a_publish_that_left_the_metric_out_changed_nothing(tmp_path, kit):
    root = tmp_path / "published"
    publish(root, kit, 1, [(DAY, {}, 1)], versions={"sales": 1})
    about = {"notes": {"sales": "why"}, "versions": {"sales": 2}, "marks": {"sales": {"why": "not approved"}}}
    result = publish(root, kit, 2, [(DAY, {}, 2)], held={"sales"}, **about)
    assert (result.info.notes, result.info.versions, result.info.marks) == (
        {},
        {"sales": 1},
        {"sales": {"why": "not approved"}},
    )
    assert [one.row.value for one in value_history(root, "sales", "day", DAY) if one.row] == [1]


def test_the_publish_that_values_of_a_held_metric_are_from(tmp_path, kit):
    root = tmp_path / "published"
    publish(root, kit, 1, [(DAY, {}, 1)], inputs={"sales": "a", "new": "a"}, held={"new"})
    assert settled(values_folder(root)) == {}
    for number in (2, 3, 4):
        publish(root, kit, number, [(DAY, {}, number)], inputs={"sales": f"{number}"}, held={"sales", "new"})
        found = settled(values_folder(root))
        assert {metric: (info.run_id, info.inputs) for metric, info in found.items()} == {
            "sales": ("run-1", {"sales": "a"})
        }
    publish(root, kit, 5, [(DAY, {}, 5)], inputs={"sales": "5"})
    assert settled(values_folder(root)) == {}


def test_nothing_published_yet(tmp_path):
    assert value_history(tmp_path, "sales", "day", DAY) == []


def test_files_that_cannot_hold_the_period_are_not_read(tmp_path, kit):
    root = tmp_path / "published"
    publish(root, kit, 1, [(DAY, {}, 1)])
    before = set(root.rglob("*.parquet"))
    publish(root, kit, 2, [(NEXT, {}, 2)], NEXT, date(2024, 1, 3))
    publish(root, kit, 3, [(DAY, {}, 3)], grain="month", end=date(2024, 2, 1))
    for path in set(root.rglob("*.parquet")) - before:
        path.write_bytes(b"unreadable")
    assert [one.row for one in value_history(root, "sales", "day", DAY)] == [Row(Decimal(1), None, None, "d")]


DAYS = [DAY + timedelta(days=number) for number in range(6)]
histories = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(1, 6), st.dictionaries(st.integers(0, 5), st.integers(0, 2), max_size=6)
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(histories, st.sampled_from([Sizes(), Sizes(file=3, stretch=9)]))
def test_the_history_is_what_all_snapshots_say(kit, given_publishes, sizes):
    with patch.object(replace, "Sizes", lambda: sizes), tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number, (first, length, values) in enumerate(given_publishes, 1):
            start, end = DAY + timedelta(days=first), DAY + timedelta(days=first + length)
            rows = [(DAYS[at], {"店": "北"}, value) for at, value in values.items() if start <= DAYS[at] < end]
            publish(root, kit, number, rows, start, end)
        reader = Published(root)
        for day in DAYS:
            wanted, last = [], None
            for version in reader.versions():
                asked = [Filter("店", "=", ("北",))]
                rows = reader.at(version.number).values(["sales"], "day", ["店"], asked, day, day + timedelta(days=1))
                value = next(iter(rows["value"].to_pylist()), None)
                if value != last:
                    wanted.append((version.number, value))
                last = value
            found = value_history(root, "sales", "day", day, {"店": "北"})
            assert [(one.version, one.row and one.row.value) for one in found] == wanted


OLD = (
    '{"run_id":"一","published_at":"2025-01-01T06:00:00+00:00","closed_through":"2024-12-31","loads":{"tills":3},'
    '"definitions":{"sales":"d"},"rollups":{"line":1},"held":["units"],"inputs":{},"coverages":{"tills":{"start":"x"}}}'
)


def test_what_a_publish_says_of_itself_is_read_back_from_older_releases_too():
    old = PublishInfo.from_json(OLD)
    assert (old.run_id, old.held, old.loads) == ("一", ("units",), {"tills": 3})
    assert (old.notes, old.versions, old.marks, old.ledger) == ({}, {}, {}, None)
    info = PublishInfo(
        "run", datetime(2025, 1, 1, tzinfo=UTC), DAY, notes={"销售": "迟到"}, versions={"销售": 3},
        marks={"units": {"why": "held"}}, ledger={"sequence": 7, "hash": "ab"}, held=("units",),
    )  # fmt: skip
    assert PublishInfo.from_json(info.to_json()) == info
    assert PublishInfo.from_json(old.to_json()) == old


@pytest.mark.parametrize("name", ["00000000000000000001.00000000000000000009.compacted.json", "_x.json"])
def test_what_other_tools_put_beside_the_log_is_passed_over(tmp_path, kit, name):
    publish(tmp_path, kit, 1, [(DAY, {}, 1)])
    (tmp_path / "values" / "_delta_log" / name).write_text("no json")
    assert len(value_history(tmp_path, "sales", "day", DAY)) == 1
