"""The metric models: for each mart one dbt model with its mergeable components by day and dimensions, written by us.

The text is an ordinary dbt model, reviewed and built like any other; `metrics generate` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml
from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.components import Component
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.engine.periods import Span
from metrics_catalog.engine.pieces import in_spans
from metrics_catalog.engine.scan import DAY, Scan, with_imports
from metrics_catalog.engine.text import readable

_MARK = "-- Written by `metrics generate` from metrics_catalog/metrics. Change a metric file, not this one.\n"
_CONFIG = f"{{{{ config(materialized='incremental', incremental_strategy='changed_days', unique_key='{DAY}') }}}}\n"


@dataclass(frozen=True)
class Rollup:
    """A metric model: its semantic model, the dimensions and components it stores."""

    model: str
    dimensions: tuple[str, ...]
    components: tuple[Component, ...]

    @property
    def name(self) -> str:
        """Name of the dbt model and its table."""
        return f"{self.model}_daily"


def rollups(catalog: Catalog) -> Mapping[str, Rollup]:
    """Every semantic model with mergeable components, and all dimensions its metrics are sliced by."""
    return catalog.once(rollups, lambda: _rollups(catalog))


def _rollups(catalog: Catalog) -> dict[str, Rollup]:
    found: dict[str, tuple[dict[str, None], dict[Component, None]]] = {}
    for metric, formula in formulas(catalog).items():
        for component in formula.components:
            if component.merge is not None:
                dimensions, components = found.setdefault(component.model, ({}, {}))
                components[component] = None
                dimensions |= {name: None for one in catalog.metrics[metric].spec.slices for name in one}
                dimensions |= dict.fromkeys(component.semi_additive.per) if component.semi_additive else {}
    return {
        model: Rollup(model, tuple(sorted(dimensions)), tuple(sorted(components, key=lambda one: one.name)))
        for model, (dimensions, components) in sorted(found.items())
    }


def needed_rollups(wanted: Iterable[tuple[Formula, Sequence[str]]]) -> dict[str, Rollup]:
    """The least rollups from which formulas, each by the dimensions of a slice, can be put together."""
    found: dict[str, tuple[set[str], dict[Component, None]]] = {}
    for formula, cut in wanted:
        for component in formula.components:
            if component.merge is not None:
                dimensions, components = found.setdefault(component.model, (set(), {}))
                components[component] = None
                dimensions |= {*cut, *(component.semi_additive.per if component.semi_additive else ())}
    return {model: Rollup(model, tuple(sorted(names)), tuple(some)) for model, (names, some) in found.items()}


def rollup_query(catalog: Catalog, rollup: Rollup, days: Sequence[Span] = ()) -> exp.Select:
    """The rollup as a query over the marts: what its dbt model computes; only of some days, or of all."""
    scan = Scan(catalog.semantics, rollup.model, rollup.dimensions, rollup.components)
    marts = [(name, catalog.semantics.model(name)) for name in scan.models]
    tables = [(name, exp.table_(mart.table, db=mart.schema)) for name, mart in marts]
    grouped = scan.grouped().where(in_spans(scan.day, days), copy=False) if days else scan.grouped()
    return with_imports(grouped, [(name, exp.select("*").from_(one)) for name, one in tables])


def dbt_files(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """(file name, text) of everything under ``dbt_project/models/metrics``."""
    for rollup in rollups(catalog).values():
        yield f"{rollup.name}.sql", _sql(catalog, rollup)
        yield f"{rollup.name}.yml", _yaml(catalog, rollup)


def _sql(catalog: Catalog, rollup: Rollup) -> str:
    scan = Scan(catalog.semantics, rollup.model, rollup.dimensions, rollup.components)
    imports = "".join(_import(catalog, name, name == rollup.model, scan) for name in scan.models)
    body = readable(scan.grouped()).replace("\n", "\n    ")
    return f"{_MARK}{_CONFIG}\nwith {imports}final as (\n    {body}\n)\n\nselect * from final\n"


def _import(catalog: Catalog, name: str, fact: bool, scan: Scan) -> str:
    table = catalog.semantics.model(name).table
    day = scan.day.sql("duckdb").replace(f"{scan.model}.", "")
    only = f"\n    {{% if is_incremental() %}}where {{{{ in_dates('{day}', changed_days()) }}}}{{% endif %}}"
    return f"{name} as (\n    select * from {{{{ ref('{table}') }}}}{only if fact else ''}\n),\n\n"  # noqa: S608


def _yaml(catalog: Catalog, rollup: Rollup) -> str:
    sliced = [{"name": name, "description": f"Dimension {name}."} for name in rollup.dimensions]
    stored = [{"name": one.name, "description": _meaning(one)} for one in rollup.components]
    model = {
        "name": rollup.name,
        "description": f"Metric model of {rollup.model}: additive components by day and dimensions.",
        "columns": [{"name": DAY, "description": "Business day.", "data_tests": ["not_null"]}, *sliced, *stored],
    }
    text = yaml.safe_dump({"version": 2, "models": [model]}, sort_keys=False, allow_unicode=True, width=120)
    return _MARK.replace("--", "#") + text


def _meaning(component: Component) -> str:
    inner = "*" if component.expr is None else component.expr.sql("duckdb")
    rows = "" if component.filter is None else f" where {component.filter.sql('duckdb')}"
    return f"{component.agg}({inner}){rows}"
