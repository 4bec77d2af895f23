"""What a review is made of: items with their evidence and what they propose. Plain data, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

Text = Mapping[str, str]  # by language
Kind = Literal[
    "unused", "duplicate", "noisy", "unanswered", "slow approval", "missed target", "open action", "outcome",
    "restatement", "source", "core set", "changed",
]  # fmt: skip
Do = Literal["deprecate", "calm", "decide"]


@dataclass(frozen=True)
class Proposal:
    """What accepting an item asks for: to deprecate ``metric`` (for ``successor``), to calm one of its rules, to act.

    ``edit``: keys of the metric's file with their new values. ``action``: of a decision about the metric, by language.
    """

    do: Do
    metric: str
    reason: str
    successor: str | None = None
    edit: Mapping[str, Any] = field(default_factory=dict)
    action: Text = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """One finding. ``key`` names it, the same in the next review too. ``weight``: which comes first within its kind.

    ``title``, ``evidence``, ``proposed``: in both languages; ``proposal``: what `accept` does, None: nothing to accept.
    """

    key: str
    kind: Kind
    subject: str
    title: Text
    evidence: tuple[Text, ...]
    proposed: Text
    proposal: Proposal | None = None
    weight: float = 0.0


@dataclass(frozen=True)
class Pack:
    """One review. ``month``: its first day; ``cause``: month, demand, or what triggered it; ``facts``: label, value.

    ``unseen``: what the review cannot know.
    """

    month: str
    made_at: str
    cause: str
    items: tuple[Item, ...]
    facts: tuple[tuple[Text, str], ...] = ()
    unseen: Text = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `read` makes it again."""
        return asdict(self)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Pack:
        """Back from `as_json`."""
        items = tuple(_item(one) for one in data["items"])
        facts = tuple((label, value) for label, value in data["facts"])
        return cls(data["month"], data["made_at"], data["cause"], items, facts, data["unseen"])

    def item(self, key: str) -> Item | None:
        """An item by its key, or by its number in the pack."""
        if key.isdigit():
            return self.items[int(key) - 1] if 0 < int(key) <= len(self.items) else None
        return next((one for one in self.items if one.key == key), None)

    @property
    def at(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.made_at)


def _item(data: Mapping[str, Any]) -> Item:
    proposal = data["proposal"]
    given = {**data, "evidence": tuple(data["evidence"]), "proposal": proposal and Proposal(**proposal)}
    return Item(**given)
