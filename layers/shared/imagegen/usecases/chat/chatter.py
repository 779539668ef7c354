"""A chat's answer: the LLM speaks, uses the one tool, and speaks of what came of it.

The tool makes offers; it cannot spend. What goes wrong with it is told to the LLM, which tells the
person; what goes wrong with the LLM is told in words, and the message ends as every other.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from imagegen.domain.errors import ImagegenError, InvalidRequestError, LlmError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ChatTurn, Llm, TextPart, TokenCount, ToolUse
from imagegen.domain.token_prices import TokenPrices
from imagegen.usecases.chat.arguments import arguments_in, request_of, turn_of
from imagegen.usecases.chat.limits import (
    MAX_SAID_CHARACTERS,
    MAX_USED_BYTES,
    ChatLimits,
    TooLongError,
    check,
)
from imagegen.wire.images import Estimate, EstimateRequest
from imagegen.wire.messages import (
    ChatEvent,
    ChatRequest,
    ImageGeneration,
    MessageComplete,
    MessageStart,
    TextApiCall,
    TextDelta,
    ToolCall,
    offer_for_llm,
    offered,
    sent_bytes,
)
from imagegen.wire.reports import Problem

MARGIN_MS = 3_000
"""What is left at the end for the answer itself."""
SHORTEST_CALL_MS = 1_000
MOST_PROBLEMS_TOLD = 12
"""A round's tool uses beyond its limit are each told so, up to this many."""
STOPPED = "I stopped here: I had used my tool too often for one message."
FAILED = "I could not finish my answer: the language model did not respond as it should."
TOO_LONG = "I stopped here: my answer grew too long for one message."
NOTHING = "I have no answer to that. Please put it another way."
UNEXPECTED = "An unexpected error. It is in the logs."


type StopReason = Literal["end", "tool_limit", "error"]


@dataclass(frozen=True, slots=True)
class Chatter:
    """Answers chats."""

    llm: Callable[[], Llm]
    offer: Callable[[EstimateRequest, str], Estimate]
    to_problem: Callable[[ImagegenError], Problem]
    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    prices: TokenPrices = field(default_factory=TokenPrices)
    limits: ChatLimits = field(default_factory=ChatLimits)
    on_answered: Callable[[MessageComplete], None] = lambda _message: None
    on_unexpected: Callable[[Exception], None] = lambda _error: None
    """Told of an error that nobody thought of; the message ends in words all the same."""

    def chat(self, request: ChatRequest, user: str, *, ends_ms: int) -> Iterator[ChatEvent]:
        """Return the answer's events, of which the last is always the whole message.

        Raises:
            InvalidRequestError: the last message is not the user's, or it is all too long.
            ConfigurationError: no LLM is set up.
        """
        check(request, self.limits)
        turns = [turn_of(message) for message in request.messages]
        return _Answer(self, self.llm(), user, ends_ms, turns).events()


