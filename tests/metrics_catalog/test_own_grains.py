"""A project's own grains: declared in the manifest, periods by halving, an end that is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from metrics_catalog.own_grains import EVER, OutsideSpine, OwnGrain, Spine, declared
from metrics_catalog.spec.base import Label

SPINE = Spine("model.x.days", "marts", "days", "day", "models/days.yml")
MONTHS = OwnGrain(
    "fiscal_month",
    "fiscal_month",
    SPINE,
    Label(en="fiscal month", zh="财月"),
    (date(2024, 1, 28), date(2024, 2, 25), date(2024, 3, 31)),
    ("2024-02", "2024-03", "2024-04"),
    date(2024, 4, 10),
)


def manifest_node(**keys: Any) -> dict[str, Any]:
    node = {
        "schema": "marts", "name": "days", "alias": None, "original_file_path": "models/days.sql",
        "patch_path": "x://models/days.yml",
        "columns": {"fm": {"config": {"meta": {"label": {"en": "Fiscal month", "zh": "财月"}}}}},
        "time_spine": {
            "standard_granularity_column": "day",
            "custom_granularities": [{"name": "fiscal_month", "column_name": "fm"}, {"name": "fiscal_year"}],
        },
    }  # fmt: skip
    return node | keys


def test_custom_granularities_of_the_manifest() -> None:
    own = declared({"model.x.days": manifest_node(), "model.x.other": {"columns": {}}})
    assert own["fiscal_month"] == OwnGrain("fiscal_month", "fm", SPINE, Label(en="Fiscal month", zh="财月"))
    assert (own["fiscal_year"].column, own["fiscal_year"].label.en) == ("fiscal_year", "fiscal year")


def test_a_usual_grain_is_nobodys_own() -> None:
    spine = {"standard_granularity_column": "day", "custom_granularities": [{"name": "month", "column_name": "m"}]}
    assert declared({"model.x.days": manifest_node(time_spine=spine)}) == {}


def test_days_fall_into_periods() -> None:
    assert MONTHS.start(date(2024, 2, 24)) == date(2024, 1, 28)
    assert MONTHS.start(date(2024, 2, 25)) == date(2024, 2, 25)
    assert MONTHS.next(date(2024, 2, 25)) == date(2024, 3, 31)
    assert MONTHS.back(date(2024, 3, 31), 2) == date(2024, 1, 28)
    assert MONTHS.text(date(2024, 2, 25)) == "2024-03"
    assert MONTHS.called(date(2024, 2, 25), "en") == "fiscal month 2024-03"
    assert MONTHS.called(date(2024, 2, 25), "zh") == "财月 2024-03"


def test_before_the_first_known_period_is_one_that_never_began() -> None:
    assert MONTHS.start(date(2024, 1, 27)) == EVER
    assert MONTHS.next(EVER) == date(2024, 1, 28)
    assert MONTHS.back(date(2024, 2, 25), 2) == EVER
    assert MONTHS.text(EVER) is None


def test_the_end_of_the_spine_is_said() -> None:
    assert MONTHS.next(date(2024, 3, 31)) == date(2024, 4, 10)
    with pytest.raises(OutsideSpine, match=r"models/days.yml: fiscal_month is known until 2024-04-09 only"):
        MONTHS.start(date(2024, 4, 10))
    with pytest.raises(OutsideSpine, match="the time spine is not built"):
        replace(MONTHS, starts=(), until=None).start(date(2024, 2, 1))


@pytest.mark.parametrize(("days", "like"), [(1, "day"), (7, "week"), (28, "month"), (91, "quarter"), (364, "year")])
def test_a_grain_is_like_the_usual_one_of_its_length(days: int, like: str) -> None:
    starts = tuple(date(2020, 1, 1) + timedelta(days=days * number) for number in range(4))
    assert replace(MONTHS, starts=starts).like == like
