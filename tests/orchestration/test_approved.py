"""Which assets an entry of the ledger touches: no more than what may come out different."""

from __future__ import annotations

from typing import Any

import pytest

from metrics_catalog.governance.ledger import Event, Ledger
from metrics_catalog.ops.store import open_store
from orchestration.approved import decided, touched


@pytest.fixture
def certified(new_chain: Any) -> Any:
    new_chain.declared()
    new_chain.certify()
    return new_chain


def keys(chain: Any, *events: Event) -> set[str]:
    from datetime import UTC, datetime

    ledger = Ledger(open_store(chain.project.ops))
    declared = chain.declared()
    head = declared.definitions.record.head
    entries = ledger.append(head, events, datetime.now(UTC)) if events else ledger.entries()
    return {key.to_user_string() for key in touched(declared, decided(entries))}


def test_the_first_certification_touches_nothing(certified: Any) -> None:
    assert keys(certified) == set()


def test_a_metric_touches_what_is_made_of_it_and_the_rollups_of_their_marts(certified: Any) -> None:
    certified.change("net_sales", "expr: amount_usd", "expr: amount_usd * 2")
    assert keys(certified) == {"metric/sales/net_sales", "metric/sales/average_receipt", "metrics/sales_by_store_daily"}


def test_an_approved_restatement_touches_its_metric(certified: Any) -> None:
    released = Event("released", "metric/units", "wei", {"digest": "x", "request": 3})
    assert keys(certified, released) == {"metric/sales/units", "metrics/sales_by_store_daily"}


def test_a_retired_metric_is_taken_away_with_the_others_of_its_mart(certified: Any) -> None:
    certified.approve(certified.office().end("units", "ana", "nobody reads it", "retire").id)
    (certified.project.metrics / "sales" / "units.yml").unlink()
    found = keys(certified)
    assert "metric/sales/units" not in found
    assert {"metric/sales/net_sales", "metrics/sales_by_store_daily"} <= found


def test_the_policy_touches_every_metric_and_people_none(certified: Any) -> None:
    data = {"request": 3}
    assert keys(certified, Event("certified", "people", "wei", data | _version("people", certified))) == set()
    policy = Event("certified", "policy", "wei", data | _version("policy", certified))
    assert {"metric/sales/units", "metric/sales/receipts", "metrics/sales_by_store_daily"} <= keys(certified, policy)


def _version(subject: str, chain: Any) -> dict[str, Any]:
    current = chain.declared().definitions.record.current(subject)
    fields = ("status", "domain", "path", "text", "fingerprint", "author", "reason")
    return {"number": 2, "approvers": ["wei"], **{name: getattr(current, name) for name in fields}}
