"""Puts a conversation that a client kept into the order that LLMs require.

After a message with tool calls, each call must have its result, and nothing else may come before
the results. Clients send results out of order, lose some of them or their calls, and leave out ids
or use them twice. What a client sends as a result is text that an LLM reads and nothing more: it is
no offer, and confirms none.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from imagegen.domain.ports import ChatTurn, ToolUse

NO_RESULT = json.dumps({"note": "The result of this call is not known. It may have failed."})
"""The stand-in for a result that the client did not send."""
ID = "call{:05d}"
"""Nine letters and digits: Mistral accepts no other ids, and OpenAI none above 40 characters."""
QUOTE = re.compile(r"q1\.[A-Za-z0-9]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
REMOVED = "(removed)"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
NAMELESS = "tool"
SILENCE = "(no answer)"
"""Between results and the user's next message: Mistral refuses a user's turn after a tool's
(its error 3230, "Unexpected role 'user' after role 'tool'"); others do not mind the words."""


@dataclass(slots=True)
class _Call:
    """One call, and its result as soon as it is found."""

    message: int
    """The place of its message in the conversation."""
    use: ToolUse
    result: str | None = None


def in_order(turns: Sequence[ChatTurn]) -> list[ChatTurn]:
    """Return the conversation with each tool call answered by its result.

    The calls get new ids. Results without a call are left out, and so is a second result. Quotes
    are removed from all texts: an LLM must not read what can be confirmed.
    """
    calls = [
        _Call(place, use)
        for place, turn in enumerate(turns)
        if turn.role == "assistant"
        for use in turn.asked
    ]
    for place, turn in enumerate(turns):
        if turn.role == "tool" and (call := _call_of(turn, place, calls)):
            call.result = turn.text
    return list(_ordered(turns, calls))


def without_quotes(text: str) -> str:
    """Return the text without signed quotes."""
    return QUOTE.sub(REMOVED, text) if "q1." in text else text


def _call_of(result: ChatTurn, place: int, calls: Sequence[_Call]) -> _Call | None:
    """Return the call that a result answers: the nearest before it, else the nearest after it."""
    fitting = [one for one in calls if one.result is None and _fits(result, one.use)]
    earlier = [one for one in fitting if one.message < place]
    if earlier:
        nearest = max(one.message for one in earlier)
        return next(one for one in earlier if one.message == nearest)
    return fitting[0] if fitting and result.call_id else None


def _fits(result: ChatTurn, use: ToolUse) -> bool:
    if result.call_id:
        return use.id == result.call_id
    return not result.name or use.name == result.name


def _ordered(turns: Sequence[ChatTurn], calls: Sequence[_Call]) -> Iterator[ChatTurn]:
    number, is_answered = 0, True
    for place, turn in enumerate(turns):
        if turn.role == "tool":
            continue
        if turn.role == "user" and not is_answered:
            yield ChatTurn("assistant", SILENCE, is_earlier=True)
        own = [one for one in calls if one.message == place]
        asked = tuple(_renamed(one.use, number + at) for at, one in enumerate(own))
        number, is_answered = number + len(own), not own
        yield replace(turn, text=without_quotes(turn.text), asked=asked, is_earlier=True)
        for one, use in zip(own, asked, strict=True):
            text = NO_RESULT if one.result is None else without_quotes(one.result)
            yield ChatTurn("tool", text, call_id=use.id, is_earlier=True)


def _renamed(use: ToolUse, number: int) -> ToolUse:
    name = _NOT_IN_NAMES.sub("_", use.name)[:64] or NAMELESS
    return ToolUse(ID.format(number), name, without_quotes(use.arguments))
