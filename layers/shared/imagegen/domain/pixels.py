"""The type and the size in pixels of an image, read from its bytes, which must be complete.

It reads the three formats that providers send, to the end. What a provider says about type and size
is not trusted, and bytes behind the end of an image are ignored. The reader of a format is loaded
when an image in it arrives: most requests make none.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8\xff"


class MediaType(StrEnum):
    """The types of images that are read."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"


class BrokenImageError(ValueError):
    """The bytes are not a complete image of a known format."""


MAX_EDGE = 16_384
MAX_PIXELS = 8_192 * 8_192


@dataclass(frozen=True, slots=True)
class Picture:
    """What was read from the bytes of one image."""

    width: int
    height: int
    is_blank: bool = False
    """Whether every pixel has the same colour, as far as the format shows it without a decoder."""


def check_size(width: int, height: int) -> None:
    """Raise unless an image may have this size.

    Raises:
        BrokenImageError: an edge, or the number of pixels, is zero or absurd.
    """
    if not (0 < width <= MAX_EDGE and 0 < height <= MAX_EDGE and width * height <= MAX_PIXELS):
        raise BrokenImageError(f"{width}x{height} is not a plausible image size")


@dataclass(frozen=True, slots=True)
class Measured:
    """The type and the size of an image."""

    media_type: str
    width: int
    height: int
    is_blank: bool = False
    """Whether it has one colour only."""


def media_type_of(content: bytes) -> MediaType | None:
    """Return the type that the first bytes of a file show, ``None`` if it is another one."""
    if content.startswith(PNG_SIGNATURE):
        return MediaType.PNG
    if content.startswith(JPEG_START):
        return MediaType.JPEG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return MediaType.WEBP
    return None


def measure(content: bytes) -> Measured:
    """Return the type, and the size in pixels, of a PNG, JPEG or WebP.

    Raises:
        BrokenImageError: the format is another one, the image is damaged or cut off, or its size is
            absurd.
    """
    try:
        measured = _measure(content)
    except (struct.error, IndexError):
        raise BrokenImageError("the image is cut off") from None
    check_size(measured.width, measured.height)
    return measured


def is_whole(content: bytes) -> bool:
    """Return whether the structure of an image is there to its end, without inflating a PNG."""
    try:
        if media_type_of(content) is MediaType.PNG:
            from imagegen.domain.png_chunks import chunks_of  # noqa: PLC0415

            return b"IDAT" in [kind for kind, _ in chunks_of(content)]
        _measure(content)
    except (BrokenImageError, struct.error, IndexError):
        return False
    return True


def _measure(content: bytes) -> Measured:
    media_type = media_type_of(content)
    match media_type:
        case MediaType.PNG:
            from imagegen.domain.png import read_png as read  # noqa: PLC0415
        case MediaType.JPEG:
            from imagegen.domain.jpeg import read_jpeg as read  # noqa: PLC0415
        case MediaType.WEBP:
            from imagegen.domain.webp import read_webp as read  # noqa: PLC0415
        case None:
            raise BrokenImageError("the bytes are not a PNG, JPEG or WebP")
    found = read(content)
    return Measured(media_type, found.width, found.height, found.is_blank)
