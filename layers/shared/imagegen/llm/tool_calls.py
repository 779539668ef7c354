"""Joins the pieces in which an endpoint streams its tool calls.

A piece should have an index, and the first piece of a call its id and its name. Endpoints leave out
the index, the id or both; give all calls index 0; repeat the id, the name or the whole arguments in
each piece; send another id with each piece; or send the arguments as an object.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from imagegen.domain.ports import Json, ToolUse
from imagegen.domain.text import legible
from imagegen.llm.unknown_fields import merged_fields, unknown_fields

MAX_CALLS: Final = 32
MAX_ARGUMENT_CHARACTERS: Final = 64_000
MAX_NAME_CHARACTERS: Final = 64
MAX_ID_CHARACTERS: Final = 200
NAMESPACE: Final = re.compile(r"^(?:functions?|default_api|tools?)[.:/]")
REPEATED: Final = re.compile(r"(.{8,}?)\1+")
KNOWN_OF_CALL: Final = frozenset({"index", "id", "type", "function"})
KNOWN_OF_FUNCTION: Final = frozenset({"name", "arguments"})


class TooManyCallsError(ValueError):
    """The calls of one answer, or their arguments, are longer than the limit."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one piece of a call contains."""

    id: str
    index: int | None
    name: str
    arguments: str
    extras: Mapping[str, Json]


@dataclass(slots=True)
class _Call:
    """A tool call whose pieces are still arriving."""

    index: int | None
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    extras: list[Mapping[str, Json]] = field(default_factory=list)
    characters: int = 0

    def add(self, piece: _Piece) -> None:
        self.id = self.id or piece.id
        self.name = _joined_name(self.name, piece.name)
        if piece.arguments:
            self.arguments.append(piece.arguments)
            self.characters += len(piece.arguments)
        if piece.extras:
            self.extras.append(piece.extras)

    def is_complete(self) -> bool:
        """Return whether the arguments are a whole object, to which nothing can be added.

        Some endpoints send an empty object before the arguments.
        """
        return bool(self.arguments) and bool(_object_in(whole_arguments(self.arguments)))


@dataclass(slots=True)
class ToolCalls:
    """The tool calls of one answer."""

    calls: list[_Call] = field(default_factory=list)

    def add(self, body: Json) -> None:
        """Add a piece to the call that it belongs to.

        Raises:
            TooManyCallsError: there are too many calls, or one of them is too long.
        """
        if not isinstance(body, Mapping) or not body:
            return
        piece = _parse_piece(body)
        call = self._call_of(piece)
        if call is None:
            call = _Call(piece.index)
            if self.calls and not piece.id and not piece.name:
                # Its name came before, and looked like that of the last call once more.
                call.name = self.calls[-1].name
            self.calls.append(call)
        call.add(piece)
        if call.characters > MAX_ARGUMENT_CHARACTERS or len(self.calls) > MAX_CALLS:
            raise TooManyCallsError("the tool calls are too long")

    def uses(self, taken: frozenset[str] = frozenset()) -> Iterator[ToolUse]:
        """Yield the calls in the order in which they began, each with an id of its own.

        ``taken`` are the ids of earlier calls: an id of ours must not be one of them.
        """
        seen, number = set[str](), 0
        for call in self.calls:
            if not call.name and not call.arguments:
                continue
            identity = legible(call.id)
            if not 0 < len(identity) <= MAX_ID_CHARACTERS or identity in seen:
                # Two calls with the same id would get one result between them.
                while (identity := f"call_{number}") in taken | seen:
                    number += 1
            seen.add(identity)
            number += 1
            yield ToolUse(
                identity,
                plain_name(call.name)[:MAX_NAME_CHARACTERS],
                whole_arguments(call.arguments),
                merged_fields(call.extras),
            )

    def _call_of(self, piece: _Piece) -> _Call | None:
        """Return the known call that a piece belongs to, or ``None`` if it begins a new one."""
        if piece.id:
            return self._call_by_id(piece)
        call = self.calls[-1:] if piece.index is None else self._with_index(piece.index)
        if not call and not piece.name:
            call = self.calls[-1:]
        if not call or _begins_another(call[0], piece, may_repeat=call[0].index is not None):
            return None
        return call[0]

    def _call_by_id(self, piece: _Piece) -> _Call | None:
        for call in reversed(self.calls):
            if call.id != piece.id or _begins_another(call, piece, may_repeat=True):
                continue
            if piece.index is None or call.index in (None, piece.index) or not piece.name:
                return call
        # The id of a call may arrive after its first piece.
        for call in self._with_index(piece.index):
            if not piece.name and _takes_more(call, piece):
                return call  # Some servers make up another id for each piece.
            is_known = any(one.id == piece.id for one in self.calls)
            if not call.id and not is_known and not _begins_another(call, piece, may_repeat=False):
                return call
        return None

    def _with_index(self, index: int | None) -> list[_Call]:
        """Return the last call with an index, if there is one."""
        return [one for one in self.calls if one.index == index][-1:]


