"""Walks over the segments of a JPEG (ITU T.81, annex B) without reading what is in them.

Whatever looks like a segment inside another one, or in the coded data of a scan, is not yielded.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imagegen.domain.pixels import BrokenImageError

# A marker begins at the last of its fill bytes: the time for a pattern that begins at the first
# would grow with the square of their number.
MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
EOI, SOS, DHT = 0xD9, 0xDA, 0xC4
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}
APP0, APP1, APP2, APP11, APP14, APP15, COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xEE, 0xEF, 0xFE
STANDALONE = frozenset({0x01, 0xD8})
"""Markers without a segment: TEM, and SOI where no image begins."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its marker, its data, and where it lies in the file.

    The segment of a scan (SOS) ends where its coded data end; ``data`` are its parameters alone.
    """

    marker: int
    data: memoryview
    start: int
    end: int


def segments_of(content: bytes) -> Iterator[Segment]:
    """Yield each segment before the end of the image (EOI); bytes behind it are ignored.

    Raises:
        BrokenImageError: the end of a segment, or of the image, is missing.
    """
    view, at = memoryview(content), 2
    while True:
        found = _next_marker(content, at)
        marker, at = found[1][0], found.end()
        if marker == EOI:
            return
        if marker in STANDALONE:
            continue
        data_start = at + 2
        length = int.from_bytes(view[at:data_start])
        at += length
        if length < 2 or at > len(content):
            raise BrokenImageError("a segment of the JPEG is damaged or cut off")
        end = _next_marker(content, at).start() if marker == SOS else at
        yield Segment(marker, view[data_start:at], found.start(), end)
        at = end


def has_segment(content: bytes, marker: int, is_it: Callable[[memoryview], bool]) -> bool:
    """Return whether there is a segment with this marker and such data; it ends at the first one.

    Raises:
        BrokenImageError: the end of a segment before it, or of the image, is missing.
    """
    return any(one.marker == marker and is_it(one.data) for one in segments_of(content))


def _next_marker(content: bytes, at: int) -> re.Match[bytes]:
    found = MARKER.search(content, at)
    if found is None:
        raise BrokenImageError("the JPEG is cut off")
    return found


def packed_segment(marker: int, data: bytes) -> bytes:
    """Return a segment as it stands in a file; ``data`` has at most 65,533 bytes."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
