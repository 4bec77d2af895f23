"""The official catalog: the project's, with every file as it was certified. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel

from metrics_catalog.catalog import Catalog, Entry, entry_of
from metrics_catalog.governance.record import METRIC, Record, Version
from metrics_catalog.located import Document, InvalidFiles, check, parsed
from metrics_catalog.rules import check_all
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

S = TypeVar("S", bound=BaseModel)
PEOPLE, POLICY = "people", "policy"


def certified_entry(version: Version) -> Entry:
    """A certified metric as the catalog holds it. Raises `InvalidFiles`."""
    return entry_of(version.subject.removeprefix(METRIC), version.domain, parsed(version.text, version.path))


def certified_people(record: Record) -> tuple[People, Document] | None:
    """People as certified; None where the project had no such file."""
    return _certified(record, PEOPLE, People)


def certified_policy(record: Record) -> tuple[Policy, Document] | None:
    """The policy as certified; None where the project had no such file."""
    return _certified(record, POLICY, Policy)


def official(files: Catalog, record: Record) -> Catalog:
    """What the platform computes by; the files themselves while nothing was ever certified.

    Raises `InvalidFiles` when a certified definition no longer fits the dbt project.
    """
    if not record.begun:
        return files
    catalog = replace(files, metrics={name: _entry(files, version) for name, version in record.metrics().items()})
    if (people := certified_people(record)) is not None:
        catalog = replace(catalog, people=people[0], people_document=people[1])
    if (policy := certified_policy(record)) is not None:
        catalog = replace(catalog, policy=policy[0], policy_document=policy[1])
    if catalog == files:
        return files
    ordered = sorted(catalog.metrics.values(), key=lambda entry: (entry.domain, entry.name))
    return checked(replace(catalog, metrics={entry.name: entry for entry in ordered}))


def checked(catalog: Catalog) -> Catalog:
    """The catalog, when no rule finds an error in it. Raises `InvalidFiles`."""
    errors = [problem for problem in check_all(catalog) if problem.level == "error"]
    if errors:
        raise InvalidFiles(errors)
    return catalog


def _certified(record: Record, subject: str, spec: type[S]) -> tuple[S, Document] | None:
    version = record.current(subject)
    if version is None:
        return None
    document = parsed(version.text, version.path)
    return check(document, spec), document


def _entry(files: Catalog, version: Version) -> Entry:
    """The certified one; where the file says the same, the file's, whose lines are today's."""
    name = version.subject.removeprefix(METRIC)
    entry = certified_entry(version)
    now = files.metrics.get(name)
    return now if now is not None and now.spec == entry.spec and now.domain == entry.domain else entry
