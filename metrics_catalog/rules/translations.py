"""A metric named in two languages says what it means in both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check(catalog: Catalog) -> Iterator[Problem]:
    """A description or playbook in one language beside a label in two: a warning, as those of the other read it too."""
    for entry in catalog.metrics.values():
        spec = entry.spec
        if spec.label.en == spec.label.zh:
            continue
        for key, words in (("description", spec.description), ("playbook", spec.playbook)):
            if isinstance(words, str):
                said = f"{key}: is in one language, and the label in two; write {{en: ..., zh: ...}}"
                yield entry.document.problem((key,), said, "warning")