@dataclass(slots=True)
class _Answer:
    """One message in the making."""

    chatter: Chatter
    llm: Llm
    user: str
    ends_ms: int
    turns: list[ChatTurn]
    said: list[str] = field(default_factory=list)
    said_characters: int = 0
    used_bytes: int = 0
    images: list[ImageGeneration] = field(default_factory=list)
    calls: list[TextApiCall] = field(default_factory=list)

    def events(self) -> Iterator[ChatEvent]:
        """Yield everything."""
        message_id = f"msg_{self.chatter.new_id()}"
        yield MessageStart(id=message_id, created_at=self.chatter.now_ms())
        stop_reason, problem = yield from self._whole()
        complete = MessageComplete(
            id=message_id,
            content="".join(self.said),
            image_generations=tuple(self.images),
            llm_api_calls=tuple(self.calls),
            stop_reason=stop_reason,
            problem=problem,
        )
        self.chatter.on_answered(complete)
        yield complete

    def _whole(self) -> Generator[ChatEvent, None, tuple[StopReason, Problem | None]]:
        """Yield the answer, and words where it breaks off; return how it ended."""
        failed: ImagegenError
        try:
            return (yield from self._rounds()), None
        except LlmError as error:
            failed = error
        except Exception as error:  # noqa: BLE001 the last one: what was offered stays, whatever it is
            self.chatter.on_unexpected(error)
            failed = ImagegenError(UNEXPECTED)
        yield from self._say_apart(TOO_LONG if isinstance(failed, TooLongError) else FAILED)
        return "error", self.chatter.to_problem(failed)

    def _rounds(self) -> Generator[ChatEvent, None, StopReason]:
        """Yield until the LLM wants no tool any more; return why it ended."""
        limits = self.chatter.limits
        for _ in range(limits.rounds):
            asked = yield from self._ask()
            if not asked:
                if not "".join(self.said).strip():
                    yield from self._say_apart(NOTHING)
                return "end"
            for number, one in enumerate(asked):
                yield self._kept(self._use(one, is_over=number >= limits.calls_in_round))
        yield from self._say_apart(STOPPED)
        return "tool_limit"

    def _ask(self) -> Generator[ChatEvent, None, tuple[ToolUse, ...]]:
        """Yield what the LLM says; return the tools it wants."""
        began_ms, spent, asked, words = self.chatter.now_ms(), None, [], ""
        success = False
        try:
            for part in self.llm.answer(self.turns, timeout_seconds=self._seconds_left()):
                match part:
                    case TextPart(text) if text:
                        yield from self._pass_on(text, goes_on=bool(words))
                        words += text
                    case ToolUse():
                        asked.append(part)
                    case TokenCount():
                        spent = part
            success = True
        finally:
            self.calls.append(self._call(began_ms, spent, success=success))
        kept = tuple(asked[: self.chatter.limits.calls_in_round + MOST_PROBLEMS_TOLD])
        self.turns.append(ChatTurn("assistant", words, kept))
        return kept

    def _use(self, asked: ToolUse, *, is_over: bool) -> ToolCall:
        """Return what came of a use of the tool, which the LLM is told, too."""
        arguments = arguments_in(asked.arguments)
        try:
            request = self._request(asked, arguments, is_over=is_over)
            image = offered(estimate := self.chatter.offer(request, self.user), asked.id)
        except ImagegenError as error:
            problem = self.chatter.to_problem(error)
            self._tell(asked, {"offered": False, "code": problem.code, "detail": problem.detail})
            return ToolCall(
                id=asked.id, name=asked.name, arguments=arguments, ok=False, problem=problem
            )
        self._tell(asked, offer_for_llm(estimate))
        return ToolCall(
            id=asked.id, name=asked.name, arguments=arguments, ok=True, image_generation=image
        )

    def _kept(self, used: ToolCall) -> ToolCall:
        """Return a use that one message can hold beside those before it.

        Raises:
            TooLongError: it cannot.
        """
        images = [used.image_generation] if used.image_generation else []
        self.used_bytes += sum(map(sent_bytes, (used, *images)))
        if self.used_bytes > MAX_USED_BYTES:
            raise TooLongError("The LLM's uses of the tool were too long for one message.")
        self.images += images
        return used

    def _request(
        self, asked: ToolUse, arguments: Mapping[str, Any] | None, *, is_over: bool
    ) -> EstimateRequest:
        if is_over:
            most = self.chatter.limits.calls_in_round
            raise InvalidRequestError(f"At most {most} images can be offered at a time.")
        return request_of(asked, arguments)

    def _tell(self, asked: ToolUse, result: Mapping[str, Any]) -> None:
        text = json.dumps(result, ensure_ascii=False)
        self.turns.append(ChatTurn("tool", text, call_id=asked.id))

    def _pass_on(self, text: str, *, goes_on: bool) -> Iterator[TextDelta]:
        """Say what the LLM says, as far as one message can hold it.

        Raises:
            TooLongError: there was more.
        """
        fits = text[: max(0, MAX_SAID_CHARACTERS - self.said_characters)]
        if fits:
            yield from self._say(fits) if goes_on else self._say_apart(fits)
        if fits != text:
            raise TooLongError("The LLM's answer was too long for one message.")

    def _say(self, text: str) -> Iterator[TextDelta]:
        self.said.append(text)
        self.said_characters += len(text)
        yield TextDelta(text=text)

    def _say_apart(self, text: str) -> Iterator[TextDelta]:
        """Say what does not go on from what was said before."""
        if self.said and not self.said[-1].endswith("\n"):
            yield from self._say("\n\n")
        yield from self._say(text)

    def _seconds_left(self) -> float:
        left_ms = self.ends_ms - MARGIN_MS - self.chatter.now_ms()
        if left_ms < SHORTEST_CALL_MS:
            raise LlmError("There was no time left to ask the LLM.", outcome=Outcome.UNAVAILABLE)
        return left_ms / 1000

    def _call(self, began_ms: int, spent: TokenCount | None, *, success: bool) -> TextApiCall:
        return TextApiCall(
            provider=self.llm.provider,
            model=self.llm.model,
            input_tokens=spent.input_tokens if spent else None,
            output_tokens=spent.output_tokens if spent else None,
            cost=self.chatter.prices.cost_microusd(spent),
            duration_ms=self.chatter.now_ms() - began_ms,
            success=success,
            timestamp=began_ms,
        )
