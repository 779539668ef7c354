"""Conversions between a chat and its LLM: messages to turns, tool arguments to an estimate."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from imagegen.domain.errors import InvalidRequestError
from imagegen.domain.ports import ChatTurn, ToolUse
from imagegen.wire.handles import note, with_inputs
from imagegen.wire.images import EstimateRequest
from imagegen.wire.messages import TOOL, ChatMessage, ToolCall


def to_turns(messages: Sequence[ChatMessage]) -> list[ChatTurn]:
    """Return messages as turns for the LLM, with the names of their images and never their ids."""
    turns: list[ChatTurn] = []
    count = 0
    for message in messages:
        added = len(message.image_generations)
        notes = [note(count + 1, added)] if added else []
        text = "\n\n".join(filter(None, [message.content, *notes]))
        turns.append(ChatTurn(message.role, text))
        count += added
    return turns


def image_ids(messages: Sequence[ChatMessage]) -> list[str]:
    """Return the ids of a conversation's images, in the order in which ``to_turns`` names them."""
    return [image.id for message in messages for image in message.image_generations]


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


def parse_request(
    tool_use: ToolUse, arguments: Mapping[str, Any] | None, images: Sequence[str] = ()
) -> EstimateRequest:
    """Return the estimate that an LLM requests; an argument that is ``null`` counts as left out.

    ``images`` are the ids of the conversation's images, which the LLM names by their numbers.

    Raises:
        InvalidRequestError: the tool does not exist, the arguments do not fit its schema, or they
            name a picture that is not there.
    """
    if tool_use.name != TOOL:
        raise InvalidRequestError(f"There is no such tool; the only one is {TOOL}.")
    if arguments is None:
        raise InvalidRequestError("The arguments are not a JSON object.")
    wanted = with_inputs(arguments, images)
    try:
        return EstimateRequest.model_validate(
            {name: value for name, value in wanted.items() if value is not None}, by_name=False
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
