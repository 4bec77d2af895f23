"""Two texts of a file as the keys that differ between them: what an approver says yes to. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from metrics_catalog.located import parsed

Edit = tuple[str, str | None, str | None]


def edits(old: str | None, new: str | None) -> list[Edit]:
    """(key, before, after) in the order of the new text, then what is gone; None: not there."""
    before, after = (dict(_flat({} if text is None else parsed(text, "").data)) for text in (old, new))
    return [(key, before.get(key), after.get(key)) for key in {**after, **before} if before.get(key) != after.get(key)]


def _flat(data: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Keys inside keys, as ``target.month``; a list is one value."""
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            yield f"{above}{key}", shown
