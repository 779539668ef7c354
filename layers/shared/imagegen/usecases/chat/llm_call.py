"""One call of the LLM while its answer arrives, and the tokens that a request may use."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from imagegen.domain.chat_usage import MAX_OUTPUT_TOKENS, most_tokens
from imagegen.domain.errors import LlmError
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
from imagegen.domain.token_prices import TokenPrices
from imagegen.wire.messages import TextApiCall

FIXED_TOKENS = 2_500
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

    def report(self, llm: Llm, prices: TokenPrices, now_ms: int) -> TextApiCall:
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
