"""Keeps the newest values by key, up to a number of bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock


class Newest[Key: Hashable, Value]:
    """Values by key; the oldest ones are deleted, but never the last one put. Thread-safe."""

    def __init__(self, most_bytes: int) -> None:
        self._lock = Lock()
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._most_bytes = most_bytes
        self._bytes = 0

    def get(self, key: Key) -> Value | None:
        """Return a value, ``None`` if it was never put or is deleted."""
        with self._lock:
            found = self._values.get(key)
        return found[0] if found else None

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of ``size`` bytes."""
        with self._lock:
            _, before = self._values.pop(key, (None, 0))
            self._values[key] = (value, size)
            self._bytes += size - before
            while self._bytes > self._most_bytes and len(self._values) > 1:
                _, (_, dropped) = self._values.popitem(last=False)
                self._bytes -= dropped

    def clear(self) -> None:
        """Delete every value."""
        with self._lock:
            self._values.clear()
            self._bytes = 0
