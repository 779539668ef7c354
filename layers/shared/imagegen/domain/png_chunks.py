"""The chunks of a PNG (https://www.w3.org/TR/png-3/#5Chunk-layout), read and written.

A wrong checksum of a critical chunk makes the image broken, because libpng, and with it browsers,
refuse to show it.
"""

import struct
import zlib
from collections.abc import Iterator

from imagegen.domain.pixels import PNG_SIGNATURE, BrokenImageError

type Chunk = tuple[bytes, memoryview]


def chunks_of(content: bytes) -> Iterator[Chunk]:
    """Yield kind and data of each chunk before IEND; bytes behind IEND are ignored.

    Raises:
        BrokenImageError: IEND is missing, or the checksum of a critical chunk is wrong.
    """
    view, at = memoryview(content), len(PNG_SIGNATURE)
    while True:
        if at + 12 > len(content):
            raise BrokenImageError("the PNG is cut off")
        (length,) = struct.unpack_from(">I", content, at)
        kind, end = content[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(content):
            raise BrokenImageError("the PNG is cut off")
        is_critical = not kind[0] & 0x20
        if is_critical and zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4]):
            raise BrokenImageError("a chunk of the PNG is damaged")
        if kind == b"IEND":
            return
        yield kind, view[at + 8 : end]
        at = end + 4


def packed_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk as it stands in a file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
