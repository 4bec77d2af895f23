"""A shop's catalog with people who have channels, findings made by hand, and a store to keep incidents in."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from metrics_catalog.catalog import Catalog, load_catalog
from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.finding import Finding, RuleName, Series
from metrics_catalog.monitoring.following import Observed, Synced, sync
from metrics_catalog.monitoring.grouping import troubles
from metrics_catalog.monitoring.incidents import Incidents
from metrics_catalog.monitoring.trouble import Member, Trouble
from metrics_catalog.ops.store import open_store, reading
from metrics_catalog.ops.tables import incident_events, outbox
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2024, 3, 10, 6, tzinfo=UTC)
DAY = date(2024, 3, 9)
PEOPLE = People.model_validate(
    {
        "departments": {"sales": {"en": "Sales", "zh": "销售部"}, "it": {"en": "IT", "zh": "信息部"}},
        "people": {
            "wei": {
                "name": "陈伟",
                "email": "wei@example.com",
                "language": "zh",
                "roles": ["owner"],
                "channels": {"email": "wei@example.com"},
            },
            "fang": {"name": "王芳", "email": "fang@example.com", "roles": ["owner"], "channels": {"slack": "U2"}},
            "mei": {
                "name": "Mei",
                "email": "mei@example.com",
                "channels": {"slack": "U3", "email": "mei@example.com"},
                "answers_for": {"store": ["静安"]},
            },
            "ana": {"name": "Ana", "email": "ana@example.com", "roles": ["analyst"]},
            "jie": {
                "name": "陈杰",
                "email": "jie@example.com",
                "roles": ["admin"],
                "channels": {"slack": "U9", "email": "jie@example.com"},
            },
        },
        "teams": {
            "data": {
                "label": {"en": "Data", "zh": "数据"},
                "department": "sales",
                "members": ["wei", "fang"],
                "channels": {"slack": "#data"},
            },
            "ops": {"label": {"en": "Ops", "zh": "运维"}, "department": "it", "members": ["jie"]},
        },
    }
)


@pytest.fixture(scope="session")
def shop_catalog(refreshed_shop: Path) -> Catalog:
    from orchestration.settings import read_settings

    return replace(load_catalog(read_settings({}, project=refreshed_shop).locate()), people=PEOPLE)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("store") / "ops.db"
    open_store(f"sqlite:///{file}").dispose()
    return file


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Engine:
    shutil.copy2(empty_store, tmp_path / "ops.db")
    return open_store(f"sqlite:///{tmp_path / 'ops.db'}")


def finding(metric: str = "net_sales", rule: RuleName = "anomaly", period: date = DAY, **said: Any) -> Finding:
    """``store``: of that store; else of the total."""
    members = (("store", said.pop("store")),) if "store" in said else ()
    usual = {"level": "warn", "value": 60.0, "expected": 100.0, "low": 80.0, "high": 120.0, "score": 2.0}
    return Finding(Series(metric, "day", members), rule, period, **{**usual, **said})


@dataclass
class Room:
    """Monitoring of the shop, evaluation by evaluation."""

    store: Engine
    catalog: Catalog
    now: datetime = NOW
    kept: list[Synced] = field(default_factory=list)

    def policy(self, **alerts: Any) -> None:
        policy = Policy.model_validate({**self.catalog.policy.model_dump(), "alerts": alerts})
        self.catalog = replace(self.catalog, policy=policy)

    def judge(self, *findings: Finding, fine: tuple[Finding, ...] = (), because: Explained | None = None) -> Synced:
        """One evaluation; what it found is a real move unless ``because`` says otherwise."""
        found = troubles(self.catalog, [(one, because or Explained("move")) for one in findings])
        return self.sync(found, fine)

    def sync(
        self, found: list[Trouble], fine: tuple[Finding, ...] = (), standing: frozenset[str] | None = None
    ) -> Synced:
        observed = Observed(found, frozenset(map(Member.of, fine)), standing)
        return sync(self.store, self.catalog, observed, self.now)

    def later(self, **how: float) -> None:
        self.now += timedelta(**how)

    @property
    def people(self) -> Incidents:
        return Incidents(self.store, self.catalog, lambda: self.now)

    def letters(self) -> list[dict[str, Any]]:
        """Everything in the outbox, oldest first."""
        with reading(self.store) as con:
            rows = con.execute(sa.select(outbox).order_by(outbox.c.created_at, outbox.c.key)).mappings()
            return [{**row, "message": json.loads(row["message"])} for row in rows]

    def addresses(self) -> list[str]:
        return sorted(one["address"] for one in self.letters() if one["parent"] is None)

    def words(self) -> list[str]:
        """What was said under messages."""
        return [one["message"]["title"] for one in self.letters() if one["parent"] is not None]

    def events(self) -> list[tuple[int, str]]:
        with reading(self.store) as con:
            return [(row.incident, row.kind) for row in con.execute(sa.select(incident_events).order_by("seq"))]


@pytest.fixture
def room(store: Engine, shop_catalog: Catalog) -> Room:
    return Room(store, shop_catalog)
