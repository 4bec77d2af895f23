"""The official catalog: the project's, with every file as it was certified. Pure."""

from __future__ import annotations

from dataclasses import replace

from metrics_catalog.catalog import Catalog, Entry, entry_of
from metrics_catalog.governance.record import METRIC, Record, Version
from metrics_catalog.located import Document, InvalidFiles, check, parsed
from metrics_catalog.rules import check_all
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

PEOPLE, POLICY = "people", "policy"


def certified_entry(version: Version) -> Entry:
    """A certified metric as the catalog holds it. Raises `InvalidFiles`."""
    return entry_of(version.subject.removeprefix(METRIC), version.domain, parsed(version.text, version.path))


def official(files: Catalog, record: Record) -> Catalog:
    """What the platform computes by; the files themselves while nothing was ever certified.

    Raises `InvalidFiles` when a certified definition no longer fits the dbt project.
    """
    if not record.begun:
        return files
    catalog = replace(files, metrics={name: _entry(files, version) for name, version in record.metrics().items()})
    people, policy = record.current(PEOPLE), record.current(POLICY)
    if people is not None and not is_as_certified(files.people_document, people):
        document = parsed(people.text, people.path)
        catalog = replace(catalog, people=check(document, People), people_document=document)
    if policy is None:  # a policy.yml written later is no way round an approval
        catalog = replace(catalog, policy=Policy())
    elif not is_as_certified(files.policy_document, policy):
        document = parsed(policy.text, policy.path)
        catalog = replace(catalog, policy=check(document, Policy), policy_document=document)
    if catalog == files:
        return files
    ordered = sorted(catalog.metrics.values(), key=lambda entry: (entry.domain, entry.name))
    return checked(replace(catalog, metrics={entry.name: entry for entry in ordered}))


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
