"""What goes to the chat's LLM and what comes back: turns, tool arguments and counts of tokens."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from pydantic import ValidationError

from imagegen.domain.call_errors import LlmError
from imagegen.domain.chat_usage import MAX_OUTPUT_TOKENS, LlmPrices, most_tokens
from imagegen.domain.conversation import in_order
from imagegen.domain.errors import InvalidRequestError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import (
    AnswerEnd,
    AnswerPart,
    ChatTurn,
    Llm,
    TextPart,
    TokenCount,
    ToolUse,
)
from imagegen.domain.text import is_same_name, legible
from imagegen.wire.estimates import EstimateRequest
from imagegen.wire.handles import note, with_inputs
from imagegen.wire.loose_arguments import as_meant, bare_json
from imagegen.wire.messages import TOOL, ChatMessage, TextApiCall, ToolCall

FIXED_TOKENS = 3_000
"""The most tokens of the instructions and of the tool's definition, about 3,700 characters."""


@dataclass(slots=True)
class LlmCall:
    """One call, and what has arrived of its answer."""

    began_ms: int
    words: str = ""
    tool_uses: list[ToolUse] = field(default_factory=list)
    end: AnswerEnd = field(default_factory=AnswerEnd)
    tokens: TokenCount | None = None
    success: bool = False
    is_billed: bool = True

    def add(self, part: AnswerPart) -> None:
        """Add a part of the answer."""
        match part:
            case TextPart(text):
                self.words += text
            case ToolUse():
                self.tool_uses.append(part)
            case AnswerEnd():
                self.end = part
            case TokenCount():
                self.tokens = part

    def fail(self, error: LlmError) -> None:
        """Note an error; a request that was refused or never arrived costs nothing."""
        self.is_billed = bool(self.words) or error.outcome is Outcome.UNKNOWN

    def used_tokens(self, turns: Iterable[ChatTurn]) -> int:
        """Return the tokens that the call used, or the most possible if they were not reported."""
        if self.tokens:
            return self.tokens.input_tokens + self.tokens.output_tokens
        if not self.is_billed:
            return 0
        answer = turn_tokens(ChatTurn("assistant", self.words, tuple(self.tool_uses)))
        return call_tokens(turns) + min(answer, MAX_OUTPUT_TOKENS)

    def report(self, llm: Llm, prices: LlmPrices, now_ms: int) -> TextApiCall:
        """Return the call for the message's list of API calls."""
        return TextApiCall(
            provider=llm.provider,
            model=llm.model,
            input_tokens=self.tokens.input_tokens if self.tokens else None,
            output_tokens=self.tokens.output_tokens if self.tokens else None,
            cost=prices.cost_microusd(self.tokens),
            duration_ms=now_ms - self.began_ms,
            success=self.success,
            timestamp=self.began_ms,
        )


@dataclass(slots=True)
class TokenBudget:
    """The tokens that one request may use; the LLM is not called again when they are used."""

    most: int
    used: int = 0

    def has_room(self, turns: Iterable[ChatTurn]) -> bool:
        """Return whether one more call fits."""
        return self.used + call_tokens(turns) + MAX_OUTPUT_TOKENS <= self.most


def request_tokens(turns: Iterable[ChatTurn]) -> int:
    """Return the most tokens of one request.

    They are enough for two calls, which an offer takes, and for four where the history is short.
    """
    return 2 * (call_tokens(turns) + 2 * MAX_OUTPUT_TOKENS)


def call_tokens(turns: Iterable[ChatTurn]) -> int:
    """Return the most input tokens of one call of the LLM."""
    return FIXED_TOKENS + sum(map(turn_tokens, turns))


def turn_tokens(turn: ChatTurn) -> int:
    """Return the most tokens of one turn; the LLM's own turns of this request are limited."""
    texts = [turn.text, *(one.name + one.arguments for one in turn.asked)]
    extras = [turn.extras, *(one.extras for one in turn.asked)]
    texts += [json.dumps(one, ensure_ascii=False) for one in extras if one]
    tokens = sum(map(most_tokens, texts))
    is_limited = turn.asked and not turn.is_earlier
    return min(tokens, MAX_OUTPUT_TOKENS) if is_limited else tokens


def to_turn(message: ChatMessage, earlier_images: int = 0) -> ChatTurn:
    """Return a message as a turn for the LLM, with the names of its images and never their ids.

    ``earlier_images`` is the number of images of the messages before it.
    """
    count = len(message.image_generations)
    asked = tuple(ToolUse(one.id, one.name, one.arguments) for one in message.tool_calls)
    notes = [note(earlier_images + 1, count)] if count else []
    text = "\n\n".join(filter(None, [legible(message.content), *notes]))
    if message.role == "tool":
        # A ToolUse has its id and name in the same legible form.
        called = (legible(message.tool_call_id), legible(message.name))
        return ChatTurn("tool", text, call_id=called[0], name=called[1])
    return ChatTurn(message.role, text, asked)


def to_turns(messages: Sequence[ChatMessage]) -> list[ChatTurn]:
    """Return the history as turns for the LLM, each tool call with its result.

    Images are numbered through the whole history, in the order of ``image_ids``.
    """
    counts = [len(message.image_generations) for message in messages]
    earlier = [0, *accumulate(counts)]
    return in_order([to_turn(*one) for one in zip(messages, earlier, strict=False)])


def image_ids(messages: Sequence[ChatMessage]) -> list[str]:
    """Return the ids of a conversation's images, in the order in which ``to_turns`` names them."""
    return [image.id for message in messages for image in message.image_generations]


def parse_arguments(text: str) -> dict[str, Any] | None:
    """Return the arguments that an LLM wrote; an empty text is an object without any.

    Some models write the object as JSON inside of a JSON text. The result is ``None`` if they are
    not a JSON object, or one that cannot be written as JSON again: the answer repeats them.
    """
    try:
        found = _json(bare_json(text) or "{}")
        if isinstance(found, str):
            found = _json(bare_json(found))
        # Python parses lone surrogates and deep nesting; pydantic cannot serialize them.
        ToolCall(id="", name="", arguments=found, ok=False).model_dump_json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _json(text: str) -> Any:
    # Not strict: some models write a line end into a text as it is.
    return json.loads(text, parse_constant=_refuse, strict=False)


def parse_request(
    tool_use: ToolUse, arguments: Mapping[str, Any] | None, images: Sequence[str] = ()
) -> EstimateRequest:
    """Return the estimate that an LLM requests; empty fields, such as ``null``, are left out.

    ``images`` are the ids of the conversation's images, which the LLM names by their numbers.

    Raises:
        InvalidRequestError: the tool does not exist, the arguments do not fit its schema, or they
            name a picture that is not there.
    """
    if not is_same_name(tool_use.name, TOOL):
        raise InvalidRequestError(f"There is no such tool; the only one is {TOOL}.")
    if arguments is None:
        raise InvalidRequestError("The arguments are not a JSON object.")
    wanted = with_inputs(as_meant(arguments), images)
    try:
        return EstimateRequest.model_validate(wanted, by_name=False)
    except ValidationError as error:
        detail = _detail(error.errors(include_url=False, include_input=False))
    # Raised outside the except block: the ValidationError, which quotes the prompt, is not chained.
    raise InvalidRequestError(detail)


def _detail(errors: Sequence[Mapping[str, Any]]) -> str:
    """Return the names of the wrong arguments and what is wrong with each, at most five."""
    return "; ".join(f"{'.'.join(map(str, one['loc']))[:60]}: {one['msg']}" for one in errors[:5])


def _refuse(name: str) -> None:
    raise ValueError(name)
