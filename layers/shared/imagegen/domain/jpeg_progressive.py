"""Counts the blocks in the scans of a progressive JPEG (ITU T.81, annex G).

A scan has some bits of some values of each block. How many bits a refinement takes depends on which
values the scans before it made other than zero, so these are remembered, one bit for each value.
"""

from imagegen.domain.jpeg_codes import CODE_BITS, Codes, Table, codes_of
from imagegen.domain.jpeg_scan import Scan

BAND = (1 << 64) - 1
LAST_RUN = 15
"""A run of zeros that no value ends; below it, a symbol without a value ends blocks."""


class ProgressiveBlocks:
    """Counts the blocks of one image, scan after scan."""

    def __init__(self, tables: dict[int, Table]) -> None:
        self._tables = tables
        self._not_zero: dict[int, list[int]] = {}

    def has_units(self, scan: Scan, part: bytes, these: range) -> bool:
        """Return whether a part of a scan, between restart markers, has all of these units.

        Where a table of codes is left to the decoder, they are not counted.
        """
        if not scan.first_value:
            return self._has_first_values(scan, part, len(these))
        if len(scan.names) > 1:
            return False  # Such a scan has one component (T.81, G.1.1.1.1); decoders refuse others.
        ((_, table),) = scan.tables_of_unit()
        if table not in self._tables:
            return True
        blocks = self._not_zero.setdefault(scan.names[0], [0] * scan.units)
        reader = Bits(part, codes_of(self._tables[table]))
        values = range(scan.first_value, scan.last_value + 1)
        has = _refines if scan.is_refinement else _has_values
        return has(reader, blocks, these, values)

    def _has_first_values(self, scan: Scan, data: bytes, units: int) -> bool:
        tables = [first for first, _ in scan.tables_of_unit()]
        if scan.is_refinement:
            return units * len(tables) <= 8 * len(data)
        if not all(one in self._tables for one in tables):
            return True
        reader, unit = Bits(data, []), [codes_of(self._tables[one]) for one in tables]
        for _ in range(units):
            for reader.codes in unit:
                size = reader.symbol()
                if size is None:
                    return False
                reader.at += size
        return not reader.is_over()


class Bits:
    """The coded data of a part, read code by code."""

    __slots__ = ("_data", "_end", "at", "codes")

    def __init__(self, data: bytes, codes: Codes) -> None:
        self._data, self._end = data + b"\xff" * 4, 8 * len(data)
        self.codes = codes
        self.at = 0

    def is_over(self) -> bool:
        """Return whether more bits were read than there are."""
        return self.at > self._end

    def symbol(self) -> int | None:
        """Read a code, and return its symbol; ``None`` if there is none."""
        at = self.at
        if at >= self._end:
            return None
        four = int.from_bytes(self._data[at >> 3 : (at >> 3) + 4])
        length, symbol = self.codes[four >> (CODE_BITS - (at & 7)) & 0xFFFF]
        self.at = at + length
        return symbol if length else None

    def number(self, count: int) -> int:
        """Read a number of so many bits, at most 15."""
        at = self.at
        self.at = at + count
        four = int.from_bytes(self._data[at >> 3 : (at >> 3) + 4].ljust(4, b"\xff"))
        return four >> (32 - count - (at & 7)) & (1 << count) - 1


def _has_values(reader: Bits, blocks: list[int], these: range, values: range) -> bool:
    """Return whether the first bits of these values are there, and remember which are not zero."""
    block = these.start
    while block < these.stop:
        at, found, ended = values.start, 0, 1
        while at < values.stop:
            symbol = reader.symbol()
            if symbol is None:
                return False
            zeros, size = symbol >> 4, symbol & 15
            if not size and zeros < LAST_RUN:
                ended = (1 << zeros) + reader.number(zeros)
                break
            found |= 1 << at + zeros if size else 0
            at += zeros + 1
            reader.at += size
        if at > values.stop:
            return False
        blocks[block] |= found & BAND
        # All blocks that end here have no more values, and take no bits.
        block += ended
    return not reader.is_over()


def _refines(reader: Bits, blocks: list[int], these: range, values: range) -> bool:
    """Return whether one more bit of these values is there, and the signs of those that are new.

    Each value that was not zero before takes a bit.
    """
    ended = 0
    for block in these:
        before, found, at = blocks[block], 0, values.start
        while not ended and at < values.stop:
            symbol = reader.symbol()
            if symbol is None:
                return False
            zeros, is_new = symbol >> 4, symbol & 15
            if not is_new and zeros < LAST_RUN:
                ended = (1 << zeros) + reader.number(zeros)
                break
            place = _zero_after(before, at, zeros, values.stop)
            if place == values.stop:
                return False
            reader.at += (1 if is_new else 0) + (before >> at & (1 << place - at) - 1).bit_count()
            found |= 1 << place if is_new else 0
            at = place + 1
        if ended:
            ended -= 1
            reader.at += (before >> at & (1 << max(0, values.stop - at)) - 1).bit_count()
        blocks[block] = (before | found) & BAND
    return not reader.is_over()


def _zero_after(not_zero: int, at: int, zeros: int, stop: int) -> int:
    """Return the place of the zero behind so many zeros, or ``stop``."""
    while at < stop:
        if not not_zero >> at & 1:
            if not zeros:
                return at
            zeros -= 1
        at += 1
    return stop
