"""Files with additional parts: provenance marks, metadata, and what looks like them."""

import struct
from collections.abc import Sequence

from imagegen.domain.marks import C2PA_TYPE
from imagegen.domain.png_chunks import packed_chunk


def jumbf(
    kind: bytes = C2PA_TYPE, content: bytes = b"claim", *, is_extended: bool = False
) -> bytes:
    """Return a box of a type, with a description and a content box (ISO/IEC 19566-5)."""
    label = b"c2pa\0" if kind == C2PA_TYPE else b"other\0"
    inner = _box(b"jumd", kind + b"\x03" + label) + _box(b"cbor", content)
    if is_extended:
        return struct.pack(">I4sQ", 1, b"jumb", len(inner) + 16) + inner
    return _box(b"jumb", inner)


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, kind) + data


def with_png_chunk(content: bytes, kind: bytes, data: bytes, *, last: bool = False) -> bytes:
    """Return a PNG with one more chunk, behind its header or before its end."""
    at = len(content) - 12 if last else 33
    return content[:at] + packed_chunk(kind, data) + content[at:]


def with_segments(content: bytes, marker: int, data: Sequence[bytes]) -> bytes:
    """Return a JPEG with more segments before its tables."""
    at = content.index(b"\xff\xdb")
    parts = [struct.pack(">BBH", 0xFF, marker, len(one) + 2) + one for one in data]
    return content[:at] + b"".join(parts) + content[at:]


def with_webp_chunk(content: bytes, kind: bytes, data: bytes) -> bytes:
    """Return a WebP with one more chunk at its end."""
    chunk = kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    return content[:4] + struct.pack("<I", len(content) - 8 + len(chunk)) + content[8:] + chunk
