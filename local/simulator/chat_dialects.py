"""Strict modes of the simulated LLM: it refuses and streams what a known endpoint does.

The model's id chooses the mode: ``as-mistral`` answers as Mistral does. The facts and their sources
are in ``chat_endpoints.json``; the words of the answers are those of the plain simulated LLM.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from secrets import token_hex
from typing import Any

from local.simulator.chat_words import Reply, Use
from local.simulator.wire import Answer, Body, json_answer

PREFIX = "as-"
FACTS = Path(__file__).with_name("chat_endpoints.json")
PIECE = 9
THOUGHT = "The user wants a picture."
type Shape = Mapping[str, Any]


@cache
def endpoints() -> Mapping[str, Any]:
    """Return the facts of each endpoint, by name."""
    found: Mapping[str, Any] = json.loads(FACTS.read_text())["endpoints"]
    return found


def mode_of(model: object) -> Mapping[str, Any] | None:
    """Return the facts of the endpoint that a model's id names, or ``None``."""
    text = str(model)
    return endpoints().get(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None


def refusal(body: Body) -> Answer | None:
    """Return the refusal of a request that the endpoint does not accept."""
    mode = mode_of(body.get("model")) or {}
    for rule in mode.get("refuses", ()):
        if _is_sent(body, rule):
            if rule["status"] != 200:
                return json_answer(rule["body"], status=rule["status"])
            text = f"event: error\ndata: {json.dumps(rule['body'])}\n\n"
            return Answer(200, text.encode(), "text/event-stream; charset=utf-8")
    return None


def _is_sent(body: Body, rule: Mapping[str, Any]) -> bool:
    """Return whether a request has what a rule refuses."""
    check = CHECKS.get(rule["field"])
    return check(body, rule.get("name", "")) if check else rule["field"] in body


def _asking(body: Body) -> list[Body]:
    return [one for one in body["messages"] if one.get("tool_calls")]


def _asking_now(body: Body) -> list[Body]:
    """Return the messages with calls since the user's last one: Gemini looks at no others."""
    found = list(body["messages"])
    last = max((n for n, one in enumerate(found) if one.get("role") == "user"), default=-1)
    return _asking({"messages": found[last + 1 :]})


def _has_field(message: Body, name: str) -> bool:
    """Return whether a message or its first tool call has a field; others may lack it."""
    return name in message or any(name in one for one in message["tool_calls"][:1])


def _functions(body: Body) -> list[Body]:
    return [one.get("function", {}) for one in body.get("tools") or ()]


def _has_nulls(function: Body) -> bool:
    properties = function.get("parameters", {}).get("properties", {})
    return any(isinstance(one.get("type"), list) for one in properties.values())


def _has_order(body: Body, roles: tuple[str, str]) -> bool:
    found = [one.get("role") for one in body["messages"]]
    return roles in pairwise(found)


def _call_ids(body: Body) -> list[str]:
    return [str(call.get("id")) for one in _asking(body) for call in one["tool_calls"]]


def _is_short_id(identity: str) -> bool:
    return len(identity) == 9 and identity.isascii() and identity.isalnum()


CHECKS: Mapping[str, Callable[[Body, str], bool]] = {
    "system": lambda body, _: any(one.get("role") == "system" for one in body["messages"]),
    "tools.strict": lambda body, _: any("strict" in one for one in _functions(body)),
    "tools.nulls": lambda body, _: any(map(_has_nulls, _functions(body))),
    "messages.content_null": lambda body, _: any(
        "content" in one and one["content"] is None for one in _asking(body)
    ),
    "messages.content_empty": lambda body, _: any(
        one.get("content") == "" for one in _asking(body)
    ),
    "messages.content_blank": lambda body, _: any(
        "content" in one and not one["content"] for one in _asking(body)
    ),
    "messages.extra": lambda body, name: any(_has_field(one, name) for one in _asking(body)),
    "messages.order": lambda body, _: _has_order(body, ("tool", "user")),
    "messages.call_ids": lambda body, _: not all(map(_is_short_id, _call_ids(body))),
    "messages.missing_now": lambda body, name: (
        not all(_has_field(one, name) for one in _asking_now(body))
    ),
    "messages.missing": lambda body, name: not all(_has_field(one, name) for one in _asking(body)),
}


def streamed(mode: Mapping[str, Any], head: Body, reply: Reply, usage: Body) -> Iterator[str]:
    """Yield the stream's events in the endpoint's shape."""
    shape: Shape = mode["stream"]
    head = {**head, **shape.get("chunk", {})}
    for chunk in _chunks(shape, reply, usage):
        yield from _event(shape, {**head, **chunk})
    yield _line(shape, "data: [DONE]") + _line(shape, "")


def _chunks(shape: Shape, reply: Reply, usage: Body) -> Iterator[Body]:
    yield from shape.get("before", ())
    first = {"role": shape.get("role", "assistant"), "content": ""}
    for delta in (first, *_deltas(shape, reply)):
        yield _choice(shape, delta, usage)
    finish = "tool_calls" if reply.uses else "stop"
    if shape.get("finish", True):
        last = _choice(shape, {}, usage, finish)
        if shape.get("usage") in ("finish", "timings", "choice", "x_groq"):
            _add_usage(last, shape, usage)
        yield last
    if shape.get("usage") in ("last", "each"):
        yield {"choices": [], "usage": usage}


def _deltas(shape: Shape, reply: Reply) -> Iterator[Body]:
    extras = shape.get("message_pieces", ())
    for piece in extras:
        yield dict(piece)
    nulls = dict.fromkeys(shape.get("nulls", ()))
    for content in _contents(shape, reply.words):
        yield {"content": content, **nulls}
    for number, use in enumerate(reply.uses):
        for call in _calls(shape, number, use):
            yield {"tool_calls": [call], **nulls}


def _contents(shape: Shape, words: str) -> Iterator[Any]:
    """Yield the text in pieces, in the form in which the endpoint sends it."""
    form = shape.get("content", "text")
    if form == "parts":
        yield [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}]
        for piece in _pieces(words):
            yield [{"type": "text", "text": piece}]
        return
    tag = {"think": "think", "reasoning": "reasoning"}.get(form)
    yield from _pieces(f"<{tag}>{THOUGHT}</{tag}>\n\n{words}" if tag else words)


