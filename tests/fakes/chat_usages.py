"""The chat's counts in memory: the same conditions and the same atomicity as the table's."""

import threading
from dataclasses import dataclass, field

from imagegen.domain.chat_usage import (
    ChatHold,
    ChatUsage,
    DailyChatLimits,
    chat_limit_reached,
    reserved,
    settled,
)
from imagegen.domain.errors import LimitError


@dataclass(slots=True)
class MemoryChatUsageStore:
    """``ChatUsageStore`` in a dictionary."""

    usages: dict[tuple[str, str], ChatUsage] = field(default_factory=dict)
    writes: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def load(self, user: str, day: str) -> ChatUsage:
        with self._lock:
            return self.usages.get((user, day), ChatUsage())

    def reserve(self, hold: ChatHold, limits: DailyChatLimits, *, now_ms: int) -> LimitError | None:
        with self._lock:
            usage = self.load(hold.user, hold.day)
            if hold.id in usage.holds:
                return None
            if limit := chat_limit_reached(usage, hold.tokens, limits, now_ms=now_ms):
                return limit
            self.usages[hold.user, hold.day] = reserved(usage, hold)
            self.writes += 1
            return None

    def settle(self, hold: ChatHold, *, tokens: int) -> None:
        with self._lock:
            usage = self.load(hold.user, hold.day)
            self.usages[hold.user, hold.day] = settled(usage, hold, tokens)
            self.writes += 1
