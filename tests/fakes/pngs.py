"""PNG files of every kind, written from their samples, also as encoders seldom write them."""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from imagegen.domain.pixels import PNG_SIGNATURE
from imagegen.domain.png_chunks import packed_chunk

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)),
    (0, 1, 1, 2),
)

type Pixel = tuple[int, ...]
type Pixels = Sequence[Sequence[Pixel]]
"""Rows of pixels, each with its samples."""
type Filters = Callable[[int], int]
"""Returns the filter of a row from its number in the file."""


@dataclass(frozen=True)
class Kind:
    """A colour type and a depth."""

    colour: int
    depth: int

    @property
    def most(self) -> int:
        return (1 << self.depth) - 1


KINDS = [
    *(Kind(0, depth) for depth in (1, 2, 4, 8, 16)),
    *(Kind(3, depth) for depth in (1, 2, 4, 8)),
    *(Kind(colour, depth) for colour in (2, 4, 6) for depth in (8, 16)),
]


def write_png(
    kind: Kind,
    pixels: Pixels,
    *,
    filters: Filters = lambda _: 0,
    is_interlaced: bool = False,
    palette: bytes = b"",
    transparency: bytes = b"",
    before: Sequence[tuple[bytes, bytes]] = (),
    after: Sequence[tuple[bytes, bytes]] = (),
    more: bytes = b"",
    level: int = -1,
    size: tuple[int, int] | None = None,
) -> bytes:
    """Return a PNG; ``before`` and ``after`` are chunks around its data, ``more`` is data too."""
    width, height = size or (len(pixels[0]), len(pixels))
    header = struct.pack(">IIBBBBB", width, height, kind.depth, kind.colour, 0, 0, is_interlaced)
    rows = filtered(kind, pixels, filters, is_interlaced=is_interlaced)
    data = zlib.compress(b"".join(rows) + more, level)
    chunks = [
        (b"IHDR", header),
        *before,
        *([(b"PLTE", palette)] if palette else []),
        *([(b"tRNS", transparency)] if transparency else []),
        (b"IDAT", data[: len(data) // 2]),
        (b"IDAT", data[len(data) // 2 :]),
        *after,
        (b"IEND", b""),
    ]
    return PNG_SIGNATURE + b"".join(packed_chunk(*one) for one in chunks)


def filtered(
    kind: Kind, pixels: Pixels, filters: Filters, *, is_interlaced: bool
) -> Iterator[bytes]:
    step = max(1, kind.depth * CHANNELS[kind.colour] // 8)
    number = 0
    for x, y, across, down in ADAM7 if is_interlaced else ((0, 0, 1, 1),):
        above = b""
        for row in pixels[y::down]:
            if not row[x::across]:
                continue
            plain = packed(kind, row[x::across])
            chosen = filters(number)
            yield bytes([chosen]) + _filter(chosen, plain, above or bytes(len(plain)), step)
            above, number = plain, number + 1


def packed(kind: Kind, row: Sequence[Pixel]) -> bytes:
    samples = [sample for pixel in row for sample in pixel]
    bits = "".join(f"{sample:0{kind.depth}b}" for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return int(f"1{bits}", 2).to_bytes(len(bits) // 8 + 1)[1:]


def _filter(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    out = bytearray()
    for at, byte in enumerate(row):
        left = row[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        up = above[at]
        guess = left + up - corner
        nearest = min((left, up, corner), key=lambda one: abs(guess - one))
        out.append(byte - (0, left, up, (left + up) // 2, nearest)[kind] & 255)
    return bytes(out)
