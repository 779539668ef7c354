"""The Huffman codes of a JPEG, as a table by the next 16 bits (ITU T.81, annex C)."""

from functools import lru_cache

from imagegen.domain.pixels import BrokenImageError

CODE_BITS = 16

type Table = tuple[bytes, bytes]
"""How many codes have 1 to 16 bits, and their symbols."""
type Codes = list[tuple[int, int]]
"""By the next 16 bits: the bits of the code, 0 where none begins so, and its symbol."""


def tables_in(segment: bytes) -> list[tuple[int, Table]]:
    """Return each table of a segment, after its class and number."""
    at, found = 0, list[tuple[int, Table]]()
    while at + 1 + CODE_BITS <= len(segment):
        name, counts = segment[at], segment[at + 1 : at + 1 + CODE_BITS]
        at += 1 + CODE_BITS
        symbols = segment[at : at + sum(counts)]
        found.append((name, (counts, symbols)))
        at += len(symbols)
    return found


@lru_cache(maxsize=8)
def codes_of(table: Table) -> Codes:
    """Return the codes of a table.

    Raises:
        BrokenImageError: there are more of them than 16 bits allow.
    """
    counts, symbols = table
    left, codes = iter(symbols), list[tuple[int, int]]()
    for length, count in enumerate(counts, start=1):
        for _, symbol in zip(range(count), left, strict=False):
            codes += [(length, symbol)] * (1 << CODE_BITS - length)
            if len(codes) > 1 << CODE_BITS:
                raise BrokenImageError("the codes of the JPEG are damaged")
    return codes + [(0, 0)] * ((1 << CODE_BITS) - len(codes))
