"""Reads the data of a WebP to the last pixel: a file that was cut may still have a whole structure.

That takes up to a second of a whole core, so it is for images that are paid for, and for none that
a user sends. Large images, and animations, are read no further than their structure.
"""

from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.vp8_values import check_values
from imagegen.domain.vp8l import check_lossless
from imagegen.domain.webp import KINDS, canvas_of, lossless_size, riff_chunks

LOSSLESS_HEAD_BYTES = 5
ALPHA_METHOD, IS_LOSSLESS = 0b11, 1


def check_data(content: bytes) -> None:
    """Raise if the data of a WebP, whose structure is whole, end before its last pixel.

    Raises:
        BrokenImageError: a part of the image is missing.
    """
    first = dict[bytes, memoryview]()
    for kind, data in riff_chunks(content):
        if kind in KINDS:
            first.setdefault(kind, data)
    if b"VP8L" in first:
        data = first[b"VP8L"]
        check_lossless(data[LOSSLESS_HEAD_BYTES:], *lossless_size(data))
    if b"VP8 " in first:
        check_values(first[b"VP8 "])
        if b"ALPH" in first and b"VP8X" in first:
            _check_alpha(first[b"ALPH"], *canvas_of(first[b"VP8X"]))


def _check_alpha(data: memoryview, width: int, height: int) -> None:
    """Raise if the transparency of a lossy image ends before its last pixel."""
    if not data:
        raise BrokenImageError("a part of the WebP is missing")
    if data[0] & ALPHA_METHOD == IS_LOSSLESS:
        check_lossless(data[1:], width, height)
    elif len(data) - 1 < width * height:
        raise BrokenImageError("a part of the WebP is missing")
