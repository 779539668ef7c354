"""A chat's answer: the LLM writes text, uses its one tool, and writes about the result.

The tool makes offers; it cannot spend. A tool problem goes back to the LLM, which explains it to
the user. A failure of the LLM becomes a sentence in the answer, which is then completed as usual.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagegen.domain.call_errors import LlmError
from imagegen.domain.chat_usage import LlmPrices
from imagegen.domain.errors import ImagegenError, InvalidRequestError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ChatTurn, Llm, TextPart, ToolUse
from imagegen.usecases.chat.answer_text import (
    CUT_OFF,
    NOTHING,
    RAN_OUT,
    STOPPED,
    UNEXPECTED,
    AnswerText,
    failure_text,
)
from imagegen.usecases.chat.limits import (
    MAX_REJECTED_TOOL_USES,
    MAX_TOOL_BYTES,
    ChatLimits,
    TooLongError,
    check,
)
from imagegen.usecases.chat.llm_call import (
    LlmCall,
    TokenBudget,
    image_ids,
    parse_arguments,
    parse_request,
    request_tokens,
    to_turns,
)
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.handles import handle
from imagegen.wire.messages import (
    ChatEvent,
    ChatRequest,
    ImageGeneration,
    MessageComplete,
    MessageStart,
    StopReason,
    TextApiCall,
    ToolCall,
    image_offer,
    llm_result,
    tool_call_bytes,
)
from imagegen.wire.problems import Problem

MARGIN_MS = 3_000
"""Kept free of LLM calls before Lambda's timeout: to send the answer."""
SHORTEST_CALL_MS = 1_000


@dataclass(frozen=True, slots=True)
class Chatter:
    """Answers chats."""

    llm: Callable[[], Llm]
    offer: Callable[[EstimateRequest, str], Estimate]
    to_problem: Callable[[ImagegenError], Problem]
    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    prices: LlmPrices = field(default_factory=LlmPrices)
    limits: ChatLimits = field(default_factory=ChatLimits)
    begin: Callable[[str, int], Callable[[int], None]] = lambda _user, _tokens: lambda _used: None
    """Reserves a user's tokens, and returns the function that settles what was used of them."""
    reference: Callable[[str], str] = lambda _user: ""
    """Returns what the LLM's provider is given as the user."""
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
            LimitError: the user is blocked, or has reached a limit of the day.
            StoreUnavailableError: the user's counts cannot be reached.
        """
        check(request, self.limits)
        turns = to_turns(request.messages)
        llm, reference = self.llm(), self.reference(user)
        budget = TokenBudget(request_tokens(turns))
        settle = self.begin(user, budget.most)
        pictures = image_ids(request.messages)
        return _Answer(
            self, llm, user, ends_ms, turns, budget, pictures, reference=reference, settle=settle
        ).events()


@dataclass(slots=True)
class _Answer:
    """One answer while it is made."""

    chatter: Chatter
    llm: Llm
    user: str
    ends_ms: int
    turns: list[ChatTurn]
    budget: TokenBudget
    pictures: list[str]
    """The ids of all images of the conversation, which the LLM names by their numbers."""
    text: AnswerText = field(default_factory=AnswerText)
    reference: str = ""
    """What the LLM's provider is given as the user: a keyed hash."""
    settle: Callable[[int], None] = lambda _used: None
    tool_bytes: int = 0
    has_run_out: bool = False
    """Whether the last call of the LLM reached the limit of its tokens."""
    images: list[ImageGeneration] = field(default_factory=list)
    calls: list[TextApiCall] = field(default_factory=list)

    def events(self) -> Iterator[ChatEvent]:
        """Yield every event of the answer, and settle what it used, also if it is given up."""
        try:
            yield from self._events()
        finally:
            self.settle(self.budget.used)

    def _events(self) -> Iterator[ChatEvent]:
        message_id = f"msg_{self.chatter.new_id()}"
        yield MessageStart(id=message_id, created_at=self.chatter.now_ms())
        stop_reason, problem = yield from self._body()
        complete = MessageComplete(
            id=message_id,
            content=self.text.whole(),
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
        yield from self.text.paragraph(failure_text(failed))
        return "error", self.chatter.to_problem(failed)

    def _rounds(self) -> Generator[ChatEvent, None, StopReason]:
        """Yield until the LLM uses no more tools; return why the answer ended."""
        limits = self.chatter.limits
        for number in range(limits.rounds):
            if number and not self.budget.has_room(self.turns):
                break
            tool_uses = yield from self._call_llm()
            if not tool_uses:
                return (yield from self._last_words())
            for place, tool_use in enumerate(tool_uses):
                is_over_limit = place >= limits.calls_in_round
                yield self._add_tool_call(self._run_tool(tool_use, is_over_limit=is_over_limit))
        yield from self.text.paragraph(STOPPED)
        return "tool_limit"

    def _last_words(self) -> Generator[ChatEvent, None, StopReason]:
        """Yield a sentence if the answer is empty or cut off; return why it ended."""
        is_empty = not self.text.whole().strip()
        if self.has_run_out:
            yield from self.text.paragraph(RAN_OUT if is_empty else CUT_OFF)
            return "length"
        if is_empty:
            yield from self.text.paragraph(NOTHING)
        return "end"

    def _call_llm(self) -> Generator[ChatEvent, None, tuple[ToolUse, ...]]:
        """Yield the text of one LLM call; return the tool uses that it asks for."""
        call, seconds = LlmCall(self.chatter.now_ms()), self._seconds_left()
        try:
            for part in self.llm.answer(self.turns, timeout_seconds=seconds, user=self.reference):
                continues = bool(call.words)
                call.add(part)
                if isinstance(part, TextPart) and part.text:
                    yield from self.text.stream(part.text, continues=continues)
            call.success = True
        except LlmError as error:
            call.fail(error)
            raise
        finally:
            self.budget.used += call.used_tokens(self.turns)
            self.calls.append(call.report(self.llm, self.chatter.prices, self.chatter.now_ms()))
        limit = self.chatter.limits.calls_in_round + MAX_REJECTED_TOOL_USES
        kept = tuple(call.tool_uses[:limit])
        self.turns.append(ChatTurn("assistant", call.words, kept, extras=call.end.extras))
        self.has_run_out = call.end.ran_out
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
        self.pictures.append(estimate.image_id)
        self._add_tool_result(tool_use, llm_result(estimate, handle(len(self.pictures))))
        image = image_offer(estimate, tool_use.id)
        return call.model_copy(update={"ok": True, "image_generation": image})

    def _add_tool_call(self, call: ToolCall) -> ToolCall:
        """Add a tool call and its image to the message; return the call.

        Raises:
            TooLongError: it is too long for the message.
        """
        images = [call.image_generation] if call.image_generation else []
        self.tool_bytes += tool_call_bytes(call)
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
        return parse_request(tool_use, arguments, self.pictures)

    def _add_tool_result(self, tool_use: ToolUse, result: Mapping[str, Any]) -> None:
        text = json.dumps(result, ensure_ascii=False)
        self.turns.append(ChatTurn("tool", text, call_id=tool_use.id))

    def _seconds_left(self) -> float:
        left_ms = self.ends_ms - MARGIN_MS - self.chatter.now_ms()
        if left_ms < SHORTEST_CALL_MS:
            raise LlmError("There was no time left to call the LLM.", outcome=Outcome.UNAVAILABLE)
        return left_ms / 1000
