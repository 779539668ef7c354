"""The type and the size in pixels of an image, read from its bytes, which must be complete.

It reads the three formats that providers send, to the end. What a provider says about type and size
is not trusted, and bytes behind the end of an image are ignored.
"""

import struct
from dataclasses import dataclass

from imagegen.domain.jpeg import read_jpeg
from imagegen.domain.picture import MAX_EDGE, BrokenImageError, check_size
from imagegen.domain.png import SIGNATURE, chunks_of, read_png
from imagegen.domain.webp import read_webp

__all__ = ["MAX_EDGE", "BrokenImageError", "Measured", "is_whole", "measure"]


@dataclass(frozen=True, slots=True)
class Measured:
    """The type and the size of an image."""

    media_type: str
    width: int
    height: int
    is_blank: bool = False
    """Whether it has one colour only."""


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
        if content.startswith(SIGNATURE):
            return b"IDAT" in [kind for kind, _ in chunks_of(content)]
        _measure(content)
    except (BrokenImageError, struct.error, IndexError):
        return False
    return True


def _measure(content: bytes) -> Measured:
    if content.startswith(SIGNATURE):
        found, kind = read_png(content), "png"
    elif content.startswith(b"\xff\xd8\xff"):
        found, kind = read_jpeg(content), "jpeg"
    elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        found, kind = read_webp(content), "webp"
    else:
        raise BrokenImageError("the bytes are not a PNG, JPEG or WebP")
    return Measured(f"image/{kind}", found.width, found.height, found.is_blank)
