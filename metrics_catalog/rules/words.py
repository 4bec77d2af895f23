"""A word means one metric: labels and synonyms are not shared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check(catalog: Catalog) -> Iterator[Problem]:
    """A label or synonym that another metric has too."""
    seen: dict[str, str] = {}
    for name, entry in catalog.metrics.items():
        spec = entry.spec
        words = [(("label", "en"), spec.label.en), (("label", "zh"), spec.label.zh)]
        words += [(("synonyms", index), word) for index, word in enumerate(spec.synonyms)]
        for loc, word in words:
            first = seen.setdefault(word.casefold(), name)
            if first != name:
                level = "warning" if entry.is_dbts else "error"
                yield entry.document.problem(loc, f'"{word}" already means the metric "{first}"', level)
