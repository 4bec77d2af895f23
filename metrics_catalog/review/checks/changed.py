"""Calculations that were changed in the time reviewed: by whom, since when, and where they can be looked at."""

from __future__ import annotations

from collections.abc import Iterator

from metrics_catalog.governance.record import METRIC, Request, Version
from metrics_catalog.review.item import Item
from metrics_catalog.review.scene import Scene


def found(scene: Scene) -> Iterator[Item]:
    """One item for each certified version with another calculation."""
    for version, request in changed_definitions(scene):
        name = version.subject.removeprefix(METRIC)
        entry = scene.catalog.metrics.get(name)
        label = (entry.spec.label.en, entry.spec.label.zh) if entry else (name, name)
        since = "all of history" if version.effective is None else f"{version.effective}"
        yield Item(
            key=f"changed/{name}/{version.number}",
            kind="changed",
            subject=name,
            title={
                "en": f"{label[0]} is computed otherwise since version {version.number}",
                "zh": f"{label[1]}自第{version.number}版起口径变更",
            },
            evidence=(
                {
                    "en": f"{request.name} by {version.author}, for {since}: {version.reason}",
                    "zh": f"{request.name}，{version.author}，自 {since}：{version.reason}",
                },
            ),
            proposed={"en": f"metrics history {name}", "zh": f"metrics history {name}"},
            weight=float(version.seq),
        )


def changed_definitions(scene: Scene) -> Iterator[tuple[Version, Request]]:
    """Versions certified in the time reviewed whose request changed a calculation."""
    record = scene.definitions.record
    for versions in () if record is None else record.versions.values():
        for version in versions:
            request = None if record is None or version.request is None else record.requests.get(version.request)
            if request is not None and "calculation" in request.changes and scene.since <= version.at <= scene.now:
                yield version, request
