"""A chain of stores with daily sales since October, published; a catalog with people, an ops store, a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from metrics_catalog.catalog import Catalog
from metrics_catalog.decisions.desk import Decisions
from metrics_catalog.ops.store import open_store
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

FIRST = date(2023, 10, 2)
STORES = [str(number) for number in range(1, 11)]
PEOPLE = People.model_validate(
    {
        "departments": {"sales": {"en": "Sales", "zh": "销售部"}},
        "people": {
            "ann": {"name": "Ann", "email": "ann@example.com", "roles": ["owner"], "channels": {"slack": "U1"}},
            "wei": {"name": "陈伟", "email": "wei@example.com", "language": "zh", "roles": ["analyst"]},
            "joe": {"name": "Joe", "email": "joe@example.com", "roles": ["steward"]},
        },
        "teams": {"sales": {"label": {"en": "Sales", "zh": "销售"}, "department": "sales", "members": ["ann"]}},
    }
)
DECIMAL = pa.decimal128(28, 6)


@dataclass
class Chain:
    """`day` is the last day that is over; `publish` publishes what ``sold`` says of each store up to it."""

    catalog: Catalog
    engine: sa.Engine
    published: Published
    day: date

    @property
    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 8, tzinfo=UTC) + timedelta(days=1)

    def desk(self) -> Decisions:
        return Decisions(self.engine, self.catalog, lambda: self.now)

    def publish(self, sold: Callable[[str, date], float], held: bool = False) -> None:
        days = [FIRST + timedelta(days=n) for n in range((self.day - FIRST).days + 1)]
        rows = [(day, store, Decimal(str(round(sold(store, day), 2)))) for store in STORES for day in days]
        totals = [(day, None, sum(value for one, _, value in rows if one == day)) for day in days]
        cuts = ["store"] * len(rows) + [""] * len(totals)
        every = [*rows, *totals]
        table = pa.table(
            {
                "metric": pa.array(["net_sales"] * len(every), pa.string()),
                "grain": pa.array(["day"] * len(every), pa.string()),
                "period": pa.array([day for day, *_ in every], pa.date32()),
                "slice": pa.array(cuts, pa.string()),
                "value": pa.array([value for *_, value in every], DECIMAL),
                "numerator": pa.array([value for *_, value in every], DECIMAL),
                "denominator": pa.nulls(len(every), DECIMAL),
                "definition": pa.array(["d"] * len(every), pa.string()),
                "store": pa.array([store for _, store, _ in every], pa.string()),
            }
        )
        scope = Scope("net_sales", "day", FIRST, self.day + timedelta(days=1))
        note = PublishInfo(f"run-{self.day}", self.now, self.day)
        with Publisher(self.published.root).open(note) as draft:
            draft.add(table)
            draft.replaces([scope])
            draft.audit(AuditRules(additive=frozenset({"net_sales"})))
            draft.commit(leave_out=["net_sales"] if held else [])


@pytest.fixture
def chain(shop: Callable[..., Catalog], tmp_path: Path) -> Iterator[Chain]:
    catalog = shop(
        {"net_sales": {"slices": [["store"]]}, "margin": {"unit": "percent", "direction": "none", "grains": ["month"]}}
    )
    catalog = replace(catalog, people=PEOPLE, policy=Policy(timezone="UTC"))
    engine = open_store(f"sqlite:///{tmp_path / 'ops.db'}")
    yield Chain(catalog, engine, Published(tmp_path / "published"), date(2024, 3, 3))
    engine.dispose()
