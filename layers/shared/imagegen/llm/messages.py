"""Turns and the tool in OpenAI's format, in the forms that endpoints accept."""

import json
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

from imagegen.domain.ports import ChatTurn, Json, ToolUse

WORDS: Final = "I use my tool."
REQUIRED_NAMES: Final = frozenset({"role", "tool_calls", "tool_call_id"})
"""Fields of a message that no endpoint's own field may replace."""
MINIMAL: Final = 2


class ContentForm(IntEnum):
    """The content of an assistant's message with tool calls and without text."""

    NULL = 0
    EMPTY = 1
    """An empty text: older servers refuse ``null``."""
    ABSENT = 2
    WORDS = 3
    """A few words: Anthropic and Bedrock refuse an empty text."""


def to_messages(
    turns: Sequence[ChatTurn],
    instructions: str,
    *,
    form: ContentForm = ContentForm.NULL,
    kept_back: frozenset[str] = frozenset(),
    added: frozenset[str] = frozenset(),
    has_system_role: bool = True,
) -> list[Json]:
    """Return the conversation as messages, the instructions first."""
    messages = [_message(turn, form, kept_back, added) for turn in turns]
    if has_system_role:
        return [{"role": "system", "content": instructions}, *messages]
    # Chat templates without a system role take the instructions with the first question.
    question = next(iter(messages), {"role": "user", "content": ""})
    content = f"{instructions}\n\n{question.get('content') or ''}"
    return [{**question, "content": content}, *messages[1:]]


def to_message(turn: ChatTurn) -> dict[str, Json]:
    """Return a turn as a message in OpenAI's own form."""
    return _message(turn, ContentForm.NULL, frozenset(), frozenset())


def valid_arguments(arguments: str) -> str:
    """Return the arguments if they are JSON, else ``{}``: some endpoints refuse other text."""
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return "{}"
    return arguments


def tool_in_form(tool: Mapping[str, Json], form: int) -> Json:
    """Return OpenAI's strict definition of the tool in a form.

    0: as it is. 1: without ``strict``, which requires every argument and so makes them nullable.
    ``MINIMAL``: also without ``additionalProperties``; Gemini and older servers accept neither
    that nor a list of types.
    """
    function = tool.get("function")
    if not form or not isinstance(function, Mapping):
        return dict(tool)
    plain = {name: value for name, value in function.items() if name != "strict"}
    return {**tool, "function": {**plain, "parameters": _plain(plain.get("parameters"), form)}}


def _message(
    turn: ChatTurn, form: ContentForm, kept_back: frozenset[str], added: frozenset[str]
) -> dict[str, Json]:
    if turn.role == "tool":
        return {"role": "tool", "tool_call_id": turn.call_id, "content": turn.text}
    extras = {
        name: value
        for name, value in turn.extras.items()
        if name not in kept_back and name not in REQUIRED_NAMES
    }
    if not turn.asked:
        return {"role": turn.role, "content": turn.text, **extras}
    message: dict[str, Json] = {"role": "assistant", "content": turn.text or None}
    if not turn.text and form is ContentForm.ABSENT:
        del message["content"]
    elif not turn.text:
        message["content"] = {ContentForm.EMPTY: "", ContentForm.WORDS: WORDS}.get(form)
    calls: list[Json] = [_call(one, kept_back) for one in turn.asked]
    return {**message, **dict.fromkeys(added, ""), **extras, "tool_calls": calls}


def _call(use: ToolUse, kept_back: frozenset[str]) -> dict[str, Json]:
    extras = {name: one for name, one in use.extras.items() if name not in kept_back}
    inner = extras.pop("function", None)
    function = {
        **(inner if isinstance(inner, Mapping) else {}),
        "name": use.name,
        "arguments": valid_arguments(use.arguments),
    }
    return {**extras, "id": use.id, "type": "function", "function": function}


def _plain(schema: Json, form: int) -> Json:
    if not isinstance(schema, Mapping):
        return schema
    properties = schema.get("properties")
    listed = properties if isinstance(properties, Mapping) else {}
    plain: dict[str, Json] = {
        **schema,
        "properties": {name: _without_null(one) for name, one in listed.items()},
        "required": [name for name, one in listed.items() if not _is_nullable(one)],
    }
    if form == MINIMAL:
        plain.pop("additionalProperties", None)
    return plain


def _is_nullable(schema: Json) -> bool:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    return isinstance(kind, list) and "null" in kind


def _without_null(schema: Json) -> Json:
    if not isinstance(schema, Mapping):
        return schema
    plain = dict(schema)
    kinds, values = plain.get("type"), plain.get("enum")
    if isinstance(kinds, list):
        plain["type"] = next((one for one in kinds if one != "null"), "string")
    if isinstance(values, list):
        plain["enum"] = [one for one in values if one is not None]
    return plain
