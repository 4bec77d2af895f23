"""A month of the demo's real data in which everything goes wrong once. Minutes long."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable
from datetime import date, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from metrics_catalog.monitoring.incident import Incident
from metrics_catalog.monitoring.incidents import Incidents
from metrics_catalog.ops.store import open_store
from orchestration.refresh import Refresh, accept

ROOT = Path(__file__).parents[1]
ROOMS = ("metrics_catalog", "dbt_project", "expectations", "orchestration")
LAST = date(2017, 4, 30)  # of what is there when the month begins
POLICY = "metrics_catalog/policy.yml"
Row = dict[str, str]
pytestmark = pytest.mark.slow


def fake_slack() -> Any:
    """The module of the tests."""
    spec = spec_from_file_location("fake_slack", ROOT / "tests" / "fake_slack.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules["fake_slack"] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module)["CHANNELS"] |= {f"C0{team.upper()}": team for team in ("finance", "merchandising", "crm", "data")}
    return module


class Month:
    """The demo, refreshed day after day; deliveries of later days wait in ``stash``."""

    def __init__(self, root: Path) -> None:
        from orchestration.demo import lay_out
        from orchestration.settings import read_settings

        self.root, self.stash, self.day = root, root / "stash", LAST
        for room in ROOMS:
            shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))
        self.settings = read_settings({}, project=root)
        self.project = self.settings.locate()
        lay_out(self.project.landing, 132)
        self._few_promotions()
        self.stash.mkdir()
        for file in sorted((self.project.landing / "transactions").iterdir()):
            if file.stem.rpartition("_")[2] > LAST.isoformat():
                shutil.move(file, self.stash / file.name)
        self.original = (root / POLICY).read_text("utf-8")
        self.write_policy()

    def _few_promotions(self) -> None:
        import duckdb

        for file in (self.project.landing / "merchandising").rglob("*promotions*"):
            if file.suffix == ".parquet":
                duckdb.sql(f"select * from read_parquet('{file}') limit 100000").write_parquet(f"{file}.few")
                Path(f"{file}.few").replace(file)

    def write_policy(self, *events: dict[str, Any]) -> None:
        policy = yaml.safe_load(self.original)
        policy["business_date"] = self.day
        policy["monitoring"]["events"] += events
        (self.root / POLICY).write_text(yaml.safe_dump(policy, allow_unicode=True), "utf-8")

    def tomorrow(
        self,
        change: Callable[[list[Row]], list[Row]] | None = None,
        deliver: bool = True,
        event: dict[str, Any] | None = None,
    ) -> None:
        self.day += timedelta(days=1)
        self.write_policy(*([event] if event else []))
        if deliver:
            self.deliver(change)

    def deliver(self, change: Callable[[list[Row]], list[Row]] | None = None) -> None:
        name = f"transactions_{self.day}.csv"
        with (self.stash / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        head = list(rows[0])
        with (self.project.landing / "transactions" / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, head)
            writer.writeheader()
            writer.writerows(rows if change is None else change(rows))

    def refresh(self) -> None:
        from metrics_catalog.catalog import load_catalog
        from orchestration.generate import read_current, write
        from orchestration.transform.runner import ensure_parsed

        ensure_parsed(self.project)
        write(load_catalog(self.project))
        refresh = Refresh(read_current(self.settings), uuid4().hex)
        try:
            for name in refresh.declared.sources:
                refresh.land(name)
            for name in refresh.declared.sources:
                accept(refresh.clean(name))
            if not refresh.transform().failures:
                refresh.publish()
        finally:
            refresh.end("refresh")
            refresh.close()

    @property
    def incidents(self) -> Incidents:
        from datetime import UTC, datetime

        from metrics_catalog.governance.begun import official_catalog

        return Incidents(open_store(self.project.ops), official_catalog(self.project), lambda: datetime.now(UTC))

    def open(self) -> dict[int, Incident]:
        return {one.number: one for one in self.incidents.found()}

    def new(self, before: dict[int, Incident]) -> Incident:
        """The one incident that was opened since."""
        found = [one for number, one in self.open().items() if number not in before]
        assert len(found) == 1, [one.text("en") for one in found]
        return found[0]

    def drain(self, api: str) -> None:
        from orchestration.notify.outbox import drain
        from orchestration.settings import read_settings

        given = {"METRICS_SLACK_TOKEN": "xoxb-fake", "METRICS_SLACK_API": api}
        drain(read_settings(given, project=self.root), 60, print)

    def wake(self) -> None:
        """Letters and channels that rest after a failure need not wait any longer."""
        import sqlalchemy as sa

        from metrics_catalog.ops.store import writing
        from metrics_catalog.ops.tables import channel_health, outbox

        now = "2000-01-01T00:00:00.000+00:00"
        with writing(open_store(self.project.ops), None) as con:
            con.execute(sa.update(outbox).where(outbox.c.state == "waiting").values(next_at=now))
            con.execute(sa.update(channel_health).values(until=now))

    def told(self, one: Incident) -> set[str]:
        return {each.name for each in one.recipients}


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    month = Month(tmp_path_factory.mktemp("month") / "连锁")
    month.refresh()
    assert len(month.open()) <= 5, "a first run does not storm"
    return month


def a_third_of_receipts(rows: list[Row]) -> list[Row]:
    """A real dip: most receipts of the day did not happen."""
    return [row for number, row in enumerate(rows) if number % 3 == 0]


def test_the_month(month: Month) -> None:
    lines: dict[str, Any] = {}
    before = month.open()
    month.tomorrow(deliver=False)
    month.refresh()
    late = month.new(before)
    lines["late"] = late.text("en")
    assert late.text("en").startswith("Data late or missing: transactions: 1 May 2017 not delivered")
    assert "data" in month.told(late)
    month.deliver()
    month.refresh()
    assert month.incidents.one(late.name).state == "recovered"

    before = month.open()
    month.tomorrow(lambda rows: [{**row, "retail_disc": "-1"} if n % 60 == 0 else row for n, row in enumerate(rows)])
    month.refresh()
    jump = month.new(before)
    lines["check"] = jump.text("en")
    assert jump.text("en").startswith("Data check failed: transactions: 2.")
    month.tomorrow()
    month.refresh()
    assert month.incidents.one(jump.name).state == "recovered"

    before = month.open()
    month.tomorrow(a_third_of_receipts)
    month.refresh()
    dip = month.new(before)
    lines["move"] = dip.text("en")
    assert dip.text("en").startswith("Real move: ")
    assert {"finance"} <= month.told(dip)
    month.tomorrow()
    month.refresh()
    assert month.incidents.one(dip.name).state in ("recovered", "open")

    before = month.open()
    day = month.day + timedelta(days=1)
    month.tomorrow(a_third_of_receipts, event={"label": {"en": "Stocktaking", "zh": "盘点"}, "start": day, "end": day})
    month.refresh()
    event = month.new(before)
    lines["event"] = event.text("en")
    assert event.text("en").startswith("Known event: Stocktaking; ")

    before = month.open()
    for _ in range(4):  # once may be chance
        month.wake()
        month.drain("http://127.0.0.1:9/api/")  # nobody listens
    (dead,) = [one for number, one in month.open().items() if number not in before and "slack" in one.text("en")]
    lines["channel"] = dead.text("en")
    assert "Nothing can be sent by slack" in dead.text("en")
    fake = fake_slack()
    with fake.slack_server() as slack:
        slack.per_second = 5
        month.wake()
        month.drain(f"{slack.url}api/")
        assert month.incidents.one(dead.name).state == "recovered"
        keys = [one["metadata"]["event_payload"]["key"] for one in slack.posts]
        assert keys
        assert len(keys) == len(set(keys)), "each once"
        faults = [fault for one in slack.posts for fault in fake.faults(one.get("blocks", []), slack.files)]
        assert not faults
    print(json.dumps(lines, indent=1, ensure_ascii=False))
