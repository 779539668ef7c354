"""Counts the blocks in the coded data of a JPEG (ITU T.81, annexes C, F and G).

A file that was cut and got a new end, or of which a part was cut out, has a whole structure: only
the number of its blocks shows what is missing. The Huffman codes are read for that, and the values
behind them are passed over. It takes about 0.1 s of a whole core for 200 kB, so it is for images
that are paid for, and for none that a user sends.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from imagegen.domain.jpeg import RESTART, read_segment
from imagegen.domain.jpeg_codes import CODE_BITS, Table, codes_of, tables_in
from imagegen.domain.jpeg_progressive import ProgressiveBlocks
from imagegen.domain.jpeg_scan import (
    BASELINE,
    PROGRESSIVE,
    VALUES_OF_A_BLOCK,
    Frame,
    Scan,
)
from imagegen.domain.jpeg_segments import DHT, SOS, segments_of
from imagegen.domain.pixels import BrokenImageError

MOST_CODES = 6_000_000
"""The most codes that are read of one image, which takes about a second. How many an image has is
estimated as if each were as short as its shortest code. A photograph of 1.5 MB has fewer; scans
beyond that are not counted."""
MOST_BLOCKS = 400_000
"""Of a scan: 4096x4096 pixels in colours of half the size. Larger images are not counted."""
READ_BYTES = 8
LEAST_BITS = 32
"""One code and its value have up to 31 bits."""

type Lookup = list[tuple[int, int]]
"""By the next 16 bits: the bits of the code and its value, and how many values of the block they
are; two zeros where no code begins so."""


def check_blocks(content: bytes) -> None:
    """Raise if the data of a JPEG have fewer blocks than its size needs, or are no blocks.

    Arithmetic images are not counted, and neither are those whose codes are left to the decoder,
    and very large ones.

    Raises:
        BrokenImageError: a part of the image is missing.
    """
    frame, counter = Frame(), Counter()
    for segment in segments_of(content):
        data = bytes(segment.data)
        read_segment(frame, segment.marker, data)
        if segment.marker == DHT:
            counter.tables.update(tables_in(data))
        if segment.marker == SOS and frame.marker in {*BASELINE, PROGRESSIVE}:
            coded = content[segment.start + 4 + len(data) : segment.end]
            if not counter.has_blocks(frame, Scan(frame, data), coded):
                raise BrokenImageError("a part of the JPEG is missing")


@dataclass(slots=True)
class Counter:
    """Counts the blocks of an image's scans, as long as its codes may be read."""

    tables: dict[int, Table] = field(default_factory=dict)
    left: int = MOST_CODES
    progressive: ProgressiveBlocks = field(init=False)

    def __post_init__(self) -> None:
        self.progressive = ProgressiveBlocks(self.tables)

    def has_blocks(self, frame: Frame, scan: Scan, coded: bytes) -> bool:
        """Return whether a scan has all of its blocks, or is not counted."""
        names, is_progressive = scan.tables_of_unit(), frame.marker == PROGRESSIVE
        shortest = min([n for n in frame.least_bits.values() if n], default=1)
        # A block of a progressive image may take no code of its own.
        self.left -= 8 * len(coded) // shortest + is_progressive * scan.units
        if self.left < 0 or scan.units * len(names) > MOST_BLOCKS:
            self.left = 0
            return True
        parts = _parts(scan, coded, frame.restart_units)
        if is_progressive:
            return all(self.progressive.has_units(scan, part, these) for part, these in parts)
        if not all(one in self.tables for pair in names for one in pair):
            return True
        unit = [
            (_lookup(self.tables[dc], is_first=True), _lookup(self.tables[ac], is_first=False))
            for dc, ac in names
        ]
        return all(_has_units(part, unit, len(these)) for part, these in parts)


def _parts(scan: Scan, coded: bytes, restart_units: int) -> Iterator[tuple[bytes, range]]:
    """Yield the bits of each part between restart markers, and the numbers of its units."""
    step = restart_units or scan.units
    for number, part in enumerate(RESTART.split(coded) if restart_units else [coded]):
        first = min(number * step, scan.units)
        yield part.replace(b"\xff\x00", b"\xff"), range(first, min(first + step, scan.units))


def _has_units(part: bytes, unit: list[tuple[Lookup, Lookup]], units: int) -> bool:
    """Return whether the data have this number of units, each with these blocks."""
    end, data = 8 * len(part), part + b"\xff" * 2 * READ_BYTES
    bits = have = at = 0
    for _ in range(units):
        for first, others in unit:
            value, lookup = 0, first
            while value < VALUES_OF_A_BLOCK:
                if have < LEAST_BITS:
                    more = int.from_bytes(data[at : at + READ_BYTES])
                    bits = (bits & ((1 << have) - 1)) << 8 * READ_BYTES | more
                    at, have = at + READ_BYTES, have + 8 * READ_BYTES
                used, values = lookup[bits >> (have - CODE_BITS) & 0xFFFF]
                if not used:
                    return False
                have, value, lookup = have - used, value + values, others
        if 8 * at - have > end:
            return False
    return True


@lru_cache(maxsize=8)
def _lookup(table: Table, *, is_first: bool) -> Lookup:
    """Return the codes of one table, of first values or of all others of a block."""
    lookup: Lookup = []
    for length, symbol in codes_of(table):
        zeros, size = symbol >> 4, symbol & 15
        ends = not size and zeros < 15
        values = 1 if is_first else VALUES_OF_A_BLOCK if ends else zeros + 1
        lookup.append((length + size, values) if length else (0, 0))
    return lookup
