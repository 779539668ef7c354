"""Reads an LLM's stream, whose JSON may have any shape; and the LLM's errors in our own words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from imagegen.domain.errors import LlmError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json, TextPart, TokenCount, ToolUse
from imagegen.domain.text import is_first_half, legible
from imagegen.providers.faults import dig, items_at, text_at

MAX_CALLS = 32
MAX_ARGUMENT_CHARACTERS = 64_000
MAX_NAME_CHARACTERS = 64
MAX_ID_CHARACTERS = 200
MAX_TOKENS = 1_000_000_000

MESSAGES: Mapping[Outcome, str] = {
    Outcome.UNAVAILABLE: "The LLM cannot be reached or failed",
    Outcome.UNKNOWN: "The LLM's answer broke off",
    Outcome.RATE_LIMITED: "The LLM's provider limits the rate",
    Outcome.ACCOUNT: "The LLM's provider does not accept the key, or the account lacks credit",
    Outcome.MODEL_GONE: "The LLM's provider does not serve the model",
    Outcome.REFUSED: "The LLM refused to answer this",
    Outcome.BLOCKED: "Something in front of the LLM stopped this request",
    Outcome.NO_IMAGE: "The LLM answered without words",
    Outcome.BAD_PARAMETER: "The LLM's provider did not accept the request",
}


@dataclass(slots=True)
class _Call:
    """A tool call whose parts are still arriving."""

    id: str
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Reader:
    """Turns a stream's chunks into text, tool calls and token counts."""

    calls: list[_Call] = field(default_factory=list)
    by_index: dict[Json, _Call] = field(default_factory=dict)
    finish: str = ""
    pending_half: str = ""
    """The first half of a surrogate pair whose second half has not arrived yet."""
    tokens: TokenCount | None = None

    def read(self, body: Json) -> Iterator[TextPart]:
        """Yield the text of a chunk, and collect its tool calls and token counts."""
        inputs, outputs = (
            dig(body, "usage", "prompt_tokens"),
            dig(body, "usage", "completion_tokens"),
        )
        if type(inputs) is int and type(outputs) is int:
            self.tokens = TokenCount(_count(inputs), _count(outputs))
        choice = dig(body, "choices", 0)
        self.finish = text_at(choice, "finish_reason") or self.finish
        for name in ("content", "refusal"):
            yield from self._text(text_at(choice, "delta", name))
        for piece in items_at(choice, "delta", "tool_calls"):
            self._add(piece)

    def end(self) -> Iterator[TextPart | ToolUse | TokenCount]:
        """Yield the remaining text, the tool calls and the token counts after the last chunk.

        Raises:
            LlmError: the stream broke off, or the LLM refused to answer.
        """
        if self.finish == "content_filter":
            raise fault(Outcome.REFUSED)
        if not self.finish:
            raise fault(Outcome.UNKNOWN)
        if self.pending_half:
            yield TextPart(self.pending_half)
        seen: set[str] = set()
        for number, call in enumerate(self.calls):
            # Two calls with the same id would get one result between them.
            is_good = 0 < len(call.id) <= MAX_ID_CHARACTERS and legible(call.id) not in seen
            use = ToolUse(
                call.id if is_good else f"call_{number}",
                call.name[:MAX_NAME_CHARACTERS],
                call.arguments,
            )
            seen.add(use.id)
            yield use
        if self.tokens:
            yield self.tokens

    def _text(self, text: str) -> Iterator[TextPart]:
        """Yield the text up to the last whole character: a token may end inside a character."""
        text = self.pending_half + text
        self.pending_half = text[-1:] if is_first_half(text[-1:]) else ""
        if whole := text.removesuffix(self.pending_half):
            yield TextPart(whole)

    def _add(self, piece: Json) -> None:
        call = self._call_of(piece)
        call.name += text_at(piece, "function", "name")
        call.arguments += text_at(piece, "function", "arguments")
        if len(call.arguments) > MAX_ARGUMENT_CHARACTERS or len(self.calls) > MAX_CALLS:
            raise fault(Outcome.UNAVAILABLE)

    def _call_of(self, piece: Json) -> _Call:
        """Return the call that a piece belongs to; a new id starts a new call at any index."""
        index, identity = dig(piece, "index"), text_at(piece, "id")
        known = self.by_index.get(index if isinstance(index, int) else None)
        if known and identity in ("", known.id):
            return known
        call = _Call(identity)
        self.calls.append(call)
        self.by_index[index if isinstance(index, int) else None] = call
        return call


def _count(tokens: int) -> int:
    return min(max(0, tokens), MAX_TOKENS)


def fault(
    outcome: Outcome,
    *,
    provider_code: str | None = None,
    http_status: int | None = None,
    retry_after_seconds: int | None = None,
) -> LlmError:
    """Return the error for an outcome."""
    status = f" (HTTP {http_status})" if http_status else ""
    return LlmError(
        f"{MESSAGES[outcome]}{status}.",
        outcome=outcome,
        provider_code=provider_code,
        http_status=http_status,
        retry_after_seconds=retry_after_seconds,
    )
