"""EXIF data as cameras and attackers write them."""

import struct

type Entry = tuple[int, int, int, bytes]
"""Tag, type, count, and four bytes of value or offset."""


def tiff(entries: list[Entry], *, order: str = ">", at: int = 8, count: int | None = None) -> bytes:
    """Return TIFF data with one directory; ``count`` is how many entries it claims."""
    head = (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HI", 42, at)
    packed = b"".join(
        struct.pack(f"{order}HHI", tag, kind, values) + value
        for tag, kind, values, value in entries
    )
    directory = struct.pack(f"{order}H", len(entries) if count is None else count) + packed
    return head.ljust(at, b"\0") + directory + bytes(4)


def short(value: int, order: str = ">") -> bytes:
    """Return a SHORT in the four bytes of an entry."""
    return struct.pack(f"{order}HH", value, 0)


def turned(value: int, order: str = ">") -> bytes:
    """Return EXIF data with a description, an orientation, and a place: north."""
    entries = [
        (0x010E, 2, 4, b"me!\0"),
        (0x0112, 3, 1, short(value, order)),
        (0x8825, 4, 1, struct.pack(f"{order}I", 50)),
    ]
    place = tiff([(0x0001, 2, 2, b"N\0\0\0")], order=order)[8:]
    return b"Exif\0\0" + tiff(entries, order=order) + place
