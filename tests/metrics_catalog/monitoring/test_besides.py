"""What stands beside a new trouble, on the shop's published values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.monitoring.besides import _Asked, _mover, _same_way, looker
from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.drivers import Driver, Drivers
from metrics_catalog.monitoring.finding import Series
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.published.reader import Published

from .conftest import finding

SERIES = Series("net_sales", "day", (("store", "静安"),))


def drivers(explains: float) -> Drivers:
    one = Driver((("store", "静安"), ("brand", "Private")), 100.0, 40.0, explains, 1.0)
    return Drivers(SERIES, date(2024, 3, 2), (), 200.0, 130.0, (one,))


@pytest.mark.parametrize(("explains", "is_said"), [(0.29, False), (0.3, True), (1.5, True), (6.2, False)])
def test_the_slice_that_explains_it_is_named_when_it_does(explains: float, is_said: bool) -> None:
    said = _mover(drivers(explains))
    assert bool(said) is is_said
    if explains == 0.3:
        assert said == {"en": "brand Private explains 30% of it", "zh": "其中 brand Private 解释了 30%"}


def test_a_slice_that_moved_as_all_did_explains_nothing() -> None:
    one = Driver((("store", "静安"), ("brand", "National")), 150.0, 95.0, 0.79, 1.0)
    alike = Drivers(SERIES, date(2024, 3, 2), (), 200.0, 130.0, (one,))
    assert _mover(alike) == {"en": "no slice stands out", "zh": "各维度变动相近"}
    assert "brand National" in _mover(replace(alike, drivers=(replace(one, rate=0.1),)))["en"]


@pytest.mark.parametrize(("expected", "is_same"), [(150.0, True), (120.0, False), (None, True)])
def test_slices_explain_a_move_to_the_side_that_is_off(expected: float | None, is_same: bool) -> None:
    assert _same_way(drivers(0.8), finding(value=130.0, expected=expected)) is is_same  # it fell from 200


def test_a_table_of_slices_in_both_languages(room: Any, refreshed_shop: Path, tmp_path: Path) -> None:
    asked = _Asked(room.catalog, room.store, Published(room.catalog.project.published), tmp_path)
    found = asked._grids(drivers(0.8))
    assert found["en"].rows == (("brand Private", "$100", "$40", "-60.0%", "80%"),)
    assert found["zh"].headings[-1] == "解释占比"
    assert asked._grids(Drivers(SERIES, date(2024, 3, 2), (), 1.0, 2.0)) == {}


def test_what_cannot_be_had_is_left_out(room: Any, tmp_path: Path) -> None:
    look = looker(room.catalog, room.store, Published(tmp_path / "nothing"), tmp_path)
    besides = look(Trouble("move:net_sales", Explained("move"), 2, ("net_sales",), (finding(),)))
    assert (besides.drivers, besides.picture, besides.mover) == ({}, {}, {})


def test_pictures_are_kept_beside_the_state_and_not_for_ever(
    room: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from metrics_catalog.monitoring import besides

    monkeypatch.setattr(besides, "KEPT", 2)
    asked = _Asked(room.catalog, room.store, Published(tmp_path), tmp_path)
    assert [asked._kept(b"png", f"{n}.png") for n in range(3)][-1] == "pictures/2.png"
    assert len(list((tmp_path / "pictures").iterdir())) == 2


def test_what_was_done_before_is_told(room: Any, tmp_path: Path) -> None:
    room.judge(finding())
    room.people.resolve("INC-1", "wei", "data fault", "till offline")
    look = looker(room.catalog, room.store, Published(tmp_path), tmp_path)
    besides = look(Trouble("move:net_sales", Explained("move"), 2, ("net_sales",), (finding(),)))
    assert "INC-1" in besides.similar["en"][0]
    assert "INC-1" in besides.similar["zh"][0]
