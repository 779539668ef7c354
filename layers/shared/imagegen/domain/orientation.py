"""How an image is turned before it is shown: its EXIF orientation, and the size that results.

Providers measure an input after that turn (OpenAI documents it for masks and markup), so a price
from the stored size would be that of another image.

- The tag: Exif 3.0 (CIPA DC-008), 4.6.5.1, 0x0112; values 5 to 8 exchange width and height.
- JPEG: the first APP1 segment before the first scan that begins with ``Exif``.
- PNG: the chunk eXIf (https://www.w3.org/TR/png-3/#eXIf).
- WebP: the chunk EXIF, if the flag in VP8X announces it, because libwebp drops it otherwise
  (https://developers.google.com/speed/webp/docs/riff_container).

XMP has an orientation as well (``tiff:Orientation``); browsers ignore it, and so does this module.
"""

import struct

from imagegen.domain.jpeg_segments import APP1, SOS, segments_of
from imagegen.domain.pixels import BrokenImageError, MediaType, measure, media_type_of
from imagegen.domain.png_chunks import chunks_of
from imagegen.domain.webp import riff_chunks

UPRIGHT = 1
SIDEWAYS = frozenset({5, 6, 7, 8})
EXIF_HEADER = b"Exif\0"
EXIF_HEADER_BYTES = 6
ORIENTATION_TAG = 0x0112
SHORT = 3
"""The type of the tag. Browsers ignore an orientation of another type, or of several values."""
ENTRY_BYTES = 12
WEBP_EXIF_FLAG = 0x08
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def seen_size(content: bytes) -> tuple[int, int]:
    """Return width and height in pixels of a PNG, JPEG or WebP after its orientation.

    Raises:
        BrokenImageError: the bytes are not a complete image of one of these formats.
    """
    measured = measure(content)
    return turned(measured.width, measured.height, read_orientation(content))


def turned(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Return the size after a turn."""
    return (height, width) if orientation in SIDEWAYS else (width, height)


def read_orientation(content: bytes) -> int:
    """Return the EXIF orientation of an image, 1 to 8.

    It is 1 if the image has none, or one that is not valid: programs that show images ignore it.
    """
    try:
        exif = _exif(content)
    except (BrokenImageError, struct.error, IndexError):
        return UPRIGHT
    return UPRIGHT if exif is None else orientation_of(exif)


def orientation_of(exif: memoryview) -> int:
    """Return the orientation in EXIF data, with or without the header ``Exif``; 1 if it has none.

    Only the entries of the first directory are read, each once, and only inside the data: offsets
    and counts of hostile data lead nowhere.
    """
    if bytes(exif[: len(EXIF_HEADER)]) == EXIF_HEADER:
        exif = exif[EXIF_HEADER_BYTES:]
    order = BYTE_ORDERS.get(bytes(exif[:4]))
    if order is None or len(exif) < 8:
        return UPRIGHT
    (at,) = struct.unpack_from(f"{order}I", exif, 4)
    if at + 2 > len(exif):
        return UPRIGHT
    (count,) = struct.unpack_from(f"{order}H", exif, at)
    entries = exif[at + 2 : at + 2 + count * ENTRY_BYTES]
    for start in range(0, len(entries) - ENTRY_BYTES + 1, ENTRY_BYTES):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", entries, start)
        if (tag, kind, count) == (ORIENTATION_TAG, SHORT, 1):
            return int(value) if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def exif_with(orientation: int) -> bytes:
    """Return EXIF data, without the header ``Exif``, with nothing but an orientation."""
    entry = struct.pack(">HHIHH", ORIENTATION_TAG, SHORT, 1, orientation, 0)
    return struct.pack(">4sIH", b"MM\0*", 8, 1) + entry + bytes(4)


def is_exif(segment: memoryview) -> bool:
    """Return whether the data of an APP1 segment are EXIF."""
    return bytes(segment[: len(EXIF_HEADER)]) == EXIF_HEADER


def _exif(content: bytes) -> memoryview | None:
    match media_type_of(content):
        case MediaType.PNG:
            return next((data for kind, data in chunks_of(content) if kind == b"eXIf"), None)
        case MediaType.JPEG:
            return _exif_of_jpeg(content)
        case MediaType.WEBP:
            return _exif_of_webp(content)
        case None:
            return None


def _exif_of_jpeg(content: bytes) -> memoryview | None:
    for segment in segments_of(content):
        if segment.marker == SOS:
            return None
        if segment.marker == APP1 and is_exif(segment.data):
            return segment.data
    return None


def _exif_of_webp(content: bytes) -> memoryview | None:
    is_announced = False
    for kind, data in riff_chunks(content):
        if kind == b"VP8X":
            is_announced = bool(data[0] & WEBP_EXIF_FLAG)
        if kind == b"EXIF" and is_announced:
            return data
    return None
