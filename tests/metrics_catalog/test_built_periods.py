"""The periods that a time spine says: kept when built, known by its changes, refused with their place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from metrics_catalog.built_periods import InvalidSpine, keep_built_periods, periods, with_built_periods
from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.project import Project
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.base import Label

GRAIN = OwnGrain(
    "fiscal_month", "fm", Spine("model.x.days", "main", "days", "day", "days.yml"), Label(en="a", zh="财月")
)
FIRST = date(2024, 1, 1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.at(tmp_path)
    project.dbt.mkdir()
    (project.dbt / "days.yml").write_text("models:\n  - name: days\n    columns:\n      - name: fm\n", "utf-8")
    return project


def spine(days: int, length: int = 10, first: date = FIRST) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    numbers = f"select date '{first}' + i::int as day, (day - date '{FIRST}') // {length} as fm from range({days}) r(i)"
    con.execute(f"create table days as {numbers}")
    return con


def kept(project: Project) -> OwnGrain:
    return with_built_periods(Semantics({}, own_grains={"fiscal_month": GRAIN}), project).own_grains["fiscal_month"]


def test_periods_are_kept_without_the_first_which_may_have_begun_before(project: Project) -> None:
    assert kept(project) == GRAIN
    assert keep_built_periods(spine(35), {"fiscal_month": GRAIN}, project) == []
    own = kept(project)
    assert own.starts == tuple(FIRST + timedelta(days=10 * number) for number in (1, 2, 3))
    assert (own.texts, own.until) == (("1", "2", "3"), FIRST + timedelta(days=35))


def test_more_periods_are_no_change_and_others_are(project: Project) -> None:
    keep_built_periods(spine(35), {"fiscal_month": GRAIN}, project)
    first = kept(project)
    keep_built_periods(spine(80, first=FIRST - timedelta(days=20)), {"fiscal_month": GRAIN}, project)
    assert (len(kept(project).starts), kept(project).print) == (7, first.print)
    keep_built_periods(spine(80, length=11), {"fiscal_month": GRAIN}, project)
    assert kept(project).print != first.print


def test_periods_of_another_column_are_not_these(project: Project) -> None:
    keep_built_periods(spine(35), {"fiscal_month": GRAIN}, project)
    other = Semantics({}, own_grains={"fiscal_month": replace(GRAIN, column="fy")})
    assert with_built_periods(other, project).own_grains["fiscal_month"].until is None


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ([], "has no rows"),
        ([(FIRST, "a"), (FIRST + timedelta(days=1), None)], 'column "fm" is empty on 2024-01-02'),
        ([(FIRST, "a"), (FIRST, "b")], 'column "fm" has two values on 2024-01-01'),
        (
            [(FIRST + timedelta(days=number), text) for number, text in enumerate("aba")],
            'column "fm" is "a" from 2024-01-01 and again from 2024-01-03; give each period a value of its own',
        ),
    ],
)
def test_columns_that_make_no_periods(days: list[tuple[date, str | None]], message: str) -> None:
    with pytest.raises(InvalidSpine, match=message):
        periods(GRAIN, days)


def test_a_spine_that_is_not_built_yet_says_nothing(project: Project) -> None:
    assert keep_built_periods(duckdb.connect(), {"fiscal_month": GRAIN}, project) == []
    assert kept(project) == GRAIN


def test_a_wrong_column_is_a_problem_with_its_place(project: Project) -> None:
    con = spine(35)
    con.execute("update days set fm = null where day = date '2024-01-05'")
    [problem] = keep_built_periods(con, {"fiscal_month": GRAIN}, project)
    assert str(problem).startswith('dbt_project/days.yml:4 error fiscal_month: column "fm" is empty on 2024-01-05')
