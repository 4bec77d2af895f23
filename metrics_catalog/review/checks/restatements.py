"""Metrics whose published values were changed afterwards, how often and why."""

from __future__ import annotations

from collections.abc import Iterator

from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene


def found(scene: Scene) -> Iterator[Item]:
    """One item for each metric; what an approved definition changed is counted, but more than once is a finding."""
    why: dict[str, list[tuple[str, str]]] = {}
    for version in scene.versions:
        for metric, note in version.info.notes.items():
            why.setdefault(metric, []).append((f"{version.info.published_at:%Y-%m-%d}", note))
    for metric, notes in why.items():
        if metric not in scene.catalog.metrics or (len(notes) == 1 and notes[0][1].startswith("definition")):
            continue
        label, count = scene.catalog.metrics[metric].spec.label, len(notes)
        times = f"{count} time{'s' * (count > 1)}"
        yield Item(
            key=f"restatement/{metric}",
            kind="restatement",
            subject=metric,
            title={
                "en": f"Published values of {label.en} were changed {times}",
                "zh": f"{label.zh}的已发布数值被更改{count}次",
            },
            evidence=tuple({"en": f"{at}: {note}", "zh": f"{at}：{note}"} for at, note in notes[-3:]),
            proposed={"en": "Find what delivers late or corrects afterwards.", "zh": "查明迟到或事后更正的数据来源。"},
            proposal=Proposal(
                "decide",
                metric,
                f"values were changed {times}",
                action={"en": "find why published values change", "zh": "查明已发布数值变动的原因"},
            ),
            weight=float(count),
        )
