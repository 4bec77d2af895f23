"""A change request as a message to one of the people it waits for, or waited for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from metrics_catalog.governance.card import shown_row
from metrics_catalog.governance.edits import edits
from metrics_catalog.governance.record import Request, Version
from metrics_catalog.message import Button, Buttons, Facts, Grid, Message, Paragraph, Part

Language = Literal["en", "zh"]
_NO_VALUE = "–"
_PERIODS, _EDITS = 12, 8  # shown at most; the command shows the rest
_CHANGES = {
    "create": "新建",
    "wording": "文字",
    "calculation": "口径",
    "bounds": "预警规则",
    "owner": "负责人",
    "tier": "级别",
    "restate": "重述历史",
    "deprecate": "弃用",
    "revive": "恢复使用",
    "retire": "下线",
    "people": "人员",
    "policy": "制度",
}
_STATES = {"approved": "已批准", "rejected": "已驳回", "withdrawn": "已撤回", "expired": "已过期"}
_HEADINGS = {"en": ("period", "old", "new", "difference", "%"), "zh": ("期间", "原值", "新值", "差异", "%")}


def request_message(
    request: Request, person: str, missing: Mapping[str, Sequence[str]], before: Version | None, language: Language
) -> Message:
    """What ``person`` is asked, or how it ended. ``missing``: who must still answer; ``before``: where it starts from.

    The buttons carry the preview that is shown, so that nobody approves another.
    """
    asked = request.is_open and any(person in people for people in missing.values())
    parts = [*_told(request, missing, language), *_changed(request, before, language)]
    if asked:
        parts += _answers(request, language)
    return Message(_title(request, asked, language), tuple(parts), language, closed=not request.is_open)


def _title(request: Request, asked: bool, language: Language) -> str:
    name = request.metric or request.subject
    if language == "zh":
        what = "、".join(_CHANGES.get(one, one) for one in request.changes)
        about = f"{name} {what}变更"
        if asked:
            return f"{request.name} 请你审批：{about}"
        return f"{request.name} {'等待其他人审批' if request.is_open else _STATES[request.state]}：{about}"
    about = f"{name}, {', '.join(request.changes)}"
    if asked:
        return f"{request.name} asks for your approval: {about}"
    return f"{request.name} {'waits for others' if request.is_open else request.state}: {about}"


def _told(request: Request, missing: Mapping[str, Sequence[str]], language: Language) -> Iterator[Part]:
    chinese = language == "zh"
    yield Paragraph(request.reason, strong=True)
    pairs = [("申请人" if chinese else "Asked by", f"{request.author} {request.opened_at:%Y-%m-%d %H:%M} UTC")]
    if request.text is not None and "calculation" in request.changes:
        whole = "全部历史（重述）" if chinese else "all of history (restated)"
        since = (
            whole
            if request.effective is None
            else f"{request.effective} 起"
            if chinese
            else f"from {request.effective}"
        )
        pairs.append(("生效" if chinese else "Holds for", since))
    if (effect := request.preview.get("effect")) is not None:
        pairs.append(("最大影响" if chinese else "Largest effect", f"{float(effect):.2%}"))
    waiting = sorted({person for people in missing.values() for person in people})
    if request.is_open and waiting:
        pairs.append(("等待" if chinese else "Waits for", ", ".join(waiting)))
    if request.approvals:
        pairs.append(("已批准" if chinese else "Approved by", ", ".join(one.person for one in request.approvals)))
    if request.decided_by and not request.is_open:
        pairs.append(("决定" if chinese else "Decided by", f"{request.decided_by} {request.decision}".strip()))
    yield Facts(tuple(pairs))


def _changed(request: Request, before: Version | None, language: Language) -> Iterator[Part]:
    chinese = language == "zh"
    if request.text is not None and request.is_open:
        found = edits(None if before is None else before.text, request.text)
        rows = tuple((key, old or _NO_VALUE, new or _NO_VALUE) for key, old, new in found[:_EDITS])
        if rows:
            yield Grid(("项", "原来", "现在") if chinese else ("key", "was", "would be"), rows)
    if "failed" in request.preview:
        failed = (
            "预览无法计算，需要多一人审批" if chinese else "The preview could not be computed, so one more must approve"
        )
        yield Paragraph(f"{failed}: {request.preview['failed']}", "bad")
    if periods := request.preview.get("periods"):
        yield Grid(
            _HEADINGS[language], tuple(shown_row(str(one["period"]), one) for one in periods[-_PERIODS:]), (1, 2, 3, 4)
        )
    if flips := request.preview.get("flips"):
        more = (
            f"{len(flips)} 处预警线或目标的判断会改变"
            if chinese
            else f"{len(flips)} bounds or targets judged otherwise"
        )
        yield Paragraph(more, "bad")


def _answers(request: Request, language: Language) -> list[Part]:
    chinese = language == "zh"
    value = f"{request.name} {request.fingerprint}"
    approve, reject = ("批准", "驳回") if chinese else ("Approve", "Reject")
    command = f"metrics request {request.name} · metrics approve {request.name} · metrics reject {request.name} -r …"
    return [
        Buttons((Button(approve, "approve", value, primary=True), Button(reject, "reject", value))),
        Paragraph(("命令行：" if chinese else "On the command line: ") + command, "muted"),
    ]
