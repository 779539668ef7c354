"""What a user said, as an LLM is told it; what an LLM asks, as an estimate takes it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from imagegen.domain.errors import InvalidRequestError
from imagegen.domain.ports import ChatTurn, ToolUse
from imagegen.wire.images import EstimateRequest
from imagegen.wire.messages import TOOL, ChatMessage, ToolCall


def turn_of(message: ChatMessage) -> ChatTurn:
    """Return a message as the LLM is told it; that there were images, never their ids."""
    count = len(message.image_generations)
    return ChatTurn(
        message.role, message.content or f"({count} offered)" if count else message.content
    )


def arguments_in(text: str) -> dict[str, Any] | None:
    """Return an LLM's arguments, or ``None`` where they are no JSON object that we can repeat."""
    try:
        found = json.loads(text, parse_constant=_refuse)
        # Half a character or nesting that Python reads and pydantic does not write.
        ToolCall(id="", name="", arguments=found, ok=False).model_dump_json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def request_of(asked: ToolUse, arguments: Mapping[str, Any] | None) -> EstimateRequest:
    """Return what an LLM asks a price for; a ``null`` is like nothing said.

    Raises:
        InvalidRequestError: another tool, or arguments that are none of this one's.
    """
    if asked.name != TOOL:
        raise InvalidRequestError(f"There is no such tool; the only one is {TOOL}.")
    if arguments is None:
        raise InvalidRequestError("The arguments are no JSON object.")
    try:
        return EstimateRequest.model_validate(
            {name: value for name, value in arguments.items() if value is not None}, by_name=False
        )
    except ValidationError as error:
        found = wrong_in(error.errors(include_url=False, include_input=False))
    raise InvalidRequestError(found)


def wrong_in(errors: Sequence[Mapping[str, Any]]) -> str:
    """Return what is wrong with arguments, and where."""
    said = [f"{'.'.join(map(str, one['loc']))[:60]}: {one['msg']}" for one in errors[:5]]
    return "; ".join(said)


def _refuse(name: str) -> None:
    raise ValueError(name)
