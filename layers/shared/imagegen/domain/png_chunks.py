"""The chunks of a PNG (https://www.w3.org/TR/png-3/#5Chunk-layout), read, written and inflated.

A wrong checksum of a critical chunk makes the image broken, because libpng, and with it browsers,
refuse to show it.
"""

import struct
from collections.abc import Iterable, Iterator

from isal import isal_zlib as zlib

from imagegen.domain.pixels import PNG_SIGNATURE, BrokenImageError

type Chunk = tuple[bytes, memoryview]
IN_BYTES, OUT_BYTES = 65_536, 262_144
WIDEST_WINDOW = 0x78
"""The highest first byte of a zlib stream: the window has 32 KiB (RFC 1950, section 2.2)."""


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


def inflated(image_data: Iterable[memoryview], most: int, step: int = OUT_BYTES) -> Iterator[bytes]:
    """Yield what the data of all IDAT chunks inflate to, in pieces of at most ``step`` bytes.

    It ends after ``most`` bytes, or at the end of the compressed data. All chunks are read, because
    each has a checksum.

    Raises:
        BrokenImageError: the data are damaged.
    """
    engine, left, is_begun = zlib.decompressobj(), most, False
    for packed in image_data:
        # The engine takes any window; zlib, and with it browsers, take none above 32 KiB.
        if packed and not is_begun and packed[0] > WIDEST_WINDOW:
            raise BrokenImageError("the data of the PNG are damaged")
        is_begun = is_begun or bool(packed)
        # In small pieces: the engine copies what it has not used yet.
        for start in range(0, len(packed), IN_BYTES):
            rest: bytes | memoryview = packed[start : start + IN_BYTES]
            # A piece that is not full has all that these bytes inflate to.
            is_full = True
            while is_full and left and not engine.eof:
                size = min(step, left)
                try:
                    piece = engine.decompress(rest, size)
                except zlib.error:  # type: ignore[misc] # Its stub names an instance.
                    raise BrokenImageError("the data of the PNG are damaged") from None
                yield piece
                left -= len(piece)
                rest, is_full = engine.unconsumed_tail, len(piece) == size
