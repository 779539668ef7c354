"""Reads the values in the frame of a lossy WebP to their end (RFC 6386, sections 8 to 13).

Only what is needed to find that end is decoded: the modes of the blocks, and which of their values
are zero. No pixel is made. A decoder takes zeros for bytes that are missing, so data that are cut
off show only here: a partition is used up before all of its blocks are read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from imagegen.domain import vp8_tables as tables
from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.vp8 import HEAD_BYTES, partitions_of, read_head
from imagegen.domain.vp8_bits import EVEN, LEFT_SHIFTS, Bits, Tree

MOST_BYTES = 200_000
"""Of a frame: about a second of a whole core. Larger ones are not read."""
MOST_VALUES = 2_000_000
"""Of a frame, which may have many values in few bytes. What is behind them is not read."""
BLOCKS, LUMA_BLOCKS = 25, 16
SEPARATE, MEANS, COLOUR, WHOLE = 0, 1, 2, 3
"""The types of blocks: luma whose mean is apart, these means, colour, and luma with its mean."""
BAND_OF = (0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0)
LARGE: tuple[tuple[int, ...], ...] = (
    (173, 148, 140),
    (176, 155, 140, 135),
    (180, 157, 141, 134, 130),
    (254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129),
)
"""The probabilities of the bits behind each of the four largest kinds of values."""
MODE_TREE: Tree = ((~0, 1), (~1, 2), (~2, 3), (4, 6), (~3, 5), (~4, ~5), (~6, 7), (~7, 8), (~8, ~9))
SEGMENT_IDS: Tree = ((1, 2), (~0, ~1), (~2, ~3))
LUMA_MODES: Tree = ((~4, 1), (2, 3), (~0, ~1), (~2, ~3))
"""Mean, up, left, gradient; and 4 for a mode of each block."""
COLOUR_MODES: Tree = ((~0, 1), (~1, 2), (~2, ~3))
LUMA_PROBABILITIES, COLOUR_PROBABILITIES = (145, 156, 163, 128), (142, 114, 183)
BLOCKS_OF_MODE = (0, 2, 3, 1)
"""The mode that a block has for its neighbours if its macroblock has one mode for all."""
OWN_MODES = 4


@dataclass(slots=True)
class Frame:
    """The fields before the blocks (RFC 6386, section 9.2 to 9.11)."""

    segment_tree: tuple[int, ...] = ()
    """The probabilities of a block's segment, if blocks name theirs."""
    partitions: int = 1
    values: bytearray = field(default_factory=lambda: bytearray(tables.VALUES))
    empty: int | None = None
    """The probability that a macroblock says that it has values, if they say so."""


def read_frame(bits: Bits) -> Frame:
    """Return the fields before the blocks."""
    frame = Frame(*read_head(bits))
    bits.number(7)
    for _ in range(5):
        bits.optional(4 + 1)  # the steps of values
    bits.number(1)
    for at, probability in enumerate(tables.CHANGES):
        if bits.bit(probability):
            frame.values[at] = bits.number(8)
    frame.empty = bits.number(8) if bits.number(1) else None
    return frame


