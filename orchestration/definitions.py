"""The code location: Dagster's definitions of the project the environment names. Nothing happens at import."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import dagster as dg

from metrics_catalog.located import InvalidFiles
from orchestration import defs as rooms
from orchestration.declared import Declared
from orchestration.generate import outdated, read_current, stale_sql, unparsed
from orchestration.resources import KEY, Listener, refresh_resource
from orchestration.settings import read_settings


def build(declared: Declared, listener: Listener | None = None) -> dg.Definitions:
    """Definitions of a project, from every module of `orchestration.defs`.

    Raises `InvalidFiles` when dbt's metric models are older than the metrics: they would compute what was meant before.
    """
    old = outdated(declared.catalog, stale_sql(declared.catalog)) or unparsed(declared)
    if old:
        raise InvalidFiles(old)
    modules = [import_module(f"{rooms.__name__}.{module.name}") for module in iter_modules(rooms.__path__)]
    shared = dg.Definitions(
        resources={KEY: refresh_resource(declared, listener)},
        # Steps share one process: importing the tools anew for each would cost more than the work.
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(shared, *(module.definitions(declared) for module in modules))


@dg.definitions
def project() -> dg.Definitions:
    """What Dagster's servers load. Raises `InvalidFiles` when the project's files do not make sense."""
    return build(read_current(read_settings()))
