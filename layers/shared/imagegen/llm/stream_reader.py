"""Reads an LLM's answer, streamed or whole, whose JSON may have any shape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import AnswerEnd, Json, TextPart, TokenCount, ToolUse
from imagegen.llm.answer_filter import AnswerFilter
from imagegen.llm.llm_faults import error_in, llm_fault
from imagegen.llm.tool_calls import ToolCalls, TooManyCallsError
from imagegen.llm.unknown_fields import TooManyFieldsError, merged_fields, unknown_fields
from imagegen.providers.faults import dig, values_at

KNOWN_OF_MESSAGE: Final = frozenset(
    {
        *("role", "content", "tool_calls", "function_call"),
        # These are only in answers: no endpoint expects them in a request.
        *("refusal", "audio", "annotations"),
    }
)
FILTERED: Final = frozenset(
    {"content_filter", "safety", "prohibited_content", "recitation", "sensitive", "refusal"}
)
LENGTH_FINISHES: Final = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})
FAILED_FINISHES: Final = frozenset(
    {"error", "abort", "insufficient_system_resource", "network_error"}
)
"""Values of ``finish_reason`` in small letters: OpenAI's, and those of endpoints with words of
their own (DeepSeek, Gemini, Mistral, vLLM, Zhipu)."""
MAX_TOKENS: Final = 1_000_000_000
USAGE_PLACES: Final = (
    ("usage",),
    ("x_groq", "usage"),
    # Kimi: https://github.com/earendil-works/pi/issues/2017
    ("choices", 0, "usage"),
    ("choices", 0, "delta", "usage"),
    ("message", "usage"),
)
USAGE_NAMES: Final = (
    ("prompt_tokens", "completion_tokens", "total_tokens"),
    ("input_tokens", "output_tokens", "total_tokens"),
)
OLLAMA_NAMES: Final = ("prompt_eval_count", "eval_count")
LLAMA_NAMES: Final = ("prompt_n", "predicted_n")


@dataclass(slots=True)
class Reader:
    """Turns an answer's JSON into text, tool calls, token counts and what must go back."""

    taken_ids: frozenset[str] = frozenset()
    """The ids of tool calls earlier in the conversation."""
    text: AnswerFilter = field(default_factory=AnswerFilter)
    calls: ToolCalls = field(default_factory=ToolCalls)
    finish: str = ""
    is_done: bool = False
    """Whether the endpoint marked the end of the stream."""
    has_choice: bool = False
    """Whether any part of an answer arrived."""
    tokens: TokenCount | None = None
    extras: list[Mapping[str, Json]] = field(default_factory=list)
    parts: list[Json] = field(default_factory=list)
    """The parts of a text that is sent as a list."""

    def read(self, body: Json) -> Iterator[TextPart]:
        """Yield the text of a chunk, and collect its tool calls and token counts.

        Raises:
            LlmError: the chunk is an error.
        """
        choice = dig(body, "choices", 0)
        self.has_choice = self.has_choice or choice is not None
        if not self.finish and (error := error_in(body)):
            raise error
        self.tokens = merged_usage(self.tokens, usage_in(body))
        fields = _object(choice)
        self.finish = _string(fields.get("finish_reason")) or self.finish
        try:
            yield from self._message(self._delta(fields))
        except TooManyFieldsError:
            raise llm_fault(Outcome.UNAVAILABLE) from None

    def end(self) -> Iterator[TextPart | ToolUse | TokenCount | AnswerEnd]:
        """Yield the remaining text, the tool calls and the token counts after the last chunk.

        Raises:
            LlmError: the answer broke off, or the LLM refused to answer.
        """
        finish = self.finish.lower()
        if finish in FILTERED:
            raise llm_fault(Outcome.REFUSED)
        if finish in FAILED_FINISHES:
            raise llm_fault(Outcome.UNAVAILABLE)
        if not finish and not (self.is_done and self.has_choice):
            raise llm_fault(Outcome.UNKNOWN)
        ran_out = finish in LENGTH_FINISHES
        rest, written = self.text.end(ran_out=ran_out)
        if rest:
            yield TextPart(rest)
        # A server that reads the calls may pass on their text as well.
        for index, one in enumerate(() if self.calls.calls else written):
            function = {"name": one.name, "arguments": one.arguments}
            self._add_call({"index": index, "function": function})
        yield from self.calls.uses(self.taken_ids)
        end = AnswerEnd(ran_out=ran_out, extras=self._extras())
        if end != AnswerEnd():
            yield end
        if self.tokens:
            yield self.tokens

    def _delta(self, choice: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return the next part of the message; a whole message counts where no part came."""
        if delta := _object(choice.get("delta")):
            return delta
        return {} if self.text.raw or self.calls.calls else _object(choice.get("message"))

    def _message(self, message: Mapping[str, Json]) -> Iterator[TextPart]:
        content = message.get("content")
        if isinstance(content, list | Mapping):
            self.parts += content if isinstance(content, list) else [content]
        for text in (text_of(content), _string(message.get("refusal"))):
            if text and (shown := self.text.add(text)):
                yield TextPart(shown)
        pieces = message.get("tool_calls")
        for piece in pieces if isinstance(pieces, list) else [pieces]:
            self._add_call(piece)
        if isinstance(old_form := message.get("function_call"), Mapping):
            self._add_call({"function": old_form})
        if extras := unknown_fields(message, KNOWN_OF_MESSAGE):
            self.extras.append(extras)

    def _add_call(self, piece: Json) -> None:
        try:
            self.calls.add(piece)
        except TooManyCallsError:
            raise llm_fault(Outcome.UNAVAILABLE) from None

    def _extras(self) -> dict[str, Json]:
        """Return what must go back: unknown fields, and the content as sent if it was changed."""
        try:
            extras = merged_fields(self.extras)
            is_text = all(isinstance(one, str) for one in self.parts)
            if not is_text and not self.text.calls.hidden:
                return {**extras, "content": _joined_parts(self.parts)}
        except TooManyFieldsError:
            raise llm_fault(Outcome.UNAVAILABLE) from None
        sent_back = self.text.sent_back()
        return extras if sent_back is None else {**extras, "content": sent_back}


def text_of(content: Json) -> str:
    """Return the text of a message's content, which is text or a list of parts.

    Other parts are hidden: what the model thinks, and references to its sources.
    """
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        kind = content.get("type", "text")
        text = content.get("text")
        if isinstance(text, Mapping):
            text = text.get("value")
        if kind == "refusal":
            return _string(content.get("refusal"))
        return _string(text) if kind in ("text", "output_text") else ""
    return "".join(map(text_of, content)) if isinstance(content, list) else ""


def usage_in(body: Json) -> TokenCount | None:
    """Return the token counts of a chunk, or ``None`` if it has none.

    Endpoints differ in where they are and what they count.
    """
    places: list[tuple[Json, tuple[str, ...]]]
    places = [(one, names) for one in values_at(body, USAGE_PLACES) for names in USAGE_NAMES]
    # Ollama's own names, and llama.cpp's timings, where there is no usage.
    places += [(body, OLLAMA_NAMES), (_object(body).get("timings"), LLAMA_NAMES)]
    return next((found for one, names in places if (found := _count_in(one, *names))), None)


def merged_usage(known: TokenCount | None, found: TokenCount | None) -> TokenCount | None:
    """Return the higher counts: some endpoints count in each chunk, some send zeros before."""
    if known is None or found is None:
        return known or found
    return TokenCount(
        max(known.input_tokens, found.input_tokens), max(known.output_tokens, found.output_tokens)
    )


def _joined_parts(parts: list[Json]) -> list[Json]:
    """Return the parts of a content, with the pieces of one part joined."""
    joined: list[Json] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Mapping) and isinstance(last, Mapping) and _continues(last, part):
            joined[-1] = merged_fields([last, part])
        else:
            joined.append(part)
    return joined


def _continues(last: Mapping[str, Json], part: Mapping[str, Json]) -> bool:
    return part.get("type") == last.get("type") and part.get("type") in ("text", "thinking")


def _count_in(
    usage: Json, inputs_name: str, outputs_name: str, total_name: str | None = None
) -> TokenCount | None:
    if not isinstance(usage, Mapping):
        return None
    inputs, outputs = usage.get(inputs_name), usage.get(outputs_name)
    if type(inputs) is not int or type(outputs) is not int:
        return None
    total = usage.get(total_name) if total_name else None
    # Gemini leaves what the model thinks out of its output tokens; it is billed, and in the total.
    thought = total - inputs - outputs if type(total) is int else 0
    return TokenCount(_bounded(inputs), _bounded(outputs + max(0, thought)))


def _bounded(tokens: int) -> int:
    return min(max(0, tokens), MAX_TOKENS)


def _object(value: Json) -> Mapping[str, Json]:
    """Return a value that is an object; an empty one in place of any other."""
    return value if isinstance(value, Mapping) else {}


def _string(value: Json) -> str:
    """Return a value that is a text; an empty one in place of any other."""
    return value if isinstance(value, str) else ""
