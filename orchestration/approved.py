"""What approved changes touch: the assets to refresh once entries of the ledger took effect. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import dagster as dg

from metrics_catalog.catalog import Catalog, entry_of
from metrics_catalog.governance.certified import POLICY
from metrics_catalog.governance.ledger import Entry
from metrics_catalog.governance.record import METRIC
from metrics_catalog.located import parsed
from orchestration.declared import Declared
from orchestration.defs.dbt import keys_by_id
from orchestration.describe import metric_key

KINDS = ("certified", "released")  # entries after which official values may come out different
METRIC_MODELS = "metrics"  # the folder of dbt models that hold rollups


def decided(entries: Iterable[Entry]) -> list[Entry]:
    """Those that somebody asked for; what was certified as it stood at the beginning changes nothing."""
    return [entry for entry in entries if entry.event.kind in KINDS and entry.event.data.get("request")]


def touched(declared: Declared, entries: Iterable[Entry]) -> list[dg.AssetKey]:
    """Metric models of a metric's marts, the metric, and everything made of it; of the policy, every metric."""
    keys: set[dg.AssetKey] = set()
    for entry in entries:
        subject = entry.event.subject
        if subject == POLICY:
            for name in declared.catalog.metrics:
                keys.update(_of(declared, declared.catalog, [name]))
        elif subject.startswith(METRIC):
            keys.update(_metric(declared, subject.removeprefix(METRIC), entry))
    return sorted(keys)


def _metric(declared: Declared, name: str, entry: Entry) -> Iterator[dg.AssetKey]:
    catalog = declared.catalog
    if name in catalog.metrics:
        yield from _of(declared, catalog, catalog.using(name))
        return
    # A retired one is no asset any more; publishing any metric of its marts takes its values away.
    data = entry.event.data
    before = entry_of(name, data["domain"], parsed(data["text"], data["path"]))
    whole = replace(catalog, metrics={**catalog.metrics, name: before})
    marts = set(whole.models(name))
    yield from _of(declared, whole, [one for one in catalog.metrics if marts & set(catalog.models(one))])


def _of(declared: Declared, catalog: Catalog, names: Iterable[str]) -> Iterator[dg.AssetKey]:
    keys = keys_by_id(declared.graph)
    for name in names:
        marts = {catalog.semantics.model(model).node for model in catalog.counted(name)}
        yield metric_key(catalog.metrics[name].domain, name)
        for node in declared.graph.tables:
            if node.raw["fqn"][1:2] == [METRIC_MODELS] and marts & set(node.parents):
                yield keys[node.id]
