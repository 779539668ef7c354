"""One scan of a JPEG: how much its blocks take, and whether they repeat (T.81, annexes F and G)."""

from dataclasses import dataclass, field

from imagegen.domain.holes import LEAST_RUN, runs

type Data = bytes | memoryview

BASELINE, PROGRESSIVE = frozenset({0xC0, 0xC1}), 0xC2
VALUES_OF_A_BLOCK, UNSEEN = 64, 255
MOST_FIRST_BITS = 32
"""Of one block, its code and the bits of its value: more than any block of one colour takes."""
LEAST_REFINED = 512
"""A run of zeros that is a hole in a refinement; regular patterns have up to 118."""
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

    def bytes_when_repeated(self) -> frozenset[int]:
        """Return the bytes of which a run may be this code, repeated at any place in a byte."""
        found = self.times(8).to_bytes(self.length)
        if len(set(found)) != 1:
            return frozenset()
        return frozenset((found[0] << at | found[0] >> (8 - at)) & 0xFF for at in range(8))


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
    least_bits: dict[int, int] = field(default_factory=dict)
    """The length of the shortest code of each table."""
    restart_units: int = 0
    bits_left: dict[int, bytearray] = field(default_factory=dict)
    """Of each value of a component: how many of its lower bits no scan had yet."""
    scans: int = 0
    is_blank: bool = True

    def has_all_scans(self) -> bool:
        """Return whether every bit of every component was in a scan.

        Only of Huffman's baseline and progressive processes is that known.
        """
        if self.marker not in {*BASELINE, PROGRESSIVE}:
            return True
        return all(not any(self.bits_left.get(name, b"\xff")) for name in self.components)


class Scan:
    """One scan: which components it codes, in how many units."""

    def __init__(self, frame: Frame, segment: bytes) -> None:
        count = segment[0]
        self._frame = frame
        self._tables = [(segment[1 + 2 * n], segment[2 + 2 * n]) for n in range(count)]
        at = 1 + 2 * count
        self.first_value, self.last_value, bits = segment[at], segment[at + 1], segment[at + 2]
        self.bits_before, self.bits_left = bits >> 4, bits & 15
        self._is_interleaved = count > 1
        self.units = self._units()

    @property
    def names(self) -> list[int]:
        """The components of the scan."""
        return [name for name, _ in self._tables]

    @property
    def is_refinement(self) -> bool:
        """Whether it adds a bit to values of an earlier scan."""
        return self.bits_before > 0

    def follows(self) -> bool:
        """Return whether the scans before it are there, and count what it adds."""
        is_progressive = self._frame.marker == PROGRESSIVE
        values = slice(self.first_value, self.last_value + 1) if is_progressive else slice(None)
        for name in self.names:
            left = self._frame.bits_left.setdefault(name, bytearray([UNSEEN] * VALUES_OF_A_BLOCK))
            before = left[values]
            is_late = self.is_refinement and max(before, default=0) > self.bits_before
            if is_progressive and is_late:
                return False
            left[values] = bytes([self.bits_left * is_progressive]) * len(before)
        return True

    def tables_of_unit(self) -> list[tuple[int, int]]:
        """Return the tables of each block of a unit: of its first value, and of the others."""
        return [
            (one >> 4, 0x10 | (one & 15))
            for name, one in self._tables
            for _ in range(self._blocks_of(name))
        ]

    def least_bits(self) -> int:
        """Return how many bits the blocks take at least: the shortest code of each table."""
        marker, tables = self._frame.marker, self._frame.least_bits
        if marker not in {*BASELINE, PROGRESSIVE} or self.is_refinement or self.first_value:
            return 0
        with_rest = marker != PROGRESSIVE
        return self.units * sum(
            self._blocks_of(name)
            * (tables.get(one >> 4, 0) + with_rest * tables.get(0x10 | (one & 15), 0))
            for name, one in self._tables
        )

    def has_hole(self, data: bytes) -> bool:
        """Return whether a part of the data was overwritten with one byte.

        Scans of progressive images may repeat in regular patterns; of those of single values, only
        zeros in scans that are not tiny are holes, and in refinements only many of them.
        """
        marker, is_refinement = self._frame.marker, self.is_refinement
        if marker not in {*BASELINE, PROGRESSIVE} or (is_refinement and not self.first_value):
            return False
        if marker == PROGRESSIVE and self.first_value:
            is_tiny = len(data) * 4 < self.units
            least = LEAST_REFINED if is_refinement else LEAST_RUN
            return not is_tiny and any(byte == 0 and size >= least for byte, size in runs(data))
        flat: frozenset[int] | None = None
        for byte, size in runs(data):
            if flat is None:
                unit = self._unit(data)
                flat = unit.bytes_when_repeated() if unit else frozenset(range(256))
            if byte not in flat and size >= LEAST_RUN:
                return True
        return False

    def is_blank(self, parts: list[Data]) -> bool:
        """Return whether the parts between restart markers code blocks of one value.

        Nothing is known of tiny images, and of other processes than Huffman's baseline and
        progressive ones.
        """
        if self._frame.marker not in {*BASELINE, PROGRESSIVE} or self.units < FEWEST_UNITS:
            return False
        if sum(map(len, parts)) > self.units * MOST_UNIT_BYTES:
            return False
        # Each part begins anew: in one colour, all but the last one are the same bytes.
        first, last = parts[0], parts[-1]
        if any(part != first for part in parts[1:-1]):
            return False
        units = min(self._frame.restart_units or self.units, self.units)
        rest = self.units - units * (len(parts) - 1)
        return self._is_flat(last, rest) and (len(parts) == 1 or self._is_flat(first, units))

    def _is_flat(self, data: Data, units: int) -> bool:
        bits = bytes(data).replace(b"\xff\x00", b"\xff")
        if self._frame.marker == PROGRESSIVE and self.first_value:
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
        if self.is_refinement:
            length = self._blocks()
            return Code(int.from_bytes(bits[:16].ljust(16, b"\0")) >> max(0, 128 - length), length)
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
