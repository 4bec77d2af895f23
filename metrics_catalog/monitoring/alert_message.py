"""Trouble -> message to people: the cause first, then the numbers, who moved it, what to do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from metrics_catalog.catalog import Catalog
from metrics_catalog.message import Button, Buttons, Facts, Grid, Message, Paragraph, Part, Picture
from metrics_catalog.monitoring.alert_words import KINDS, RULES, first_line
from metrics_catalog.monitoring.finding import Finding
from metrics_catalog.monitoring.incident import Incident
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.own_grains import called
from metrics_catalog.spec.base import said
from metrics_catalog.spec.people import Language
from metrics_catalog.wording import change, members, number

SHOWN = 8  # rows of a table; a message is read on a phone


@dataclass(frozen=True)
class Besides:
    """What others add to a message, by language: the slices that explain a move, its picture, what was done before.

    ``mover``: the first of the slices, in words.
    """

    mover: Mapping[str, str] = field(default_factory=dict)
    drivers: Mapping[str, Grid] = field(default_factory=dict)
    picture: Mapping[str, Picture] = field(default_factory=dict)
    similar: Mapping[str, Sequence[str]] = field(default_factory=dict)


Look = Callable[[Trouble], Besides]  # what stands beside a trouble; asked once, when an incident opens


def nothing(_case: Trouble) -> Besides:
    """Nothing to add."""
    return Besides()


def text(catalog: Catalog, trouble: Trouble, besides: Besides) -> dict[str, str]:
    """The first line, by language."""
    return {
        language: first_line(catalog, trouble, language, besides.mover.get(language, "")) for language in ("en", "zh")
    }


def bodies(catalog: Catalog, trouble: Trouble, besides: Besides) -> dict[str, dict[str, object]]:
    """What stands below the first line, by language, as plain data (`Message.as_json`)."""
    return {language: _body(catalog, trouble, besides, language).as_json() for language in ("en", "zh")}


def message(incident: Incident, language: Language) -> Message:
    """The whole message of an incident as it stands: state on top, what to do at the end."""
    body = Message.read(incident.data["messages"][language])
    state = _state(incident, language)
    if not incident.lasts:
        parts = (Paragraph(state, "good" if incident.state == "recovered" else "muted", strong=True), *body.parts)
        return replace(body, title=incident.text(language), parts=parts, severity=incident.severity, closed=True)
    parts = (Paragraph(state, "muted"), *body.parts, *_actions(incident, language))
    return replace(body, title=incident.text(language), parts=parts, severity=incident.severity)


def update(incident: Incident, language: Language, said: str) -> Message:
    """A short word under the message of an incident."""
    return Message(said, language=language, severity=incident.severity, closed=not incident.lasts)


def _body(catalog: Catalog, trouble: Trouble, besides: Besides, language: Language) -> Message:
    parts: list[Part] = list(_said(trouble, language))
    parts += _findings(catalog, trouble, language)
    if language in besides.drivers:
        parts.append(besides.drivers[language])
    if language in besides.picture:
        parts.append(besides.picture[language])
    parts += _playbook(catalog, trouble, language)
    if lines := besides.similar.get(language):
        head = "以往类似：" if language == "zh" else "Before: "
        parts.append(Paragraph(head + "\n".join(lines)))
    return Message("", tuple(parts), language)


def _said(trouble: Trouble, language: Language) -> Iterator[Part]:
    chinese = language == "zh"
    for fact in trouble.explained.facts[1:SHOWN]:
        yield Paragraph(fact.text[language], "bad")
    if others := [fact.text[language] for fact in trouble.explained.others[:3]]:
        yield Paragraph(("另外已知：" if chinese else "Also known: ") + ("；" if chinese else "; ").join(others))
    if unchecked := [KINDS[kind][language] for kind in trouble.explained.unchecked if kind in KINDS]:
        joined = ("、" if chinese else ", ").join(unchecked)
        yield Paragraph(("未能核查：" if chinese else "Not checked, for lack of a record: ") + joined, "muted")


def _findings(catalog: Catalog, trouble: Trouble, language: Language) -> Iterator[Part]:
    chinese, shown = language == "zh", trouble.findings[:SHOWN]
    if not shown:
        return
    # Of a shift the first line says it.
    notes = [one.note[language] for one in shown[:1] if one.note.get(language) and one.rule != "shift"]
    yield from (Paragraph(note) for note in notes)
    headings = ("指标", "维度", "期间", "规则", "数值", "预期", "变动") if chinese else (
        "Metric", "Slice", "Period", "Rule", "Value", "Expected", "Change"
    )  # fmt: skip
    yield Grid(headings, tuple(_row(catalog, one, language) for one in shown), (4, 5, 6))
    if (left := len(trouble.findings) - len(shown)) > 0:
        yield Paragraph(f"另有 {left} 条" if chinese else f"and {left} more", "muted")


def _row(catalog: Catalog, one: Finding, language: Language) -> tuple[str, ...]:
    entry, series = catalog.metrics.get(one.series.metric), one.series
    unit = "number" if entry is None else entry.spec.unit
    label = series.metric if entry is None else entry.spec.label.to(language)
    return (
        label,
        members(series.members, language),
        called(catalog.semantics.own_grains.get(series.grain), series.grain, one.period, language),
        RULES[one.rule][language],
        number(one.value, unit, language, short=True),
        number(one.expected, unit, language, short=True),
        # A shift is of fourteen days; how far the last of them is from the level before says nothing of it.
        change(one.value, None if one.rule == "shift" else one.expected, unit, language),
    )


def _playbook(catalog: Catalog, trouble: Trouble, language: Language) -> Iterator[Part]:
    entry = catalog.metrics.get(trouble.metrics[0]) if trouble.metrics else None
    if entry is None:
        return
    chinese = language == "zh"
    yield Facts(
        (
            ("指标" if chinese else "Metric", f"{entry.spec.label.to(language)} ({entry.name}, T{entry.spec.tier})"),
            ("负责" if chinese else "Owner", entry.spec.owner),
        )
    )
    if entry.spec.playbook:
        yield Paragraph(("应急处理：" if chinese else "Playbook: ") + said(entry.spec.playbook, language))


def _state(incident: Incident, language: Language) -> str:
    chinese = language == "zh"
    who = incident.data.get("by", "")
    opened = incident.opened_at.strftime("%Y-%m-%d %H:%M UTC")
    head = f"{incident.name} · {'级别' if chinese else 'severity'} {incident.severity} · "
    if incident.state == "recovered":
        return head + ("已自行恢复" if chinese else "recovered by itself")
    if incident.state == "resolved":
        reason = REASONS[incident.reason][0 if chinese else 1]
        note = incident.data.get("note", "")
        told = f"已由 {who} 处理完毕：{reason}" if chinese else f"resolved by {who}: {reason}"
        return head + told + (f"（{note}）" if note and chinese else f" ({note})" if note else "")
    said = [f"{opened} 起" if chinese else f"since {opened}"]
    if incident.state == "acknowledged":
        said.append(f"{who} 已接手" if chinese else f"acknowledged by {who}")
    if incident.assignee:
        said.append(f"由 {incident.assignee} 处理" if chinese else f"assigned to {incident.assignee}")
    if incident.snoozed_until is not None:
        until = incident.snoozed_until.strftime("%Y-%m-%d %H:%M UTC")
        said.append(f"静音至 {until}" if chinese else f"snoozed until {until}")
    return head + (" · ".join(said))


REASONS: Mapping[str, tuple[str, str]] = {
    "real move": ("真实波动", "real move"),
    "data fault": ("数据问题", "data fault"),
    "definition change": ("口径变更", "definition change"),
    "known event": ("已知事件", "known event"),
    "false alarm": ("误报", "false alarm"),
    "other": ("其他", "other"),
}


def _actions(incident: Incident, language: Language) -> Iterator[Part]:
    chinese = language == "zh"
    labels = ("接手", "处理完毕", "交给我") if chinese else ("Acknowledge", "Resolve", "Assign to me")
    made = [
        Button(label, action, incident.name)
        for label, action in zip(labels, ("acknowledge", "resolve", "assign"), strict=True)
    ]
    buttons = [replace(made[0], primary=True), *made[1:]] if incident.state == "open" else made[1:]
    yield Buttons(tuple(buttons))
    reasons = "|".join(cast(list[str], list(REASONS)))
    command = f'metrics alerts ack {incident.name} · metrics alerts resolve {incident.name} --reason "{reasons}"'
    yield Paragraph(("命令行：" if chinese else "On the command line: ") + command, "muted")
