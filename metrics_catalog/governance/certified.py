"""The official catalog: the project's, with every file as it was certified. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

from pydantic import BaseModel

from metrics_catalog.catalog import Catalog, Entry, Era, entry_of
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


def read_as(version: Version, spec: type[S]) -> tuple[S, Document]:
    """People or the policy as certified. Raises `InvalidFiles`."""
    document = parsed(version.text, version.path)
    return check(document, spec), document


def official(files: Catalog, record: Record) -> Catalog:
    """What the platform computes by; the files themselves while nothing was ever certified.

    Its ``eras`` are the definitions before those that hold from a day on.
    Raises `InvalidFiles` when a certified definition no longer fits the dbt project.
    """
    if not record.begun:
        return files
    catalog = replace(files, metrics={name: _entry(files, version) for name, version in record.metrics().items()})
    people, policy = record.current(PEOPLE), record.current(POLICY)
    if people is not None and not is_as_certified(files.people_document, people):
        found, document = read_as(people, People)
        catalog = replace(catalog, people=found, people_document=document)
    if policy is None:  # a policy.yml written later is no way round an approval
        catalog = replace(catalog, policy=Policy())
    elif not is_as_certified(files.policy_document, policy):
        found, document = read_as(policy, Policy)
        catalog = replace(catalog, policy=found, policy_document=document)
    if catalog == files and not any(version.effective for some in record.versions.values() for version in some):
        return files
    newest = checked(replace(catalog, metrics=_ordered(catalog.metrics)))
    return replace(newest, eras=tuple(_eras(newest, record)))


def _eras(newest: Catalog, record: Record) -> Iterator[Era]:
    """Catalogs of what was certified earlier and still holds for earlier periods, the last first."""
    later = newest
    versions = {name: record.versions[METRIC + name] for name in newest.metrics}
    for until in sorted({day for some in versions.values() for day in _beginnings(some)}, reverse=True):
        before = {name: _in_force(some, until - timedelta(days=1)) for name, some in versions.items()}
        metrics = {
            name: later.metrics[name] if version is _in_force(versions[name], until) else certified_entry(version)
            for name, version in before.items()
        }
        later = checked(replace(newest, metrics=_ordered(metrics), later=later, until=until))
        yield Era(until, later)


def _beginnings(versions: Sequence[Version]) -> Iterator[date]:
    """First days of the versions that do not hold for all of history, as far as they are still in force."""
    for version in reversed(versions):
        if version.effective is None:
            return
        yield version.effective


def _in_force(versions: Sequence[Version], day: date) -> Version:
    """The newest version that holds on a day; the first one holds for whatever was before."""
    return next((one for one in reversed(versions) if one.effective is None or one.effective <= day), versions[0])


def _ordered(metrics: Mapping[str, Entry]) -> dict[str, Entry]:
    return {one.name: one for one in sorted(metrics.values(), key=lambda entry: (entry.domain, entry.name))}


def is_as_certified(document: Document, version: Version) -> bool:
    """Whether a file is the certified one, letter for letter, so that it need not be read again."""
    return document.text == version.text and document.path == version.path


def checked(catalog: Catalog) -> Catalog:
    """The catalog, when no rule finds an error in it. Raises `InvalidFiles`."""
    errors = [problem for problem in check_all(catalog) if problem.level == "error"]
    if errors:
        raise InvalidFiles(errors)
    return catalog


def _entry(files: Catalog, version: Version) -> Entry:
    """The certified one; where the file says the same, the file's, whose lines are today's."""
    now = files.metrics.get(version.subject.removeprefix(METRIC))
    if now is not None and is_as_certified(now.document, version):
        return now
    entry = certified_entry(version)
    return now if now is not None and now.spec == entry.spec and now.domain == entry.domain else entry
