"""The keys for programs in memory: the same conditions and the same atomicity as the table's."""

import threading
from dataclasses import dataclass, field

from imagegen.domain.keys import ProgramKey


@dataclass(slots=True)
class MemoryKeyStore:
    """``KeyStore`` in a dictionary."""

    keys: dict[str, ProgramKey] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def find(self, key_id: str) -> ProgramKey | None:
        with self._lock:
            self.reads += 1
            return self.keys.get(key_id)

    def add(self, key: ProgramKey) -> bool:
        with self._lock:
            return self._put(key, is_free=key.id not in self.keys)

    def change(self, key: ProgramKey) -> bool:
        with self._lock:
            found = self.keys.get(key.id)
            return self._put(key, is_free=found is not None and found.version == key.version - 1)

    def all(self) -> list[ProgramKey]:
        with self._lock:
            return [self.keys[name] for name in sorted(self.keys)]

    def _put(self, key: ProgramKey, *, is_free: bool) -> bool:
        if is_free:
            self.keys[key.id] = key
            self.writes += 1
        return self.keys.get(key.id) == key
