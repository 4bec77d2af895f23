"""The colours of charts and pages, and the font that pictures are written in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

Tone = Literal["plain", "good", "bad", "muted"]
FONT = "Noto Sans CJK TC"  # the family of the packaged font, which also has the simplified forms


@dataclass(frozen=True)
class Palette:
    """The colours of one background; all readable on it (contrast at least 4.5 for text)."""

    ground: str = "#ffffff"
    text: str = "#1a2233"
    quiet: str = "#667085"
    rule: str = "#e4e7ec"
    accent: str = "#2457d6"
    soft: str = "#dbe5fb"
    good: str = "#0b7f4f"
    bad: str = "#c2321f"
    before: str = "#98a2b3"

    def of(self, tone: Tone) -> str:
        """The colour of a judgement; ``plain`` is the accent."""
        return {"plain": self.accent, "good": self.good, "bad": self.bad, "muted": self.before}[tone]


LIGHT = Palette()
DARK = Palette(
    ground="#12161f",
    text="#e8ebf2",
    quiet="#98a2b3",
    rule="#2a3140",
    accent="#7aa2ff",
    soft="#1d2a4a",
    good="#4cc38a",
    bad="#ff8a73",
    before="#667085",
)


@cache
def font_file(weight: Literal["Regular", "Bold"] = "Regular") -> str:
    """The packaged font with Chinese glyphs."""
    from importlib.util import find_spec
    from pathlib import Path

    found = find_spec(f"cvttf_NotoSansCJK_{weight}")
    assert found is not None, "a dependency of this package"
    assert found.origin is not None, "a dependency of this package"
    return str(next(Path(found.origin).parent.glob("*.otf")))
