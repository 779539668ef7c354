"""Yields the rows of a PNG as they are stored, filtered, without ever having all of them.

https://www.w3.org/TR/png-3/, sections 7 to 11. A small file can contain a thousand times its own
size: what is inflated is limited by the rows that the header announces.
"""

import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import chain

from imagegen.domain.pixels import PNG_SIGNATURE, BrokenImageError
from imagegen.domain.png_chunks import OUT_BYTES, Chunk, chunks_of, inflated

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
DEPTHS = {
    GREY: {1, 2, 4, 8, 16},
    RGB: {8, 16},
    PALETTE: {1, 2, 4, 8},
    GREY_ALPHA: {8, 16},
    RGB_ALPHA: {8, 16},
}
HEADER_BYTES = 13
LAST_FILTER = 4


class TooMuchDataError(BrokenImageError):
    """The data of a PNG inflate to more than the rows of its size."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of Adam7, or the whole image: the size, and where its pixels are in the image."""

    width: int
    height: int
    first_column: int = 0
    first_row: int = 0
    column_step: int = 1
    row_step: int = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The header of a PNG: what the form of its rows depends on."""

    width: int
    height: int
    depth: int
    colour: int
    is_interlaced: bool

    @property
    def pixel_bits(self) -> int:
        """The bits of one pixel."""
        return self.depth * CHANNELS[self.colour]

    @property
    def has_alpha_channel(self) -> bool:
        """Whether each pixel has an alpha of its own; a chunk tRNS is not looked at."""
        return self.colour in {GREY_ALPHA, RGB_ALPHA}

    def row_bytes(self, width: int) -> int:
        """Return the bytes of a row of so many pixels, without its filter."""
        return -(-width * self.pixel_bits // 8)

    @property
    def data_bytes(self) -> int:
        """What the rows of all passes have, each with the byte of its filter."""
        return sum((self.row_bytes(one.width) + 1) * one.height for one in self.passes())

    @property
    def read_bytes(self) -> int:
        """What is inflated at most: one byte behind the rows shows that there is more."""
        return self.data_bytes + 1

    @property
    def step_bytes(self) -> int:
        """What is inflated at a time: whole rows, because a part of one is copied to the next."""
        length = self.row_bytes(self.width) + 1
        return max(1, OUT_BYTES // length) * length

    def passes(self) -> list[Pass]:
        """Return the passes that have pixels, in the order of the file."""
        if not self.is_interlaced:
            return [Pass(self.width, self.height)]
        adam7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
        sized = [
            Pass(-(-(self.width - x) // across), -(-(self.height - y) // down), x, y, across, down)
            for x, y, across, down in (*adam7, (0, 1, 1, 2))
        ]
        return [one for one in sized if one.width > 0 and one.height > 0]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a pass: the number of its filter, and its filtered bytes."""

    of: Pass
    number: int
    filter: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows of a pass that were inflated together, each behind the number of its filter."""

    of: Pass
    first: int
    """The number of its first row."""
    row_bytes: int
    """The bytes of a row, with its filter."""
    data: bytes

    def rows(self) -> Iterator[Row]:
        """Yield the rows one by one."""
        for number, start in enumerate(range(0, len(self.data), self.row_bytes), self.first):
            end = start + self.row_bytes
            yield Row(self.of, number, self.data[start], self.data[start + 1 : end])


@dataclass(frozen=True, slots=True)
class Png:
    """A PNG that is being read; ``rows`` can be read once."""

    layout: Layout
    palette: bytes
    """Three bytes for each colour, empty without a palette."""
    transparency: bytes
    """The data of tRNS, empty if there is none or it does not fit."""
    is_animated: bool
    """Whether it announces further frames (APNG); the rows are those of its first image."""
    rows: Iterator[Row]


def layout_of(content: bytes) -> Layout:
    """Return the header of a PNG; nothing behind it is read.

    Raises:
        BrokenImageError: the header is missing or not valid.
    """
    start = len(PNG_SIGNATURE) + 8
    data = content[start : start + HEADER_BYTES]
    is_first = content[start - 8 : start] == struct.pack(">I4s", HEADER_BYTES, b"IHDR")
    if not content.startswith(PNG_SIGNATURE) or not is_first or len(data) < HEADER_BYTES:
        raise BrokenImageError("the PNG does not begin with its header")
    width, height, depth, colour, packing, filters, interlace = struct.unpack(">IIBBBBB", data)
    is_known = depth in DEPTHS.get(colour, ()) and (packing, filters) == (0, 0) and interlace < 2
    if not is_known:
        raise BrokenImageError("the header of the PNG is not valid")
    if not width or not height:
        raise BrokenImageError(f"{width}x{height} is not a plausible image size")
    return Layout(width, height, depth, colour, bool(interlace))


def open_png(content: bytes) -> Png:
    """Return a PNG whose rows can be read; the caller has checked that it is not too large.

    Reading the rows to the end also checks the chunks to the end.

    Raises:
        BrokenImageError: something before the rows is damaged; from ``rows``: something in or after
            them is, or a row is missing.
        TooMuchDataError: from ``rows``, if there is more data than the size of the image needs.
    """
    layout, chunks = layout_of(content), chunks_of(content)
    palette = transparency = b""
    is_animated = False
    for kind, data in chunks:
        if kind == b"PLTE":
            palette = bytes(data)
        elif kind == b"tRNS":
            transparency = bytes(data)
        elif kind == b"acTL":
            is_animated = True
        elif kind == b"IDAT":
            if layout.colour == PALETTE and (not palette or len(palette) % 3):
                raise BrokenImageError("the palette of the PNG is missing or damaged")
            fitting = transparency if _fits(layout, palette, len(transparency)) else b""
            pieces = inflated(_image_data(data, chunks), layout.read_bytes, layout.step_bytes)
            blocks = _only_blocks(pieces, layout)
            rows = (row for block in blocks for row in block.rows())
            return Png(layout, palette, fitting, is_animated, rows)
    raise BrokenImageError("the PNG contains no image")


def _fits(layout: Layout, palette: bytes, length: int) -> bool:
    """Return whether a tRNS of this length means something; libpng ignores any other."""
    if layout.colour == PALETTE:
        return length <= len(palette) // 3
    return length == {GREY: 2, RGB: 6}.get(layout.colour)


def _image_data(first: memoryview, chunks: Iterator[Chunk]) -> Iterator[memoryview]:
    yield first
    yield from (data for kind, data in chunks if kind == b"IDAT")


def blocks_of(pieces: Iterator[bytes], layout: Layout) -> Generator[Block, None, bytes]:
    """Yield the rows in the inflated pieces, and return what is left of the last piece read.

    A block is checked at once: its rows one by one would take longer than to inflate them.

    Raises:
        BrokenImageError: a row is missing or damaged.
    """
    stock = b""
    for one in layout.passes():
        length, number = layout.row_bytes(one.width) + 1, 0
        while number < one.height:
            stock = _at_least(length, stock, pieces)
            count = min(len(stock) // length, one.height - number)
            data, stock = stock[: count * length], stock[count * length :]
            if max(data[::length]) > LAST_FILTER:
                raise BrokenImageError("a row of the PNG is damaged")
            yield Block(one, number, length, data)
            number += count
    return stock


def _at_least(count: int, stock: bytes, pieces: Iterator[bytes]) -> bytes:
    """Return the stock with as many more pieces as make it this long.

    They are joined once: pieces may be a byte long, and a row 128 KiB.

    Raises:
        BrokenImageError: there are too few.
    """
    parts, have = [stock], len(stock)
    while have < count:
        piece = next(pieces, None)
        if piece is None:
            raise BrokenImageError("rows of the PNG are missing")
        if piece:
            parts.append(piece)
            have += len(piece)
    return b"".join(parts)


def read_to_end(blocks: Iterator[Block], pieces: Iterator[bytes]) -> None:
    """Read the rows that are left, and what is behind the last one, up to IEND.

    Raises:
        BrokenImageError: a row or a chunk is missing or damaged.
    """
    for _ in chain(blocks, pieces):
        pass


def _only_blocks(pieces: Iterator[bytes], layout: Layout) -> Iterator[Block]:
    left = yield from blocks_of(pieces, layout)
    # Empty pieces are read to the end as well, because the checksum behind them may be wrong.
    for surplus in chain([left], pieces):
        if surplus:
            raise TooMuchDataError("the data of the PNG inflate to more than its size")
