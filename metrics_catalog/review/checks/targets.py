"""Targets missed in the periods that ended in the month, and how often in a row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from metrics_catalog.catalog import Entry
from metrics_catalog.own_grains import called
from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene
from metrics_catalog.spec.base import Grain
from metrics_catalog.wording import change, number

_LOOK = 12  # periods back, for how many in a row


def found(scene: Scene) -> Iterator[Item]:
    """One item for each target that the last closed period missed."""
    for metric, entry, grain, target, missed in missed_targets(scene):
        label = entry.spec.label
        last, value = missed[0]
        own = scene.calendar.own.get(grain)
        yield Item(
            key=f"target/{metric}/{grain}",
            kind="missed target",
            subject=metric,
            title={
                "en": f"{label.en} missed its target in {called(own, grain, last, 'en')}" + _row(len(missed), "en"),
                "zh": f"{label.zh}在{called(own, grain, last, 'zh')}未达目标" + _row(len(missed), "zh"),
            },
            evidence=tuple(_evidence(scene, metric, one, of, target, grain) for one, of in missed[:3]),
            proposed={"en": "Decide what is done about it.", "zh": "决定如何改进。"},
            proposal=Proposal(
                "decide",
                metric,
                f"missed its target of {target.normalize():f} {len(missed)} times in a row",
                action={"en": "find why the target is missed, and what helps", "zh": "查明未达标原因并提出改进措施"},
            ),
            weight=4
            - entry.spec.tier
            + min(len(missed), 10) / 10
            + abs(value - float(target)) / (abs(float(target)) or 1) / 100,
        )


def missed_targets(scene: Scene) -> Iterator[tuple[str, Entry, Grain, Decimal, list[tuple[date, float]]]]:
    """Each target that the last period missed: metric, grain, target, and the periods missed in a row, newest first."""
    wanted: dict[Grain, list[str]] = {}
    specs = {name: scene.spec(name) for name in scene.catalog.metrics}
    for name, spec in specs.items():
        for grain in spec.target if spec.direction != "none" else ():
            wanted.setdefault(grain, []).append(name)
    for grain, names in wanted.items():
        ends = _ended(scene, grain)
        values = scene.totals(grain, names, ends[-1], scene.month.end) if ends else {}
        for name in names:
            spec, rows = specs[name], values.get(name, {})
            target = spec.target[grain]
            missed: list[tuple[date, float]] = []
            for one in ends:
                if one not in rows or not _misses(rows[one], float(target), spec.direction):
                    break
                missed.append((one, rows[one]))
            if missed:
                yield name, scene.catalog.metrics[name], grain, target, missed


def _ended(scene: Scene, grain: Grain) -> list[date]:
    """The last whole periods, newest first; none where none ended in the month."""
    calendar = scene.calendar
    if not calendar.reaches(grain, scene.month.end):
        return []
    last = calendar.start(grain, scene.month.end)
    found = []
    for _ in range(_LOOK):
        last = calendar.back(grain, last, 1, grain)
        found.append(last)
    return found if calendar.next(grain, found[0]) - timedelta(days=1) >= scene.month.start else []


def _misses(value: float, target: float, direction: str) -> bool:
    return value < target if direction == "up" else value > target


def _row(count: int, language: str) -> str:
    if count == 1:
        return ""
    return f"，已连续{count}期" if language == "zh" else f", {count} times in a row"


def _evidence(scene: Scene, metric: str, of: date, value: float, target: Decimal, grain: Grain) -> dict[str, str]:
    unit = scene.catalog.metrics[metric].spec.unit
    off = {language: change(value, target, unit, language) for language in ("en", "zh")}
    when = {language: called(scene.calendar.own.get(grain), grain, of, language) for language in ("en", "zh")}
    now = scene.now_is(grain, metric, of, value)
    corrected = {"en": "", "zh": ""}
    if now is not None:
        corrected = {
            "en": f" Corrected since to {number(now, unit, 'en')}.",
            "zh": f"此后更正为 {number(now, unit, 'zh')}。",
        }
    return {
        "en": f"{when['en']}: {number(value, unit, 'en')}, target {number(target, unit, 'en')}"
        f" ({off['en']}).{corrected['en']}",
        "zh": f"{when['zh']}：{number(value, unit, 'zh')}，目标{number(target, unit, 'zh')}"
        f"（{off['zh']}）。{corrected['zh']}",
    }
