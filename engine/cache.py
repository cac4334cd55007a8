"""A cache of what was parsed from deployed definitions, once per process of the operating system."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

#: Definitions of a kind kept parsed.
SIZE = 500

T = TypeVar("T")


class Cache(Generic[T]):
    """A least-recently-used cache that is safe for threads; definitions are immutable, so nothing goes stale."""

    def __init__(self) -> None:
        self._items: OrderedDict[int, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: int, make: Callable[[], T]) -> T:
        """Return what is kept for the key of a definition, made by `make` the first time."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key]
        item = make()
        with self._lock:
            self._items[key] = item
            while len(self._items) > SIZE:
                self._items.popitem(last=False)
        return item
