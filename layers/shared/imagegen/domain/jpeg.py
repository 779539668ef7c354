"""Reads the structure of a JPEG to its end (ITU T.81, annexes B, F and G).

The image data themselves are not decoded here (``jpeg_blocks`` counts them where that is worth its
time). A hole in them is found by its filling (``holes``), by markers that cannot be there, or if
there are fewer bits than the blocks need; a part that was cut out without a trace is found only
where the file has restart markers. A scan that is missing is found by the bits of the values that
no scan has: encoders send all of them. Whether an image has one colour can be seen without
decoding: every block after the first repeats the same few bits.
"""

import re
import struct

from imagegen.domain.jpeg_codes import tables_in
from imagegen.domain.jpeg_scan import Code, Component, Data, Frame, Scan
from imagegen.domain.jpeg_segments import DHT, EOI, FRAME_MARKERS, MARKER, SOS, STANDALONE
from imagegen.domain.pixels import BrokenImageError, Picture

RESTART = re.compile(rb"\xff[\xd0-\xd7]")
FILL = re.compile(rb"\xff{2,}")
DRI = 0xDD
RESERVED = frozenset(range(0x02, 0xC0))
"""Markers that no file has (T.81, table B.1): bytes of something else."""
MOST_FILL_BYTES = 64
"""Of 0xFF before a marker. Encoders write none."""
SAMPLING = range(1, 5)
"""The blocks of a component in a unit, in each direction (T.81, B.2.2)."""


def read_jpeg(content: bytes, *, finds_blank: bool = True) -> Picture:
    """Return the size of a JPEG, and whether all its blocks are equal.

    Without ``finds_blank`` they are not compared: a file with many restart markers takes seconds.

    Raises:
        BrokenImageError: the structure is damaged, or its end is missing.
    """
    frame, at = Frame(is_blank=finds_blank), 2
    while True:
        found = MARKER.search(content, at)
        if found is None:
            raise BrokenImageError("the JPEG is damaged or cut off")
        before, marker, at = content[at : found.start()], found[1][0], found.end()
        if marker in RESERVED or _fill_bytes(before) > MOST_FILL_BYTES:
            raise BrokenImageError("the JPEG is damaged")
        if marker == EOI:
            break
        if marker in STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", content, at)
        segment, at = content[at + 2 : at + length], at + max(length, 2)
        if at > len(content):
            raise BrokenImageError("the JPEG is cut off")
        read_segment(frame, marker, segment)
        if marker == SOS:
            at = _read_scan(frame, segment, content, at)
    if not frame.scans or not frame.width or not frame.height:
        raise BrokenImageError("the JPEG contains no image")
    if not frame.has_all_scans():
        raise BrokenImageError("a scan of the JPEG is missing")
    return Picture(frame.width, frame.height, frame.is_blank)


def read_segment(frame: Frame, marker: int, segment: bytes) -> None:
    """Remember what a segment says about the scans behind it.

    Raises:
        BrokenImageError: it contains what no decoder reads.
    """
    if marker in FRAME_MARKERS and not frame.marker:
        frame.marker = marker
        frame.height, frame.width, count = struct.unpack_from(">HHB", segment, 1)
        for at in range(6, 6 + 3 * count, 3):
            across, down = divmod(segment[at + 1], 16)
            if across not in SAMPLING or down not in SAMPLING:
                raise BrokenImageError("the size of the JPEG's blocks is damaged")
            frame.components[segment[at]] = Component(across, down)
    elif marker == DHT:
        _read_tables(frame, segment)
    elif marker == DRI:
        (frame.restart_units,) = struct.unpack_from(">H", segment)


def _read_tables(frame: Frame, segment: bytes) -> None:
    """Remember the code of symbol 0 in each table (T.81, annex C)."""
    for name, (counts, symbols) in tables_in(segment):
        at = code = 0
        frame.least_bits[name] = next((n for n, one in enumerate(counts, 1) if one), 0)
        for length, count in enumerate(counts, start=1):
            place = symbols[at : at + count].find(0)
            if place >= 0:
                frame.zero_codes[name] = Code(code + place, length)
            at, code = at + count, code + count
            if code > 1 << length:
                raise BrokenImageError("the codes of the JPEG are damaged")
            code <<= 1


def _read_scan(frame: Frame, segment: bytes, content: bytes, at: int) -> int:
    """Check a scan, and return where it ends.

    Raises:
        BrokenImageError: it has no end, no frame, or less restart markers than its units need.
    """
    end = MARKER.search(content, at)
    if end is None or not frame.components:
        raise BrokenImageError("the JPEG is cut off")
    scan = Scan(frame, segment)
    coded, intervals = content[at : end.start()], 1
    data = _unfilled(coded)
    if frame.restart_units:
        intervals = -(-scan.units // frame.restart_units)
    parts: list[Data] = list(RESTART.split(data)) if intervals > 1 else [data]
    if len(parts) < intervals or not any(parts):
        raise BrokenImageError("parts of the JPEG are missing")
    is_short = scan.least_bits() > 8 * len(data) or _fill_bytes(coded) > MOST_FILL_BYTES
    if is_short or scan.has_hole(coded):
        raise BrokenImageError("a part of the JPEG is missing or overwritten")
    if not scan.follows():
        raise BrokenImageError("a scan of the JPEG is missing")
    frame.scans += 1
    frame.is_blank = frame.is_blank and len(parts) == intervals and scan.is_blank(parts)
    return end.start()


def _fill_bytes(before: bytes) -> int:
    return len(before) - len(before.rstrip(b"\xff"))


def _unfilled(coded: bytes) -> Data:
    """Return a scan without the fill bytes before its markers; few scans have any."""
    if FILL.search(coded) is None and not coded.endswith(b"\xff"):
        return memoryview(coded)
    return FILL.sub(b"\xff", coded).removesuffix(b"\xff")
