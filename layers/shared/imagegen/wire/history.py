"""Reads the messages of a history as clients keep them: our own chat's, and OpenAI's.

Names in OpenAI's spelling (``tool_calls``) and ours (``toolCalls``) are the same. Of a message that
an LLM or a tool wrote, fields that are not needed are left out: clients send the whole objects that
they received. A user's message is strict.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

MAX_CALLS = 32
"""The most tool calls of one message."""
LONGEST_ARGUMENTS = 32_000
"""Of a call, in characters: what is longer is refused by the model, whatever is in it."""
_SPELLINGS = {
    "tool_calls": "toolCalls",
    "tool_call_id": "toolCallId",
    "image_generations": "imageGenerations",
}
_NEEDED = {
    "assistant": ("role", "content", "imageGenerations", "toolCalls"),
    "tool": ("role", "content", "imageGenerations", "toolCalls", "toolCallId", "name"),
}
_TEXTS = ("text", "input_text", "output_text", "refusal")


def canonical_message(message: Any) -> Any:
    """Return a message in the form of ``ChatMessage``; what is not a message is left as it is.

    Raises:
        ValueError: its content is neither a text nor a list of texts.
    """
    if not isinstance(message, Mapping):
        return message
    found: dict[str, Any] = {
        _SPELLINGS.get(str(name), str(name)): one for name, one in message.items()
    }
    if found.get("role") == "function":
        found["role"] = "tool"
    role = found.get("role")
    if not isinstance(role, str) or role not in _NEEDED:
        return {**found, "content": _text(found["content"])} if "content" in found else found
    found |= {"toolCalls": _calls(found), "imageGenerations": _images(found)}
    kept = {name: found[name] for name in _NEEDED[role] if found.get(name) is not None}
    return {**kept, "content": _text(found.get("content"), is_result=role == "tool")}


def canonical_call(call: Any) -> Any:
    """Return a tool call with its id, name and arguments; the arguments are a JSON text."""
    if not isinstance(call, Mapping):
        return call
    function = call.get("function")
    named = function if isinstance(function, Mapping) else call
    return {
        "id": _plain(call.get("id")),
        "name": _plain(named.get("name")),
        "arguments": _arguments(named.get("arguments")),
    }


def _calls(message: Mapping[str, Any]) -> Any:
    calls, older = message.get("toolCalls"), message.get("function_call")
    if calls is None and isinstance(older, Mapping):
        return [older]
    return [] if calls is None else calls


def _images(message: Mapping[str, Any]) -> Any:
    images = message.get("imageGenerations")
    if images is None:
        return []
    return [_image_id(one) for one in images] if isinstance(images, list) else images


def _image_id(image: Any) -> Any:
    return {"id": image["id"]} if isinstance(image, Mapping) and "id" in image else image


def _plain(value: Any) -> Any:
    """Return an id or a name as text: some clients count their calls."""
    if value is None:
        return ""
    return str(value) if type(value) is int else value


def _arguments(value: Any) -> str:
    """Return the arguments as a JSON text of an object; ``{}`` if they are none.

    A text that is too long is left as it is.
    """
    text = value if isinstance(value, str) else _json(value)
    if len(text) > LONGEST_ARGUMENTS:
        return text
    try:
        return text if isinstance(json.loads(text), dict) else "{}"
    except (ValueError, RecursionError):
        return "{}"


def _text(content: Any, *, is_result: bool = False) -> Any:
    if content is None:
        return ""
    if isinstance(content, list) and all(map(_is_text_part, content)):
        return "\n".join(one if isinstance(one, str) else _part_text(one) for one in content)
    if isinstance(content, str) or not isinstance(content, Mapping | Sequence):
        return content
    if is_result:
        return _json(content)
    raise ValueError("must be a text, or an array of parts of the type text")


def _is_text_part(part: Any) -> bool:
    text = _part_text(part) if isinstance(part, Mapping) else part
    return isinstance(text, str)


def _part_text(part: Mapping[str, Any]) -> Any:
    kind = part.get("type")
    return part.get("refusal" if kind == "refusal" else "text") if kind in _TEXTS else None


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "{}"
