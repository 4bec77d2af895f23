"""What a metric of a report is: definition, owner, versions. The page each number links to. Pure."""

from __future__ import annotations

from metrics_catalog.catalog import Catalog
from metrics_catalog.decomposition import calculation
from metrics_catalog.governance.begun import Definitions
from metrics_catalog.governance.record import METRIC, Version
from metrics_catalog.reporting import words
from metrics_catalog.reporting.body import Definition
from metrics_catalog.spec.base import said

SHOWN = 5  # versions


def defined(definitions: Definitions, catalog: Catalog, metric: str, language: str) -> Definition:
    """One metric for the appendix."""
    spec = catalog.metrics[metric].spec
    record = definitions.record
    versions = () if record is None else record.versions.get(METRIC + metric, ())
    standing = _certified(catalog, versions[-1], language) if versions else words.say("uncertified", language)
    facts = (
        (words.say("owner", language), _owner(catalog, spec.owner, language)),
        (words.say("version", language), standing),
        (words.say("good", language), words.say(spec.direction, language)),
    )
    history = tuple(f"{_certified(catalog, one, language)}: {one.reason}" for one in reversed(versions[-SHOWN:]))
    label, meaning = spec.label.to(language), said(spec.description, language)
    return Definition(metric, label, meaning, calculation(spec), facts, history)


def _owner(catalog: Catalog, owner: str, language: str) -> str:
    people = catalog.people
    names = [people.people[one].name for one in people.behind(owner) if one in people.people]
    if owner in people.teams:
        label = people.teams[owner].label.to(language)
        return f"{label}（{'、'.join(names)}）" if language == "zh" else f"{label} ({', '.join(names)})"
    return names[0] if names else owner


def _certified(catalog: Catalog, version: Version, language: str) -> str:
    known = catalog.people.people
    people = [known[one].name if one in known else one for one in (version.approvers or (version.author,))]
    day = words.named_day(version.at.date(), language)
    return words.say("certified", language, number=version.number, day=day, people=words.listed(people, language))
