"""Every dbt model that is written by us, under ``dbt_project/models/metrics``; `metrics generate` writes them."""

from __future__ import annotations

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.entity_values import values_files
from metrics_catalog.engine.metric_models import rollup_files


def dbt_files(catalog: Catalog) -> tuple[tuple[str, str], ...]:
    """(file name, text) of each."""
    return catalog.once(dbt_files, lambda: (*values_files(catalog), *rollup_files(catalog)))
