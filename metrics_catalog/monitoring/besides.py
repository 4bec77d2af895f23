"""What stands beside a new trouble: the slices that explain a move, a picture, what was done last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.alert_message import Besides, Look
from metrics_catalog.monitoring.trouble import Trouble

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.published.reader import Published


def looker(catalog: Catalog, store: Engine, published: Published) -> Look:
    """Asks for each trouble once; what cannot be had is left out, as the alert matters more."""

    def look(trouble: Trouble) -> Besides:
        return Besides()

    return look
