"""Reads a conversation as a chat endpoint receives it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NOTE = re.compile(r"\[Here: ([^\]]+)\]")

type Message = Mapping[str, Any]


def text_of(message: Message) -> str:
    """Return a message's text, also if its content is a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        texts = (one.get("text") for one in content if isinstance(one, Mapping))
        return "\n".join(one for one in texts if isinstance(one, str))
    return content if isinstance(content, str) else ""


def last_words(messages: Sequence[Message]) -> str:
    """Return the user's last message."""
    texts = [text_of(one) for one in messages if one.get("role") == "user"]
    return texts[-1] if texts else ""


def results_in(messages: Sequence[Message]) -> list[Any]:
    """Return the tool results at the end of the conversation, in order."""
    found: list[Any] = []
    for message in reversed(messages):
        if message.get("role") != "tool":
            break
        found.insert(0, read(text_of(message)))
    return found


def pictures_of(message: Message) -> list[str]:
    """Return the names of the pictures in an assistant's note, in order."""
    if message.get("role") != "assistant":
        return []
    return [name for note in NOTE.findall(text_of(message)) for name in note.split(", ")]


def calls_of(message: Message, tool: str) -> Iterator[dict[str, Any]]:
    """Yield the arguments of an assistant's calls of a tool, without those that are null."""
    for call in message.get("tool_calls") or ():
        function = call.get("function")
        if isinstance(function, Mapping) and function.get("name") == tool:
            arguments = read(str(function.get("arguments")))
            if isinstance(arguments, dict) and isinstance(arguments.get("prompt"), str):
                yield {name: one for name, one in arguments.items() if one is not None}


def read(text: str) -> Any:
    """Return the decoded JSON, ``None`` if the text is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None
