"""Collects the fields that an endpoint sends beside text and tool calls, to send them back.

Several endpoints refuse the next request if such a field is missing or changed: Gemini 3 its
``extra_content.google.thought_signature``, DeepSeek and Kimi their ``reasoning_content``,
OpenRouter and MiniMax their ``reasoning_details``. A stream sends them in pieces, in any chunk.
Their content is never read.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from imagegen.domain.ports import Json
from imagegen.domain.text import legible

PROSE: Final = frozenset(
    {"reasoning_content", "reasoning", "thinking", "text", "summary", "content", "thoughts"}
)
"""Fields whose text comes in pieces, of which two may be equal. Other texts are names and
signatures, which come once or are repeated."""
CERTAIN_CHARACTERS: Final = 16
"""A text of this length is not repeated by chance."""
MAX_FIELD_CHARACTERS: Final = 1_000_000


class TooManyFieldsError(ValueError):
    """The unknown fields of one answer are longer than the limit."""


def unknown_fields(value: Json, known: frozenset[str]) -> dict[str, Json]:
    """Return the fields of an object that are not known and have a value."""
    if not isinstance(value, Mapping):
        return {}
    return {
        name: one
        for name, one in value.items()
        if name not in known and one is not None and one != []
    }


def merged_fields(pieces: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """Return the pieces of an object as one, its fields in the order of arrival.

    Raises:
        TooManyFieldsError: they are too long to be sent back.
    """
    whole: dict[str, Json] = {}
    for name in dict.fromkeys(name for piece in pieces for name in piece):
        whole[name] = _merged([piece[name] for piece in pieces if name in piece], name)
    if not whole:
        return {}
    try:
        text = json.dumps(whole, ensure_ascii=False)
    except RecursionError:
        text = None
    if text is None or len(text) > MAX_FIELD_CHARACTERS:
        raise TooManyFieldsError("the answer has too many unknown fields")
    sendable: dict[str, Json] = json.loads(legible(text))
    return sendable


def _merged(values: list[Json], name: str) -> Json:
    found = [one for one in values if one is not None]
    if len(found) < 2:
        return found[0] if found else None
    if all(isinstance(one, str) for one in found):
        return _joined([str(one) for one in found], name)
    if all(isinstance(one, Mapping) for one in found):
        return _merged_objects([one for one in found if isinstance(one, Mapping)])
    if all(isinstance(one, list) for one in found):
        return _merged_lists([one for one in found if isinstance(one, list)])
    return found[-1]


def _merged_objects(objects: list[Mapping[str, Json]]) -> Json:
    names = dict.fromkeys(name for one in objects for name in one)
    return {name: _merged([one[name] for one in objects if name in one], name) for name in names}


def _merged_lists(lists: list[list[Json]]) -> Json:
    """Return the entries of all lists; entries with one index are pieces of one entry."""
    groups: dict[object, list[Json]] = {}
    for number, entry in enumerate(one for part in lists for one in part):
        index = entry.get("index") if isinstance(entry, Mapping) else None
        kind = entry.get("type") if isinstance(entry, Mapping) else None
        key = ("index", index, kind) if type(index) is int else ("position", number)
        groups.setdefault(key, []).append(entry)
    return [_merged(entries, "") for entries in groups.values()]


def _joined(texts: list[str], name: str) -> str:
    """Return the whole text: its pieces are parts of it, repetitions or ever longer beginnings."""
    pieces = [one for one in texts if one]
    if not pieces:
        return ""
    grows = all(later.startswith(text) for text, later in pairwise(pieces))
    is_certain = name not in PROSE or len(pieces[-1]) >= CERTAIN_CHARACTERS
    if grows and is_certain and (name in PROSE or pieces[0] == pieces[-1]):
        return pieces[-1]
    return "".join(pieces)
