"""One thing the platform knows beside values: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

# In the order in which they are asked for as a cause.
Kind = Literal[
    "late",
    "stale",
    "not loaded",
    "partial",
    "blocked",
    "failed check",
    "quarantine",
    "code",
    "definition",
    "restated",
    "held",
    "few",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Fact:
    """One thing that is known. ``subject``: the source, dbt node or metric it is about; ``text``: by language.

    ``days``: the business days it is about, none: of all. ``moved``: published values changed, or would, by it.
    """

    kind: Kind
    subject: str
    text: Mapping[str, str]
    days: tuple[date, ...] = ()
    moved: bool = True

    def touches(self, start: date, end: date) -> bool:
        """Whether it is about days in ``[start, end)``."""
        return not self.days or any(start <= day < end for day in self.days)
