"""Metrics that nobody read for long, and that no metric anybody read is made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.review.scene import Scene
from metrics_catalog.wording import day


def found(scene: Scene) -> Iterator[Item]:
    """Nothing is called unused before reads were recorded for as long as the policy asks."""
    wanted = timedelta(days=scene.policy.unused_days)
    if scene.known_since is None or scene.now - scene.known_since < wanted or not scene.used:
        return
    needed = set(scene.catalog.made_of(name for name in scene.used if name in scene.catalog.metrics))
    alerted = {one.metric for one in scene.incidents if one.reason and one.reason != "false alarm"}
    decided = {one.metric for one in scene.decisions if one.is_open}
    for name, entry in scene.catalog.metrics.items():
        if name in needed or name in scene.deprecated or name in decided or name in alerted:
            continue
        users = [one for one in scene.catalog.using(name) if one != name]
        yield Item(
            key=f"unused/{name}",
            kind="unused",
            subject=name,
            title={
                "en": f"Nobody has read {entry.spec.label.en} for {scene.policy.unused_days} days",
                "zh": f"{scene.policy.unused_days}天内没有人查看过{entry.spec.label.zh}",
            },
            evidence=tuple(_evidence(scene, name, users)),
            proposed={
                "en": f"Deprecate {name}; after the grace it is retired.",
                "zh": f"停用 {name}，宽限期后下线。",
            },
            proposal=Proposal("deprecate", name, f"nobody read it for {scene.policy.unused_days} days"),
            weight=entry.spec.tier - len(users) / 100,  # what most hangs on, and the board's, last
        )


def _evidence(scene: Scene, name: str, users: list[str]) -> Iterator[dict[str, str]]:
    since = scene.now.date() - timedelta(days=scene.policy.unused_days)
    total = sum(one.count for one in scene.used.values())
    yield {
        "en": f"0 of {total:,} reads since {day(since, 'en')}, through queries, reports and every other face.",
        "zh": f"自{day(since, 'zh')}起共{total:,}次查看，其中 0 次是该指标（含查询、报告等全部入口）。",
    }
    if users:
        yield {
            "en": f"Only made of it, and unread too: {', '.join(users)}.",
            "zh": f"由它计算、同样无人查看的指标：{'、'.join(users)}。",
        }
    owner = scene.catalog.metrics[name].spec.owner
    yield {"en": f"Owner: {owner}.", "zh": f"负责人：{owner}。"}
