"""A town under governance: four metrics over the handmade shop, seven people, a ledger in either database, a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
import yaml

from metrics_catalog.catalog import Catalog
from metrics_catalog.governance.ledger import Ledger
from metrics_catalog.governance.office import Office, Wish
from metrics_catalog.governance.record import Request
from metrics_catalog.located import load
from metrics_catalog.ops.store import open_store
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

ROLES = {
    "boss": ["admin"],
    "ann": ["owner"],
    "bob": ["owner", "steward"],
    "joe": ["steward"],
    "zoe": ["owner"],
    "ada": ["analyst"],
    "vic": ["viewer"],
}
TEAMS = {"sales": ["ann", "bob"], "shops": ["zoe"]}
METRICS: dict[str, dict[str, Any]] = {
    "net_sales": {
        "tier": 1, "grains": ["day", "month"], "slices": [["category"], ["store"]],
        "target": {"month": 200}, "bounds": {"grain": "month", "warn": {"below": 160}, "critical": {"below": 100}},
    },
    "lines": {"agg": "count", "expr": None, "unit": "lines", "grains": ["month"]},
    "average_line": {"type": "ratio", "numerator": "net_sales", "denominator": "lines", "grains": ["month"], "owner": "shops"},
    "visits": {"model": "visits", "agg": "count", "expr": None, "unit": "visits", "tier": 3, "grains": ["month"], "owner": "shops"},
}  # fmt: skip
# line, product, store, day, amount, units, promoted; products 1 生鲜, 2 日用品, 3 of no category
SALES = [
    (1, 1, "上海", "2024-01-05", "100.00", 2, False),
    (2, 2, "北京", "2024-01-20", "50.00", 1, True),
    (3, 1, "上海", "2024-02-03", "200.00", 4, False),
    (4, 2, "北京", "2024-02-29", "50.00", 1, False),
    (5, 1, "上海", "2024-03-01", "300.00", 6, False),
    (6, 3, "北京", "2024-03-31", "100.00", 2, True),
    (7, 1, "上海", "2024-04-01", "999.00", 9, False),  # of a month that is not over
]


@dataclass
class Town:
    """A project whose files a test edits; `office` reads them anew, as each command does."""

    folder: Path
    ledger: Ledger
    con: duckdb.DuckDBPyConnection
    made: Callable[[Path, dict[str, dict[str, Any]]], Catalog]
    metrics: dict[str, dict[str, Any]]
    now: datetime = datetime(2024, 4, 1, 8, tzinfo=UTC)
    checksums: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def edit(self, metric: str, **keys: Any) -> None:
        self.metrics[metric] = {**self.metrics.get(metric, {}), **keys}

    def staff(
        self, without: Sequence[str] = (), teams: Mapping[str, list[str]] | None = None, **roles: list[str]
    ) -> None:
        """Write people.yml: everybody but ``without``, some with other ``roles``, and more ``teams``."""
        present = {one: has for one, has in {**ROLES, **roles}.items() if one not in without}
        members = {one: [name for name in has if name in present] for one, has in {**TEAMS, **(teams or {})}.items()}
        label = {"en": "Sales", "zh": "销售"}
        persons = {one: {"name": one, "email": f"{one}@example.com", "roles": has} for one, has in present.items()}
        groups = {one: {"label": label, "department": "sales", "members": has} for one, has in members.items()}
        self.write("people", {"departments": {"sales": label}, "people": persons, "teams": groups})

    def write(self, name: str, data: Mapping[str, Any]) -> None:
        path = self.folder / "metrics_catalog" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False), encoding="utf-8")

    def files(self) -> Catalog:
        catalog = self.made(self.folder, self.metrics)
        people, people_document = load(catalog.project.people, People, self.folder)
        policy, policy_document = load(catalog.project.policy, Policy, self.folder)
        sales = catalog.semantics.models["sales"]
        models = {**catalog.semantics.models, "sales": replace(sales, columns={**sales.columns, **self.columns})}
        return replace(
            catalog,
            semantics=replace(catalog.semantics, models=models, checksums=self.checksums, parents=self.parents),
            people=people,
            people_document=people_document,
            policy=policy,
            policy_document=policy_document,
        )

    def office(self) -> Office:
        @contextmanager
        def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
            with self.con.cursor() as con:
                yield con

        return Office(self.files(), self.ledger, warehouse, lambda: self.now)

    def propose(self, metric: str, author: str = "ada", restate: bool = False, **keys: Any) -> Request:
        if keys:
            self.edit(metric, **keys)
        return self.office().propose(metric, author, Wish("因为口径改变", None, restate))

    def approve(self, request: Request, *people: str) -> Request:
        for person in people:
            request = self.office().approve(request.id, person)
        return request

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def said(self) -> list[tuple[str, str, str]]:
        """What the ledger holds after the first certification."""
        entries = [one.event for one in self.ledger.entries()][len(METRICS) + 3 :]
        return [(one.kind, one.subject, one.actor) for one in entries]


@pytest.fixture
def new_town(
    ops_url: str,
    tmp_path: Path,
    catalogs: Callable[[Path, dict[str, dict[str, Any]]], Catalog],
    warehouse: duckdb.DuckDBPyConnection,
) -> Iterator[Town]:
    """Before anything is certified."""
    engine: sa.Engine = open_store(ops_url)
    town = Town(tmp_path, Ledger(engine), warehouse, catalogs, {name: dict(keys) for name, keys in METRICS.items()})
    town.staff()
    town.write("policy", {"timezone": "Asia/Shanghai", "business_date": "2024-03-31"})
    rows = "insert into marts.fct_sales select ?, ?, ?, null, ?, ?, ?, ?, null"
    warehouse.executemany(rows, SALES)
    warehouse.execute("insert into marts.fct_visits values (1, '上海', '2024-01-05'), (2, '上海', '2024-02-05')")
    yield town
    engine.dispose()


@pytest.fixture
def town(new_town: Town) -> Town:
    """Everything certified by the boss."""
    new_town.office().bootstrap("boss", "first use")
    return new_town
