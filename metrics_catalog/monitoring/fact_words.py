"""Facts in words, in both languages. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from metrics_catalog.health import ShortDay, SourceHealth
from metrics_catalog.wording import day

Words = dict[str, str]
_CAUSES = {  # what a publish says, as `re` reads it
    r"certified (\w+ v\d+(?:, \w+ v\d+)*)": r"新认证 \1",
    r"late rows of (\w+)": r"\1 有迟到数据",
    r"changed rows of ([\w, ]+)": r"\1 的数据有改动",
    r"changed code: ": "代码已改：",
}


def late(source: str, days: Sequence[date]) -> Words:
    """Days that were not delivered."""
    more = len(days) - 1
    others = f" and {more} more day{'s' * (more > 1)}" if more else ""
    english = f"{source}: {day(days[0], 'en')}{others} not delivered"
    chinese = f"{source}：{day(days[0], 'zh')}{f'等{more + 1}天' if more else ''}的数据未到"
    return {"en": english, "zh": chinese}


def short(source: str, one: ShortDay) -> Words:
    """A day with far fewer rows than usual, and what is missing of it."""
    counts = f"{one.rows:,}", f"{one.usual:,}"
    missing = _missing(one)
    came = ("came in part: ", "只到了一部分：") if one.partial else ("has ", "只有 ")
    english = f"{source}: {day(one.day, 'en')} {came[0]}{counts[0]} of usually {counts[1]} rows{missing['en']}"
    chinese = f"{source}：{day(one.day, 'zh')}的数据{came[1]}{counts[0]} 行，平时约 {counts[1]} 行{missing['zh']}"
    return {"en": english, "zh": chinese}


def _missing(one: ShortDay) -> Words:
    said: list[tuple[str, str]] = []
    if one.known:
        said.append((f"; it is {one.known['en']}", f"；当天为{one.known['zh']}"))
    if one.begins:
        said.append((f", nothing before {one.begins}", f"，{one.begins} 之前没有数据"))
    if one.ends:
        said.append((f", nothing after {one.ends}", f"，{one.ends} 之后没有数据"))
    if one.absent:
        names = ", ".join(one.absent[:3]) + (" …" if len(one.absent) > 3 else "")
        counts, column = (len(one.absent), one.steady), one.looked[-1]
        said.append(
            (
                f", nothing of {counts[0]} of the {counts[1]} {column} that always come ({names})",
                f"，平时必到的 {counts[1]} 个 {column} 中有 {counts[0]} 个完全没有数据（{names}）",
            )
        )
    if not said and one.looked:
        english = " and ".join(f"no {'hour' if name == 'hours' else name}" for name in one.looked)
        chinese = "和".join("时段" if name == "hours" else f" {name} " for name in one.looked)
        said.append((f"; {english} is missing entirely", f"；没有完全缺失的{chinese}".rstrip()))
    return {"en": "".join(english for english, _ in said), "zh": "".join(chinese for _, chinese in said)}


def stale(source: str, due: datetime) -> Words:
    """A load that is overdue."""
    at = due.strftime("%Y-%m-%d %H:%M UTC")
    return {
        "en": f"{source}: nothing new since it was due at {at}",
        "zh": f"{source}：应于 {at} 前更新，至今没有新数据",
    }


def not_loaded(source: str, why: str) -> Words:
    """A source that could not be read."""
    return {"en": f"{source} could not be loaded: {_line(why)}", "zh": f"{source} 无法载入：{_line(why)}"}


def blocked(source: str, why: str) -> Words:
    """A load that was not accepted."""
    reason = _line(why.removeprefix(f"{source} is not accepted: "))
    return {"en": f"{source}: its load was not accepted: {reason}", "zh": f"{source}：数据未通过校验，未采用：{reason}"}


def failed(source: str, check: str, observed: str | None) -> Words:
    """An expectation that did not hold."""
    seen = f" ({observed})" if observed else ""
    return {"en": f"{source}: check {check} failed{seen}", "zh": f"{source}：校验 {check} 未通过{seen}"}


def quarantine(one: SourceHealth, usual: float) -> Words:
    """Far more bad rows than usual."""
    share, normal, counts = f"{one.quarantine_share:.1%}", f"{usual:.1%}", f"{one.quarantined:,}/{one.rows:,}"
    return {
        "en": f"{one.source}: {share} of the newest rows quarantined ({counts}), usually {normal}",
        "zh": f"{one.source}：最新数据有 {share} 被隔离（{counts}），平时为 {normal}",
    }


def code(name: str, node: str) -> Words:
    """SQL, or what a source is judged by, that differs."""
    if node.startswith("source."):
        return {
            "en": f"the declaration or checks of source {name} changed",
            "zh": f"数据源 {name} 的声明或校验规则已改",
        }
    return {"en": f"the SQL of {name} changed", "zh": f"模型 {name} 的 SQL 已改"}


def definition(metric: str, old: int | None, new: int | None) -> Words:
    """A calculation that differs."""
    numbers = f"v{old} → v{new}" if old != new and None not in (old, new) else ""
    return {
        "en": f"the definition of {metric} changed{f' ({numbers})' if numbers else ''}",
        "zh": f"指标 {metric} 的口径已改{f'（{numbers}）' if numbers else ''}",
    }


def restated(why: str) -> Words:
    """Published values that were replaced."""
    return {"en": f"published values were restated: {_line(why)}", "zh": f"已发布数值有更正：{_causes(_line(why))}"}


def held(why: str) -> Words:
    """New values that wait."""
    return {
        "en": f"new values are held back, the last published ones still stand: {_line(why)}",
        "zh": f"新数值暂不发布，仍沿用上次发布的数值：{_causes(_line(why))}",
    }


def _causes(why: str) -> str:
    """The reasons a publish gives (`changes.Changes.why`), in Chinese; what is none of them stays as it is."""
    for english, chinese in _CAUSES.items():
        why = re.sub(english, chinese, why)
    return why.replace("; ", "；")


def _line(text: str) -> str:
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first if len(first) <= 200 else first[:199] + "…"
