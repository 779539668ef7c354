"""Reads a PNG to its end (https://www.w3.org/TR/png-3/): every row must be there.

The image data is inflated in pieces and never kept, so the memory does not grow with the image. A
wrong checksum of a critical chunk makes the image broken, because libpng, and with it browsers,
refuse to show it.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from imagegen.domain.pixels import PNG_SIGNATURE, BrokenImageError, Picture, check_size

PIECE_BYTES = 256 * 1024
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
LAST_FILTER = 4
# Adam7: first column, first row, column step, row step of each pass.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
LAST_PASS = (0, 1, 1, 2)
WHOLE = (0, 0, 1, 1)

type Chunk = tuple[bytes, memoryview]


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of IHDR that the size of the rows depends on."""

    width: int
    height: int
    pixel_bits: int
    is_interlaced: bool

    def passes(self) -> Iterator[tuple[int, int]]:
        """Yield the rows, and the bytes of each row without its filter, of every pass."""
        for column, row, column_step, row_step in self._steps():
            width = -(-(self.width - column) // column_step)
            height = -(-(self.height - row) // row_step)
            if width > 0 and height > 0:
                yield height, -(-width * self.pixel_bits // 8)

    def _steps(self) -> tuple[tuple[int, int, int, int], ...]:
        return (*PASSES, LAST_PASS) if self.is_interlaced else (WHOLE,)


def read_png(content: bytes) -> Picture:
    """Return the size of a PNG, and whether all its pixels are equal.

    Raises:
        BrokenImageError: a row or a chunk is missing or damaged.
    """
    chunks = chunks_of(content)
    header = _header(next(chunks, None))
    check_size(header.width, header.height)
    blank = BlankTest(header.pixel_bits)
    pieces = _inflated(data for kind, data in chunks if kind == b"IDAT")
    rows = _rows(pieces, header)
    for is_first, row in rows:
        blank.look(row, is_first=is_first)
    for _ in chunks:  # the rest of the file, up to IEND
        pass
    return Picture(header.width, header.height, blank.is_blank)


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


def _header(first: Chunk | None) -> Header:
    if first is None or first[0] != b"IHDR" or len(first[1]) != 13:
        raise BrokenImageError("the PNG does not begin with its header")
    width, height, depth, colour, packing, filters, interlace = struct.unpack(">IIBBBBB", first[1])
    is_known = depth in DEPTHS.get(colour, ()) and (packing, filters) == (0, 0) and interlace < 2
    if not is_known:
        raise BrokenImageError("the header of the PNG is not valid")
    return Header(width, height, depth * CHANNELS[colour], bool(interlace))


def _inflated(chunks: Iterator[memoryview]) -> Iterator[bytes]:
    engine = zlib.decompressobj()
    for chunk in chunks:
        packed: bytes | memoryview = chunk
        full = True
        while (packed or full) and not engine.eof:
            try:
                piece = engine.decompress(packed, PIECE_BYTES)
            except zlib.error:
                raise BrokenImageError("the data of the PNG are damaged") from None
            yield piece
            packed, full = engine.unconsumed_tail, len(piece) == PIECE_BYTES


def _rows(pieces: Iterator[bytes], header: Header) -> Iterator[tuple[bool, bytes]]:
    """Yield each row with its filter byte, and whether it is the first one of its pass.

    The rest of the pieces is read, too: it may be damaged.
    """
    stock = bytearray()
    for count, row_bytes in header.passes():
        for number in range(count):
            while len(stock) <= row_bytes:
                piece = next(pieces, None)
                if piece is None:
                    raise BrokenImageError("rows of the PNG are missing")
                stock += piece
            row = bytes(stock[: row_bytes + 1])
            del stock[: row_bytes + 1]
            if row[0] > LAST_FILTER:
                raise BrokenImageError("a row of the PNG is damaged")
            yield number == 0, row
    for _ in pieces:
        pass


class BlankTest:
    """Compares filtered rows with those of an image in one colour, until one differs.

    The filters are invertible, so a row of one colour has exactly one filtered form for each filter
    and each colour. No row has to be unfiltered.
    """

    def __init__(self, pixel_bits: int) -> None:
        self.is_blank = True
        self._pixel_bytes = max(1, pixel_bits // 8)
        self._sub_byte_bits = pixel_bits if pixel_bits < 8 else 0
        self._colour: bytes | None = None

    def look(self, row: bytes, *, is_first: bool) -> None:
        """Look at the next row; ``is_first`` if no row of its pass is above it."""
        if not self.is_blank:
            return
        # The last byte of a row may end in unused bits.
        cells = row[1:-1] if self._sub_byte_bits else row[1:]
        if not cells:
            self.is_blank = False
            return
        if self._colour is None:
            self._colour = cells[: self._pixel_bytes]
            self.is_blank = self._is_one_colour(self._colour[0])
        self.is_blank = self.is_blank and cells == self._flat(row[0], len(cells), first=is_first)

    def _is_one_colour(self, byte: int) -> bool:
        """Return whether the pixels in one byte are equal; a larger pixel fills its bytes."""
        bits = self._sub_byte_bits
        return not bits or byte == (byte & (1 << bits) - 1) * (0xFF // ((1 << bits) - 1))

    def _flat(self, kind: int, length: int, *, first: bool) -> bytes:
        """Return a row of the colour under a filter (PNG, section 9)."""
        colour = self._colour or b""
        half = bytes(one - one // 2 for one in colour)
        zero = bytes(len(colour))
        head, rest = {
            0: (colour, colour),
            1: (colour, zero),
            2: (colour, colour) if first else (zero, zero),
            3: (colour, half) if first else (half, zero),
            4: (colour, zero) if first else (zero, zero),
        }[kind]
        return head + rest * (length // len(colour) - 1)
