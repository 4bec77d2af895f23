"""The words of reports in both languages. Every sentence is here, so that one can read them all. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from metrics_catalog import wording
from metrics_catalog.own_grains import OwnGrain, called
from metrics_catalog.reporting.facts import moved
from metrics_catalog.spec.base import Grain
from metrics_catalog.wording import Number, day

_SAID: Mapping[str, tuple[str, str]] = {
    "key": ("At a glance", "核心指标"),
    "insights": ("What stands out", "要点"),
    "trend": ("Trend", "走势"),
    "breakdown": ("{label} by {by}", "按{by}看{label}"),
    "ranking": ("{label}: ranking by {by}", "{label}：{by}排名"),
    "place": ("{label}: where {subject} stands", "{label}：{subject}的位置"),
    "contribution": ("What moved {label}", "{label}变化来源"),
    "text": ("Notes", "说明"),
    "definitions": ("What the numbers mean", "指标说明"),
    "share": ("share", "占比"),
    "value": ("value", "数值"),
    "change": ("change", "变化"),
    "contributed": ("contributed", "贡献"),
    "others": ("{count} others", "其他{count}项"),
    "empty": ("(none)", "（空）"),
    "nothing": ("No data for this period.", "本期没有数据。"),
    "unsplit": ("This metric's change cannot be split by {by} without a rest.", "该指标的变化无法按{by}完整拆分。"),
    "total": ("{change} in all, from {before} to {value}", "合计{change}，从{before}到{value}"),
    "target": ("{share} of target {target}", "目标{target}，达成{share}"),
    "target_rate": ("target {target}", "目标{target}"),
    "year": ("{change} on a year ago", "同比{change}"),
    "against": ("vs {before}", "上期{before}"),
    "compared": ("Compared with {period}.", "与{period}相比。"),
    "no_before": ("nothing to compare with", "无可比数据"),
    "year_before": ("a year earlier", "上年同期"),
    "than_previous": ("vs {grain} before", "环比"),
    "than_year": ("vs a year ago", "同比"),
    "best": ("Best {count}", "前{count}名"),
    "last": ("Last {count}", "后{count}名"),
    "place_note": ("Place {place} of {count}; the median is {median}.", "在{count}个中排第{place}；中位数为{median}。"),
    "version": ("Version", "版本"),
    "owner": ("Owner", "负责人"),
    "unit": ("Unit", "单位"),
    "good": ("Good is", "方向"),
    "up": ("up", "越高越好"),
    "down": ("down", "越低越好"),
    "none": ("neither", "不分好坏"),
    "uncertified": ("not certified", "未认证"),
    "certified": ("v{number}, certified {day} by {people}", "第{number}版，{day}认证（{people}）"),
    "made": ("Issued {day}", "{day}生成"),
    "read_from": ("publish {version}", "发布版本{version}"),
    "contents": ("metric-center", "指标中心"),
    "back": ("back to top", "回到顶部"),
    "metric": ("metric", "指标"),
    "target_word": ("target", "目标"),
    "not_made": ("The {kind} could not be made: {why}", "{kind}未能生成：{why}"),
    "held": ("held: {why}", "暂缓更新：{why}"),
    "no_data": ("no data for this period", "本期无数据"),
    "not_yet": ("not published yet", "尚未发布"),
}
_GRAINS: Mapping[str, tuple[str, str]] = {
    "day": ("day", "日"),
    "week": ("week", "周"),
    "month": ("month", "个月"),
    "quarter": ("quarter", "个季度"),
    "year": ("year", "年"),
}
_DIMENSIONS: Mapping[str, str] = {
    "age_band": "年龄段",
    "brand": "品牌",
    "campaign": "活动",
    "campaign_type": "活动类型",
    "category": "品类",
    "channel": "渠道",
    "city": "城市",
    "country": "国家",
    "customer": "客户",
    "department": "部门",
    "income_band": "收入段",
    "order": "订单",
    "product": "商品",
    "region": "区域",
    "store": "门店",
}


def say(key: str, language: str, **facts: object) -> str:
    """A phrase with its facts."""
    english, chinese = _SAID[key]
    return (chinese if language == "zh" else english).format(**facts)


def dimension(name: str, language: str) -> str:
    """A dimension as people call it; that of an entity by both: ``customer__city``, ``customer city``, ``客户城市``."""
    parts = name.split("__")
    if language != "zh":
        return " ".join(parts).replace("_", " ")
    known = [_DIMENSIONS.get(part, part) for part in parts]
    return ("" if all(part in _DIMENSIONS for part in parts) else " ").join(known)


def grains(own: OwnGrain | None, grain: Grain, count: int, language: str) -> str:
    """So many periods: ``13 weeks``, ``13周``; ``own``: the grain, where it is one of the project's."""
    english, chinese = _GRAINS[grain] if own is None else (own.label.en, f"个{own.label.zh}")
    return f"{count}{chinese}" if language == "zh" else f"{count} {english}{'s' if count != 1 else ''}"


def inner(label: str) -> str:
    """A label within a sentence: ``net sales``, but ``SKU sell-through``, ``VAT``."""
    return label[0].lower() + label[1:] if label[1:2].islower() else label


def begun(text: str) -> str:
    """A text that begins with a capital."""
    return text[:1].upper() + text[1:]


def member(name: str | None, language: str) -> str:
    """A member of a dimension; what has none by its word."""
    return say("empty", language) if name is None else name


def points(change: float, unit: str, language: str, signed: bool = True) -> str:
    """A change as `moved` gives it: ``+3.2%``, of percentages ``+1.4 pp`` (``+1.4个百分点``)."""
    size = change * 100
    text = f"{size:+,.1f}" if signed else f"{abs(size):,.1f}"
    if unit != "percent":
        return f"{text}%"
    return wording.points(text, language)


def delta(value: float | None, before: float | None, unit: str, language: str) -> str:
    """How much more: a dash where there is nothing to compare with."""
    change = moved(value, before, unit)
    return "–" if change is None else points(change, unit, language)


def signed(value: float, unit: str, language: str, write: Callable[[Number | None], str]) -> str:
    """A contribution: ``+$2,104``, ``-0.4 pp``; ``write``: how the numbers it stands with are written."""
    if unit == "percent":
        return points(value, unit, language)
    text = write(value)
    return f"+{text}" if value > 0 else text


def named_period(own: OwnGrain | None, grain: Grain, start: date, language: str) -> str:
    """A period within a sentence: ``the week of 18 Dec 2017``; ``own``: the grain, where it is one of the project's."""
    text = called(own, grain, start, language)
    return f"the {text}" if grain == "week" and language != "zh" else text


def named_day(value: date, language: str) -> str:
    """A day."""
    return day(value, language)


def listed(parts: list[str], language: str) -> str:
    """``a, b and c``; ``a、b和c``."""
    if len(parts) < 2:
        return "".join(parts)
    comma, last = ("、", "和") if language == "zh" else (", ", " and ")
    return comma.join(parts[:-1]) + last + parts[-1]
