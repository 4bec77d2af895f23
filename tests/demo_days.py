"""The demo in a folder of its own: later days wait in a stash until a test delivers them, as they are or spoilt."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from orchestration.settings import Settings, read_settings

if TYPE_CHECKING:
    from metrics_catalog.project import Project

ROOT = Path(__file__).parents[1]
ROOMS = ("metrics_catalog", "dbt_project", "expectations", "orchestration")
POLICY = "metrics_catalog/policy.yml"
PROMOTIONS = 100_000  # of 20 million rows
Row = dict[str, str]
Change = Callable[[list[Row]], list[Row]]


class DemoDays:
    """The demo's project with receipts up to ``last``; those of later days, up to ``end``, can be delivered."""

    def __init__(self, root: Path, last: date, end: date) -> None:
        from orchestration.demo import lay_out

        self.root, self.stash, self.last = root, root / "stash", last
        for room in ROOMS:
            shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))
        lay_out(self.project.landing, (end - date(2017, 1, 1)).days + 1)
        self._few_promotions()
        self.stash.mkdir()
        for file in sorted((self.project.landing / "transactions").iterdir()):
            if file.stem.rpartition("_")[2] > last.isoformat():
                shutil.move(file, self.stash / file.name)

    @property
    def settings(self) -> Settings:
        """As the project's ``.env`` says, whatever the environment of the tests is."""
        return read_settings({}, project=self.root)

    @property
    def project(self) -> Project:
        return self.settings.locate()

    def write_env(self, given: Mapping[str, str]) -> None:
        lines = [f"{name}={value}\n" for name, value in given.items()]
        (self.root / ".env").write_text("".join(lines), encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def write_policy(self, change: Callable[[dict[str, Any]], None]) -> None:
        policy = yaml.safe_load((self.root / POLICY).read_text(encoding="utf-8"))
        change(policy)
        (self.root / POLICY).write_text(yaml.safe_dump(policy, allow_unicode=True), encoding="utf-8")

    def deliver(self, day: date, change: Change | None = None) -> None:
        """A day's receipts, written at this moment."""
        name = f"transactions_{day}.csv"
        with (self.stash / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        path = self.project.landing / "transactions" / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows if change is None else change(rows))
        moment = datetime.now().timestamp() - 60  # no longer being written
        os.utime(path, (moment, moment))
        self.last = max(self.last, day)

    def deliver_until(self, day: date, but: Mapping[date, Change | None] | None = None) -> None:
        """Every day after the last one; ``but``: days that are changed, or do not come (None)."""
        spoilt, one = but or {}, self.last
        while one < day:
            one += timedelta(days=1)
            if one not in spoilt:
                self.deliver(one)
            elif (change := spoilt[one]) is not None:
                self.deliver(one, change)

    def generate(self) -> None:
        """Bring what is made from the catalog up to date, and have dbt parse it."""
        from metrics_catalog.catalog import load_catalog
        from orchestration.generate import write
        from orchestration.transform.runner import ensure_parsed

        ensure_parsed(self.project)
        write(load_catalog(self.project))

    def _few_promotions(self) -> None:
        import duckdb

        for file in (self.project.landing / "merchandising").glob("*.parquet"):
            few = file.with_suffix(".few")
            duckdb.sql(f"select * from read_parquet('{file}') limit {PROMOTIONS}").write_parquet(str(few))
            few.replace(file)
