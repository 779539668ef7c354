"""Reads the body of a streamed answer: server-sent events, or JSON where no stream came.

https://html.spec.whatwg.org/multipage/server-sent-events.html. Endpoints differ from it and from
each other: a byte order mark, ``data:`` without a space, no blank line between two events, control
lines, text that is not JSON as a sign of life, one JSON object over several lines, or one object
on each line.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from imagegen.domain.ports import Json

DONE = "[DONE]"
EVENT_FIELDS = ("data", "event", "id", "retry")
BOM = "\ufeff"


class BrokenStreamError(ValueError):
    """A part of the stream is JSON that is cut off or malformed."""


@dataclass(slots=True)
class EventStream:
    """Turns the bytes of one answer into its JSON values."""

    is_done: bool = False
    """Whether the endpoint marked the end of the stream."""
    _line: bytearray = field(default_factory=bytearray)
    """The line that is not complete yet."""
    _data: str = ""
    """The data lines of an event that is not complete yet."""
    _bare: list[str] = field(default_factory=list)
    """Lines that belong to no event: the body may be JSON without a stream."""
    _is_first: bool = True

    def read(self, chunks: Iterable[bytes]) -> Iterator[Json]:
        """Yield each JSON value; it stops at the mark of the end.

        Raises:
            BrokenStreamError: a value is not valid JSON.
        """
        for chunk in chunks:
            for line in self._lines(chunk):
                yield from self._read_line(line)
                if self.is_done:
                    return
        yield from self._read_line(self._text(self._line))
        yield from self._end_event()
        yield from self._bare_json()

    def _lines(self, chunk: bytes) -> Iterator[str]:
        """Yield the complete lines; a CR at the end may be the first half of CR LF."""
        is_longer = not self._line.endswith(b"\r") and b"\n" not in chunk and b"\r" not in chunk
        self._line += chunk
        if is_longer:
            return  # To search a long line again with each chunk would take seconds.
        held = b"\r" if self._line.endswith(b"\r") else b""
        text = self._line.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._line = rest + held
        yield from map(self._text, lines)

    def _text(self, line: bytearray) -> str:
        text = line.decode(errors="replace").rstrip("\r")
        if self._is_first:
            self._is_first = False
            return text.removeprefix(BOM)
        return text

    def _read_line(self, line: str) -> Iterator[Json]:
        name, colon, value = line.partition(":")
        if not line.strip():
            yield from self._end_event()
        elif colon and name == "data":
            # Some proxies put the name of the field before each line once more.
            yield from self._add(value.strip().removeprefix("data:").strip())
        elif colon and name in ("", *EVENT_FIELDS):
            return
        elif line.strip() == DONE:
            self.is_done = True
        else:
            self._bare.append(line)

    def _add(self, value: str) -> Iterator[Json]:
        """Add a data line; a value that is complete is yielded without waiting for a blank line."""
        if value.upper() == DONE:
            self.is_done = True
            return
        self._data = f"{self._data}\n{value}" if self._data else value
        if self._data.endswith(("}", "]")):
            found = _json_or_none(self._data)
            if found is not None:
                self._data = ""
                yield found

    def _end_event(self) -> Iterator[Json]:
        data, self._data = self._data, ""
        if data[:1] in ("{", "["):
            yield _json_of(data)

    def _bare_json(self) -> Iterator[Json]:
        text = "\n".join(self._bare).strip()
        if text[:1] not in ("{", "["):
            return
        whole = _json_or_none(text)
        if whole is not None:
            # A whole object is a whole answer.
            self.is_done = True
            yield whole
            return
        for line in filter(None, map(str.strip, self._bare)):
            yield _json_of(line)


def _json_or_none(text: str) -> Json:
    try:
        return _json_of(text)
    except BrokenStreamError:
        return None


def _json_of(text: str) -> Json:
    try:
        found: Json = json.loads(text)
    except ValueError as error:
        raise BrokenStreamError("the data is not JSON") from error
    return found
