"""What surrounds the items of a review: headings, counts, what it cannot see; in both languages. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from metrics_catalog.review.item import Kind, Pack, Text
from metrics_catalog.review.scene import Scene
from metrics_catalog.wording import day, period

KINDS: dict[Kind, Text] = {
    "missed target": {"en": "Missed targets", "zh": "未达目标"},
    "outcome": {"en": "What came of decisions", "zh": "决策效果"},
    "open action": {"en": "Open and overdue actions", "zh": "未完成与逾期措施"},
    "unanswered": {"en": "Alerts without an answer, or without end", "zh": "无人处理或反复出现的预警"},
    "noisy": {"en": "Noisy rules", "zh": "噪声规则"},
    "restatement": {"en": "Restated values", "zh": "数值重述"},
    "source": {"en": "Sources that fail most", "zh": "异常最多的数据源"},
    "slow approval": {"en": "Slow approvals", "zh": "审批缓慢"},
    "core set": {"en": "Too many metrics to steer by", "zh": "核心指标数量"},
    "unused": {"en": "Metrics nobody uses", "zh": "无人使用的指标"},
    "duplicate": {"en": "Metrics that say the same", "zh": "重复指标"},
    "changed": {"en": "Changed definitions", "zh": "口径变更"},
}
CAUSES: dict[str, Text] = {
    "month": {"en": "monthly", "zh": "月度"},
    "demand": {"en": "on demand", "zh": "按需"},
    "breach": {"en": "because a series keeps breaking", "zh": "因指标反复预警"},
    "unanswered": {"en": "because alerts have no answer", "zh": "因预警无人处理"},
    "definition": {"en": "because a definition changed", "zh": "因口径变更"},
    "target": {"en": "because targets are missed again", "zh": "因连续未达目标"},
}
NOTHING = {"en": "Nothing to report: every check found the month in order.", "zh": "一切正常：各项检查均未发现问题。"}
ACCEPT = {"en": "accept: metrics review accept {key}", "zh": "采纳：metrics review accept {key}"}


def title(pack: Pack, language: str) -> str:
    """The first line of a review."""
    month = period("month", date.fromisoformat(pack.month), language)
    count = len(pack.items)
    if language == "zh":
        return f"指标体系复盘 {month}：{count}项"
    return f"Review of the metric system, {month}: {count} item{'s' * (count != 1)}"


def subtitle(pack: Pack, language: str) -> str:
    """Why and when it was made."""
    cause = CAUSES.get(pack.cause, {"en": pack.cause, "zh": pack.cause})[language]
    made = day(pack.at.date(), language)
    return f"{cause}，{made}生成" if language == "zh" else f"Made {cause} on {made}."


def facts(scene: Scene) -> Iterator[tuple[Text, str]]:
    """How the system stands, in numbers."""
    catalog, record = scene.catalog, scene.definitions.record
    yield {"en": "metrics", "zh": "指标"}, str(len(catalog.metrics))
    if record is not None:
        certified = sum(one.status == "certified" for one in record.metrics().values())
        yield {"en": "certified", "zh": "已认证"}, str(certified)
    read = sum(name in scene.used for name in catalog.metrics)
    yield {"en": f"read in {scene.policy.unused_days} days", "zh": f"{scene.policy.unused_days}天内有人查看"}, str(read)
    yield {"en": "alerts", "zh": "预警"}, str(len(scene.recent))
    waiting = sum(one.state == "open" for one in scene.incidents)
    yield {"en": "unanswered alerts", "zh": "未处理预警"}, str(waiting)
    yield {"en": "open actions", "zh": "进行中措施"}, str(sum(one.is_open for one in scene.decisions))
    yield {"en": "publishes", "zh": "发布次数"}, str(len(scene.versions))


def unseen(scene: Scene) -> Text:
    """What the review cannot know, and as of when it knows the rest, said plainly."""
    english, chinese = [], []
    if scene.later is not None and scene.snapshot is not None:
        at = scene.snapshot.info.published_at.date()
        english = [f"Values and targets are as of {day(at, 'en')}; what is open, answered or read is as of today."]
        chinese = [f"数值与目标以{day(at, 'zh')}发布的为准；待办、答复和查看情况以当前为准。"]
    english += ["Reads of the published tables by other tools are not seen."]
    chinese += ["其他工具直接读取已发布表的情况无法统计。"]
    if not scene.catalog.policy.usage.record:
        english.append("The policy records no reads, so nothing is called unused.")
        chinese.append("策略设置为不记录查看，因此不判断是否无人使用。")
    elif scene.known_since is None or (scene.now - scene.known_since).days < scene.policy.unused_days:
        days = 0 if scene.known_since is None else (scene.now - scene.known_since).days
        english.append(
            f"Reads are recorded for {days} of the {scene.policy.unused_days} days it takes to call one unused."
        )
        chinese.append(f"查看记录仅有{days}天，满{scene.policy.unused_days}天后才判断是否无人使用。")
    return {"en": " ".join(english), "zh": "".join(chinese)}
