"""Marks of origin in a file's bytes: whether it contains a C2PA manifest.

Only its presence is looked for; it is not validated. Where each format has it is specified in
https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html#_embedding_manifests_into_assets
"""

import struct
from collections.abc import Iterator
from enum import StrEnum


class Presence(StrEnum):
    """Whether a mark is in a file."""

    PRESENT = "present"
    ABSENT = "absent"


_PNG = b"\x89PNG\r\n\x1a\n"
_APP11 = 0xEB


def read_c2pa(content: bytes) -> Presence:
    """Return whether a PNG, JPEG or WebP contains a C2PA manifest; other formats have none."""
    if content.startswith(_PNG):
        return _found(b"caBX" in _png_chunks(content))
    if content.startswith(b"\xff\xd8"):
        return _found(any(b"jumb" in one and b"c2pa" in one for one in _app11(content)))
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _found(b"C2PA" in _riff_chunks(content))
    return Presence.ABSENT


def _found(is_present: bool) -> Presence:  # noqa: FBT001 a conversion, not a choice
    return Presence.PRESENT if is_present else Presence.ABSENT


def _png_chunks(content: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        yield kind
        at += 12 + length


def _riff_chunks(content: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        yield kind
        at += 8 + length + length % 2


def _app11(content: bytes) -> Iterator[bytes]:
    """Yield the APP11 segments before the first scan of a JPEG."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0xDA:
            return
        length = int.from_bytes(content[at + 2 : at + 4])
        if marker == _APP11:
            yield content[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)
