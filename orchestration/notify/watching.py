"""A channel that does not work is an incident like any other, told by the channels that do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metrics_catalog.project import Project

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.ops.channel_health import Way

KIND = "channel"


def watched(project: Project, engine: Engine, way: Way) -> None:
    """Open its incident when it went down, end it when it came back. Raises `OpsUnavailable`, `InvalidFiles`."""
    from metrics_catalog.governance.begun import official_catalog
    from metrics_catalog.monitoring.incidents import system_fault, system_recovered
    from metrics_catalog.ops import channel_health

    catalog, now = official_catalog(project), datetime.now(UTC)
    if not way.failures:
        system_recovered(engine, catalog, KIND, way.name, now)
        return
    said = {
        "en": f"Nothing can be sent by {way.name}: {way.error}",
        "zh": f"{way.name} 无法发送消息：{way.error}",
    }
    failing = {one.name.partition(":")[0] for one in channel_health.ways(engine) if one.down}
    system_fault(engine, catalog, KIND, way.name, said, now, avoid=failing)
