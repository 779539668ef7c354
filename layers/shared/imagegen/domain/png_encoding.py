"""Writes a PNG (https://www.w3.org/TR/png-3/) with 8 bits for each channel."""

import struct
import zlib
from collections.abc import Iterable

from imagegen.domain.pixels import PNG_SIGNATURE
from imagegen.domain.png_chunks import packed_chunk


def encoded(size: tuple[int, int], colour: int, rows: Iterable[bytes | bytearray]) -> bytes:
    """Return a PNG of a size and colour type; no row is filtered, which suits flat images."""
    engine = zlib.compressobj()
    data = [engine.compress(b"\0" + row) for row in rows]
    header = struct.pack(">IIBBBBB", *size, 8, colour, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", b"".join([*data, engine.flush()])), (b"IEND", b"")
    return PNG_SIGNATURE + b"".join(packed_chunk(*one) for one in chunks)
