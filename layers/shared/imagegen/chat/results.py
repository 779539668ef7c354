"""Finds the images that a message shows in an LLM's tool results, for every LLM interface.

It reads OpenAI's tool messages, Anthropic's tool_result blocks, Gemini's functionResponse parts,
MCP's results, and plain estimates, as objects or as JSON text. These differ only in what is wrapped
around an estimate, so the search goes inward to the estimate and notes the call's id on the way.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from imagegen.wire.messages import TOOL
from imagegen.wire.values import EdgeModel

ESTIMATE_FIELDS = frozenset({"quote", "imageId", "prompt", "price", "buttonLabel"})
"""The fields that every estimate has."""
SEEN_BY_LLM = ("buttonLabel", "price", "provider", "model", "quality", "size", "typicalSeconds")
CALL_IDS = ("tool_call_id", "tool_use_id", "toolCallId", "toolUseId", "call_id")
DEEPEST = 12
WRAPPERS = frozenset(
    {
        *("content", "parts", "text", "output", "result", "results", "response", "value", "json"),
        *("functionResponse", "function_response", "toolResult", "data", "artifact"),
        *("structuredContent", "structured_content", "_meta", "meta", "estimate"),
    }
)
"""The only fields that are searched. Other fields, above all prompts and arguments, contain text of
a person or an LLM, which may look like an estimate with another price."""
SPEAKERS = frozenset({"user", "assistant", "model", "system", "developer"})
RESULT_TYPES = ("tool_result", "tool-result", "function_call_output")
RESULTS = ("tool_result", "functionResponse", "function_response", "toolResult")
"""What marks a tool result inside a speaker's message: the block's type, or a field's name."""
type Part = EdgeModel | Mapping[str, Any]


def extract_image_generations(tool_results: Any, calls: Any = None) -> list[dict[str, Any]]:
    """Return the images that results of ``generate_image`` offer, in order, without duplicates.

    Results of other tools, errors and everything that is not an estimate are ignored, and so is
    everything outside tool results: text, prompts, arguments.

    OpenAI's and Anthropic's results do not name their tool. Where an LLM has other tools as well,
    pass the assistant's messages too, in ``calls`` or among the results: then only results of calls
    of ``generate_image`` count. A text that another tool fetched could otherwise look like one.
    """
    search = _Search(tuple({**_calls_in(tool_results), **_calls_in(calls)}.items()))
    found = {one["id"]: one for one in search.images(tool_results, "", DEEPEST)}
    return list(found.values())


