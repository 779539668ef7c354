"""Reads the structure of a JPEG to its end (ITU T.81, annexes B, F and G).

The image data themselves are not decoded: that would take seconds without a decoder of its own. A
hole in them is therefore only found where the file has restart markers. Whether an image has one
colour can be seen without decoding: every block after the first repeats the same few bits.
"""

import re
import struct
from dataclasses import dataclass, field

from imagegen.domain.pixels import BrokenImageError, Picture

type Data = bytes | memoryview

# A marker begins at the last of its fill bytes: the time for a pattern that begins at the first
# would grow with the square of their number.
MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
RESTART = re.compile(rb"\xff[\xd0-\xd7]")
FILL = re.compile(rb"\xff{2,}")
EOI, SOS, DHT, DRI = 0xD9, 0xDA, 0xC4, 0xDD
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}
BASELINE, PROGRESSIVE = frozenset({0xC0, 0xC1}), 0xC2
ALONE = frozenset({0x01, 0xD8})
MOST_FIRST_BITS = 32
"""Of one block, its code and the bits of its value: more than any block of one colour takes."""
MOST_UNIT_BYTES = 48
"""Of a unit of one colour with ten blocks; nearly every photograph is above that of its scans."""
FEWEST_UNITS = 16
"""In smaller images, a few bits look like a repetition by chance."""


