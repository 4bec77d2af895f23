"""Imports put off until they are used. Knows nothing of Great Expectations."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _Deferred(ModuleType):
    """Stands in for a module that was not imported yet; the first attribute asked for imports it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system looks for __spec__, __path__: that is not a use
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


@contextmanager
def deferred(*names: str) -> Iterator[None]:
    """Inside the block, ``import name`` binds a stand-in that imports the real module on first use.

    Afterwards nothing is left behind: modules imported in the block keep their stand-ins, everybody else imports the
    real thing. A module that is already imported is left alone.
    """
    stand_ins = {name: _Deferred(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
