"""Whether an image is transparent anywhere: an alpha channel alone does not make it so.

A painted checkerboard is opaque, and so is a file that merely has an alpha channel. What can be
found out without a decoder depends on the format:

- PNG: the pixels, always.
- JPEG: it has no alpha.
- WebP with an uncompressed alpha chunk: the pixels.
- WebP with a compressed alpha chunk, or lossless WebP: what its encoder declares. libwebp writes
  the chunk only for images that are not opaque, and the specification of lossless WebP asks for its
  bit to be set only if some alpha is below 255.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from imagegen.domain.pixels import BrokenImageError, MediaType, media_type_of
from imagegen.domain.png_filters import flat_row
from imagegen.domain.png_planes import OPAQUE, alpha_samples
from imagegen.domain.png_rows import Png, TooMuchDataError, open_png
from imagegen.domain.webp import riff_chunks

CANVAS_ALPHA_FLAG = 0x10
LOSSLESS_ALPHA_BIT = 0x10
"""Bit 28 of the header of VP8L: in its fourth byte after the signature byte."""
READ = frozenset({b"VP8X", b"ALPH", b"ANMF", b"VP8 ", b"VP8L"})
"""The chunks that are kept; there may be millions of others."""
UNCOMPRESSED = 0
FULL = bytes([OPAQUE])
_flat_row = lru_cache(maxsize=64)(flat_row)  # the filters and widths of an interlaced image


@dataclass(frozen=True, slots=True)
class Transparency:
    """What is found of an image's alpha."""

    has_alpha: bool
    """Whether the file has alpha in any form."""
    is_transparent: bool
    """Whether some pixel is not opaque."""
    is_declared: bool = False
    """Whether that is only declared by the file: its pixels were not looked at."""


NO_ALPHA = Transparency(has_alpha=False, is_transparent=False)


def read_transparency(content: bytes) -> Transparency:
    """Return what is known of the alpha of a PNG, JPEG or WebP; reading ends when it is known.

    Raises:
        BrokenImageError: the image is damaged before that, or of another format.
    """
    match media_type_of(content):
        case MediaType.PNG:
            return _of_png(content)
        case MediaType.WEBP:
            return _of_webp(content)
        case MediaType.JPEG:
            return NO_ALPHA
        case None:
            raise BrokenImageError("the bytes are not a PNG, JPEG or WebP")


def is_invisible(content: bytes) -> bool:
    """Return whether every pixel of a PNG is entirely transparent; other formats are not read.

    Raises:
        BrokenImageError: the PNG is damaged before a pixel that is visible.
    """
    if media_type_of(content) is not MediaType.PNG:
        return False
    png = open_png(content)
    samples = alpha_samples(png)
    return samples is not None and not any(map(any, map(samples, png.rows)))


def _of_png(content: bytes) -> Transparency:
    png = open_png(content)
    if png.layout.has_alpha_channel:
        rows = _channel_rows(png)
    else:
        samples = alpha_samples(png)
        if samples is None:
            return NO_ALPHA
        rows = (alpha.count(OPAQUE) < len(alpha) for alpha in map(samples, png.rows))
    try:
        return Transparency(has_alpha=True, is_transparent=any(rows))
    except TooMuchDataError:
        return Transparency(has_alpha=True, is_transparent=False)


def _channel_rows(png: Png) -> Iterator[bool]:
    """Yield for each row whether its alpha, which is still filtered, differs from an opaque one.

    Below opaque rows, exactly one filtered row is opaque.
    """
    stride = png.layout.pixel_bits // 8
    alpha_bytes = png.layout.depth // 8
    places = range(stride - alpha_bytes, stride)
    for row in png.rows:
        opaque = _flat_row(row.filter, FULL, row.of.width, is_first=row.number == 0)
        yield any(row.data[place::stride] != opaque for place in places)


def _of_webp(content: bytes) -> Transparency:
    chunks = dict[bytes, memoryview]()
    for kind, data in _chunks(content):
        if kind in READ:
            chunks.setdefault(kind, data)
    canvas, alpha = chunks.get(b"VP8X"), chunks.get(b"ALPH")
    if canvas and b"ANMF" in chunks:
        return _declared(is_transparent=bool(canvas[0] & CANVAS_ALPHA_FLAG))
    if b"VP8L" in chunks:
        return _declared(is_transparent=_has_lossless_alpha(chunks[b"VP8L"]))
    if b"VP8 " not in chunks:
        raise BrokenImageError("the WebP contains no image")
    if not canvas or not alpha:  # a simple file cannot have an alpha chunk
        return NO_ALPHA
    if alpha[0] & 3 != UNCOMPRESSED:
        return _declared(is_transparent=True)
    return Transparency(has_alpha=True, is_transparent=_is_clear(alpha, _pixels(canvas)))


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    try:
        yield from riff_chunks(content)
    except struct.error:
        raise BrokenImageError("the WebP is cut off") from None


def _has_lossless_alpha(data: memoryview) -> bool:
    if len(data) < 5:
        raise BrokenImageError("the WebP is damaged")
    return bool(data[4] & LOSSLESS_ALPHA_BIT)


def _declared(*, is_transparent: bool) -> Transparency:
    return Transparency(has_alpha=is_transparent, is_transparent=is_transparent, is_declared=True)


def _pixels(canvas: memoryview) -> int:
    width, height = (int.from_bytes(canvas[at : at + 3], "little") + 1 for at in (4, 7))
    return width * height


def _is_clear(alpha: memoryview, pixels: int) -> bool:
    """Return whether an uncompressed alpha chunk has a pixel that is not opaque.

    Without a filter every byte is an alpha. Each filter predicts a neighbour, and nothing for the
    first pixel, so an opaque plane is 255 and then zeros.

    Raises:
        BrokenImageError: it has less bytes than the image has pixels.
    """
    plane = alpha[1 : 1 + pixels].tobytes()
    if len(plane) < pixels:
        raise BrokenImageError("the alpha of the WebP is cut off")
    is_filtered = alpha[0] >> 2 & 3
    if is_filtered:
        return plane[0] != OPAQUE or plane.count(0) < pixels - 1
    return plane.count(OPAQUE) < pixels
