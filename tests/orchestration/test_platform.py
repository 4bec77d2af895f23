"""The platform measured by its own metrics: its events land like any source, without names, final once a day is over."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from metrics_catalog.engine.query import Query
from metrics_catalog.ops.store import open_store, writing
from metrics_catalog.ops.tables import incident_events, incidents
from metrics_catalog.review.events import as_lines, events, with_forgotten
from metrics_catalog.spec.review import Usage
from metrics_catalog.usage import Recorder, forget
from orchestration.definitions import build
from orchestration.platform import deliver_events

ROOT = Path(__file__).parents[2]
FILES = (
    "orchestration/sources/platform_events.yml",
    "expectations/suites/platform_events.yml",
    "dbt_project/models/staging/platform",
    "dbt_project/models/marts/platform",
    "metrics_catalog/metrics/platform",
)


def refresh(shop: Any) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert build(shop.declared()).resolve_job_def("refresh").execute_in_process(instance=instance).success


def alert(shop: Any, number: int, **keys: Any) -> None:
    """An alert two hours ago that was taken after one, and resolved just now."""
    at = datetime.now(UTC) - timedelta(hours=2)
    text = [(at + timedelta(hours=n)).isoformat(timespec="milliseconds") for n in (0, 1, 2)]
    data = {"rule": "bounds", "recipients": [{"channel": "slack"}, {"channel": "email"}], "reason": "real move", **keys}
    row = {"key": f"k{number}", "state": "resolved", "severity": 2, "metric": "net_sales", "opened_at": text[0]}
    with writing(open_store(shop.project.ops), incidents) as con:
        values = {**row, "updated_at": text[2], "closed_at": text[2], "data": json.dumps(data)}
        con.execute(sa.insert(incidents).values(number=number, **values))
        said = {"incident": number, "at": text[1], "kind": "acknowledged", "actor": "wei", "data": "{}"}
        con.execute(sa.insert(incident_events).values(**said))


@pytest.fixture
def measured(shop: Any) -> Any:
    """The shop with the platform's source, mart and metrics."""
    from metrics_catalog.catalog import load_catalog
    from orchestration.generate import write
    from orchestration.transform.runner import ensure_parsed

    for name in FILES:
        source, target = ROOT / name, shop.project.root / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    tables = "{name: receipts}, {name: products}"
    shop.replace("dbt_project/models/staging/clean.yml", tables, f"{tables}, {{name: platform_events}}")
    ensure_parsed(shop.project)
    write(load_catalog(shop.project))
    return shop


def value(shop: Any, metric: str, *by: str) -> dict[Any, float]:
    from metrics_catalog.published.answer import answer
    from metrics_catalog.published.reader import Published

    found = answer(Query((metric,), "day", by), shop.declared().catalog, Published(shop.project.published)).table
    rows = found.to_pylist()
    return {
        tuple(row[name] for name in by) or row["period"]: float(row[metric]) for row in rows if row[metric] is not None
    }


def test_what_people_and_the_platform_did_is_measured(measured: Any) -> None:
    shop, day = measured, date(2024, 3, 5)
    refresh(shop)
    assert value(shop, "metric_reads") == {}, "nothing happened yet"
    alert(shop, 901)
    alert(shop, 902, reason="false alarm")
    recorder = Recorder(shop.project, Usage(), lambda: datetime.now(UTC))
    for face in ("query", "query", "report"):
        recorder.note(face, "wei", ["net_sales"])
    recorder.flush()
    refresh(shop)
    assert value(shop, "metric_reads") == {day: 3}
    assert value(shop, "metric_reads", "channel") == {("query",): 2, ("report",): 1}
    assert value(shop, "alerts_sent", "channel")[("slack",)] == 2
    assert value(shop, "alert_precision") == {day: 0.5}
    assert value(shop, "acknowledge_hours")[day] == pytest.approx(1, abs=0.02)
    assert value(shop, "resolve_hours")[day] == pytest.approx(2, abs=0.02)
    assert value(shop, "certified_share") == {day: 0}
    assert set(value(shop, "source_age_hours", "channel")) == {("receipts",), ("products",)}
    text = (shop.project.landing / "platform" / "events.jsonl").read_text(encoding="utf-8")
    assert "wei" not in text
    assert {json.loads(line)["day"] for line in text.splitlines()} == {"2024-03-05"}, "today is the business date"
    assert not deliver_events(shop.declared()), "what happened is delivered once"


def test_only_days_that_are_over_are_delivered(measured: Any) -> None:
    shop = measured
    shop.replace("metrics_catalog/policy.yml", "business_date: 2024-03-05", "")
    declared = shop.declared()
    engine, now = open_store(shop.project.ops), datetime.now(UTC)
    for days in (0, 1, 2):
        recorder = Recorder(shop.project, Usage(), lambda days=days: now - timedelta(days=days))
        recorder.note("query", "wei", ["net_sales"])
        recorder.flush()
    found = events(declared.definitions, engine, [], now)
    assert [one.kind for one in found] == ["read", "read"]
    closed = declared.catalog.policy.closed_through(now)
    assert [one.day for one in found] == [closed - timedelta(days=1), closed]
    assert events(declared.definitions, engine, [], now) == found
    whole = as_lines(found)
    forget(engine, Usage(keep_days=1), now)
    left = events(declared.definitions, engine, [], now)
    assert len(left) < len(found)
    assert as_lines(with_forgotten(left, whole)) == whole, "what was published of deleted reads stays"


def test_the_platform_is_measured_by_the_refresh_that_just_ended(measured: Any) -> None:
    from orchestration.commands import measure_itself, run
    from orchestration.platform import own_metrics
    from orchestration.summary import together

    shop = measured
    shop.certify()
    own = own_metrics(shop.declared().catalog)
    assert "certified_share" in own
    assert "net_sales" not in own
    first = run(shop.settings, quiet=True)
    assert set(first.no_data) == own
    second = measure_itself(shop.settings, quiet=True)
    assert second is not None
    assert [line.source for line in second.sources] == ["platform_events"]
    whole = together(first, second)
    assert {"certified_share", "source_age_hours", "net_sales"} <= set(whole.published)
    assert set(whole.published) | set(whole.no_data) == set(shop.declared().catalog.metrics)
    assert value(shop, "certified_share") == {date(2024, 3, 5): 1}


def test_a_project_without_that_source_is_not_measured(shop: Any) -> None:
    from orchestration.commands import measure_itself

    assert measure_itself(shop.settings) is None
