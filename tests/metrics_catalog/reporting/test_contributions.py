"""What members gave adds up to the change, whatever the numbers are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_catalog.reporting.contributions import contributions
from metrics_catalog.reporting.numbers import Cell

amount = st.integers(0, 10**7).map(float)
part = st.tuples(amount, st.integers(1, 10**7).map(float))
presence = st.sampled_from([(True, True), (True, False), (False, True)])


@given(st.dictionaries(st.text(max_size=3) | st.none(), st.tuples(amount, amount), min_size=1, max_size=6))
def test_what_adds_up_is_split_by_differences(values: dict[str | None, tuple[float, float]]) -> None:
    cells = {member: (Cell(now), Cell(before)) for member, (now, before) in values.items()}
    whole = tuple(Cell(sum(pair[at] for pair in values.values())) for at in (0, 1))
    shares = contributions(cells, (whole[0], whole[1]))
    assert shares is not None
    change = (whole[0].value or 0) - (whole[1].value or 0)
    assert sum(one.given for one in shares) == pytest.approx(change, abs=1e-3)
    assert [abs(one.given) for one in shares] == sorted((abs(one.given) for one in shares), reverse=True)


def ratio(cells: list[tuple[float, float]]) -> Cell:
    over, under = sum(n for n, _ in cells), sum(d for _, d in cells)
    return Cell(round(over / under, 6), over, under)  # as published: rounded


@given(st.lists(st.tuples(part, part, presence), min_size=1, max_size=6))
def test_a_ratio_is_split_without_a_rest(parts: list) -> None:
    """Members that come and go, too; and each share is its rate's plus its weight's."""
    cells: dict[str | None, Any] = {
        str(at): (ratio([now]) if there[0] else None, ratio([before]) if there[1] else None)
        for at, (now, before, there) in enumerate(parts)
    }
    now = [now for now, _, there in parts if there[0]]
    before = [before for _, before, there in parts if there[1]]
    if not now or not before:
        return
    shares = contributions(cells, (ratio(now), ratio(before)))
    assert shares is not None
    exact = sum(n for n, _ in now) / sum(d for _, d in now) - sum(n for n, _ in before) / sum(d for _, d in before)
    assert sum(one.given for one in shares) == pytest.approx(exact, rel=1e-6, abs=1e-6 * max(1.0, abs(exact)))
    assert all(one.rate is None or one.given == pytest.approx(one.rate + (one.weight or 0)) for one in shares)


def test_what_does_not_add_up_is_not_split() -> None:
    """Customers counted once in each store are more than all customers."""
    cells: dict[str | None, Any] = {"a": (Cell(60), Cell(50)), "b": (Cell(70), Cell(50))}
    assert contributions(cells, (Cell(100), Cell(80))) is None
