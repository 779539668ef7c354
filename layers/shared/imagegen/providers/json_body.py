"""Bodies of requests as JSON, whose pictures are encoded while they are sent.

A picture of 10 MB has 13 MB in base64, and as a text in a body that is JSON it would be in memory
three times, for each image of a set.
"""

from binascii import b2a_base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic_core import to_json

from imagegen.domain.ports import Json

STEP_BYTES = 3 * 64 * 1024
"""How much of a file is encoded at a time: whole groups of three bytes, which need no padding."""


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """A text in JSON: a file in standard base64, behind a start such as that of a data URL."""

    content: bytes
    start: bytes = b""

    def __len__(self) -> int:
        return len(self.start) + -(-len(self.content) // 3) * 4

    def __iter__(self) -> Iterator[bytes]:
        yield self.start
        view = memoryview(self.content)
        for at in range(0, len(view), STEP_BYTES):
            yield b2a_base64(view[at : at + STEP_BYTES], newline=False)


type Body = Json | EncodedFile | Sequence[Body] | Mapping[str, Body]


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A body in parts. It has a length, so that it is sent with one and not in chunks."""

    parts: tuple[bytes | EncodedFile, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            yield from (part,) if isinstance(part, bytes) else part


def json_body(value: Body) -> bytes | JsonBody:
    """Return a value as JSON in UTF-8: in parts if it has files."""
    parts: list[bytes | EncodedFile] = []
    for is_file, group in groupby(_parts(value), lambda one: isinstance(one, EncodedFile)):
        found = list(group)
        parts += found if is_file else [b"".join(one for one in found if isinstance(one, bytes))]
    return parts[0] if len(parts) == 1 and isinstance(parts[0], bytes) else JsonBody(tuple(parts))


def _parts(value: Body) -> Iterator[bytes | EncodedFile]:
    match value:
        case EncodedFile():
            yield from (b'"', value, b'"')
        case Mapping():
            yield b"{"
            for number, (name, inner) in enumerate(value.items()):
                yield (b"," if number else b"") + to_json(name) + b":"
                yield from _parts(inner)
            yield b"}"
        case list() | tuple():
            yield b"["
            for number, inner in enumerate(value):
                yield b"," if number else b""
                yield from _parts(inner)
            yield b"]"
        case _:
            yield to_json(value)
