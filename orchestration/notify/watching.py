"""A channel that does not work, and an address that cannot be reached, is an incident told by the ways that do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metrics_catalog.project import Project

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.ops.channel_health import Way

CHANNEL, LETTERS = "channel", "letters"


def watched(project: Project, engine: Engine, way: Way) -> None:
    """Open its incident when it went down, end it when it came back. Raises `OpsUnavailable`, `InvalidFiles`."""
    from metrics_catalog.governance.begun import official_catalog
    from metrics_catalog.monitoring.platform_faults import system_fault, system_recovered

    catalog, now = official_catalog(project), datetime.now(UTC)
    if not way.failures:
        system_recovered(engine, catalog, CHANNEL, way.name, now)
        return
    said = {
        "en": f"Nothing can be sent by {way.name}: {way.error}",
        "zh": f"{way.name} 无法发送消息：{way.error}",
    }
    system_fault(engine, catalog, CHANNEL, way.name, said, now, avoid=failing(engine))


def undelivered(project: Project, engine: Engine) -> bool:
    """Open an incident for each address whose letters were given up, end it when none of them is left.

    Returns whether there was anything to do. Raises `OpsUnavailable`, `InvalidFiles`.
    """
    from metrics_catalog.monitoring.platform_faults import known_faults, system_fault, system_recovered
    from metrics_catalog.ops.letters import given_up, unsent

    known, dead = known_faults(engine, LETTERS), given_up(engine)
    told = {subject: set(one.data.get("about", ())) for subject, one in known.items()}
    news = {place: some for place, some in dead.items() if not {*some} <= told.get(place, set())}
    lasting = {place: told[place] for place, one in known.items() if one.lasts and place not in dead}
    over = [place for place, keys in lasting.items() if not unsent(engine, keys)]
    if not news and not over:
        return False
    from metrics_catalog.governance.begun import official_catalog

    catalog, now = official_catalog(project), datetime.now(UTC)
    for place, letters in news.items():
        address, why = place.replace(":", " ", 1), list(letters.values())[-1]
        said = {
            "en": f"letters to {address} are given up: {why}",
            "zh": f"发往 {address} 的消息无法送达，已放弃：{why}",
        }
        system_fault(engine, catalog, LETTERS, place, said, now, avoid=failing(engine), about=letters)
    for place in over:
        address = place.replace(":", " ", 1)
        none = {"en": f"no letter to {address} is left over.", "zh": f"发往 {address} 的消息已无积压。"}
        system_recovered(engine, catalog, LETTERS, place, now, none)
    return True


def failing(engine: Engine) -> set[str]:
    """Channels that are down, and addresses (``channel:address``) whose letters were given up."""
    from metrics_catalog.ops import channel_health
    from metrics_catalog.ops.letters import given_up

    return {one.name.partition(":")[0] for one in channel_health.ways(engine) if one.down} | set(given_up(engine))
