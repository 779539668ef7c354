"""One person's use of the chat on one UTC day: its requests, and the tokens of its LLM.

A request reserves the most tokens that it may use before its LLM is called, and gives the rest back
when it ends. A run that dies in between leaves its reservation, which ends with the day: the count
may be too high by what the dead runs reserved, and is never too low.
This file is the reference: the store must behave as these functions do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal
from typing import Protocol

from imagegen.domain.days import next_day_seconds
from imagegen.domain.errors import LimitError
from imagegen.domain.ports import TokenCount
from imagegen.domain.pricing import prompt_tokens

MAX_OUTPUT_TOKENS = 4_096
"""The most tokens of the answer to one call of the LLM; every call requests this limit."""


@dataclass(frozen=True, slots=True)
class DailyChatLimits:
    """What one person may use of the chat on one UTC day."""

    chats: int = 200
    tokens: int = 1_000_000
    """Input and output tokens of all calls of the LLM."""


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """What was used on one day."""

    chats: int = 0
    tokens: int = 0
    """Reserved and used."""
    reservations: Mapping[str, int] = field(default_factory=dict)
    """The reservations of requests that have not ended, by id."""


@dataclass(frozen=True, slots=True)
class ChatReservation:
    """The reservation of one request."""

    user: str
    day: str
    id: str
    """Unique: it makes a write that is sent twice change nothing the second time."""
    tokens: int


@dataclass(frozen=True, slots=True)
class LlmPrices:
    """Dollars per million tokens, which are micro-dollars per token; ``None`` if not configured."""

    input_usd_per_million: Decimal | None = None
    output_usd_per_million: Decimal | None = None

    def cost_microusd(self, spent: TokenCount | None) -> int | None:
        """Return what a call cost in micro-dollars, rounded up.

        ``None`` if the tokens or a price are unknown.
        """
        if spent is None or self.input_usd_per_million is None:
            return None
        if self.output_usd_per_million is None:
            return None
        cost = (
            spent.input_tokens * self.input_usd_per_million
            + spent.output_tokens * self.output_usd_per_million
        )
        return int(cost.to_integral_value(ROUND_CEILING))


class ChatUsageStore(Protocol):
    """The chat's counts; every change is one atomic write of one person's day."""

    def load(self, user: str, day: str) -> ChatUsage:
        """Return what the person used on that day.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def reserve(
        self, reservation: ChatReservation, limits: DailyChatLimits, *, now_ms: int
    ) -> LimitError | None:
        """Count the request and reserve its tokens, or return the limit that stops it.

        Raises:
            StoreUnavailableError: it may or may not have been reserved.
        """
        ...

    def settle(self, reservation: ChatReservation, *, tokens: int) -> None:
        """Replace the reservation by what was used; a second time changes nothing.

        Raises:
            StoreUnavailableError: it may or may not have been settled.
        """
        ...


def chat_limit_reached(
    usage: ChatUsage, tokens: int, limits: DailyChatLimits, *, now_ms: int
) -> LimitError | None:
    """Return the limit that stops a request which reserves these tokens, or ``None``."""
    wait = next_day_seconds(now_ms)
    if usage.chats >= limits.chats:
        text = f"All {limits.chats} chat messages of this day are used."
        return LimitError("daily_chats", text, retry_after_seconds=wait)
    if usage.tokens + tokens > limits.tokens:
        text = (
            f"This message could take the day above {limits.tokens} tokens of the chat's language "
            "model. Start a new chat, which sends less, or wait for the next day."
        )
        return LimitError("daily_chat_tokens", text, retry_after_seconds=wait)
    return None


def chat_reserved(usage: ChatUsage, reservation: ChatReservation) -> ChatUsage:
    """Return the usage with the request counted and its tokens reserved."""
    return replace(
        usage,
        chats=usage.chats + 1,
        tokens=usage.tokens + reservation.tokens,
        reservations={**usage.reservations, reservation.id: reservation.tokens},
    )


def chat_settled(usage: ChatUsage, reservation: ChatReservation, tokens: int) -> ChatUsage:
    """Return the usage with a reservation replaced by what was used; unchanged without it."""
    if reservation.id not in usage.reservations:
        return usage
    return replace(
        usage,
        tokens=usage.tokens - reservation.tokens + tokens,
        reservations={
            name: one for name, one in usage.reservations.items() if name != reservation.id
        },
    )


def most_tokens(text: str) -> int:
    """Return the most tokens that a tokenizer makes of a text, of invented words as well.

    ``prompt_tokens`` is what a prompt is priced by, and counts too few for invented words. Measured
    with o200k_base on 2026-11-25: plain English has 0.25 tokens for a character, random letters
    0.65, rare characters outside ASCII one for each byte of UTF-8.
    """
    plain = len(text) if text.isascii() else sum(map(str.isascii, text))
    foreign_bytes = len(text.encode("utf-8", "surrogatepass")) - plain
    return max(prompt_tokens(text), -(-2 * plain // 3) + foreign_bytes)
