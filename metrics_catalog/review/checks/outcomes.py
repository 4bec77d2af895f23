"""Actions that are still open or overdue, and what came of those that were measured."""

from __future__ import annotations

from collections.abc import Iterator

from metrics_catalog.decisions.outcome import Outcome
from metrics_catalog.decisions.record import Decision
from metrics_catalog.decisions.words import outcome_lines, verdict
from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene

_LANGUAGES = ("en", "zh")


def found(scene: Scene) -> Iterator[Item]:
    """Outcomes of the time reviewed first, then what is open, the overdue at the top."""
    for one in scene.decisions:
        if one.state == "measured" and one.closed_at is not None and scene.since <= one.closed_at <= scene.now:
            yield _measured(scene, one)
        elif one.state == "open":
            yield _open(scene, one)


def _measured(scene: Scene, one: Decision) -> Item:
    outcome = Outcome.read(one.outcome or {})
    entry = scene.catalog.metrics.get(one.metric)
    unit = "number" if entry is None else entry.spec.unit
    told = {
        language: outcome_lines(
            one, outcome, one.metric if entry is None else entry.spec.label.to(language), unit, language
        )
        for language in _LANGUAGES
    }
    lines = zip(told["en"][1], told["zh"][1], strict=True)
    again = entry is not None and outcome.verdict in ("not met", "part of it")
    action = {
        "en": f"decide anew: {one.action} came out {verdict(outcome, 'en')}",
        "zh": f"重新决策：{one.action}，{verdict(outcome, 'zh')}",
    }
    return Item(
        key=f"outcome/{one.name}",
        kind="outcome",
        subject=one.metric,
        title={
            language: f"{told[language][0]}（{one.action}）"
            if language == "zh"
            else f"{told[language][0]} ({one.action})"
            for language in _LANGUAGES
        },
        evidence=tuple({"en": english, "zh": chinese} for english, chinese in lines),
        proposed=(
            {"en": "Decide anew.", "zh": "重新决策。"} if again else {"en": "Nothing to do.", "zh": "无需处理。"}
        ),
        proposal=Proposal("decide", one.metric, f"{one.name}: {verdict(outcome, 'en')}", action=action)
        if again
        else None,
        weight=100 + float(again),
    )


def _open(scene: Scene, one: Decision) -> Item:
    overdue = (scene.month.end - one.due).days
    late = overdue > 0
    return Item(
        key=f"action/{one.name}",
        kind="open action",
        subject=one.metric,
        title={
            "en": f"{one.name} {one.action}: {f'overdue by {overdue} days' if late else f'open, due on {one.due}'}",
            "zh": f"{one.name} {one.action}：{f'已逾期{overdue}天' if late else f'待执行，{one.due} 到期'}",
        },
        evidence=(
            {
                "en": f"{one.metric}; owner {one.owner}; decided by {one.author} on {one.opened_at:%Y-%m-%d}.",
                "zh": f"{one.metric}；负责人 {one.owner}；{one.author} 于 {one.opened_at:%Y-%m-%d} 决定。",
            },
        ),
        proposed={
            "en": f"metrics decisions done {one.name}, or drop {one.name}",
            "zh": f"metrics decisions done {one.name}，或 drop {one.name}",
        },
        weight=float(overdue) if late else -1.0,
    )
