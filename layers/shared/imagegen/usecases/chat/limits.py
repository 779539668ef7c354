"""The limits of one chat request, of its answer, and of what a person uses on one day."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from imagegen.domain.call_errors import LlmError
from imagegen.domain.chat_usage import ChatReservation, ChatUsageStore, DailyChatLimits
from imagegen.domain.conversation import NO_RESULT
from imagegen.domain.days import utc_day
from imagegen.domain.errors import InvalidRequestError, LimitError, StoreUnavailableError
from imagegen.domain.stores import LedgerStore
from imagegen.domain.text import is_blank
from imagegen.wire.messages import MAX_MESSAGE_CHARACTERS, ChatMessage, ChatRequest

MAX_ANSWER_CHARACTERS = MAX_MESSAGE_CHARACTERS - 500
"""The longest text of the LLM in one answer. The remaining 500 characters are for the service's own
sentences: the next request sends the whole message back as history."""
MAX_REJECTED_TOOL_USES = 12
"""How many tool uses beyond a round's limit are each rejected; further ones are ignored."""
MAX_TOOL_BYTES = 3_500_000
"""The most that the tool calls of one answer take, in the events and in the complete message.

Lambda's limit for an answer is 6 MB
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). The longest text, sent as
one event per character, takes less than 2.5 MB of it."""


class TooLongError(LlmError):
    """The LLM's text or tool calls are longer than one message can be."""


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """The limits that can be configured."""

    rounds: int = 4
    """How often the LLM is called for one message: after each call but the last, it gets the
    results of the tools that it used."""
    calls_in_round: int = 4
    """How many offers the LLM can make in one call."""
    input_characters: int = 60_000
    """The most characters of the whole history; one outside ASCII counts as its bytes in UTF-8."""


def check(request: ChatRequest, limits: ChatLimits) -> None:
    """Raise unless the history can be answered.

    Raises:
        InvalidRequestError: the last message is not the user's or is empty, or the history is too
            long.
    """
    # A tool's result belongs to its call, wherever the client has put it.
    spoken = [message for message in request.messages if message.role != "tool"]
    if not spoken or spoken[-1].role != "user" or is_blank(spoken[-1].content):
        raise InvalidRequestError("The last message must be the user's, and not empty.")
    characters = sum(map(_characters, request.messages))
    if characters > limits.input_characters:
        raise InvalidRequestError(
            f"The messages have {characters} characters; at most {limits.input_characters} are "
            "allowed (one outside ASCII counts as 2 to 4). Leave out older messages."
        )


@dataclass(frozen=True, slots=True)
class ChatMeter:
    """Reserves a chat request's tokens before its LLM is called, and settles them after it."""

    usages: ChatUsageStore
    ledgers: LedgerStore
    limits: DailyChatLimits
    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    program: tuple[str, DailyChatLimits] | None = None
    """The program that acts for the person, and what all its people together may use."""

    def begin(self, user: str, tokens: int) -> Callable[[int], None]:
        """Reserve the tokens of a request; return the function that settles what it used.

        Raises:
            LimitError: the person is blocked, or a limit of the day is reached.
            StoreUnavailableError: the counts cannot be reached, so no LLM is called.
        """
        if self.ledgers.load(user).blocked:
            raise LimitError("blocked", "The chat is switched off for this user.")
        reservations: list[ChatReservation] = []

        def end(used: int) -> None:
            for one in reservations:
                self._end(one, used)

        for name, limits in ((user, self.limits), *([self.program] if self.program else [])):
            try:
                reservations.append(self._reserved(name, limits, tokens))
            except LimitError:
                end(0)
                raise
        return end

    def _reserved(self, user: str, limits: DailyChatLimits, tokens: int) -> ChatReservation:
        now_ms = self.now_ms()
        reservation = ChatReservation(user, utc_day(now_ms), self.new_id(), tokens)
        if limit := self.usages.reserve(reservation, limits, now_ms=now_ms):
            raise limit
        return reservation

    def _end(self, reservation: ChatReservation, used: int) -> None:
        try:
            self.usages.settle(reservation, tokens=used)
        except StoreUnavailableError:
            # The answer is complete. The reservation stays: the count is too high until tomorrow.
            return


def _characters(message: ChatMessage) -> int:
    """Return the characters of a message; a tool call counts with its name and a stand-in."""
    called = [(one.name, one.arguments, NO_RESULT) for one in message.tool_calls]
    return sum(_size(text) for text in (message.content, *chain.from_iterable(called)))


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
