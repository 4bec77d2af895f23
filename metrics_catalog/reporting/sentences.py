"""Findings as sentences, in both languages. Every number in them comes from the finding. Pure."""

from __future__ import annotations

from collections.abc import Callable

from metrics_catalog.reporting import words
from metrics_catalog.reporting.day_words import per_day
from metrics_catalog.reporting.facts import Fact
from metrics_catalog.reporting.findings import Found, Kind
from metrics_catalog.reporting.pace import Pace
from metrics_catalog.wording import Number, alike, number

Say = Callable[[Found], str]


def sentence(found: Found, language: str) -> str:
    """One finding as one sentence."""
    english, chinese = _SAY[found.kind]
    return (chinese if language == "zh" else english)(found)


def _label(fact: Fact, language: str) -> str:
    return fact.spec.label.to(language)


def _value(fact: Fact, language: str, value: float | None = None) -> str:
    return number(fact.value if value is None else value, fact.spec.unit, language, short=True)


def _grain(of: Fact | Pace) -> str:
    """The grain within an English sentence."""
    return of.grain if of.own is None else of.own.label.en


def _span(found: Found, language: str) -> str:
    return words.grains(found.fact.own, found.fact.grain, found.count, language)


def _size(found: Found, language: str) -> str:
    return words.points(found.size, found.fact.spec.unit, language, signed=False)


def _bound_en(found: Found) -> str:
    fact = found.fact
    side = "below" if (fact.value or 0) < found.size else "above"
    bound = "critical" if found.is_critical else "warning"
    return (
        f"{_label(fact, 'en')} is {_value(fact, 'en')}, {side} the {bound} bound of {_value(fact, 'en', found.size)}."
    )


def _bound_zh(found: Found) -> str:
    fact = found.fact
    side = "低于" if (fact.value or 0) < found.size else "高于"
    bound = "严重" if found.is_critical else "预警"
    return f"{_label(fact, 'zh')}为{_value(fact, 'zh')}，{side}{bound}线{_value(fact, 'zh', found.size)}。"


def _move_en(found: Found) -> str:
    fact, verb = found.fact, "rose" if found.size > 0 else "fell"
    daily = f" ({said})" if (said := per_day(fact, "en")) else ""
    told = f"{_label(fact, 'en')} {verb} {_size(found, 'en')} on the {_grain(fact)} before{daily}"
    told = f"{told}, to {_value(fact, 'en')}"
    noun = "rise" if found.size > 0 else "fall"
    return f"{told}: the largest {noun} in {_span(found, 'en')}." if found.is_record else f"{told}."


def _move_zh(found: Found) -> str:
    fact, verb = found.fact, "上升" if found.size > 0 else "下降"
    daily = f"（{said}）" if (said := per_day(fact, "zh")) else ""
    told = f"{_label(fact, 'zh')}环比{verb}{_size(found, 'zh')}{daily}，为{_value(fact, 'zh')}"
    noun = "升幅" if found.size > 0 else "降幅"
    return f"{told}，是{_span(found, 'zh')}来最大{noun}。" if found.is_record else f"{told}。"


def _streak_en(found: Found) -> str:
    fact, way = found.fact, "risen" if found.size > 0 else "fallen"
    span = _span(found, "en")
    return f"{_label(fact, 'en')} has {way} {span} in a row, by {_size(found, 'en')} in all, to {_value(fact, 'en')}."


def _streak_zh(found: Found) -> str:
    fact, way = found.fact, "上升" if found.size > 0 else "下降"
    span = _span(found, "zh")
    return f"{_label(fact, 'zh')}连续{span}{way}，累计{_size(found, 'zh')}，现为{_value(fact, 'zh')}。"


def _record_en(found: Found) -> str:
    fact, best = found.fact, "highest" if found.size > 0 else "lowest"
    span = _span(found, "en")
    return f"{_label(fact, 'en')}, at {_value(fact, 'en')}, is the {best} in {span}."


