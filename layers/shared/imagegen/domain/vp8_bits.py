"""The bits of one partition of a lossy WebP, with their probabilities (RFC 6386, section 7.3)."""

from collections.abc import Sequence

READ_BYTES = 2
"""At once: numbers below 2**30 are the fastest."""
EVEN = 128
"""The probability of a bit that is as probable as not, in 256."""
LEFT_SHIFTS = tuple(8 - size.bit_length() for size in range(256))

type Tree = tuple[tuple[int, int], ...]
"""By the place of a node: what follows on each bit; a leaf is the complement of its value."""


class Bits:
    """The bits that are left."""

    def __init__(self, data: memoryview) -> None:
        self.data = bytes(data)
        self.value, self.size, self.left, self.at = 0, 255, -8, 0

    def bit(self, probability: int = EVEN) -> int:
        """Return the next bit, which is 0 with a probability in 256."""
        if self.left < 0:
            self.value, self.left = self.more(self.value, self.left)
        split = 1 + ((self.size - 1) * probability >> 8)
        line = split << self.left
        found = self.value >= line
        if found:
            self.value -= line
            split = self.size - split
        shift = LEFT_SHIFTS[split]
        self.size, self.left = split << shift, self.left - shift
        return int(found)

    def more(self, value: int, left: int) -> tuple[int, int]:
        """Return the value with more bytes, zeros behind the end, and how many bits are left."""
        part = self.data[self.at : self.at + READ_BYTES].ljust(READ_BYTES, b"\0")
        self.at += READ_BYTES
        return value << 8 * READ_BYTES | int.from_bytes(part), left + 8 * READ_BYTES

    def number(self, bits: int) -> int:
        """Return a number of so many bits, each as probable as not."""
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit()
        return value

    def optional(self, bits: int, absent: int = 0) -> int:
        """Return a number that is there only if the bit before it says so."""
        return self.number(bits) if self.bit() else absent

    def leaf(self, tree: Tree, probabilities: Sequence[int]) -> int:
        """Return the value of the leaf to which the bits lead."""
        place = 0
        while place >= 0:
            place = tree[place][self.bit(probabilities[place])]
        return ~place

    @property
    def is_over(self) -> bool:
        """Whether more was read than there is."""
        return 8 * self.at - self.left - 8 > 8 * len(self.data)
