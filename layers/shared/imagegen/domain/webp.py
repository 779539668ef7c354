"""Reads the structure of a WebP to its end.

https://developers.google.com/speed/webp/docs/riff_container, and RFC 6386 for the frame of VP8. The
image data are not decoded here (``webp_data`` reads them where that is worth its time). An image in
one colour is recognised by its size: there is nothing in it but predictions that are always right.
The limits lie between what libwebp writes for images in one colour, and for such images with a
single dot of 64 pixels in them.
"""

import struct
from collections.abc import Iterator

from imagegen.domain.holes import LEAST_RUN, runs
from imagegen.domain.pixels import BrokenImageError, Picture
from imagegen.domain.vp8 import HEAD_BYTES as VP8_HEAD_BYTES
from imagegen.domain.vp8 import check_partitions

HEADER_BYTES = 12
FRAME_CHUNKS = frozenset({b"VP8 ", b"VP8L"})
KINDS = FRAME_CHUNKS | {b"VP8X", b"ALPH"}
FRAME_HEAD_BYTES = 16
BLOCK_EDGE = 16
FEWEST_PIXELS = 256 * 256
"""In smaller images, there is little besides headers in any case."""

type RiffChunk = tuple[bytes, memoryview]


def read_webp(content: bytes) -> Picture:
    """Return the size of a WebP, and whether it is certainly an image in one colour.

    Raises:
        BrokenImageError: a chunk is damaged or missing; bytes behind the container are ignored.
    """
    first, frames, is_animated = dict[bytes, memoryview](), 0, False
    for kind, data in riff_chunks(content):
        # There may be millions of empty chunks: only those that are needed are kept.
        if kind in KINDS:
            first.setdefault(kind, data)
        frames += kind in FRAME_CHUNKS
        is_animated = is_animated or (kind == b"ANMF" and len(data) > FRAME_HEAD_BYTES)
    canvas = canvas_of(first[b"VP8X"]) if b"VP8X" in first else None
    if canvas and is_animated:
        return Picture(*canvas)
    if frames != 1:
        raise BrokenImageError("the WebP contains no image")
    frame = _lossless(first[b"VP8L"]) if b"VP8L" in first else _lossy(first[b"VP8 "])
    if canvas and canvas != (frame.width, frame.height):
        raise BrokenImageError("the WebP contains another image than it announces")
    return Picture(frame.width, frame.height, frame.is_blank and b"ALPH" not in first)


def riff_chunks(content: bytes) -> Iterator[RiffChunk]:
    """Yield kind and data of each chunk.

    Raises:
        BrokenImageError: the container, or a chunk in it, is cut off.
    """
    (length,) = struct.unpack_from("<I", content, 4)
    at, end, view = HEADER_BYTES, 8 + length, memoryview(content)
    if end > len(content):
        raise BrokenImageError("the WebP is cut off")
    while at + 8 <= end:
        (size,) = struct.unpack_from("<I", content, at + 4)
        if at + 8 + size > end:
            raise BrokenImageError("the WebP is cut off")
        yield content[at : at + 4], view[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def canvas_of(data: memoryview) -> tuple[int, int]:
    """Return width and height in the chunk about the whole file.

    Raises:
        BrokenImageError: it is cut off.
    """
    if len(data) < 10:
        raise BrokenImageError("the WebP is damaged")
    return int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1


def lossless_size(data: memoryview) -> tuple[int, int]:
    """Return width and height in the head of a lossless image."""
    (bits,) = struct.unpack_from("<I", data, 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _check_runs(data: memoryview, width: int, height: int) -> None:
    """Raise if a part of the data was overwritten with one byte.

    Areas in one colour are runs of zeros: libwebp writes up to one byte for 39 of their blocks.
    """
    most = LEAST_RUN + width * height // (16 * BLOCK_EDGE * BLOCK_EDGE)
    if any(size > most for _, size in runs(bytes(data))):
        raise BrokenImageError("a part of the WebP is overwritten")


def _lossless(data: memoryview) -> Picture:
    if data[0] != 0x2F or data[4] >> 5:
        raise BrokenImageError("the WebP is damaged")
    width, height = lossless_size(data)
    if len(data) >= width * height:
        # With less, runs are areas in one colour: some encoders write a zero byte for few pixels.
        _check_runs(data, width, height)
    return Picture(width, height, _is_blank(width, height, len(data), 20_000))


def _lossy(data: memoryview) -> Picture:
    tag = int.from_bytes(data[:3], "little")
    modes_bytes = tag >> 5
    coefficient_bytes = len(data) - VP8_HEAD_BYTES - modes_bytes
    if tag & 1 or bytes(data[3:6]) != b"\x9d\x01\x2a" or coefficient_bytes < 0:
        raise BrokenImageError("the WebP is damaged or cut off")
    check_partitions(data, modes_bytes)
    width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 6))
    _check_runs(data, width, height)
    blank = _is_blank(width, height, coefficient_bytes, 32 * BLOCK_EDGE * BLOCK_EDGE)
    return Picture(width, height, blank)


def _is_blank(width: int, height: int, data_bytes: int, pixels_per_byte: int) -> bool:
    pixels = width * height
    return pixels >= FEWEST_PIXELS and data_bytes <= 64 + pixels // pixels_per_byte
