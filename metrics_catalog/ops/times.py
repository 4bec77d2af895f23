"""Times as the ops store keeps them."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(at: datetime) -> str:
    """ISO text in UTC; texts compare as the times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
