"""The type and the size in pixels of an image, read from its bytes, which must be complete.

It reads the three formats that providers send. What a provider says about type and size is not
trusted.
"""

import struct
from dataclasses import dataclass

MAX_EDGE = 16_384
_WEBP_HEADER_BYTES = 10


class BrokenImageError(ValueError):
    """The bytes are not a complete image of a known format."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The type and the size of an image."""

    media_type: str
    width: int
    height: int


def measure(content: bytes) -> Measured:
    """Return the type, and the size in pixels, of a PNG, JPEG or WebP.

    Raises:
        BrokenImageError: the format is another one, the image is cut off, or its size is absurd.
    """
    try:
        measured = _measure(content)
    except (struct.error, IndexError):
        raise BrokenImageError("the image is cut off") from None
    if not (0 < measured.width <= MAX_EDGE and 0 < measured.height <= MAX_EDGE):
        raise BrokenImageError(f"{measured.width}x{measured.height} is not a plausible image size")
    return measured


def _measure(content: bytes) -> Measured:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Measured("image/png", *_png(content))
    if content.startswith(b"\xff\xd8\xff"):
        return Measured("image/jpeg", *_jpeg(content))
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return Measured("image/webp", *_webp(content))
    raise BrokenImageError("the bytes are not a PNG, JPEG or WebP")


def _png(content: bytes) -> tuple[int, int]:
    # https://www.w3.org/TR/png-3/: IHDR is first, IEND is last.
    if content[12:16] != b"IHDR" or b"IEND" not in content[-64:]:
        raise BrokenImageError("the PNG is cut off")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg(content: bytes) -> tuple[int, int]:
    # ITU T.81 annex B: segments up to a start-of-frame, which holds the size; EOI ends the file.
    if b"\xff\xd9" not in content[-64:]:
        raise BrokenImageError("the JPEG is cut off")
    at = 2
    while True:
        if content[at] != 0xFF:
            raise BrokenImageError("the JPEG has no frame")
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        at += 2 + max(length, 2)


def _webp(content: bytes) -> tuple[int, int]:
    # https://developers.google.com/speed/webp/docs/riff_container
    (length,) = struct.unpack("<I", content[4:8])
    kind, data = content[12:16], content[20:]
    if len(content) < 8 + length or len(data) < _WEBP_HEADER_BYTES:
        raise BrokenImageError("the WebP is cut off")
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[i : i + 3], "little") + 1 for i in (4, 7))
    elif kind == b"VP8L":
        (bits,) = struct.unpack("<I", data[1:5])
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", data[6:10]))
    else:
        raise BrokenImageError("the WebP contains no image")
    return width, height
