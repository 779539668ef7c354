"""The partitions of a lossy WebP's frame (RFC 6386, sections 7, 9.2 to 9.6 and 9.11).

A frame has one partition with the modes of all blocks, and one to eight with their values. The
length of each but the last stands in the file, so data that are cut before it are missed; the end
of the last one shows only when all pixels are decoded, which is not done.
"""

from imagegen.domain.pixels import BrokenImageError

HEAD_BYTES = 10
LENGTH_BYTES = 3
SEGMENTS, SEGMENT_TREE, DELTAS = 4, 3, 4


class Flags:
    """The bits at the beginning of a partition, each as probable as not (RFC 6386, section 7.3)."""

    def __init__(self, data: memoryview) -> None:
        # Bytes behind the end are zeros, as for every decoder.
        self._bits = int.from_bytes(bytes(data[:64]).ljust(64, b"\0"))
        self._left = 8 * 64 - 8
        self._range = 255

    def bit(self) -> int:
        """Return the next bit."""
        split = 1 + (self._range - 1 >> 1)
        value = (self._bits >> self._left) - split
        found = value >= 0
        self._range = self._range - split if found else split
        self._bits -= (split << self._left) if found else 0
        while self._range < 128:
            self._range, self._left = self._range << 1, self._left - 1
        return int(found)

    def number(self, bits: int) -> int:
        """Return a number of so many bits."""
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit()
        return value

    def skip_optional(self, count: int, bits: int) -> None:
        """Read numbers of which each is there only if the bit before it says so."""
        for _ in range(count):
            if self.bit():
                self.number(bits)


def check_partitions(data: memoryview, modes_bytes: int) -> None:
    """Raise if one of a frame's partitions is cut off, or the last one is empty.

    Raises:
        BrokenImageError: a part of the image is missing.
    """
    count = _count(Flags(data[HEAD_BYTES : HEAD_BYTES + modes_bytes]))
    table = HEAD_BYTES + modes_bytes
    at = table + LENGTH_BYTES * (count - 1)
    for number in range(count - 1):
        start = table + LENGTH_BYTES * number
        at += int.from_bytes(data[start : start + LENGTH_BYTES], "little")
    if at >= len(data):
        raise BrokenImageError("a part of the WebP is missing")


def _count(flags: Flags) -> int:
    """Return the number of partitions with values, which stands behind other fields."""
    flags.number(2)  # colour space, clamping
    if flags.bit():  # segments
        has_map, has_values = flags.bit(), flags.bit()
        if has_values:
            flags.bit()
            flags.skip_optional(SEGMENTS, 7 + 1)
            flags.skip_optional(SEGMENTS, 6 + 1)
        if has_map:
            flags.skip_optional(SEGMENT_TREE, 8)
    flags.number(1 + 6 + 3)  # the loop filter
    if flags.bit() and flags.bit():
        flags.skip_optional(2 * DELTAS, 6 + 1)
    return 1 << flags.number(2)
