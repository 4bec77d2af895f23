"""A decision and its outcome as people read them, in both languages. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.decisions.outcome import Outcome
from metrics_catalog.wording import change, day, members, number, spaced

if TYPE_CHECKING:
    from metrics_catalog.decisions.record import Decision

_VERDICTS = {
    "met": ("as expected", "达到预期"),
    "part of it": ("better, but less than expected", "有改善，未达预期"),
    "not met": ("not as expected", "未达预期"),
    "moved": ("measured", "已度量"),
    "no data": ("cannot be told, the values are missing", "缺少数据，无法判断"),
}
_STATES = {"open": "待执行", "done": "已执行", "measured": "已度量", "dropped": "已放弃"}
_GRAINS = {"day": "天", "week": "周", "month": "个月", "quarter": "个季度", "year": "年"}


def state(decision: Decision, language: str) -> str:
    """Where it stands, in one word."""
    return _STATES[decision.state] if language == "zh" else decision.state


def subject(decision: Decision, label: str, language: str) -> str:
    """What it is about: the metric and the slice."""
    join = "，" if language == "zh" else ", "
    return label + (f"{join}{members(decision.expected.members, language)}" if decision.expected.members else "")


def verdict(outcome: Outcome, language: str) -> str:
    """How it came out, in words."""
    return _VERDICTS[outcome.verdict][language == "zh"]


def amount(value: float | None, unit: str, language: str) -> str:
    """A mean as people read it, rounded to what it can bear."""
    if value is None or unit == "percent":
        return number(value, unit, language)
    return number(round(value, 2 if abs(value) < 1000 else 0), unit, language)


def asked_facts(decision: Decision, label: str, unit: str, language: str) -> Iterator[tuple[str, str]]:
    """What was decided, as pairs."""
    chinese = language == "zh"
    yield ("指标" if chinese else "metric"), subject(decision, label, language)
    if decision.incident is not None:
        yield ("预警" if chinese else "alert"), f"INC-{decision.incident}"
    if decision.cause:
        yield ("原因" if chinese else "cause"), decision.cause
    yield ("措施" if chinese else "action"), decision.action
    yield ("预期" if chinese else "expected"), decision.expected.words(unit, language)
    yield ("负责人" if chinese else "owner"), decision.owner
    yield ("度量日" if chinese else "measured on"), day(decision.due, language)


def outcome_lines(decision: Decision, outcome: Outcome, label: str, unit: str, language: str) -> tuple[str, list[str]]:
    """A title, and what the numbers say: how much it moved, what was expected, what would have been, how sure it is."""
    chinese = language == "zh"
    about, said = subject(decision, label, language), verdict(outcome, language)
    title = f"{decision.name} {about}：{said}" if chinese else f"{decision.name} {about}: {said}"
    if outcome.actual is None or outcome.before is None:
        none = (
            f"到{day(outcome.through, language)}为止的数据不足。"
            if chinese
            else (f"There are not enough values up to {day(outcome.through, language)}.")
        )
        return title, [none]
    return title, [*_moved(outcome, unit, language), *_without(outcome, unit, language)]


def _moved(outcome: Outcome, unit: str, language: str) -> Iterator[str]:
    old, new = amount(outcome.before, unit, language), amount(outcome.actual, unit, language)
    moved = change(outcome.actual, outcome.before, unit, language)
    if language == "zh":
        unit_zh = _GRAINS.get(outcome.grain, f"个 {spaced(outcome.grain)} ")
        span = f"截至{day(outcome.through, language)}的{outcome.periods}{unit_zh}平均"
        yield f"{span} {new}，之前 {old}（{moved}）。"
    else:
        span = f"{outcome.periods} {outcome.grain}{'s' * (outcome.periods != 1)}"
        yield f"{new} over the {span} to {day(outcome.through, language)}, from {old} before ({moved})."
    if outcome.expected is not None:
        wanted = amount(outcome.expected, unit, language)
        aim = change(outcome.expected, outcome.before, unit, language)
        yield f"预期 {wanted}（{aim}）。" if language == "zh" else f"Expected: {wanted} ({aim})."


def _without(outcome: Outcome, unit: str, language: str) -> Iterator[str]:
    chinese = language == "zh"
    if outcome.without is None:
        yield (
            "可比数据太少，无法区分措施与其他因素的影响。"
            if chinese
            else "There is too little to compare with, so the effect cannot be told from everything else."
        )
        return
    low, high, middle = (amount(one, unit, language) for one in (outcome.low, outcome.high, outcome.without))
    if outcome.basis == "others":
        basis = (
            f"其他{outcome.compared}个成员同期的变化"
            if chinese
            else f"the {outcome.compared} others over the same time"
        )
    else:
        basis = (
            f"该指标此前{outcome.compared}段同样长的时间" if chinese else f"{outcome.compared} earlier spans as long"
        )
    effect = _effect(outcome, unit, language)
    if chinese:
        yield f"若无此措施，大约会是 {middle}（{low} 至 {high}，90%；依据：{basis}），即效果约 {effect}。"
        yield "超出通常波动，可以认为与措施有关。" if outcome.clear else "仍在通常波动之内，不能确定是措施的作用。"
    else:
        yield f"Without it, about {middle} ({low} to {high} in 90% of cases, by {basis}): an effect of {effect}."
        yield (
            "That is more than the usual ups and downs."
            if outcome.clear
            else "That is within the usual ups and downs, so it may not be the action's doing."
        )


def _effect(outcome: Outcome, unit: str, language: str) -> str:
    if unit == "percent":
        return change(outcome.actual, outcome.without, unit, language)
    effect = outcome.effect or 0.0
    return f"{'+' * (effect > 0)}{amount(effect, unit, language)}"
