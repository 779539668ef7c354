"""A chat's answer: the LLM writes text, uses its one tool, and writes about the result.

The tool makes offers; it cannot spend. A tool problem goes back to the LLM, which explains it to
the user. A failure of the LLM becomes a sentence in the answer, which is then completed as usual.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from imagegen.domain.errors import ImagegenError, InvalidRequestError, LlmError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import AnswerEnd, ChatTurn, Llm, TextPart, TokenCount, ToolUse
from imagegen.domain.token_prices import TokenPrices
from imagegen.usecases.chat.arguments import parse_arguments, parse_request, to_turn
from imagegen.usecases.chat.limits import (
    MAX_ANSWER_CHARACTERS,
    MAX_TOOL_BYTES,
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
    image_offer,
    json_bytes,
    llm_result,
)
from imagegen.wire.reports import Problem

MARGIN_MS = 3_000
"""Kept free of LLM calls before Lambda's timeout: to send the answer."""
SHORTEST_CALL_MS = 1_000
MAX_REJECTED_TOOL_USES = 12
"""How many tool uses beyond a round's limit are each rejected; further ones are ignored."""
STOPPED = "I stopped here: I used my tool too often for one message."
FAILED = "I could not finish my answer: the language model did not respond as it should."
TOO_LONG = "I stopped here: my answer is too long for one message."
RAN_OUT = "I ran out of room before I could answer. Please ask for less at a time."
CUT_OFF = "My answer ends here: it reached the limit of its length."
NOTHING = "I have no answer to that. Please rephrase your message."
UNEXPECTED = "An unexpected error. It is in the logs."


type StopReason = Literal["end", "tool_limit", "length", "error"]


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
    """Called with an error that no code handles; the answer is completed all the same."""

    def chat(self, request: ChatRequest, user: str, *, ends_ms: int) -> Iterator[ChatEvent]:
        """Return the answer's events; the last one is always the complete message.

        Lambda ends this run at ``ends_ms``. A failure of the LLM raises no error: the complete
        message contains it.

        Raises:
            InvalidRequestError: the last message is not the user's or is empty, or the history is
                too long.
            ConfigurationError: no LLM is set up.
        """
        check(request, self.limits)
        turns = [to_turn(message) for message in request.messages]
        return _Answer(self, self.llm(), user, ends_ms, turns).events()


