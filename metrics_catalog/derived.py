"""What follows from something that never changes is worked out once, and kept on the thing itself: no global state."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, TypeVar

T = TypeVar("T")


class Unchanging:
    """Base of frozen dataclasses that much is worked out from."""

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, called the first time only; whoever gets it must not change it."""
        if key not in self._derived:
            self._derived[key] = make()
        return self._derived[key]

    @cached_property
    def _derived(self) -> dict[Hashable, Any]:
        return {}
