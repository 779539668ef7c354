"""The table of the chat endpoints that are simulated, from the facts about them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from generators.docs.blocks import code, table
from local.simulator.chat_dialects import PREFIX, endpoints

HEAD: Final = ("endpoint", "simulated as", "refuses", "streams", "sources")
REFUSED: Final = {
    "system": "the role `system`",
    "tools.strict": "`strict`",
    "tools.nulls": "lists of types in the tool",
    "messages.content_null": "`content: null`",
    "messages.content_empty": "an empty `content`",
    "messages.content_blank": "a missing or empty text",
    "messages.order": "a user's message after a tool's",
    "messages.call_ids": "ids of calls that are not nine letters and digits",
}
STREAMED: Final[Mapping[str, Mapping[Any, str]]] = {
    "names": {"each": "the name in each piece", "first_then_empty": "empty names"},
    "ids": {"none": "no ids", "each": "the id in each piece", "first_then_empty": "empty ids"},
    "index": {"none": "no index", "zero": "index 0 for every call"},
    "arguments": {"whole": "whole calls"},
    "content": {
        "parts": "text as a list of parts",
        "think": "`<think>` in the text",
        "reasoning": "`<reasoning>` in the text",
    },
    "usage": {
        "none": "no usage",
        "each": "usage in each piece",
        "choice": "usage in the choice",
        "x_groq": "usage in `x_groq`",
        "timings": "timings for usage",
    },
    "finish": {False: "no reason for the end"},
    "lines": {
        "keep-alive": "signs of life",
        "processing": "signs of life",
        "event": "names of events",
    },
    "separator": {"\r\n": "CR LF"},
}


def made() -> dict[str, str]:
    """Return the parts of docs/chat.md by name."""
    return {"chat endpoints": table(HEAD, map(_row, endpoints().items()))}


def _row(item: tuple[str, Mapping[str, Any]]) -> tuple[str, ...]:
    name, facts = item
    refused = dict.fromkeys(map(_refused, facts["refuses"]))
    sources = (f"[{number}]({url})" for number, url in enumerate(facts["sources"], 1))
    mark = "\\*" if facts.get("stream_is_assumed") else ""
    streamed = ("; ".join(_streamed(facts["stream"])) or "as documented") + mark
    return facts["title"], code(PREFIX + name), "; ".join(refused), streamed, " ".join(sources)


def _refused(rule: Mapping[str, Any]) -> str:
    return _part(rule) + ("\\*" if rule.get("assumed") else "")


def _part(rule: Mapping[str, Any]) -> str:
    match rule["field"]:
        case "messages.extra":
            return f"`{rule['name']}` sent back"
        case "messages.missing" | "messages.missing_now":
            return f"`{rule['name']}` not sent back"
        case field:
            return REFUSED.get(field, code(field))


def _streamed(shape: Mapping[str, Any]) -> Iterator[str]:
    for name, forms in STREAMED.items():
        if name in shape and shape[name] in forms:
            yield forms[shape[name]]
