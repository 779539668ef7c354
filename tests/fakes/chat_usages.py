"""The chat's counts in memory: the same conditions and the same atomicity as the table's."""

import threading
from dataclasses import dataclass, field

from imagegen.domain.chat_usage import (
    ChatReservation,
    ChatUsage,
    DailyChatLimits,
    chat_limit_reached,
    chat_reserved,
    chat_settled,
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

    def reserve(
        self, reservation: ChatReservation, limits: DailyChatLimits, *, now_ms: int
    ) -> LimitError | None:
        with self._lock:
            usage = self.load(reservation.user, reservation.day)
            if reservation.id in usage.reservations:
                return None
            if limit := chat_limit_reached(usage, reservation.tokens, limits, now_ms=now_ms):
                return limit
            self.usages[reservation.user, reservation.day] = chat_reserved(usage, reservation)
            self.writes += 1
            return None

    def settle(self, reservation: ChatReservation, *, tokens: int) -> None:
        with self._lock:
            usage = self.load(reservation.user, reservation.day)
            self.usages[reservation.user, reservation.day] = chat_settled(
                usage, reservation, tokens
            )
            self.writes += 1
