"""The partitions of a lossy WebP's frame (RFC 6386, sections 7, 9.2 to 9.6 and 9.11).

A frame has one partition with the modes of all blocks, and one to eight with their values. The
length of each but the last stands in the file, so data that are cut before it are missed; the end
of the last one shows only when all values are read (``vp8_values``).
"""

from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.vp8_bits import Bits

HEAD_BYTES = 10
LENGTH_BYTES = 3
SEGMENTS, SEGMENT_TREE, DELTAS = 4, 3, 4


def check_partitions(data: memoryview, modes_bytes: int) -> None:
    """Raise if one of a frame's partitions is cut off, or the last one is empty.

    Raises:
        BrokenImageError: a part of the image is missing.
    """
    _, count = read_head(Bits(data[HEAD_BYTES : HEAD_BYTES + modes_bytes]))
    partitions_of(data, modes_bytes, count)


def partitions_of(data: memoryview, modes_bytes: int, count: int) -> list[memoryview]:
    """Return the partitions with values, of which there are ``count``.

    Raises:
        BrokenImageError: one of them is cut off, or the last one is empty.
    """
    table = HEAD_BYTES + modes_bytes
    at, found = table + LENGTH_BYTES * (count - 1), list[memoryview]()
    for start in range(table, at, LENGTH_BYTES):
        size = int.from_bytes(data[start : start + LENGTH_BYTES], "little")
        found.append(data[at : at + size])
        at += size
    if at >= len(data):
        raise BrokenImageError("a part of the WebP is missing")
    return [*found, data[at:]]


def read_head(bits: Bits) -> tuple[tuple[int, ...], int]:
    """Return how blocks name their segment, if they do, and the number of partitions with values.

    The first is the probabilities of a tree.
    """
    tree: tuple[int, ...] = ()
    bits.number(2)  # colour space, clamping
    if bits.bit():  # segments
        has_map, has_values = bits.bit(), bits.bit()
        if has_values:
            bits.bit()
            for size in SEGMENTS * (7 + 1,) + SEGMENTS * (6 + 1,):
                bits.optional(size)
        if has_map:
            tree = tuple(bits.optional(8, 255) for _ in range(SEGMENT_TREE))
    bits.number(1 + 6 + 3)  # the loop filter
    if bits.bit() and bits.bit():
        for _ in range(2 * DELTAS):
            bits.optional(6 + 1)
    return tree, 1 << bits.number(2)
