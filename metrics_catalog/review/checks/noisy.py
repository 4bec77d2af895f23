"""Rules that cry wolf: many incidents, few of them real; and how to calm each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metrics_catalog.decisions.incident import Incident
from metrics_catalog.review.calm import Calmed, calmer
from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene

REAL = ("real move", "data fault", "definition change", "known event")


def found(scene: Scene) -> Iterator[Item]:
    """One item for each rule of a metric that opened too many incidents with too little behind them."""
    by_rule: dict[tuple[str, str], list[Incident]] = {}
    for one in scene.recent:
        if one.metric in scene.catalog.metrics and one.rule:
            by_rule.setdefault((one.metric or "", one.rule), []).append(one)
    for (metric, rule), some in by_rule.items():
        share = precision(some)
        if len(some) < scene.policy.noisy_alerts or share is None or share > scene.policy.noisy_precision:
            continue
        yield _item(scene, metric, rule, some, share)


def precision(some: list[Incident]) -> float | None:
    """Share of incidents that were real, of those that are over; one that went away unanswered was not; 0-1."""
    over = [one for one in some if one.state in ("resolved", "recovered")]
    return sum(one.reason in REAL for one in over) / len(over) if over else None


def _item(scene: Scene, metric: str, rule: str, some: list[Incident], share: float) -> Item:
    calmed = calmer(scene, metric, rule, some)
    label = scene.catalog.metrics[metric].spec.label
    edit: Mapping[str, Any] = {} if calmed is None else calmed.edit
    action = {
        "en": f"see whether the rule {rule} of {metric} is of any use",
        "zh": f"评估 {metric} 的规则 {rule} 是否有用",
    }
    reason = f"{len(some)} alerts in a month, {share:.0%} of them real"
    return Item(
        key=f"noisy/{metric}/{rule}",
        kind="noisy",
        subject=metric,
        title={
            "en": f"The rule {rule} of {label.en} opened {len(some)} alerts, {share:.0%} of them real",
            "zh": f"{label.zh}的规则 {rule} 触发{len(some)}次预警，其中真实的占 {share:.0%}",
        },
        evidence=tuple(_evidence(some, calmed)),
        proposed=_proposed(calmed),
        proposal=Proposal("calm" if edit else "decide", metric, reason, edit=edit, action={} if edit else action),
        weight=len(some) * (1 - share),
    )


def _evidence(some: list[Incident], calmed: Calmed | None) -> Iterator[dict[str, str]]:
    ends: dict[str, int] = {}
    for one in some:
        ends[one.reason or one.state] = ends.get(one.reason or one.state, 0) + 1
    shown = ", ".join(f"{count}× {word}" for word, count in sorted(ends.items(), key=lambda pair: -pair[1]))
    yield {"en": f"How they ended: {shown}.", "zh": f"处理结果：{shown}。"}
    if calmed is not None and calmed.evidence:
        yield dict(calmed.evidence)


def _proposed(calmed: Calmed | None) -> dict[str, str]:
    if calmed is None:
        return {"en": "Decide whether the rule is of use.", "zh": "决定该规则是否保留。"}
    return {"en": f"Calm it: {calmed.words}.", "zh": f"降低灵敏度：{calmed.words}。"}
