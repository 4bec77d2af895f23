"""Sources that failed most: not accepted, not loaded, late, or with many rows in quarantine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from metrics_catalog.health import SourceHealth
from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene

QUARANTINE = 0.01  # share of a load's rows from which it counts
MOST = 5  # sources shown


def found(scene: Scene) -> Iterator[Item]:
    """The worst sources, by how many refreshes something was wrong with them."""
    runs: dict[str, list[SourceHealth]] = {}
    for one in scene.health:
        runs.setdefault(one.source, []).append(one)
    bad = {name: counts for name, some in runs.items() if any((counts := _counts(some)).values())}
    worst = sorted(bad, key=lambda name: (-sum(bad[name].values()), name))[:MOST]
    for name in worst:
        counts, total = bad[name], len(runs[name])
        metrics = _on(scene, name)
        most = max((one.quarantine_share for one in runs[name]), default=0.0)
        yield Item(
            key=f"source/{name}",
            kind="source",
            subject=name,
            title={
                "en": f"Source {name} was at fault in {max(counts.values())} of {total} refreshes",
                "zh": f"数据源 {name} 在{total}次刷新中有{max(counts.values())}次异常",
            },
            evidence=(
                {
                    "en": ", ".join(f"{count}× {word}" for word, count in counts.items() if count)
                    + (f"; up to {most:.1%} of rows quarantined." if most else "."),
                    "zh": "，".join(f"{_ZH[word]}{count}次" for word, count in counts.items() if count)
                    + (f"；隔离行最高占{most:.1%}。" if most else "。"),
                },
                {
                    "en": f"Metrics on it: {_some(scene, metrics, 'en')}.",
                    "zh": f"相关指标：{_some(scene, metrics, 'zh')}。",
                },
            ),
            proposed={"en": "Agree with its owner what is delivered when.", "zh": "与数据源负责人约定交付内容与时间。"},
            proposal=_proposal(name, metrics),
            weight=float(sum(counts.values())),
        )


_ZH = {"not accepted": "未通过校验", "not loaded": "加载失败", "late": "迟到", "quarantined": "隔离过多"}


def _counts(some: list[SourceHealth]) -> Mapping[str, int]:
    return {
        "not accepted": sum(bool(one.blocked) for one in some),
        "not loaded": sum(bool(one.error) for one in some),
        "late": sum(bool(one.late) for one in some),
        "quarantined": sum(one.quarantine_share >= QUARANTINE for one in some),
    }


def _on(scene: Scene, source: str) -> list[str]:
    """Metrics that stand on a source, those of the best tier first."""
    catalog = scene.catalog
    found = []
    for name, entry in catalog.metrics.items():
        nodes = {catalog.semantics.model(model).node for model in catalog.models(name)}
        upstream = {
            one.rsplit(".", 1)[1]
            for node in nodes
            for one in catalog.semantics.upstream(node)
            if one.startswith("source.")
        }
        if source in upstream:
            found.append((entry.spec.tier, name))
    return [name for _, name in sorted(found)]


def _proposal(source: str, metrics: list[str]) -> Proposal | None:
    if not metrics:
        return None
    action = {"en": f"agree with the owner of {source} what is delivered when", "zh": f"与 {source} 负责人约定交付"}
    return Proposal("decide", metrics[0], f"source {source} fails often", action=action)


def _some(scene: Scene, metrics: list[str], language: str) -> str:
    labels = [scene.catalog.metrics[one].spec.label.to(language) for one in metrics[:5]]
    more = f" +{len(metrics) - 5}" if len(metrics) > 5 else ""
    return ("、" if language == "zh" else ", ").join(labels) + more if labels else "–"
