"""A cache of what was used last, shared by threads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


def _one(_: object) -> int:
    return 1


class Kept(Generic[V]):
    """Values by key up to ``limit`` in all, by ``size`` each (default: one)."""

    def __init__(self, limit: int, size: Callable[[V], int] = _one) -> None:
        self._limit, self._size = limit, size
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._held = 0
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value kept for ``key``, made when there is none."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._held += self._size(value)
            while self._held > self._limit and len(self._values) > 1:
                self._held -= self._size(self._values.popitem(last=False)[1])
        return value
