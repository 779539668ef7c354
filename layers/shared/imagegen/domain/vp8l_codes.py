"""The bits of a lossless WebP and its prefix codes.

https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification, section 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from imagegen.domain.pixels import BrokenImageError

MOST_CODES = 2_000_000
"""Of one image, and entries of their tables: about a second of a whole core. What is behind them is
not read."""
READ_BYTES = 6
LENGTH_ORDER = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
REPEATS = {16: (2, 3), 17: (3, 3), 18: (7, 11)}
"""By code: the bits of how often the last length, or zero, is repeated, and the least."""
LOOKUP_BITS = 8
MOST_CODE_BITS = 15
LITERAL_LENGTHS = 16


class StoppedError(Exception):
    """There is more than is read."""


class Data:
    """The bits of the data, the lowest of each byte first."""

    def __init__(self, data: memoryview, at: int = 0) -> None:
        self.data, self.at, self.bits, self.have = bytes(data), at, 0, 0
        self.left = MOST_CODES

    def fill(self) -> None:
        """Take more bytes, zeros behind the end."""
        more = self.data[self.at : self.at + READ_BYTES]
        self.bits |= int.from_bytes(more, "little") << self.have
        self.at, self.have = self.at + READ_BYTES, self.have + 8 * READ_BYTES

    def number(self, bits: int) -> int:
        """Return a number of so many bits."""
        if self.have < bits:
            self.fill()
        value = self.bits & ((1 << bits) - 1)
        self.bits, self.have = self.bits >> bits, self.have - bits
        return value

    def spend(self, codes: int) -> None:
        """Count work.

        Raises:
            StoppedError: it is as much as is done for one image.
            BrokenImageError: more was read than there is.
        """
        self.left -= codes
        if 8 * self.at - self.have > 8 * len(self.data):
            raise BrokenImageError("a part of the WebP is missing")
        if self.left < 0:
            raise StoppedError


@dataclass(frozen=True, slots=True)
class Codes:
    """One prefix code: what the next bits mean."""

    lookup: Sequence[tuple[int, int]]
    """By the next ``bits`` bits: the length of the code and its symbol; 0 for a longer one."""
    bits: int
    longer: dict[tuple[int, int], int] = field(default_factory=dict)
    """By length and bits."""

    def read(self, data: Data) -> int:
        """Return the next symbol.

        Raises:
            BrokenImageError: no code begins so.
        """
        if data.have < MOST_CODE_BITS:
            data.fill()
        length, symbol = self.lookup[data.bits & ((1 << self.bits) - 1)]
        if not length and self.bits:
            length, symbol = self._longer(data.bits)
        data.bits, data.have = data.bits >> length, data.have - length
        return symbol

    def _longer(self, bits: int) -> tuple[int, int]:
        for length in range(self.bits + 1, MOST_CODE_BITS + 1):
            symbol = self.longer.get((length, bits & ((1 << length) - 1)))
            if symbol is not None:
                return length, symbol
        raise BrokenImageError("the codes of the WebP are damaged")


def codes_of(lengths: Sequence[int]) -> Codes:
    """Return the code of symbols with these lengths, 0 for symbols that are not used.

    Raises:
        BrokenImageError: the lengths are those of no code.
    """
    used = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
    if len(used) == 1:
        return Codes(((0, used[0][1]),), 0)
    if sum(1 << MOST_CODE_BITS - length for length, _ in used) != 1 << MOST_CODE_BITS:
        raise BrokenImageError("the codes of the WebP are damaged")
    bits = min(LOOKUP_BITS, used[-1][0])
    lookup, longer, code, before = [(0, 0)] * (1 << bits), {}, 0, used[0][0]
    for length, symbol in used:
        code, before = code << length - before, length
        reverse = int(f"{code:0{length}b}"[::-1], 2)
        if length > bits:
            longer[length, reverse] = symbol
        else:
            step = 1 << length
            lookup[reverse::step] = [(length, symbol)] * len(range(reverse, 1 << bits, step))
        code += 1
    return Codes(lookup, bits, longer)


def read_lengths(data: Data, symbols: int) -> list[int]:
    """Return the lengths of the codes of so many symbols (section 6.2.1)."""
    lengths = [0] * symbols
    if data.number(1):
        count, bits = 1 + data.number(1), 1 + 7 * data.number(1)
        for size in (bits, 8)[:count]:
            symbol = data.number(size)
            if symbol >= symbols:
                raise BrokenImageError("the codes of the WebP are damaged")
            lengths[symbol] = 1
        return lengths
    of_lengths = [0] * len(LENGTH_ORDER)
    for place in LENGTH_ORDER[: 4 + data.number(4)]:
        of_lengths[place] = data.number(3)
    codes, at, before = codes_of(of_lengths), 0, 8
    most = 2 + data.number(2 + 2 * data.number(3)) if data.number(1) else symbols
    while at < symbols and most:
        most -= 1
        length = codes.read(data)
        if length < LITERAL_LENGTHS:
            lengths[at], at, before = length, at + 1, length or before
            continue
        bits, least = REPEATS[length]
        count = least + data.number(bits)
        if at + count > symbols:
            raise BrokenImageError("the codes of the WebP are damaged")
        lengths[at : at + count] = [before if length == LITERAL_LENGTHS else 0] * count
        at += count
    return lengths