def whole_arguments(pieces: list[str]) -> str:
    """Return the arguments: the pieces joined, or what is valid where they are repeated.

    An empty text means that the call has no arguments, which is an empty object.
    """
    joined = "".join(pieces)
    if not joined.strip():
        return "{}"
    if _object_in(joined) is not None:
        return joined
    if _object_in(pieces[-1]) is not None and pieces[-1].startswith(pieces[-2]):
        return pieces[-1]
    return _only_object(joined) or joined


def _only_object(text: str) -> str | None:
    """Return the one object that is not empty, if the text is several objects in a row."""
    found, decoder, at = [], json.JSONDecoder(), 0
    try:
        while text[at:].strip():
            at += len(text[at:]) - len(text[at:].lstrip())
            value, end = decoder.raw_decode(text, at)
            if value and text[at:end] not in found:
                found.append(text[at:end])
            at = end
    except (ValueError, RecursionError):
        return None
    return found[0] if len(found) == 1 and found[0].startswith("{") else None


def _begins_another(call: _Call, piece: _Piece, *, may_repeat: bool) -> bool:
    """Return whether a piece begins another call than the one that its id or index suggests."""
    if piece.name and call.name and call.arguments and not _is_same_name(call.name, piece.name):
        return True
    if not piece.arguments.lstrip().startswith("{") or not call.is_complete():
        return False
    # Nothing can be added to a whole object: this is another one, or the same one once more.
    return not may_repeat or whole_arguments(call.arguments).strip() != piece.arguments.strip()


def _takes_more(call: _Call, piece: _Piece) -> bool:
    """Return whether a piece begins or continues the arguments of a call."""
    continues = not piece.arguments.lstrip().startswith("{")
    return not call.arguments or (continues and not call.is_complete())


def plain_name(name: str) -> str:
    """Return a tool's name without what models and servers add to it.

    These are spaces, a namespace, and control words behind it; or the name is repeated.
    """
    plain = NAMESPACE.sub("", name.partition("<|")[0].strip())
    repeated = REPEATED.fullmatch(plain)
    return repeated[1] if repeated else plain


def _is_same_name(known: str, name: str) -> bool:
    return known.startswith(name) or name.startswith(known)


def _joined_name(known: str, piece: str) -> str:
    """Return the name, whether a piece continues it, repeats it or is ever longer."""
    if not known or piece.startswith(known):
        return piece or known
    if not piece or known.startswith(piece) or len(known) >= MAX_NAME_CHARACTERS:
        return known
    return known + piece


def _parse_piece(body: Mapping[str, Json]) -> _Piece:
    function = body.get("function")
    if isinstance(function, Mapping):
        extras = unknown_fields(body, KNOWN_OF_CALL)
        if inner := unknown_fields(function, KNOWN_OF_FUNCTION):
            extras["function"] = inner
    else:
        # Some gateways send name and arguments without the object around them.
        extras = unknown_fields(body, KNOWN_OF_CALL | KNOWN_OF_FUNCTION)
        function = body
    name, arguments = function.get("name"), function.get("arguments")
    if isinstance(arguments, Mapping):
        arguments = json.dumps(arguments, ensure_ascii=False)
    name, arguments = (one if isinstance(one, str) else "" for one in (name, arguments))
    return _Piece(_id_in(body), _index_in(body), name, arguments, extras)


def _id_in(body: Mapping[str, Json]) -> str:
    found = body.get("id")
    return str(found) if type(found) is int else found if isinstance(found, str) else ""


def _index_in(body: Mapping[str, Json]) -> int | None:
    found = body.get("index")
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 4:
        return int(found)
    return found if type(found) is int else None


def _object_in(text: str) -> Mapping[str, Json] | None:
    if not text.rstrip().endswith("}"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
