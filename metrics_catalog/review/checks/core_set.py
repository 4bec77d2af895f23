"""Readers whose reports put more headline numbers before them than one can steer by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from metrics_catalog.report_files import ReportFile
from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene
from metrics_catalog.spec.report import Headline


def found(scene: Scene) -> Iterator[Item]:
    """One item for each person or team whose reports together have too many headline metrics."""
    limit = scene.policy.core_set
    for reader, shown in _headlines(scene.reports).items():
        metrics = dict.fromkeys(name for names in shown.values() for name in names)
        if len(metrics) <= limit.most:
            continue
        reports = ", ".join(f"{name} ({len(names)})" for name, names in shown.items())
        first = next((name for name in metrics if name in scene.catalog.metrics), None)
        action = {
            "en": f"choose {limit.least} to {limit.most} core metrics for {reader}",
            "zh": f"为 {reader} 精选{limit.least}至{limit.most}个核心指标",
        }
        yield Item(
            key=f"core_set/{reader}",
            kind="core set",
            subject=reader,
            title={
                "en": f"{reader} is given {len(metrics)} headline metrics",
                "zh": f"{reader} 的报告共有{len(metrics)}个核心指标",
            },
            evidence=({"en": f"In reports: {reports}.", "zh": f"涉及报告：{reports}。"},),
            proposed={
                "en": f"Keep {limit.least} to {limit.most}; move the others below.",
                "zh": f"保留{limit.least}至{limit.most}个，其余下移。",
            },
            proposal=None
            if first is None
            else Proposal("decide", first, f"{len(metrics)} headline metrics", action=action),
            weight=float(len(metrics)),
        )


def _headlines(reports: Mapping[str, ReportFile]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Headline metrics by reader and report."""
    by_reader: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, report in reports.items():
        shown = tuple(
            one for section in report.spec.sections if isinstance(section, Headline) for one in section.metrics
        )
        for reader in report.readers:
            by_reader.setdefault(reader, {})[name] = shown
    return by_reader
