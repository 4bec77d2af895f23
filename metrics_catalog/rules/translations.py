"""A metric named in two languages says what it means in both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Document, Problem
from metrics_catalog.spec.base import Label

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check(catalog: Catalog) -> Iterator[Problem]:
    """A description or playbook in one language beside a label in two: a warning, as those of the other read it too."""
    for entry in catalog.metrics.values():
        spec = entry.spec
        for key, words in (("description", spec.description), ("playbook", spec.playbook)):
            yield from untranslated(entry.document, spec.label, key, words)


def untranslated(document: Document, label: Label, key: str, words: str | Label | None) -> Iterator[Problem]:
    """A text of a file in one language beside a label in two."""
    if isinstance(words, str) and label.en != label.zh:
        said = f"{key}: is in one language, and the label in two; write {{en: ..., zh: ...}}"
        yield document.problem((key,), said, "warning")