@dataclass(slots=True)
class _Answer:
    """One answer while it is made."""

    chatter: Chatter
    llm: Llm
    user: str
    ends_ms: int
    turns: list[ChatTurn]
    texts: list[str] = field(default_factory=list)
    reference: str = ""
    """What the LLM's provider is given as the user: a keyed hash."""
    text_characters: int = 0
    tool_bytes: int = 0
    has_run_out: bool = False
    """Whether the last call of the LLM reached the limit of its tokens."""
    images: list[ImageGeneration] = field(default_factory=list)
    calls: list[TextApiCall] = field(default_factory=list)

    def events(self) -> Iterator[ChatEvent]:
        """Yield every event of the answer."""
        message_id = f"msg_{self.chatter.new_id()}"
        yield MessageStart(id=message_id, created_at=self.chatter.now_ms())
        stop_reason, problem = yield from self._body()
        complete = MessageComplete(
            id=message_id,
            content="".join(self.texts),
            image_generations=tuple(self.images),
            llm_api_calls=tuple(self.calls),
            stop_reason=stop_reason,
            problem=problem,
        )
        self.chatter.on_answered(complete)
        yield complete

    def _body(self) -> Generator[ChatEvent, None, tuple[StopReason, Problem | None]]:
        """Yield the answer, and a last sentence if it fails; return how it ended."""
        failed: ImagegenError
        try:
            return (yield from self._rounds()), None
        except LlmError as error:
            failed = error
        except Exception as error:  # noqa: BLE001 offers already made must reach the user
            self.chatter.on_unexpected(error)
            failed = ImagegenError(UNEXPECTED)
        yield from self._emit_paragraph(TOO_LONG if isinstance(failed, TooLongError) else FAILED)
        return "error", self.chatter.to_problem(failed)

    def _rounds(self) -> Generator[ChatEvent, None, StopReason]:
        """Yield until the LLM uses no more tools; return why the answer ended."""
        limits = self.chatter.limits
        for _ in range(limits.rounds):
            tool_uses = yield from self._call_llm()
            if not tool_uses:
                return (yield from self._last_words())
            for number, tool_use in enumerate(tool_uses):
                is_over_limit = number >= limits.calls_in_round
                yield self._add_tool_call(self._run_tool(tool_use, is_over_limit=is_over_limit))
        yield from self._emit_paragraph(STOPPED)
        return "tool_limit"

    def _last_words(self) -> Generator[ChatEvent, None, StopReason]:
        """Yield a sentence if the answer is empty or cut off; return why it ended."""
        is_empty = not "".join(self.texts).strip()
        if self.has_run_out:
            yield from self._emit_paragraph(RAN_OUT if is_empty else CUT_OFF)
            return "length"
        if is_empty:
            yield from self._emit_paragraph(NOTHING)
        return "end"

    def _call_llm(self) -> Generator[ChatEvent, None, tuple[ToolUse, ...]]:
        """Yield the text of one LLM call; return the tool uses that it asks for."""
        began_ms, token_count, tool_uses, words = self.chatter.now_ms(), None, [], ""
        success, end = False, AnswerEnd()
        seconds = self._seconds_left()
        try:
            for part in self.llm.answer(self.turns, timeout_seconds=seconds, user=self.reference):
                match part:
                    case TextPart(text) if text:
                        yield from self._stream_text(text, continues=bool(words))
                        words += text
                    case ToolUse():
                        tool_uses.append(part)
                    case AnswerEnd():
                        end = part
                    case TokenCount():
                        token_count = part
            success = True
        finally:
            self.calls.append(self._api_call(began_ms, token_count, success=success))
        kept = tuple(tool_uses[: self.chatter.limits.calls_in_round + MAX_REJECTED_TOOL_USES])
        self.turns.append(ChatTurn("assistant", words, kept, extras=end.extras))
        self.has_run_out = end.ran_out
        return kept

    def _run_tool(self, tool_use: ToolUse, *, is_over_limit: bool) -> ToolCall:
        """Make the offer; return it, or the problem, as an event. The LLM gets the same result."""
        arguments = parse_arguments(tool_use.arguments)
        call = ToolCall(id=tool_use.id, name=tool_use.name, arguments=arguments, ok=False)
        try:
            request = self._request(tool_use, arguments, is_over_limit=is_over_limit)
            estimate = self.chatter.offer(request, self.user)
        except ImagegenError as error:
            problem = self.chatter.to_problem(error)
            result = {"offered": False, "code": problem.code, "detail": problem.detail}
            self._add_tool_result(tool_use, result)
            return call.model_copy(update={"problem": problem})
        self._add_tool_result(tool_use, llm_result(estimate))
        image = image_offer(estimate, tool_use.id)
        return call.model_copy(update={"ok": True, "image_generation": image})

    def _add_tool_call(self, call: ToolCall) -> ToolCall:
        """Add a tool call and its image to the message; return the call.

        Raises:
            TooLongError: it is too long for the message.
        """
        images = [call.image_generation] if call.image_generation else []
        self.tool_bytes += sum(map(json_bytes, (call, *images)))
        if self.tool_bytes > MAX_TOOL_BYTES:
            raise TooLongError("The LLM's tool calls were too long for one message.")
        self.images += images
        return call

    def _request(
        self, tool_use: ToolUse, arguments: Mapping[str, Any] | None, *, is_over_limit: bool
    ) -> EstimateRequest:
        if is_over_limit:
            most = self.chatter.limits.calls_in_round
            raise InvalidRequestError(f"At most {most} images can be offered at a time.")
        return parse_request(tool_use, arguments)

    def _add_tool_result(self, tool_use: ToolUse, result: Mapping[str, Any]) -> None:
        text = json.dumps(result, ensure_ascii=False)
        self.turns.append(ChatTurn("tool", text, call_id=tool_use.id))

    def _stream_text(self, text: str, *, continues: bool) -> Iterator[TextDelta]:
        """Yield the LLM's text as far as it fits into one message.

        Raises:
            TooLongError: it did not fit.
        """
        fits = text[: max(0, MAX_ANSWER_CHARACTERS - self.text_characters)]
        if fits:
            yield from self._emit(fits) if continues else self._emit_paragraph(fits)
        if fits != text:
            raise TooLongError("The LLM's answer was too long for one message.")

    def _emit(self, text: str) -> Iterator[TextDelta]:
        self.texts.append(text)
        self.text_characters += len(text)
        yield TextDelta(text=text)

    def _emit_paragraph(self, text: str) -> Iterator[TextDelta]:
        """Yield text that does not continue the text before it: it starts a new paragraph."""
        if self.texts and not self.texts[-1].endswith("\n"):
            yield from self._emit("\n\n")
        yield from self._emit(text)

    def _seconds_left(self) -> float:
        left_ms = self.ends_ms - MARGIN_MS - self.chatter.now_ms()
        if left_ms < SHORTEST_CALL_MS:
            raise LlmError("There was no time left to call the LLM.", outcome=Outcome.UNAVAILABLE)
        return left_ms / 1000

    def _api_call(
        self, began_ms: int, token_count: TokenCount | None, *, success: bool
    ) -> TextApiCall:
        return TextApiCall(
            provider=self.llm.provider,
            model=self.llm.model,
            input_tokens=token_count.input_tokens if token_count else None,
            output_tokens=token_count.output_tokens if token_count else None,
            cost=self.chatter.prices.cost_microusd(token_count),
            duration_ms=self.chatter.now_ms() - began_ms,
            success=success,
            timestamp=began_ms,
        )
