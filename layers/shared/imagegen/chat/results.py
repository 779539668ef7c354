"""From an LLM's tool results to the images that a message shows, whatever the LLM's interface.

Understood are OpenAI's tool messages, Anthropic's tool_result blocks, Gemini's functionResponse
parts, MCP's results, and the estimates themselves, as objects or as JSON text. They differ in how
they are wrapped: what is looked for is an estimate, and on the way to it the call's id.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imagegen.wire.messages import TOOL

ESTIMATE = frozenset({"quote", "imageId", "prompt", "price", "buttonLabel"})
"""What every estimate has."""
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
"""Where a result may stand. In whatever else there is, prompts and arguments above all, stands what
a person or an LLM wrote, and that may look like an estimate with another price."""
SPEAKERS = frozenset({"user", "assistant", "model", "system", "developer"})
RESULTS = ("tool_result", "functionResponse", "function_response", "toolResult")
"""How a result in a speaker's message is known: by its type, or by the name it stands under."""


def extract_image_generations(tool_results: Any) -> list[dict[str, Any]]:
    """Return the images offered by the results of ``generate_image``, each once, in their order.

    Results of other tools, errors and whatever is not an estimate are passed over, and so is what
    is no tool's result: words, prompts, arguments.
    """
    found = {one["id"]: one for one in _images(tool_results, "", DEEPEST)}
    return list(found.values())


def result_for_llm(estimate: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an estimate's JSON an LLM should read: the price, and never the quote.

    An answer that is an error (``application/problem+json``) comes back as its code and words.
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
    """Yield what may hold a result; ``_meta`` has names with a prefix."""
    is_spoken = value.get("role") in SPEAKERS
    for name, one in value.items():
        if str(name).rpartition("/")[2] in WRAPPERS:
            yield _results_in(one) if is_spoken else one


def _results_in(content: Any) -> list[Any]:
    """Return the tools' results in what a person or an LLM says: the rest are its own words."""
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
    """Only OpenAI's and Gemini's results name their tool."""
    name = result.get("name")
    is_result = result.get("role") == "tool" or "response" in result
    return is_result and isinstance(name, str) and name != TOOL


def _call_id(result: Mapping[str, Any]) -> str:
    """Return the id of the call that a result answers; Gemini has it beside the response."""
    names = (*CALL_IDS, *(("id",) if "response" in result else ()))
    return next((result[name] for name in names if isinstance(result.get(name), str)), "")


def _json_in(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
