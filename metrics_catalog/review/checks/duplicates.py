"""Two metrics that are one: the same calculation under two names, or values that always move alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations

import numpy as np

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene
from metrics_catalog.spec.base import OF_DAYS, Grain

_LOOK: dict[Grain, int] = {"day": 182, "week": 364, "month": 1096, "quarter": 1096, "year": 3653}  # days of history


def found(scene: Scene) -> Iterator[Item]:
    """Each pair once; the one that is read less is proposed to end in favour of the other."""
    same: dict[str, list[str]] = {}
    for name, print_ in calculations(scene.catalog).items():
        same.setdefault(print_, []).append(name)
    known = {frozenset(pair) for names in same.values() for pair in combinations(sorted(names), 2)}
    for pair in sorted(map(sorted, known)):
        yield from _item(scene, pair[0], pair[1], None)
    for first, second, alike, periods, grain in sorted(_alike(scene)):
        if frozenset((first, second)) not in known:
            yield from _item(scene, first, second, (alike, periods, grain))


def _alike(scene: Scene) -> Iterator[tuple[str, str, float, int, Grain]]:
    """Pairs whose published totals correlate, looked at by the finest grain both have."""
    seen: set[str] = set()
    end = scene.month.end
    for grain in OF_DAYS:
        names = [one for one, entry in scene.catalog.metrics.items() if grain in entry.spec.grains and one not in seen]
        seen.update(names)
        values = scene.totals(grain, names, end - timedelta(days=_LOOK[grain]), end)
        names = sorted(name for name, rows in values.items() if len(rows) >= scene.policy.duplicate_periods)
        periods = sorted({period for name in names for period in values[name]})
        if len(names) < 2:
            continue
        table = np.array([[values[name].get(period, np.nan) for period in periods] for name in names])
        for one, other in _near(table, scene.policy.duplicate_correlation, scene.policy.duplicate_periods):
            both = ~np.isnan(table[one]) & ~np.isnan(table[other])
            alike = float(np.corrcoef(table[one][both], table[other][both])[0, 1])
            yield names[one], names[other], alike, int(both.sum()), grain


def _near(table: np.ndarray, least: float, periods: int) -> Iterator[tuple[int, int]]:
    """Pairs of rows whose correlation over what both have is at least ``least``; what never changes is no pair."""
    there = ~np.isnan(table)
    centred = np.where(there, table - np.nanmean(table, axis=1, keepdims=True), 0.0)
    scale = np.sqrt((centred**2).sum(axis=1))
    usable = scale > 1e-9 * np.maximum(1.0, np.abs(np.nanmean(table, axis=1)))
    scaled = centred / np.where(usable, scale, 1.0)[:, None]
    rough = np.triu(scaled @ scaled.T, 1)
    for one, other in zip(*np.nonzero(rough > least - 0.01), strict=True):
        both = there[one] & there[other]
        if not (usable[one] and usable[other]) or both.sum() < periods:
            continue
        if np.corrcoef(table[one][both], table[other][both])[0, 1] >= least:
            yield int(one), int(other)


def _item(scene: Scene, first: str, second: str, alike: tuple[float, int, Grain] | None) -> Iterator[Item]:
    catalog = scene.catalog
    if scene.deprecated & {first, second}:
        return
    keep, leave = sorted((first, second), key=lambda name: _worth(scene, name), reverse=True)
    labels = {
        language: [catalog.metrics[one].spec.label.to(language) for one in (keep, leave)] for language in ("en", "zh")
    }
    if alike is None:
        why = {"en": "Both have the same calculation.", "zh": "两者的计算口径完全相同。"}
    else:
        share, count, grain = alike
        why = {
            "en": f"Their {grain} values correlate to {share:.5f} over {count} periods.",
            "zh": f"两者按{_GRAINS[grain]}的值在{count}个周期内相关系数为 {share:.5f}。",
        }
    reads = [scene.used[one].count if one in scene.used else 0 for one in (keep, leave)]
    yield Item(
        key=f"duplicate/{leave}/{keep}",
        kind="duplicate",
        subject=leave,
        title={
            "en": f"{labels['en'][1]} says the same as {labels['en'][0]}",
            "zh": f"{labels['zh'][1]}与{labels['zh'][0]}说的是同一件事",
        },
        evidence=(
            why,
            {
                "en": f"Read {reads[1]} times, {keep} {reads[0]} times; owners: {_owners(catalog, leave, keep)}.",
                "zh": f"查看{reads[1]}次，{keep} {reads[0]}次；负责人：{_owners(catalog, leave, keep)}。",
            },
        ),
        proposed={"en": f"Deprecate {leave}, with {keep} as its successor.", "zh": f"停用 {leave}，由 {keep} 接替。"},
        proposal=Proposal("deprecate", leave, f"says the same as {keep}", successor=keep),
        weight=2.0 if alike is None else 1.0,
    )


def _worth(scene: Scene, name: str) -> tuple[int, int, int, str]:
    """What rather stays: the better tier, what more hangs on, what is read more."""
    reads = scene.used[name].count if name in scene.used else 0
    return (-scene.catalog.metrics[name].spec.tier, len(scene.catalog.using(name)), reads, name)


def _owners(catalog: Catalog, *names: str) -> str:
    return ", ".join(dict.fromkeys(catalog.metrics[name].spec.owner for name in names))


_GRAINS = {"day": "日", "week": "周", "month": "月", "quarter": "季度", "year": "年"}
