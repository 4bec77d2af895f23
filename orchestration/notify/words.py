"""The few words formats add of their own, in both languages."""

from __future__ import annotations

from typing import Literal

Word = Literal["closed", "update", "more", "file", "severity", "see"]
_WORDS: dict[Word, tuple[str, str]] = {
    "closed": ("closed", "已关闭"),
    "update": ("update", "更新"),
    "more": ("{} more not shown here", "另有 {} 项未显示"),
    "file": ("attached: {}", "附件：{}"),
    "severity": ("severity {}", "{} 级"),
    "see": ("see", "见"),
}
_MARKS = {1: "🔴", 2: "🟠", 3: "🟡", 4: "🔵", 5: "⚪"}
_CLOSED = "✅"


def word(name: Word, language: str, *given: object) -> str:
    """A word or short phrase in a language."""
    return _WORDS[name][language == "zh"].format(*given)


def mark(severity: int | None, closed: bool) -> str:
    """The sign before the title of an alert: how bad it is, or that it is over; nothing for other messages."""
    if severity is None:
        return ""
    return f"{_CLOSED if closed else _MARKS.get(severity, '')} "
