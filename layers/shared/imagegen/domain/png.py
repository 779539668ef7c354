"""Reads a PNG to its end (https://www.w3.org/TR/png-3/): every row must be there.

The rows are never kept, so the memory does not grow with the image.
"""

from imagegen.domain.pixels import Picture, check_size
from imagegen.domain.png_chunks import chunks_of, inflated
from imagegen.domain.png_filters import flat_row
from imagegen.domain.png_rows import Row, blocks_of, layout_of, read_to_end


def read_png(content: bytes) -> Picture:
    """Return the size of a PNG, and whether all its pixels are equal.

    Raises:
        BrokenImageError: a row or a chunk is missing or damaged.
    """
    layout = layout_of(content)
    check_size(layout.width, layout.height)
    blank = BlankTest(layout.pixel_bits)
    image_data = (data for kind, data in chunks_of(content) if kind == b"IDAT")
    pieces = inflated(image_data, layout.read_bytes, layout.step_bytes)
    blocks = blocks_of(pieces, layout)
    for row in (row for block in blocks for row in block.rows()):
        blank.look(row)
        if not blank.is_blank:
            break
    read_to_end(blocks, pieces)
    return Picture(layout.width, layout.height, blank.is_blank)


class BlankTest:
    """Compares filtered rows with those of an image in one colour, until one differs.

    A row of one colour has exactly one filtered form for each filter: no row has to be unfiltered.
    """

    def __init__(self, pixel_bits: int) -> None:
        self.is_blank = True
        self._pixel_bytes = max(1, pixel_bits // 8)
        self._sub_byte_bits = pixel_bits if pixel_bits < 8 else 0
        self._colour: bytes | None = None

    def look(self, row: Row) -> None:
        """Look at the next row."""
        if not self.is_blank:
            return
        # The last byte of a row may end in unused bits.
        cells = row.data[:-1] if self._sub_byte_bits else row.data
        if not cells:
            self.is_blank = False
            return
        if self._colour is None:
            self._colour = cells[: self._pixel_bytes]
            self.is_blank = self._is_one_colour(self._colour[0])
        count = len(cells) // len(self._colour)
        flat = flat_row(row.filter, self._colour, count, is_first=row.number == 0)
        self.is_blank = self.is_blank and cells == flat

    def _is_one_colour(self, byte: int) -> bool:
        """Return whether the pixels in one byte are equal; a larger pixel fills its bytes."""
        bits = self._sub_byte_bits
        return not bits or byte == (byte & (1 << bits) - 1) * (0xFF // ((1 << bits) - 1))
