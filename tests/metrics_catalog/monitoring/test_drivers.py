from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.drivers import Drivers, Numbers, explain, rank
from metrics_catalog.monitoring.finding import Series
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published

DAY = date(2024, 6, 28)
Shop = Callable[[dict[str, dict[str, Any]]], Catalog]


def of(members: list[tuple[str, ...]], before: list[float], after: list[float]) -> Numbers:
    none = (np.full(len(members), np.nan), np.full(len(members), np.nan))
    return Numbers(members, (np.array(before, dtype=float), np.array(after, dtype=float)), none, none)


def ratio(members: list[tuple[str, ...]], num: list[list[float]], den: list[list[float]]) -> Numbers:
    over, under = np.array(num, dtype=float), np.array(den, dtype=float)
    return Numbers(members, tuple(over / under), tuple(over), tuple(under))  # pyright: ignore[reportArgumentType]


def test_the_slice_that_fell_is_named_not_the_large_one_around_it() -> None:
    cuts = {
        ("region",): of([("east",), ("west",)], [600, 400], [520, 400]),
        ("region", "store"): of(
            [("east", "1"), ("east", "2"), ("west", "3")], [500, 100, 400], [500, 20, 400]
        ),
    }  # fmt: skip
    ranked, apart = rank(cuts, of([()], [1000], [920]), additive=True)
    assert ranked[0].members == (("region", "east"), ("store", "2"))
    assert ranked[0].explains == pytest.approx(1)
    assert len(ranked) == 1  # east is the same move
    assert apart == set()


def test_of_a_ratio_rate_and_mix_are_told_apart() -> None:
    cuts = {("store",): ratio([("1",), ("2",)], [[10, 30], [10, 30]], [[100, 100], [300, 100]])}
    ranked, _ = rank(cuts, ratio([()], [[40], [40]], [[200], [400]]), additive=False)
    assert sum(one.explains for one in ranked) == pytest.approx(1, abs=0.5)
    assert ranked[0].members == (("store", "1"),)
    assert ranked[0].rate is not None
    assert ranked[0].mix is not None
    assert ranked[0].rate + ranked[0].mix == pytest.approx(ranked[0].explains)


def test_what_does_not_add_up_is_said() -> None:
    ranked, apart = rank({("store",): of([("1",), ("2",)], [60, 70], [50, 70])}, of([()], [100], [90]), additive=True)
    assert ranked == ()
    assert apart == {("store",)}


def table(rows: list[tuple[str, date, dict[str, str], float]]) -> pa.Table:
    nothing = pa.nulls(len(rows), pa.decimal128(28, 6))
    return pa.table(
        {
            "metric": pa.array([metric for metric, *_ in rows]),
            "grain": pa.array(["day"] * len(rows)),
            "period": pa.array([day for _, day, *_ in rows], pa.date32()),
            "slice": pa.array([",".join(members) for _, _, members, _ in rows]),
            "value": pa.array([Decimal(str(value)) for *_, value in rows], pa.decimal128(28, 6)),
            "numerator": nothing,
            "denominator": nothing,
            "definition": pa.array(["d"] * len(rows)),
            **{name: pa.array([members.get(name) for _, _, members, _ in rows]) for name in ("store", "category")},
        }
    )


@pytest.fixture
def drill(shop: Shop) -> Callable[..., Drivers]:
    """Four weeks and a day of sales by store and category; on that day snacks of store 北京 fall to a tenth."""
    catalog = shop({"sales": {"slices": [["store"], ["category"], ["store", "category"]]}})
    rows = []
    for back in range(29):
        day = DAY - timedelta(days=back)
        cells = {
            (store, category): 100.0 * (1 + place)
            for place, store in enumerate(("北京", "上海"))
            for category in ("酒水", "零食")
        }
        if back == 0:
            cells["北京", "零食"] = 10
        rows.append(("sales", day, {}, sum(cells.values())))
        for name, at in (("store", 0), ("category", 1)):
            sums = {key[at]: 0.0 for key in cells}
            for key, value in cells.items():
                sums[key[at]] += value
            rows += [("sales", day, {name: member}, value) for member, value in sorted(sums.items())]
        rows += [
            ("sales", day, {"store": store, "category": category}, value) for (store, category), value in cells.items()
        ]
    info = PublishInfo("run-1", datetime(2024, 6, 29, tzinfo=UTC), DAY)
    with Publisher(catalog.project.published).open(info) as draft:
        draft.add(table(rows))
        draft.replaces([Scope("sales", "day", DAY - timedelta(days=28), DAY + timedelta(days=1))])
        draft.audit(AuditRules(dimensions=frozenset({"store", "category"})))
        draft.commit()
    snapshot = Published(catalog.project.published).at()
    return lambda *members: explain(catalog, snapshot, Series("sales", "day", members), DAY)


def test_what_is_published_explains_a_move(drill: Callable[..., Drivers]) -> None:
    found = drill()
    assert (found.before, found.after, found.move) == (600, 510, -90)
    assert found.against == tuple(DAY - timedelta(days=7 * week) for week in (1, 2, 3, 4))
    best = found.drivers[0]
    assert best.members == (("store", "北京"), ("category", "零食"))
    assert (best.before, best.after, best.explains) == (100, 10, 1)
    assert found.checked == (("store",), ("category",), ("store", "category"))


def test_inside_a_slice_the_other_dimensions_are_looked_at(drill: Callable[..., Drivers]) -> None:
    found = drill(("store", "北京"))
    assert [one.members for one in found.drivers] == [(("category", "零食"),)]
    assert found.checked == (("store", "category"),)


def test_of_a_slice_that_did_not_move_nothing_is_explained(drill: Callable[..., Drivers]) -> None:
    found = drill(("store", "上海"))
    assert (found.move, found.drivers) == (0, ())


def test_a_slice_that_is_not_published_is_said_not_raised(drill: Callable[..., Drivers]) -> None:
    found = drill(("region", "x"))
    assert found.drivers == ()
    assert "region" in found.not_checked[("region",)]
