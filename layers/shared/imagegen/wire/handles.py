"""Names of pictures for an LLM: "image 1", "image 2", in the order of a conversation.

An LLM never reads the id of an image, because the id opens it, and an LLM repeats what it reads.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from imagegen.domain.errors import InvalidRequestError
from imagegen.domain.operations import WITHOUT_PROMPT

_NUMBER = re.compile(r"[^0-9]*([0-9]{1,4})[^0-9]*")
_LAST = re.compile(r"\s*(?:the\s+)?(?:last|latest|newest)\b", re.IGNORECASE)
BY_HANDLE = ("edit", "references")
BY_ID = ("inputs", "mask")


def handle(number: int) -> str:
    """Return the name of a picture; the first one has the number 1."""
    return f"image {number}"


def note(first: int, count: int) -> str:
    """Return the note with the names of the pictures that came with a message."""
    return f"[Here: {', '.join(map(handle, range(first, first + count)))}]"


def with_inputs(arguments: Mapping[str, Any], image_ids: Sequence[str]) -> dict[str, Any]:
    """Return a tool's arguments for POST /estimate: with ids where the LLM wrote names.

    An operation without a prompt works on the picture in edit, without one on the last.
    ``image_ids`` are those of the conversation in their order. Whether they belong to the user is
    checked by the estimate.

    Raises:
        InvalidRequestError: there is no picture with a name, or the LLM wrote an id itself.
    """
    if given := [name for name in BY_ID if arguments.get(name) is not None]:
        raise InvalidRequestError(f"{given[0]}: name pictures in edit and in references.")
    edited, references = arguments.get("edit"), arguments.get("references")
    named = [("edit", edited)] if edited not in (None, "") else []
    listed = references if isinstance(references, list) else [references]
    named += [("reference", one) for one in listed if one not in (None, "")]
    plain = {name: one for name, one in arguments.items() if name not in BY_HANDLE}
    if plain.get("operation") in WITHOUT_PROMPT:
        # Every tool call has a prompt, because its schema requires one.
        plain = {name: one for name, one in plain.items() if name != "prompt"}
        named = [("edit", one) for _, one in named] or [("edit", "last")]
    inputs = [{"image": _image_id(one, image_ids), "role": role} for role, one in named]
    return {**plain, "inputs": inputs} if inputs else plain


def _image_id(named: object, image_ids: Sequence[str]) -> str:
    number = _number(named, len(image_ids))
    if 1 <= number <= len(image_ids):
        return image_ids[number - 1]
    if not image_ids:
        raise InvalidRequestError("There is no picture in this conversation yet: describe one.")
    known = handle(1) if len(image_ids) == 1 else f"{handle(1)} to {handle(len(image_ids))}"
    raise InvalidRequestError(f"There is no such picture in this conversation: use {known}.")


def _number(named: object, last: int) -> int:
    """Return the number in a name, as LLMs write it; 0 if there is none, or several."""
    if isinstance(named, int) and not isinstance(named, bool):
        return named
    if not isinstance(named, str):
        return 0
    if _LAST.match(named):
        return last
    found = _NUMBER.fullmatch(named)
    return int(found[1]) if found else 0