def _record_zh(found: Found) -> str:
    fact, best = found.fact, "最高" if found.size > 0 else "最低"
    return f"{_label(fact, 'zh')}为{_value(fact, 'zh')}，是{_span(found, 'zh')}来{best}。"


def _pace_en(found: Found) -> str:
    fact, pace = found.fact, found.pace
    assert pace is not None
    label, when = _label(fact, "en"), words.named_period(pace.own, pace.grain, pace.start, "en")
    target, value = _value(fact, "en", pace.target), _value(fact, "en", pace.value)
    off = words.delta(pace.expected, pace.target, fact.spec.unit, "en").lstrip("+-")
    if pace.part >= 1:
        side = "on" if pace.expected == pace.target else f"{off} {'above' if pace.expected > pace.target else 'below'}"
        return f"{label} closed {when} at {value}, {side} the target of {target}."
    whole = f"{pace.share:.0%} of the {target} target with {pace.part:.0%} of the {_grain(pace)} gone"
    return f"{label} is {value} so far in {when}: {whole}; at this pace it ends at {_value(fact, 'en', pace.expected)}."


def _pace_zh(found: Found) -> str:
    fact, pace = found.fact, found.pace
    assert pace is not None
    label, when = _label(fact, "zh"), words.named_period(pace.own, pace.grain, pace.start, "zh")
    target, value = _value(fact, "zh", pace.target), _value(fact, "zh", pace.value)
    off = words.delta(pace.expected, pace.target, fact.spec.unit, "zh").lstrip("+-")
    if pace.part >= 1:
        side = (
            "与目标持平"
            if pace.expected == pace.target
            else f"{'高' if pace.expected > pace.target else '低'}于目标{off}"
        )
        return f"{when}{label}为{value}，{side}（目标{target}）。"
    whole = f"完成目标{target}的{pace.share:.0%}，时间已过{pace.part:.0%}"
    return f"{when}{label}累计{value}，{whole}；按此进度期末约为{_value(fact, 'zh', pace.expected)}。"


def _contribution_en(found: Found) -> str:
    fact, verb = found.fact, "rose" if found.size > 0 else "fell"
    size = words.signed(abs(found.size), fact.spec.unit, "en", _write(fact, "en")).lstrip("+")
    parts = words.listed([f"{name} ({given})" for name, given in _parts(found, "en")], "en")
    by = words.dimension(found.by, "en")
    return f"{_label(fact, 'en')} {verb} by {size}; by {by}, most came from {parts}."


def _contribution_zh(found: Found) -> str:
    fact, verb = found.fact, "上升" if found.size > 0 else "下降"
    size = words.signed(abs(found.size), fact.spec.unit, "zh", _write(fact, "zh")).lstrip("+")
    parts = words.listed([f"{name}（{given}）" for name, given in _parts(found, "zh")], "zh")
    return f"{_label(fact, 'zh')}{verb}{size}，按{words.dimension(found.by, 'zh')}看，主要来自{parts}。"


def _parts(found: Found, language: str) -> list[tuple[str, str]]:
    """The members that gave most, and what they gave."""
    unit, write = found.fact.spec.unit, _write(found.fact, language)
    return [
        (words.member(one.member, language), words.signed(one.given, unit, language, write)) for one in found.shares
    ]


def _write(fact: Fact, language: str) -> Callable[[Number | None], str]:
    """As the section on what moved it does."""
    return alike([fact.value, fact.before], fact.spec.unit, language)


_SAY: dict[Kind, tuple[Say, Say]] = {
    "bound": (_bound_en, _bound_zh),
    "move": (_move_en, _move_zh),
    "streak": (_streak_en, _streak_zh),
    "record": (_record_en, _record_zh),
    "pace": (_pace_en, _pace_zh),
    "contribution": (_contribution_en, _contribution_zh),
}