def check_values(data: memoryview) -> None:
    """Raise if a partition of a key frame ends before its last block, as far as it is read.

    Raises:
        BrokenImageError: a part of the image is missing.
    """
    if len(data) > MOST_BYTES:
        return
    modes_bytes = int.from_bytes(data[:3], "little") >> 5
    modes = Bits(data[HEAD_BYTES : HEAD_BYTES + modes_bytes])
    frame = read_frame(modes)
    parts = [Bits(part) for part in partitions_of(data, modes_bytes, frame.partitions)]
    width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    across, down = -(-width // 16), -(-height // 16)
    row, left = Row(across, frame), MOST_VALUES
    for number in range(down):
        values = parts[number % len(parts)]
        left -= row.read(modes, values)
        if modes.is_over or values.is_over:
            raise BrokenImageError("a part of the WebP is missing")
        if left < 0:
            return


class Row:
    """Reads one row of macroblocks after the other; what is above is kept."""

    def __init__(self, across: int, frame: Frame) -> None:
        self.across, self.frame = across, frame
        self.modes = [0] * 4 * across
        self.above = [[0] * 9 for _ in range(across)]
        bands, each = tables.BANDS * tables.CONTEXTS, tables.PROBABILITIES
        found = [frame.values[at : at + each] for at in range(0, len(frame.values), each)]
        self.values = [
            [found[kind * bands + band * tables.CONTEXTS :][: tables.CONTEXTS] for band in BAND_OF]
            for kind in range(tables.TYPES)
        ]
        """By type and place of a value: the probabilities, by the size of the value before it."""

    def read(self, modes: Bits, values: Bits) -> int:
        """Return how many values were read."""
        beside_modes, beside, done = [0] * 4, [0] * 9, 0
        for column in range(self.across):
            if self.frame.segment_tree:
                modes.leaf(SEGMENT_IDS, self.frame.segment_tree)
            is_empty = self.frame.empty is not None and modes.bit(self.frame.empty)
            mode = modes.leaf(LUMA_MODES, LUMA_PROBABILITIES)
            self._read_modes(modes, mode, column, beside_modes)
            modes.leaf(COLOUR_MODES, COLOUR_PROBABILITIES)
            above = self.above[column]
            if is_empty:
                kept = slice(0, 8 if mode == OWN_MODES else 9)
                above[kept] = beside[kept] = [0] * kept.stop
                done += BLOCKS  # Each of them may have a mode to read.
            else:
                done += self._read_values(values, mode, above, beside)
        return done

    def _read_modes(self, bits: Bits, mode: int, column: int, beside: list[int]) -> None:
        above = self.modes
        if mode != OWN_MODES:
            mode = BLOCKS_OF_MODE[mode]
            above[4 * column : 4 * column + 4] = beside[:] = [mode] * 4
            return
        each, row = tables.MODE_PROBABILITIES, tables.MODES * tables.MODE_PROBABILITIES
        for y in range(4):
            for x in range(4 * column, 4 * column + 4):
                at = above[x] * row + beside[y] * each
                probabilities = tables.BLOCK_MODES[at : at + each]
                above[x] = beside[y] = bits.leaf(MODE_TREE, probabilities)

    def _read_values(self, bits: Bits, mode: int, above: list[int], beside: list[int]) -> int:
        done, first, luma = BLOCKS, 0, self.values[WHOLE]
        if mode != OWN_MODES:
            end = read_block(bits, self.values[MEANS], 0, above[8] + beside[8])
            above[8] = beside[8] = int(end > 0)
            done, first, luma = done + end, 1, self.values[SEPARATE]
        for y in range(4):
            for x in range(4):
                end = read_block(bits, luma, first, above[x] + beside[y])
                above[x] = beside[y] = int(end > first)
                done += end
        for plane in (4, 6):
            for y in (plane, plane + 1):
                for x in (plane, plane + 1):
                    end = read_block(bits, self.values[COLOUR], 0, above[x] + beside[y])
                    above[x] = beside[y] = int(end > 0)
                    done += end
        return done


def read_block(bits: Bits, values: list[list[bytearray]], place: int, before: int) -> int:
    """Return where the values of a block end, of at most 16 (RFC 6386, section 13).

    The steps of ``Bits.bit`` are written out: nearly all of the time is spent here.
    """
    value, size, left, node = bits.value, bits.size, bits.left, 0
    probabilities = values[place][before]
    while place < LUMA_BLOCKS:
        if left < 0:
            value, left = bits.more(value, left)
        split = 1 + ((size - 1) * probabilities[node] >> 8)
        line = split << left
        if is_set := value >= line:
            value, split = value - line, size - split
        left -= (shift := LEFT_SHIFTS[split])
        size = split << shift
        if is_set and node < 2:
            node += 1  # Another value; it is not zero.
        elif node == 0:
            break  # No more values.
        elif node == 1:
            place += 1
            probabilities = values[place][0]
        else:
            bits.value, bits.size, bits.left = value, size, left
            if is_set:
                _read_large(bits.bit, probabilities)
            bits.bit(EVEN)  # the sign
            value, size, left, node, place = bits.value, bits.size, bits.left, 0, place + 1
            probabilities = values[place][1 + is_set]
    bits.value, bits.size, bits.left = value, size, left
    return place


def _read_large(bit: Callable[[int], int], probabilities: bytearray) -> None:
    """Read what is above 1 of a value."""
    if not bit(probabilities[3]):
        if bit(probabilities[4]):
            bit(probabilities[5])
    elif not bit(probabilities[6]):
        if not bit(probabilities[7]):
            bit(159)
        else:
            bit(165)
            bit(145)
    else:
        high = bit(probabilities[8])
        low = bit(probabilities[9 + high])
        for probability in LARGE[2 * high + low]:
            bit(probability)