def _calls(shape: Shape, number: int, use: Use) -> Iterator[Body]:
    """Yield a tool call in the pieces that the endpoint makes of it."""
    identity = {"kimi": f"functions.{use.name}:{number}", "nine": token_hex(5)[:9]}.get(
        shape.get("ids", ""), token_hex(5)
    )
    is_whole = shape.get("arguments") == "whole"
    texts = [use.arguments] if is_whole else ["", *_pieces(use.arguments)]
    index = {"none": {}, "zero": {"index": 0}}.get(shape.get("index", ""), {"index": number})
    kind = {} if "call_type" in shape else {"type": "function"}
    for place, text in enumerate(texts):
        call: Body = {**index, **kind, "function": {"arguments": text}}
        call |= _where(shape.get("ids", "first"), "id", identity, place)
        call["function"] |= _where(shape.get("names", "first"), "name", use.name, place)
        if place == 0 and (number == 0 or shape.get("calls_with_extras") != "first"):
            call |= shape.get("call_extras", {})
        yield call


def _where(form: str, name: str, value: str, place: int) -> Body:
    """Return a field of a call's piece: in the first piece, in each, empty later, or never."""
    if form == "none" or (place and form in ("first", "kimi", "nine")):
        return {}
    return {name: "" if place and form == "first_then_empty" else value}


def _choice(shape: Shape, delta: Body, usage: Body, finish: str | None = None) -> Body:
    extra = shape.get("extra_choice_fields", {})
    chunk: Body = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish, **extra}]}
    if shape.get("usage") == "each":
        chunk["usage"] = {**usage, "completion_tokens": 1} if not finish else usage
    return chunk


def _add_usage(chunk: Body, shape: Shape, usage: Body) -> None:
    match shape["usage"]:
        case "finish":
            chunk["usage"] = usage
        case "choice":
            chunk["choices"][0]["usage"] = usage
        case "x_groq":
            chunk["x_groq"] = {"id": "req_1", "usage": usage}
        case "timings":
            chunk["timings"] = {
                "prompt_n": usage["prompt_tokens"],
                "predicted_n": usage["completion_tokens"],
            }


def _event(shape: Shape, chunk: Body) -> Iterator[str]:
    lines = shape.get("lines", "")
    if lines in ("keep-alive", "processing"):
        yield _line(shape, f": {lines}") + _line(shape, "")
    head = _line(shape, "event: message") if lines == "event" else ""
    yield head + _line(shape, f"data: {json.dumps(chunk)}") + _line(shape, "")


def _line(shape: Shape, text: str) -> str:
    return text + str(shape.get("separator", "\n"))


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]
