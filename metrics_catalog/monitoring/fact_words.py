"""Facts in words, in both languages. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from metrics_catalog.health import SourceHealth
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
    english = f"{source}: {day(days[0], 'en')}{f' and {more} more days' if more else ''} not delivered"
    chinese = f"{source}：{day(days[0], 'zh')}{f'等{more + 1}天' if more else ''}的数据未到"
    return {"en": english, "zh": chinese}


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
