"""What is in one copy of a report: plain data that every output is made from, worded in the reader's language.

Kept as JSON beside what was sent; outputs read that JSON, so that an old issue opens as it was.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from metrics_catalog.palette import Tone

Level = Literal["ok", "note", "warn"]
Points = tuple[tuple[str, float | None], ...]  # (ISO date, value)


@dataclass(frozen=True)
class Card:
    """One headline number. ``against``: what it is compared with; ``target``: how far it is; ``mark``: a caution."""

    metric: str
    label: str
    value: str
    change: str
    tone: Tone
    against: str
    target: str | None
    target_tone: Tone
    year: str | None
    mark: str | None
    spark: tuple[float | None, ...]


@dataclass(frozen=True)
class Chart:
    """A metric over time; ``legend``: what the second line is; ``names``: of periods that have one of their own."""

    metric: str
    label: str
    value: str
    change: str
    tone: Tone
    unit: str
    grain: str
    points: Points
    before: Points
    target: float | None
    legend: str | None
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A member: ``size`` is the length of its bar, -1 to 1; ``share``: of the whole; ``self``: the copy's own."""

    member: str
    value: str
    share: str
    change: str
    tone: Tone
    size: float
    place: int | None = None


@dataclass(frozen=True)
class Block:
    """A section: ``kind`` says which of the parts it has. ``note``: how to read it, or why there is nothing."""

    kind: str
    title: str
    note: str | None = None
    metric: str | None = None
    columns: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()
    charts: tuple[Chart, ...] = ()
    rows: tuple[Row, ...] = ()
    paragraphs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Insight:
    """A sentence with its numbers, and how it is meant. ``score`` ranked it."""

    text: str
    metric: str
    tone: Tone
    score: float


@dataclass(frozen=True)
class Line:
    """One thing to know before trusting the numbers."""

    level: Level
    text: str


@dataclass(frozen=True)
class Banner:
    """How far the numbers can be trusted: the worst ``level``, in one sentence, and each reason."""

    level: Level
    title: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A metric of the report: what it is, who answers for it, which versions there were."""

    metric: str
    label: str
    description: str
    calculation: str
    facts: tuple[tuple[str, str], ...]
    history: tuple[str, ...]


@dataclass(frozen=True)
class Body:
    """A copy. ``subject``: what it is about, as "store 367"; ``version``: the publish it was read from."""

    report: str
    title: str
    description: str | None
    period: str
    period_label: str
    grain: str
    audience: str
    subject: str | None
    language: str
    version: int
    made: str
    banner: Banner
    insights: tuple[Insight, ...]
    blocks: tuple[Block, ...]
    definitions: tuple[Definition, ...]
    versions: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data, for outputs and for keeping."""
        return asdict(self)
