"""What monitoring remembers between two evaluations: up to which period each grain was judged.

Lost, it is as on the first day: only the newest period is judged, so that nothing storms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from metrics_catalog.spec.base import Grain


@dataclass
class Memory:
    """``through``: the last period judged, per grain. Changed by an evaluation, kept by `keep`."""

    folder: Path
    through: Mapping[Grain, date] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Memory:
        """What was kept in a folder; nothing, where there is nothing or it cannot be read."""
        try:
            kept = json.loads((folder / "judged.json").read_text("utf-8"))
            return cls(folder, {grain: date.fromisoformat(day) for grain, day in kept["through"].items()})
        except (OSError, ValueError, KeyError):
            return cls(folder)

    def keep(self) -> None:
        """Write it down. Call it once what was found is safe: a crash before judges the same periods again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / ".judged.json.new"
        new.write_text(json.dumps({"through": {grain: day.isoformat() for grain, day in self.through.items()}}))
        new.replace(self.folder / "judged.json")
