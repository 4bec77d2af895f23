"""How far a report's numbers can be trusted: what is late, failing, held, redefined or restated. Facts in, banner out.

Asks `monitoring.facts`, as alerts do, so that a report and an alert never say different things of the same day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from metrics_catalog.engine.periods import Span
from metrics_catalog.monitoring.fact import Fact, Kind
from metrics_catalog.monitoring.fact_words import late, restated
from metrics_catalog.monitoring.facts import Scene, known, sources_of
from metrics_catalog.published.model import Version
from metrics_catalog.reporting.body import Banner, Level, Line
from metrics_catalog.spec.base import Label
from metrics_catalog.wording import day

SHOWN = 8  # reasons said one by one; nobody reads more before the numbers
_LEVELS: Mapping[Kind, Level] = {
    "late": "warn",
    "stale": "warn",
    "not loaded": "warn",
    "partial": "warn",
    "blocked": "warn",
    "failed check": "warn",
    "quarantine": "warn",
    "held": "warn",
    "code": "note",
    "definition": "note",
    "restated": "note",
    "few": "note",
}


@dataclass(frozen=True)
class Trust:
    """What is known of the metrics of one issue, in no language yet. ``missing``: days of its period, by source.

    ``gone``: metrics the report names that are no longer official. ``is_empty``: none of the others has a value.
    """

    through: date
    metrics: tuple[str, ...]
    missing: Mapping[str, tuple[date, ...]]
    facts: tuple[tuple[Fact, tuple[str, ...]], ...]
    rows: int
    quarantined: int
    has_before: bool
    gone: tuple[str, ...] = ()
    is_empty: bool = False
    labels: Mapping[str, Label] = field(default_factory=dict)

    @property
    def is_late(self) -> bool:
        """Whether data of the period is missing."""
        return bool(self.missing)


def trust(scene: Scene, metrics: Sequence[str], period: Span, between: Iterable[Version] = ()) -> Trust:
    """What to know before trusting ``metrics`` of a period; ``between``: publishes since the issue before."""
    assert scene.published is not None, "something was published"
    missing = missing_days(scene, metrics, period)
    about: dict[tuple[str, str, str], tuple[Fact, list[str]]] = {}
    for metric in metrics:
        for fact in (*known(scene, metric, period.start, period.end), *_restated(metric, between)):
            if fact.kind != "late" and (fact.moved or fact.kind != "code"):
                about.setdefault((fact.kind, fact.subject, fact.text["en"]), (fact, []))[1].append(metric)
    loads = {one.source: one for one in scene.health}
    under = {source for metric in metrics for source in sources_of(scene.catalog, metric)}
    newest = [one for source, one in loads.items() if source in under]
    facts = tuple((fact, tuple(dict.fromkeys(touched))) for fact, touched in about.values())
    rows, bad = sum(one.rows for one in newest), sum(one.quarantined for one in newest)
    labels = {name: scene.catalog.metrics[name].spec.label for name in metrics}
    through, has_before = scene.published.closed_through, scene.before is not None
    return Trust(through, tuple(metrics), missing, facts, rows, bad, has_before, labels=labels)


def missing_days(scene: Scene, metrics: Iterable[str], period: Span) -> dict[str, tuple[date, ...]]:
    """Days of a period that daily sources under the metrics still owe, or that no refresh has closed yet ("")."""
    info = scene.published
    assert info is not None, "something was published"
    under = {source for metric in metrics for source in sources_of(scene.catalog, metric)}
    found: dict[str, tuple[date, ...]] = {}
    for source in sorted(under & set(info.coverages)):
        owed = [date.fromisoformat(one) for one in info.coverages[source]["missing"]]
        if days := tuple(one for one in owed if one in period):
            found[source] = days
    if info.closed_through < period.end - timedelta(days=1):
        first = max(period.start, info.closed_through + timedelta(days=1))
        found[""] = tuple(first + timedelta(days=n) for n in range((period.end - first).days))
    return found


def banner(known: Trust, language: str) -> Banner:
    """The same in words."""
    lines = sorted(_lines(known, language), key=lambda line: ("warn", "note", "ok").index(line.level))
    bad = sum(line.level == "warn" for line in lines)
    notes = sum(line.level == "note" for line in lines)
    level: Level = "warn" if bad else "note" if notes else "ok"
    shown = lines[:SHOWN]
    if len(lines) > SHOWN:
        more = len(lines) - SHOWN
        shown.append(Line(lines[SHOWN].level, f"另有{more}项。" if language == "zh" else f"And {more} more."))
    return Banner(level, _title(known, level, bad, notes, language), (*shown, *_quarantined(known, language)))


def _lines(known: Trust, language: str) -> Iterator[Line]:
    for source, days in known.missing.items():
        yield Line("warn", late(source, days)[language] if source else _not_closed(days, language))
    if known.is_empty and not known.missing:
        yield Line(
            "warn", "本期所有指标均无数据" if language == "zh" else "none of the numbers has data for this period"
        )
    for name in known.gone:
        yield Line("warn", _gone(name, language))
    for fact, metrics in known.facts:
        yield Line(_LEVELS[fact.kind], _about(fact, metrics, known, language))


def _about(fact: Fact, metrics: Sequence[str], known: Trust, language: str) -> str:
    """With the metrics it is about, where these are neither all nor named by it."""
    text = fact.text[language]
    if len(metrics) == len(known.metrics) or any(metric in text for metric in metrics):
        return text
    names = [known.labels[metric].to(language) if metric in known.labels else metric for metric in metrics]
    return f"{'、'.join(names)}：{text}" if language == "zh" else f"{', '.join(names)}: {text}"


def _gone(name: str, language: str) -> str:
    if language == "zh":
        return f"{name}已不是正式指标，不再展示"
    return f"{name} is no longer an official metric and not shown"


def _not_closed(days: Sequence[date], language: str) -> str:
    first, last = day(days[0], language), day(days[-1], language)
    if language == "zh":
        return f"{first}{f'至{last}' if len(days) > 1 else ''}的数据尚未发布"
    return f"nothing is published yet of {first}{f' to {last}' if len(days) > 1 else ''}"


def _restated(metric: str, between: Iterable[Version]) -> Iterator[Fact]:
    """Values published before that were replaced since the issue before, by each publish that did."""
    for version in between:
        if why := version.info.notes.get(metric):
            yield Fact("restated", metric, restated(why))


def _title(known: Trust, level: Level, bad: int, notes: int, language: str) -> str:
    through = day(known.through, language)
    if language == "zh":
        begin = f"数据截至{through}"
        if level == "warn":
            return f"{begin}，请谨慎使用：{bad}项需注意"
        if level == "note":
            return f"{begin}，自上期以来有{notes}项变更"
        return f"{begin}，数据完整，校验通过" + ("，口径与上期一致" if known.has_before else "")
    begin = f"Data through {through}"
    if level == "warn":
        what = "1 thing is not as it should be" if bad == 1 else f"{bad} things are not as they should be"
        return f"{begin}. Read with care: {what}"
    if level == "note":
        return f"{begin}. {notes} {'change' if notes == 1 else 'changes'} since the last issue"
    return f"{begin}. Complete, checks passed" + (
        ", nothing redefined since the last issue" if known.has_before else ""
    )


def _quarantined(known: Trust, language: str) -> Iterator[Line]:
    if not known.rows:
        return
    share = f"{known.quarantined / known.rows:.2%}"
    counts = f"{known.quarantined:,}", f"{known.rows:,}"
    if language == "zh":
        yield Line("ok", f"最近一次载入的{counts[1]}行中，有{counts[0]}行（{share}）被隔离，未计入。")
    else:
        yield Line(
            "ok", f"{counts[0]} of the {counts[1]} rows loaded last ({share}) are in quarantine and not counted."
        )
