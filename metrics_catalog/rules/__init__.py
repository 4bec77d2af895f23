"""Checks that need more than one file. A rule is a module here with ``check(catalog)``; add one, and it runs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check_all(catalog: Catalog) -> Iterator[Problem]:
    """Problems of every rule. A rule may rely only on what `metrics_catalog.spec` guarantees."""
    for module in iter_modules(__path__):
        yield from import_module(f"{__name__}.{module.name}").check(catalog)
