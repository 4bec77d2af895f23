"""What a trouble is in words: its first line, and what stands beside it, in both languages. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.fact import Kind
from metrics_catalog.monitoring.finding import Finding, RuleName
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.own_grains import called
from metrics_catalog.spec.alerting import Cause
from metrics_catalog.wording import change, members, number

Words = Mapping[str, str]

CAUSES: Mapping[Cause, Words] = {
    "late": {"en": "Data late or missing", "zh": "数据迟到或缺失"},
    "check": {"en": "Data check failed", "zh": "数据校验异常"},
    "code": {"en": "Upstream code changed", "zh": "上游代码变更"},
    "definition": {"en": "Definition changed", "zh": "指标口径变更"},
    "restatement": {"en": "Restatement", "zh": "历史数据更正"},
    "event": {"en": "Known event", "zh": "已知事件"},
    "move": {"en": "Real move", "zh": "真实波动"},
    "fault": {"en": "Platform fault", "zh": "平台故障"},
}
RULES: Mapping[RuleName, Words] = {
    "bounds": {"en": "outside its bounds", "zh": "超出上下限"},
    "target": {"en": "target missed", "zh": "未达目标"},
    "change": {"en": "changed more than allowed", "zh": "变动超限"},
    "anomaly": {"en": "unusual for this day", "zh": "数值异常"},
    "shift": {"en": "level shifted", "zh": "水平发生偏移"},
    "drift": {"en": "drifting", "zh": "持续偏离"},
    "missing": {"en": "no value", "zh": "没有数值"},
}
KINDS: Mapping[Kind, Words] = {
    "late": {"en": "data late or missing", "zh": "数据迟到或缺失"},
    "failed check": {"en": "failed checks and quarantine", "zh": "数据校验与隔离"},
    "code": {"en": "upstream code", "zh": "上游代码"},
    "definition": {"en": "definition", "zh": "指标口径"},
    "restated": {"en": "restatement", "zh": "历史数据更正"},
}

_WAITING: tuple[Kind, ...] = ("late", "stale", "not loaded", "blocked", "held")  # of other facts values were published


def first_line(catalog: Catalog, trouble: Trouble, language: str, mover: str = "") -> str:
    """The cause, then what it is about; ``mover``: of a real move, the slice that explains most of it."""
    cause = CAUSES[trouble.explained.cause][language]
    colon, join = ("：", "；") if language == "zh" else (": ", "; ")
    said = (
        [trouble.text.get(language, "")]
        if trouble.text
        else [fact.text[language] for fact in trouble.explained.facts[:1]]
    )
    if trouble.explained.cause == "event":
        said = [trouble.explained.event.get(language, "")]
    if trouble.leading is not None:
        what = finding_line(catalog, trouble.leading, language) + (
            f"，{mover}" if language == "zh" else f", {mover}"
        ) * bool(mover)
        said = [what] if not any(said) else [*said, what]
    if more := more_metrics(trouble, language):
        said[-1] += more
    return f"{cause}{colon}{join.join(one for one in said if one)}"


def finding_line(catalog: Catalog, finding: Finding, language: str) -> str:
    """One finding: ``Net sales of store 367 on 3 May 2017: $8,120, −38.2% against the expected $13,140``."""
    series = finding.series
    entry = catalog.metrics.get(series.metric)
    unit = "number" if entry is None else entry.spec.unit
    label = series.metric if entry is None else entry.spec.label.to(language)
    own, rule = catalog.semantics.own_grains.get(series.grain), RULES[finding.rule][language]
    when = called(own, series.grain, finding.period, language)
    where = members(series.members, language) if series.members else ""
    value = number(finding.value, unit, language, short=True)
    if language == "zh":
        name = f" {where} 的{label}" if where else label
        if finding.value is None:
            return f"{when}{name}{rule}"
        if finding.rule == "shift" and finding.note:  # of fourteen days, not of the last one
            return f"截至{when}{name}，{finding.note[language]}"
        return f"{when}{name}为{value}，{_against(finding, unit, language)}"
    name = f"{label} of {where}" if where else label
    if finding.value is None:
        return f"{name}: {rule} for {when}"
    if finding.rule == "shift" and finding.note:
        return f"{name} through {when}: {finding.note[language]}"
    return f"{name} {value} {'on' if series.grain == 'day' else 'in'} {when}, {_against(finding, unit, language)}"


def _against(finding: Finding, unit: str, language: str) -> str:
    """What the value is against: what was expected, else the bound it is beyond, else the rule's name."""
    chinese, value = language == "zh", finding.value
    if finding.expected is not None:
        expected = number(finding.expected, unit, language, short=True)
        moved = change(value, finding.expected, unit, language)
        return f"较预期{expected}变动{moved}" if chinese else f"{moved} against the expected {expected}"
    for bound, beyond, words in ((finding.low, -1, ("低于", "below")), (finding.high, 1, ("高于", "above"))):
        if bound is not None and value is not None and (value - bound) * beyond > 0:
            shown = number(bound, unit, language, short=True)
            return f"{words[0]}{shown}" if chinese else f"{words[1]} {shown}"
    return RULES[finding.rule][language]


def more_metrics(trouble: Trouble, language: str) -> str:
    """How many metrics are touched besides the one that leads; of the pipeline's troubles, how many at all."""
    count = len(trouble.metrics) - (1 if trouble.leading is not None else 0)
    if count <= 0:
        return ""
    if trouble.leading is not None:
        return f"，另有 {count} 个指标" if language == "zh" else f", and {count} more metric{'s' * (count > 1)}"
    if language == "zh":
        return f"（影响 {count} 个指标）"
    verb = "wait for" if any(fact.kind in _WAITING for fact in trouble.explained.facts) else "stand on"
    return f" ({count} metric{'s' * (count > 1)} {verb} it)"