def result_for_llm(estimate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an estimate that an LLM should read: the price, but never the quote.

    For an error (``application/problem+json``), its code and its text are returned.
    """
    if not estimate.keys() >= ESTIMATE_FIELDS:
        return {"offered": False, "code": estimate.get("code"), "detail": estimate.get("detail")}
    seen = {name: estimate[name] for name in SEEN_BY_LLM if name in estimate}
    blocked = estimate.get("blocked")
    why = {"blocked": blocked.get("detail")} if isinstance(blocked, Mapping) else {}
    return {"offered": True, **why, **seen}


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for offers among tool results."""

    calls: tuple[tuple[str, str], ...]
    """The assistant's calls: id and name of the tool. Empty if they are not known."""

    def images(self, value: Any, call_id: str, depth: int) -> Iterator[dict[str, Any]]:
        if not depth:
            return
        match value:
            case str() if value.lstrip()[:1] in ("{", "["):
                yield from self.images(_json_in(value), call_id, depth - 1)
            case Mapping() if value.keys() >= ESTIMATE_FIELDS:
                yield _image(value, call_id)
            case Mapping() if not _is_of_another_tool(value) and self._may_be_ours(value):
                inner_id = _call_id(value) or call_id
                for one in _wrapped(value):
                    yield from self.images(one, inner_id, depth - 1)
            case Sequence() if not isinstance(value, str | bytes):
                for one in value:
                    yield from self.images(one, call_id, depth - 1)

    def _may_be_ours(self, result: Mapping[str, Any]) -> bool:
        """Return whether the calls allow that the object is a result of our tool."""
        identity = _call_id(result)
        if not self.calls or not (identity or _is_unnamed_result(result)):
            return True
        named = {name for call_id, name in self.calls if call_id == identity or not identity}
        return named == {TOOL}


def message_complete(
    message_id: str,
    content: str,
    *,
    image_generations: Iterable[Part] = (),
    llm_api_calls: Iterable[Part] = (),
    stop_reason: Literal["end", "tool_limit", "length", "error"] = "end",
) -> dict[str, Any]:
    """Return the message in the form that the page's elements and clients of ``POST /chat`` read.

    ``image_generations`` are the result of ``extract_image_generations``.
    """
    return {
        "id": message_id,
        "role": "assistant",
        "content": content,
        "imageGenerations": [plain(one) for one in image_generations],
        "llmApiCalls": [plain(one) for one in llm_api_calls],
        "stopReason": stop_reason,
    }


def plain(part: Part) -> dict[str, Any]:
    """Return a part as JSON."""
    if isinstance(part, EdgeModel):
        return part.model_dump(mode="json", by_alias=True)
    return dict(part)


def _is_unnamed_result(result: Mapping[str, Any]) -> bool:
    """Return whether an object is a result that names neither its call nor its tool.

    A message that contains results is not a result itself: each of those is checked.
    """
    if result.get("name") == TOOL:
        return False
    content = result.get("content")
    blocks = content if isinstance(content, list) else []
    has_results = any(isinstance(one, Mapping) and _call_id(one) for one in blocks)
    is_message = result.get("role") == "tool" and not has_results
    return is_message or result.get("type") in RESULT_TYPES or "response" in result


def _calls_in(messages: Any) -> dict[str, str]:
    """Return the assistant's calls, from id to the tool's name; never from inside a result.

    An id that calls of two tools have belongs to neither: its name is empty.
    """
    calls: dict[str, str] = {}
    for message in messages if isinstance(messages, list | tuple) else [messages]:
        if isinstance(message, Mapping) and message.get("role") not in ("user", "tool"):
            for identity, name in _calls_of(message):
                calls[identity] = name if calls.get(identity, name) == name else ""
    return calls


def _calls_of(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield id and name of each call in a message of an LLM, or of a call that stands alone."""
    blocks = [message]
    for name in ("tool_calls", "content", "parts", "output"):
        inner = message.get(name)
        blocks += (
            [one for one in inner if isinstance(one, Mapping)] if isinstance(inner, list) else []
        )
    for block in blocks:
        call = (
            block.get("functionCall") or block.get("function_call") or block.get("toolUse") or block
        )
        if not isinstance(call, Mapping) or _is_result(block):
            continue
        function = call.get("function")
        named = function if isinstance(function, Mapping) else call
        tool = named.get("name") or named.get("toolName") or named.get("tool_name")
        ids = [call[one] for one in ("id", *CALL_IDS) if isinstance(call.get(one), str)]
        if isinstance(tool, str):
            yield from ((identity, tool) for identity in ids or [""])


def _wrapped(value: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the values that may contain a result; the names in ``_meta`` have a prefix."""
    is_spoken = value.get("role") in SPEAKERS
    for name, one in value.items():
        if str(name).rpartition("/")[2] in WRAPPERS:
            yield _results_in(one) if is_spoken else one


def _results_in(content: Any) -> list[Any]:
    """Return the tool results in a message of a person or an LLM; the rest is their own text."""
    blocks = content if isinstance(content, list) else []
    return [one for one in blocks if isinstance(one, Mapping) and _is_result(one)]


def _is_result(block: Mapping[str, Any]) -> bool:
    return block.get("type") in RESULT_TYPES or any(name in block for name in RESULTS)


def _image(estimate: Mapping[str, Any], call_id: str) -> dict[str, Any]:
    called = {"toolCallId": call_id} if call_id else {}
    return {
        "id": estimate["imageId"],
        **called,
        "prompt": estimate["prompt"],
        "status": "pending",
        "estimate": dict(estimate),
    }


def _is_of_another_tool(result: Mapping[str, Any]) -> bool:
    """Return whether the result names another tool; only OpenAI's and Gemini's contain a name."""
    name = result.get("name")
    is_result = result.get("role") == "tool" or "response" in result
    return is_result and isinstance(name, str) and name != TOOL


def _call_id(result: Mapping[str, Any]) -> str:
    """Return the id of the call that a result answers; Gemini's is a field beside the response."""
    names = (*CALL_IDS, *(("id",) if "response" in result else ()))
    return next((result[name] for name in names if isinstance(result.get(name), str)), "")


def _json_in(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