@dataclass(frozen=True, slots=True)
class Code:
    """A Huffman code."""

    bits: int
    length: int

    def then(self, other: "Code") -> "Code":
        """Return this code followed by another."""
        return Code(self.bits << other.length | other.bits, self.length + other.length)

    def times(self, count: int) -> int:
        """Return the bits of this code, repeated."""
        ones = (1 << self.length * count) - 1
        return self.bits * (ones // ((1 << self.length) - 1)) if count else 0


@dataclass(frozen=True, slots=True)
class Component:
    """A colour component: its blocks in a unit, across and down."""

    across: int
    down: int


@dataclass(slots=True)
class Frame:
    """What the segments before a scan contain."""

    marker: int = 0
    width: int = 0
    height: int = 0
    components: dict[int, Component] = field(default_factory=dict)
    zero_codes: dict[int, Code] = field(default_factory=dict)
    """The code of symbol 0, by the table's class and number: no difference, or no more values."""
    restart_units: int = 0
    scans: int = 0
    is_blank: bool = True


def read_jpeg(content: bytes) -> Picture:
    """Return the size of a JPEG, and whether all its blocks are equal.

    Raises:
        BrokenImageError: the structure is damaged, or its end is missing.
    """
    frame, at = Frame(), 2
    while True:
        found = MARKER.search(content, at)
        if found is None:
            raise BrokenImageError("the JPEG is damaged or cut off")
        marker, at = found[1][0], found.end()
        if marker == EOI:
            break
        if marker in ALONE:
            continue
        (length,) = struct.unpack_from(">H", content, at)
        segment, at = content[at + 2 : at + length], at + max(length, 2)
        if at > len(content):
            raise BrokenImageError("the JPEG is cut off")
        _read_segment(frame, marker, segment)
        if marker == SOS:
            at = _read_scan(frame, segment, content, at)
    if not frame.scans or not frame.width or not frame.height:
        raise BrokenImageError("the JPEG contains no image")
    return Picture(frame.width, frame.height, frame.is_blank)


def _read_segment(frame: Frame, marker: int, segment: bytes) -> None:
    if marker in FRAME_MARKERS and not frame.marker:
        frame.marker = marker
        frame.height, frame.width, count = struct.unpack_from(">HHB", segment, 1)
        for at in range(6, 6 + 3 * count, 3):
            frame.components[segment[at]] = Component(segment[at + 1] >> 4, segment[at + 1] & 15)
    elif marker == DHT:
        _read_tables(frame, segment)
    elif marker == DRI:
        (frame.restart_units,) = struct.unpack_from(">H", segment)


def _read_tables(frame: Frame, segment: bytes) -> None:
    """Remember the code of symbol 0 in each table (T.81, annex C)."""
    at = 0
    while at + 17 <= len(segment):
        name, counts = segment[at], segment[at + 1 : at + 17]
        at, code = at + 17, 0
        for length, count in enumerate(counts, start=1):
            place = segment[at : at + count].find(0)
            if place >= 0:
                frame.zero_codes[name] = Code(code + place, length)
            at, code = at + count, (code + count) << 1


def _read_scan(frame: Frame, segment: bytes, content: bytes, at: int) -> int:
    """Check a scan, and return where it ends.

    Raises:
        BrokenImageError: it has no end, no frame, or less restart markers than its units need.
    """
    end = MARKER.search(content, at)
    if end is None or not frame.components:
        raise BrokenImageError("the JPEG is cut off")
    scan = Scan(frame, segment)
    data, intervals = _unfilled(memoryview(content)[at : end.start()]), 1
    if frame.restart_units:
        intervals = -(-scan.units // frame.restart_units)
    parts: list[Data] = list(RESTART.split(data)) if intervals > 1 else [data]
    if len(parts) < intervals or not any(parts):
        raise BrokenImageError("parts of the JPEG are missing")
    frame.scans += 1
    frame.is_blank = frame.is_blank and len(parts) == intervals and scan.is_blank(parts)
    return end.start()


def _unfilled(data: memoryview) -> Data:
    """Return a scan without the fill bytes before its markers; few scans have any."""
    if FILL.search(data) is None and not (data and data[-1] == 0xFF):
        return data
    return FILL.sub(b"\xff", data).removesuffix(b"\xff")


class Scan:
    """One scan: which components it codes, in how many units."""

    def __init__(self, frame: Frame, segment: bytes) -> None:
        count = segment[0]
        self._frame = frame
        self._tables = [(segment[1 + 2 * n], segment[2 + 2 * n]) for n in range(count)]
        self._first_value, _, approximation = struct.unpack_from(">BBB", segment, 1 + 2 * count)
        self._is_refinement = approximation >> 4 > 0
        self._is_interleaved = count > 1
        self.units = self._units()

    def is_blank(self, parts: list[Data]) -> bool:
        """Return whether the parts between restart markers code blocks of one value.

        Nothing is known of tiny images, and of other processes than Huffman's baseline and
        progressive ones.
        """
        if self._frame.marker not in {*BASELINE, PROGRESSIVE} or self.units < FEWEST_UNITS:
            return False
        left = self.units
        if sum(map(len, parts)) > self.units * MOST_UNIT_BYTES:
            return False
        for part in parts:
            units = min(self._frame.restart_units or left, left)
            left -= units
            if not self._is_flat(bytes(part).replace(b"\xff\x00", b"\xff"), units):
                return False
        return True

    def _is_flat(self, bits: bytes, units: int) -> bool:
        if self._frame.marker == PROGRESSIVE and self._first_value:
            # Nothing but runs of empty blocks, of up to 32,767 each.
            return len(bits) <= 8 + 4 * -(-units // 32_767)
        unit = self._unit(bits)
        if unit is None:
            return False
        rest = unit.length * (units - 1)
        slack = 8 * len(bits) - rest - unit.length
        if not 0 <= slack < 8 + MOST_FIRST_BITS * self._blocks():
            return False
        value, repeated, mask = int.from_bytes(bits), unit.times(units - 1), (1 << rest) - 1
        return any(value >> padding & mask == repeated for padding in range(8))

    def _unit(self, bits: bytes) -> Code | None:
        """Return the bits of one unit that repeats the colour of the one before it."""
        if self._is_refinement:
            length = self._blocks()
            return Code(int.from_bytes(bits[:16]) >> max(0, 128 - length), length)
        unit = Code(0, 0)
        for name, tables in self._tables:
            dc, ac = (
                self._frame.zero_codes.get(tables >> 4),
                self._frame.zero_codes.get(0x10 | (tables & 15)),
            )
            if self._frame.marker == PROGRESSIVE:
                ac = Code(0, 0)
            if dc is None or ac is None:
                return None
            for _ in range(self._blocks_of(name)):
                unit = unit.then(dc).then(ac)
        return unit

    def _blocks(self) -> int:
        return sum(self._blocks_of(name) for name, _ in self._tables)

    def _blocks_of(self, name: int) -> int:
        component = self._frame.components.get(name, Component(1, 1))
        return component.across * component.down if self._is_interleaved else 1

    def _units(self) -> int:
        frame = self._frame
        across = max(one.across for one in frame.components.values()) or 1
        down = max(one.down for one in frame.components.values()) or 1
        if self._is_interleaved:
            return -(-frame.width // (8 * across)) * -(-frame.height // (8 * down))
        own = frame.components.get(self._tables[0][0], Component(1, 1))
        width, height = -(-frame.width * own.across // across), -(-frame.height * own.down // down)
        return -(-width // 8) * -(-height // 8)
