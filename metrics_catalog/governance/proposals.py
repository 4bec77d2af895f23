"""Edited files against what is certified: what somebody would have to ask for. Pure but for reading the files' text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.governance.certified import PEOPLE, POLICY, certified_entry, official
from metrics_catalog.governance.record import METRIC, Record
from metrics_catalog.located import Problem
from metrics_catalog.spec.base import Spec
from metrics_catalog.spec.governance import Change
from metrics_catalog.spec.metric import AnyMetric

_WORDS = {"label", "description", "synonyms", "playbook"}
_BOUNDS = {"bounds", "target", "direction"}


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


def proposals(files: Catalog, record: Record) -> Iterator[Proposal]:
    """Everything in which the files differ from what is certified; formatting and comments are no difference."""
    for entry in files.metrics.values():
        yield from _metric(files, entry, record)
    certified = official(files, record)
    if (version := record.current(PEOPLE)) is not None and certified.people != files.people:
        path = files.people_document.path
        yield Proposal(PEOPLE, ("people",), "", path, text_of(files, path), version.number)
    if (version := record.current(POLICY)) is not None and certified.policy != files.policy:
        path = files.policy_document.path
        yield Proposal(POLICY, ("policy",), "", path, text_of(files, path), version.number)
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
        said = "is not certified" if one.base == 0 else f"differs from certified version {one.base}"
        said = "is gone, and still certified" if one.text is None else said
        yield Problem(
            one.path, one.line, f"{one.name}: {said}; ask for it with `metrics propose {one.name}`", "warning"
        )


def text_of(files: Catalog, path: str) -> str:
    """A file of the project as it is."""
    return (files.project.root / path).read_text(encoding="utf-8-sig")


def metric_text(files: Catalog, entry: Entry) -> str:
    """A metric's definition as text: its file, or, of dbt's own, what it came to here."""
    if not entry.is_dbts:
        return text_of(files, entry.document.path)
    return yaml.safe_dump(_plain(entry.spec), sort_keys=False, allow_unicode=True, width=120)


def _metric(files: Catalog, entry: Entry, record: Record) -> Iterator[Proposal]:
    version = record.current(METRIC + entry.name)
    path, text = entry.document.path, metric_text(files, entry)
    if version is None or version.status == "retired":
        yield Proposal(
            METRIC + entry.name, ("create",), entry.domain, path, text, 0 if version is None else version.number
        )
        return
    old = certified_entry(version)
    if found := kinds(old.spec, entry.spec, old.domain != entry.domain):
        yield Proposal(METRIC + entry.name, found, entry.domain, path, text, version.number)


def _plain(spec: Spec) -> Mapping[str, Any]:
    return spec.model_dump(mode="json", exclude_defaults=True)
