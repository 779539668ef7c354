"""Conversions between a chat and its LLM: messages to turns, tool arguments to an estimate."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from imagegen.domain.conversation import in_order
from imagegen.domain.errors import InvalidRequestError
from imagegen.domain.ports import ChatTurn, ToolUse
from imagegen.domain.text import legible
from imagegen.wire.images import EstimateRequest
from imagegen.wire.messages import TOOL, ChatMessage, ToolCall


def to_turn(message: ChatMessage) -> ChatTurn:
    """Return a message as a turn for the LLM: at most the number of images, never their ids."""
    count = len(message.image_generations)
    asked = tuple(ToolUse(one.id, one.name, one.arguments) for one in message.tool_calls)
    is_silent = count and not message.content and not asked
    text = f"({count} offered)" if is_silent else legible(message.content)
    if message.role == "tool":
        # A ToolUse has its id and name in the same legible form.
        called = (legible(message.tool_call_id), legible(message.name))
        return ChatTurn("tool", text, call_id=called[0], name=called[1])
    return ChatTurn(message.role, text, asked)


def to_turns(messages: Iterable[ChatMessage]) -> list[ChatTurn]:
    """Return the history as turns for the LLM, each tool call with its result."""
    return in_order([to_turn(message) for message in messages])


def parse_arguments(text: str) -> dict[str, Any] | None:
    """Return the arguments that an LLM wrote; an empty text is an object without any.

    Some models write the object as JSON inside of a JSON text. The result is ``None`` if they are
    not a JSON object, or one that cannot be written as JSON again: the answer repeats them.
    """
    try:
        found = json.loads(text.strip() or "{}", parse_constant=_refuse)
        if isinstance(found, str):
            found = json.loads(found, parse_constant=_refuse)
        # Python parses lone surrogates and deep nesting; pydantic cannot serialize them.
        ToolCall(id="", name="", arguments=found, ok=False).model_dump_json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def parse_request(tool_use: ToolUse, arguments: Mapping[str, Any] | None) -> EstimateRequest:
    """Return the estimate that an LLM requests; an argument that is ``null`` counts as left out.

    Raises:
        InvalidRequestError: the tool does not exist, or the arguments do not fit its schema.
    """
    if tool_use.name != TOOL:
        raise InvalidRequestError(f"There is no such tool; the only one is {TOOL}.")
    if arguments is None:
        raise InvalidRequestError("The arguments are not a JSON object.")
    try:
        return EstimateRequest.model_validate(
            {name: value for name, value in arguments.items() if value is not None}, by_name=False
        )
    except ValidationError as error:
        detail = _detail(error.errors(include_url=False, include_input=False))
    # Raised outside the except block: the ValidationError, which quotes the prompt, is not chained.
    raise InvalidRequestError(detail)


def _detail(errors: Sequence[Mapping[str, Any]]) -> str:
    """Return the names of the wrong arguments and what is wrong with each, at most five."""
    return "; ".join(f"{'.'.join(map(str, one['loc']))[:60]}: {one['msg']}" for one in errors[:5])


def _refuse(name: str) -> None:
    raise ValueError(name)
