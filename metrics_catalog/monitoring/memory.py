"""What monitoring remembers between two evaluations: what was judged, what was missing then, what was learnt.

Lost, it is as on the first day: only the newest period is judged, so that nothing storms, and all is learnt again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from metrics_catalog.monitoring.state import State
from metrics_catalog.spec.base import Grain

_JUDGED = "judged.json"


@dataclass
class Memory:
    """Changed by an evaluation, written by `keep`.

    ``through``: the last period judged, per grain. ``missing``: periods that a metric had no total of, and may get
    late, by grain and metric.
    """

    folder: Path
    through: Mapping[Grain, date] = field(default_factory=dict)
    missing: Mapping[Grain, Mapping[str, tuple[date, ...]]] = field(default_factory=dict)
    learnt: dict[str, State] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Memory:
        """What was kept in a folder; nothing, where there is nothing or it cannot be read."""
        try:
            kept = json.loads((folder / _JUDGED).read_text("utf-8"))
            through = {grain: date.fromisoformat(day) for grain, day in kept["through"].items()}
            missing = {
                grain: {metric: tuple(map(date.fromisoformat, days)) for metric, days in of.items()}
                for grain, of in kept["missing"].items()
            }
            return cls(folder, through, missing)
        except (OSError, ValueError, KeyError, AttributeError):
            return cls(folder)

    def state(self, name: str) -> State | None:
        """What was learnt of a group of series."""
        return self.learnt[name] if name in self.learnt else State.read(self._file(name))

    def keep(self) -> None:
        """Write it down. Call it once what was found is safe: a crash before judges the same periods again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, state in self.learnt.items():
            new = self.folder / f".{name}.new"
            with new.open("wb") as file:
                state.write(file)
            new.replace(self._file(name))
        judged: dict[str, Any] = {"through": self.through, "missing": self.missing}
        new = self.folder / f".{_JUDGED}.new"
        new.write_text(json.dumps(judged, default=str, ensure_ascii=False, indent=1), "utf-8")
        new.replace(self.folder / _JUDGED)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.state"
