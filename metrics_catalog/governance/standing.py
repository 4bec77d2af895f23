"""What is certified at one moment, and what a change would mean there. Reads the warehouse, writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from metrics_catalog.catalog import Catalog, Entry, entry_of
from metrics_catalog.engine.fingerprint import digest, twins
from metrics_catalog.governance.approval import Requirement, required
from metrics_catalog.governance.certified import PEOPLE, POLICY, checked
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.effects import Seen
from metrics_catalog.governance.preview import Change, preview
from metrics_catalog.governance.proposals import Proposal
from metrics_catalog.governance.record import METRIC, Record, Request
from metrics_catalog.located import check, parsed
from metrics_catalog.published.of_data import of_data
from metrics_catalog.spec.governance import Tier
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Warehouse = Callable[[], AbstractContextManager["DuckDBPyConnection"]]
# What else a change would do, said by a room above this one: alerts that would have fired.
Alerts = Callable[["DuckDBPyConnection", Change, date], Mapping[str, Any]]
_PREVIEWED = {"create", "calculation", "bounds", "retire"}


@dataclass(frozen=True)
class Standing:
    """The official catalog of a record, and the data as ``warehouse`` shows it; ``now`` decides what is over.

    ``alerts``: what would have fired by old and new, for the preview.

    Methods raise `InvalidFiles` when what is asked for does not hold together.
    """

    record: Record
    official: Catalog
    warehouse: Warehouse
    now: datetime
    alerts: Alerts | None = None
    _made: dict[tuple[Any, ...], Catalog] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def closed_through(self) -> date:
        """The last day that is over."""
        return self.official.policy.closed_through(self.now)

    def users(self, metric: str) -> list[str]:
        """Certified metrics that name a metric."""
        return [one for one in self.official.metrics if metric in self.official.inputs(one)]

    def what_if(self, entry: Entry) -> dict[str, Any]:
        """The preview of a metric as its file says it."""
        after = checked(replace(self.official, metrics={**self.official.metrics, entry.name: entry}))
        return self._numbers(Change(entry.name, self.official, after))

    def duplicates(self, proposal: Proposal) -> list[str]:
        """Metrics that compute the same under another name; and whether the name had another meaning before."""
        if not proposal.calculates:
            return []
        found = [f"{name} computes the same" for name in twins(self._changed(proposal), proposal.name)]
        before = self.record.versions.get(proposal.subject, ())
        if proposal.changes == ("create",) and before:
            found.append(f"the name was that of a metric retired on {before[-1].at:%Y-%m-%d}")
        return found

    def seen(self, asked: Proposal | Request) -> Seen:
        """The preview, what exactly it is of, and who must approve that."""
        if isinstance(asked, Request) and asked.changes == ("restate",):
            shown, mark, after = dict(asked.preview), asked.fingerprint, self.official
        else:
            after = self._changed(asked)
            change = None if _metric(asked) is None else Change(_metric(asked) or "", self.official, after)
            shown, mark = self._shown(asked, change), self._mark(asked, change)
        effect = shown.get("effect")
        tiers = self._tiers(asked, after)
        needs: Requirement = required(
            self.official.policy.governance, asked.changes, tiers, None if effect is None else Decimal(effect)
        )
        return Seen(mark, shown, needs)

    def fingerprint(self, request: Request) -> str:
        """Of everything an approval is for: the change, what it stands on, and the rules it is judged by."""
        if request.changes == ("restate",):
            return request.fingerprint
        metric = request.metric
        change = None if metric is None else Change(metric, self.official, self._changed(request))
        return self._mark(request, change)

    def _mark(self, asked: Proposal | Request, change: Change | None) -> str:
        policy = self.record.current(POLICY)
        parts = [asked.subject, str(asked.base), asked.domain, asked.text or "", *asked.changes]
        parts += [str(asked.effective), str(asked.successor), "" if policy is None else policy.fingerprint]
        return digest(parts) if change is None else change.fingerprint(parts)

    def _shown(self, asked: Proposal | Request, change: Change | None) -> Mapping[str, Any]:
        """What to show; when it cannot be computed, why."""
        if change is None or _PREVIEWED.isdisjoint(asked.changes):
            return {"effect": "0"}
        try:
            return self._numbers(change)
        except Refused as refused:
            return {"failed": str(refused)}
        except Exception as error:  # of a database, a file, a lock: whatever it is, people decide with more care
            return {"failed": f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"}

    def _numbers(self, change: Change) -> dict[str, Any]:
        """Raises `Refused` when the rows have values for which the definition has none."""
        with self.warehouse() as con:
            try:
                found = preview(con, change, self.closed_through, self.official.policy.governance.preview_periods)
            except Exception as error:
                if (said := of_data(error)) is None:
                    raise
                raise Refused(f"{change.metric} cannot be computed as it is written: {said}") from None
            return found if self.alerts is None else {**found, "alerts": self.alerts(con, change, self.closed_through)}

    def _tiers(self, asked: Proposal | Request, after: Catalog) -> set[Tier]:
        """The metric's, before and after; people and policy concern the whole company."""
        metric = _metric(asked)
        found = [catalog.metrics.get(metric) for catalog in (self.official, after)] if metric else []
        return {entry.spec.tier for entry in found if entry is not None} if metric else {1}

    def _changed(self, asked: Proposal | Request) -> Catalog:
        """The official catalog with the change in effect. Raises `InvalidFiles` when it does not hold together."""
        key = (asked.subject, asked.changes, asked.domain, asked.path, asked.text)
        if key not in self._made:
            self._made[key] = self._make(asked)
        return self._made[key]

    def _make(self, asked: Proposal | Request) -> Catalog:
        official, metric = self.official, _metric(asked)
        if "retire" in asked.changes:
            return checked(replace(official, metrics={k: one for k, one in official.metrics.items() if k != metric}))
        if asked.text is None:
            return official
        document = parsed(asked.text, asked.path)
        if asked.subject == PEOPLE:
            return checked(replace(official, people=check(document, People), people_document=document))
        if asked.subject == POLICY:
            return checked(replace(official, policy=check(document, Policy), policy_document=document))
        entry = entry_of(metric or "", asked.domain, document)
        return checked(replace(official, metrics={**official.metrics, entry.name: entry}))


def _metric(asked: Proposal | Request) -> str | None:
    return asked.subject.removeprefix(METRIC) if asked.subject.startswith(METRIC) else None
