"""Counts what each person uses of the chat, and stops them at the limits of the day."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.chat_usage import ChatReservation, ChatUsageStore, DailyChatLimits
from imagegen.domain.days import utc_day
from imagegen.domain.errors import LimitError, StoreUnavailableError
from imagegen.domain.stores import LedgerStore


@dataclass(frozen=True, slots=True)
class ChatMeter:
    """Reserves a chat request's tokens before its LLM is called, and settles them after it."""

    usages: ChatUsageStore
    ledgers: LedgerStore
    limits: DailyChatLimits
    now_ms: Callable[[], int]
    new_id: Callable[[], str]

    def begin(self, user: str, tokens: int) -> Callable[[int], None]:
        """Reserve the tokens of a request; return the function that settles what it used.

        Raises:
            LimitError: the person is blocked, or has reached a limit of the day.
            StoreUnavailableError: the counts cannot be reached, so no LLM is called.
        """
        if self.ledgers.load(user).blocked:
            raise LimitError("blocked", "The chat is switched off for this user.")
        now_ms = self.now_ms()
        reservation = ChatReservation(user, utc_day(now_ms), self.new_id(), tokens)
        if limit := self.usages.reserve(reservation, self.limits, now_ms=now_ms):
            raise limit
        return lambda used: self._end(reservation, used)

    def _end(self, reservation: ChatReservation, used: int) -> None:
        try:
            self.usages.settle(reservation, tokens=used)
        except StoreUnavailableError:
            # The answer is complete. The reservation stays: the count is too high until tomorrow.
            return
