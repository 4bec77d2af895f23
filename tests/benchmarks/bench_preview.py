"""The numeric preview of a changed definition on a large mart: old and new over the last closed months.

    python tests/benchmarks/bench_preview.py FILE [METRIC]

FILE is made by `engine_data.py`. The metric leaves out online lines; everything made of it is previewed with it, bounds
and slices included. Prints CPU seconds, wall seconds and peak memory of the process.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

from engine_metrics import METRICS, catalog
from engine_runs import connect, days

from metrics_catalog.catalog import entry_of
from metrics_catalog.governance.preview import Change, preview
from metrics_catalog.located import parsed

PERIODS = 12


def main(file: Path, metric: str) -> None:
    """Print what the preview takes, and how much it found."""
    before = catalog(METRICS)
    entry = before.metrics[metric]
    text = json.dumps({**entry.document.data, "filter": "channel <> 'online'"}, default=str)
    changed = entry_of(metric, entry.domain, parsed(text, entry.document.path))
    change = Change(metric, before, replace(before, metrics={**before.metrics, metric: changed}))
    with connect(file, "4GB", file.parent) as con:
        last = days(con)[1]
        cpu, wall = time.process_time(), time.perf_counter()
        found = preview(con, change, last, PERIODS)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{len(change.affected)} metrics, {len(found['periods'])} months, effect {found['effect']}")
    print(f"{cpu:.1f} CPU s, {wall:.1f} s, {peak:.1f} GB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:] or ["net_sales"])
