"""Finds the images that a message shows in an LLM's tool results, for every LLM interface.

It reads OpenAI's tool messages, Anthropic's tool_result blocks, Gemini's functionResponse parts,
MCP's results, and plain estimates, as objects or as JSON text. These differ only in what is wrapped
around an estimate, so the search goes inward to the estimate and notes the call's id on the way.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imagegen.wire.messages import TOOL

ESTIMATE = frozenset({"quote", "imageId", "prompt", "price", "buttonLabel"})
"""The fields that every estimate has."""
SEEN_BY_LLM = ("buttonLabel", "price", "provider", "model", "quality", "size", "typicalSeconds")
CALL_IDS = ("tool_call_id", "tool_use_id", "toolCallId", "call_id")
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
RESULTS = ("tool_result", "functionResponse", "function_response", "toolResult")
"""What marks a tool result inside a speaker's message: the block's type, or a field's name."""


def extract_image_generations(tool_results: Any) -> list[dict[str, Any]]:
    """Return the images that results of ``generate_image`` offer, in order, without duplicates.

    Results of other tools, errors and everything that is not an estimate are ignored, and so is
    everything outside tool results: text, prompts, arguments.
    """
    found = {one["id"]: one for one in _images(tool_results, "", DEEPEST)}
    return list(found.values())


def result_for_llm(estimate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an estimate that an LLM should read: the price, but never the quote.

    For an error (``application/problem+json``), its code and its text are returned.
    """
    if not estimate.keys() >= ESTIMATE:
        return {"offered": False, "code": estimate.get("code"), "detail": estimate.get("detail")}
    seen = {name: estimate[name] for name in SEEN_BY_LLM if name in estimate}
    return {"offered": True, **seen}


def _images(value: Any, call_id: str, depth: int) -> Iterator[dict[str, Any]]:
    if not depth:
        return
    match value:
        case str() if value.lstrip()[:1] in ("{", "["):
            yield from _images(_json_in(value), call_id, depth - 1)
        case Mapping() if value.keys() >= ESTIMATE:
            yield _image(value, call_id)
        case Mapping() if not _is_of_another_tool(value):
            inner_id = _call_id(value) or call_id
            for one in _wrapped(value):
                yield from _images(one, inner_id, depth - 1)
        case Sequence() if not isinstance(value, str | bytes):
            for one in value:
                yield from _images(one, call_id, depth - 1)


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
    return block.get("type") in RESULTS or any(name in block for name in RESULTS)


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
