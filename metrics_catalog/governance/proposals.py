"""Edited files against what is certified: what somebody would have to ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.governance.certified import PEOPLE, POLICY, certified_entry, is_as_certified, official
from metrics_catalog.governance.record import METRIC, Record
from metrics_catalog.located import Document, Problem
from metrics_catalog.spec.base import Spec
from metrics_catalog.spec.governance import Change
from metrics_catalog.spec.metric import AnyMetric

_WORDS = {"label", "description", "synonyms", "playbook"}
_BOUNDS = {"bounds", "target", "direction", "change", "anomaly", "watch"}


@dataclass(frozen=True)
class Proposal:
    """A change to ask for: the file's new ``text`` (None: the metric ends), against version ``base`` (0: none)."""

    subject: str
    changes: tuple[Change, ...]
    domain: str
    path: str
    text: str | None
    base: int
    line: int = 1
    effective: date | None = None
    successor: str | None = None
    until: date | None = None

    @property
    def name(self) -> str:
        """The metric, or ``people`` or ``policy``."""
        return self.subject.removeprefix(METRIC)

    @property
    def calculates(self) -> bool:
        """Whether values may come out different."""
        return not {"create", "calculation"}.isdisjoint(self.changes)


def proposals(files: Catalog, record: Record, certified: Catalog | None = None) -> Iterator[Proposal]:
    """Everything in which the files differ from what is certified; formatting and comments are no difference.

    ``certified``: the official catalog, where it is known.
    """
    for entry in files.metrics.values():
        yield from _metric(files, entry, record)
    certified = certified or official(files, record)
    if certified.people != files.people:
        yield _of_project(PEOPLE, "people", files.people_document, record)
    if certified.policy != files.policy:
        yield _of_project(POLICY, "policy", files.policy_document, record)
    for name, version in record.metrics().items():
        if name not in files.metrics and name not in files.not_read and version.status == "certified":
            yield Proposal(METRIC + name, ("retire",), version.domain, version.path, None, version.number)


def kinds(old: AnyMetric, new: AnyMetric, moved: bool) -> tuple[Change, ...]:
    """What kinds of change lie between two metric files; ``moved``: it went to another domain."""
    before, after = _plain(old), _plain(new)
    keys = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    found: list[Change] = []
    if keys & _WORDS or moved:
        found.append("wording")
    if keys & _BOUNDS:
        found.append("bounds")
    if "owner" in keys:
        found.append("owner")
    if "tier" in keys:
        found.append("tier")
    if keys - _WORDS - _BOUNDS - {"owner", "tier"}:
        found.append("calculation")
    return tuple(found)


def not_official(files: Catalog, record: Record) -> Iterator[Problem]:
    """A warning for each file that is not what the platform computes by."""
    for one in proposals(files, record) if record.begun else ():
        new = "create" in one.changes or one.base == 0
        said = "is not certified" if new else f"differs from certified version {one.base}"
        said = "is gone, and still certified" if one.text is None else said
        yield Problem(
            one.path, one.line, f"{one.name}: {said}; ask for it with `metrics propose {one.name}`", "warning"
        )


def metric_text(entry: Entry) -> str:
    """A metric's definition as text: its file, or, of dbt's own, what it came to here."""
    if not entry.is_dbts:
        return entry.document.text
    return yaml.safe_dump(_plain(entry.spec), sort_keys=False, allow_unicode=True, width=120)


def _of_project(subject: str, change: Change, document: Document, record: Record) -> Proposal:
    version = record.current(subject)
    text = document.text or "{}\n"  # an existing dbt project whose policy.yml is gone: everything as it is by default
    return Proposal(subject, (change,), "", document.path, text, 0 if version is None else version.number)


def _metric(files: Catalog, entry: Entry, record: Record) -> Iterator[Proposal]:
    version = record.current(METRIC + entry.name)
    path, subject = entry.document.path, METRIC + entry.name
    if version is None or version.status == "retired":
        base = 0 if version is None else version.number
        yield Proposal(subject, ("create",), entry.domain, path, metric_text(entry), base)
    elif not is_as_certified(entry.document, version):
        old = certified_entry(version)
        if found := kinds(old.spec, entry.spec, old.domain != entry.domain):
            yield Proposal(subject, found, entry.domain, path, metric_text(entry), version.number)


def _plain(spec: Spec) -> Mapping[str, Any]:
    return spec.model_dump(mode="json", exclude_defaults=True)
