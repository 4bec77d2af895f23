"""The demo, day after day, with whatever goes wrong; loaded by the test of its month, after `demo_days`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo_days import Change, DemoDays

from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.office import Office, Wish
from metrics_catalog.monitoring.incident import Incident
from metrics_catalog.monitoring.incidents import Incidents
from metrics_catalog.ops.store import open_store, writing
from orchestration.settings import Settings, read_settings

if TYPE_CHECKING:
    from orchestration.refresh import Refresh

LAST, END = date(2017, 5, 7), date(2017, 6, 4)  # the last day there is when the month begins, and the last there can be


class Month(DemoDays):
    """The demo, refreshed when told. ``day``: the last that is over."""

    def __init__(self, root: Path, refresh_all: Callable[[Settings], Refresh]) -> None:
        super().__init__(root, LAST, END)
        self._refresh_all = refresh_all
        self.day, self.governed = LAST, False
        self.lines: dict[str, Incident] = {}  # by what went wrong
        self.events: list[dict[str, Any]] = []
        self.posts: list[dict[str, Any]] = []  # what Slack got
        self.write_policy(self._as_known)

    def with_settings(self, **given: str) -> Settings:
        return read_settings({f"METRICS_{name.upper()}": value for name, value in given.items()}, project=self.root)

    def _as_known(self, policy: dict[str, Any]) -> None:
        known = policy["monitoring"]["events"]
        known += [one for one in self.events if one not in known]
        policy["business_date"] = self.day
        policy["alerts"].pop("quiet", None)  # it is any time of the day here

    def until(self, day: date) -> None:
        """Days go by, and each is delivered."""
        while self.day < day:
            self.day += timedelta(days=1)
            self.come()

    def tomorrow(self, change: Change | None = None) -> None:
        """A day is over and delivered."""
        self.day += timedelta(days=1)
        self.over()
        self.come(change)

    def over(self) -> None:
        """The day becomes the last that is over; a change of policy.yml as any other once there is governance."""
        self.write_policy(self._as_known)
        if self.governed:
            self.approve(self.office().propose("policy", "omar_aziz", Wish("a day is over", restate=False)).id)

    def come(self, change: Change | None = None) -> None:
        """The day's delivery."""
        self.deliver(self.day, change)

    def products_of(self, department: str) -> set[str]:
        with sqlite3.connect(self.project.landing / "erp" / "products.db") as con:
            found = con.execute("select product_id from products where department = ?", [department])
            return {str(number) for (number,) in found}

    def refresh(self) -> None:
        self.generate()
        self._refresh_all(self.settings)

    def change(self, metric: str, old: str, new: str) -> None:
        """Edit a metric's file, ask for it from the first open day on, and have it approved."""
        self.replace(metric, old, new)
        self.approve(self.office().propose(Path(metric).stem, "omar_aziz", Wish("better", restate=False)).id)

    def office(self) -> Office:
        from metrics_catalog.catalog import load_catalog
        from metrics_catalog.governance.ledger import Ledger
        from metrics_catalog.governance.office import read_only

        warehouse = partial(read_only, self.project.warehouse)
        ledger = Ledger(open_store(self.project.ops))
        return Office(load_catalog(self.project), ledger, warehouse, lambda: datetime.now(UTC))

    def certify(self) -> None:
        self.office().bootstrap("chen_jie", "first use")
        self.governed = True

    def approve(self, request: int) -> None:
        """By whoever may, until it is decided."""
        for person in ("li_na", "wang_fang", "chen_jie", "grace_hall"):
            if self.office().request(request).is_open:
                with suppress(Refused):  # it waits for somebody else
                    self.office().approve(request, person)
        assert not self.office().request(request).is_open

    @property
    def incidents(self) -> Incidents:
        from metrics_catalog.governance.begun import official_catalog

        return Incidents(open_store(self.project.ops), official_catalog(self.project), lambda: datetime.now(UTC))

    def numbers(self) -> set[int]:
        return {one.number for one in self.incidents.found(every=True)}

    def since(self, before: Collection[int]) -> list[Incident]:
        """Incidents that came since; not that three dips in two weeks are another level, which is so, and said too."""
        new = [one for one in self.incidents.found(every=True) if one.number not in before]
        return [one for one in new if one.data["rule"] != "shift"]

    def opened(self, name: str, before: Collection[int], key: str = "") -> Incident:
        """The one incident (whose key begins so) that came since, kept as ``name``."""
        found = [one for one in self.since(before) if one.key.startswith(key)]
        assert len(found) == 1, [(one.name, one.state, one.text("en")) for one in found]
        self.lines[name] = found[0]
        return found[0]

    def state(self, name: str) -> str:
        return self.incidents.one(self.lines[name].name).state

    def told(self, name: str) -> set[str]:
        return {one.name for one in self.lines[name].recipients}

    def drain(self, api: str) -> None:
        """Send what waits; whoever rests after a failure need not wait any longer."""
        import sqlalchemy as sa

        from metrics_catalog.ops.tables import channel_health, outbox
        from orchestration.notify.outbox import drain

        now = "2000-01-01T00:00:00.000+00:00"
        with writing(open_store(self.project.ops), None) as con:
            con.execute(sa.update(outbox).where(outbox.c.state == "waiting").values(next_at=now))
            con.execute(sa.update(channel_health).values(until=now))
        drain(self.with_settings(slack_token="xoxb-fake", slack_api=api), 60, print)
