"""Restores single channels of a PNG: its alpha, or its brightness, one byte for each pixel.

A plane of the largest input has 25 MB; the colours are never kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from imagegen.domain.png_filters import Steps, unfiltered
from imagegen.domain.png_rows import (
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    Layout,
    Pass,
    Png,
    Row,
)

OPAQUE, CLEAR = 255, 0
ZERO_IS_CLEAR = bytes([CLEAR]) + bytes([OPAQUE]) * 255
ONE_IF_ZERO, ONE_UNLESS_ZERO = bytes([1]) + bytes(255), bytes([0]) + bytes([1]) * 255
ONE_IF_FULL, ONE_UNLESS_FULL = bytes(255) + bytes([1]), bytes([1]) * 255 + bytes([0])
# Their weights of red, green and blue, in thousandths (ITU-R BT.601).
LUMA = (299, 587, 114)

type Samples = Callable[[Row], bytes]
"""Returns one byte for each pixel of a row. The rows must be given in their order."""


@dataclass(slots=True)
class Channels:
    """Restores some bytes of each pixel, or the packed bytes of pixels that share one."""

    places: tuple[int, ...]
    stride: int
    of: Pass | None = None
    above: tuple[bytes, ...] = ()
    steps: tuple[Steps, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = tuple(Steps() for _ in self.places)

    def restored(self, row: Row) -> tuple[bytes, ...]:
        """Return for each place its bytes in this row.

        Raises:
            TooManyStepsError: one of the channels takes more steps than it may.
        """
        parts = [row.data[place :: self.stride] for place in self.places]
        if row.of is not self.of:
            self.of, self.above = row.of, tuple(bytes(len(part)) for part in parts)
        self.above = tuple(
            unfiltered(row.filter, part, above, steps=steps)
            for part, above, steps in zip(parts, self.above, self.steps, strict=True)
        )
        return self.above


def plane_of(png: Png, samples: Samples) -> bytearray:
    """Return one byte for each pixel, row after row, whether the PNG is interlaced or not.

    Raises:
        BrokenImageError: a row is missing, or the PNG is damaged.
    """
    width = png.layout.width
    plane = bytearray(width * png.layout.height)
    for row in png.rows:
        start = (row.of.first_row + row.number * row.of.row_step) * width
        place = slice(start + row.of.first_column, start + width, row.of.column_step)
        plane[place] = samples(row)
    return plane


def alpha_samples(png: Png) -> Samples | None:
    """Return how the alpha of a row is restored, 0 is transparent; ``None`` if it has no alpha.

    Alpha of 16 bits is shortened to its higher byte; only what is entirely transparent becomes 0,
    and only what is entirely opaque 255.
    """
    layout, key = png.layout, png.transparency
    if layout.has_alpha_channel:
        return _channel(layout, {GREY_ALPHA: 1, RGB_ALPHA: 3}[layout.colour])
    if not key:
        return None
    if layout.colour == PALETTE:
        return _mapped(layout, key.ljust(256, bytes([OPAQUE])))
    if layout.depth < 8:
        table = bytearray([OPAQUE]) * 256
        table[int.from_bytes(key) & (1 << layout.depth) - 1] = CLEAR
        return _mapped(layout, bytes(table))
    return _keyed(layout, key if layout.depth == 16 else key[1::2])


def luma_samples(png: Png) -> Samples:
    """Return how the brightness of a row is restored, 0 is black; alpha is not looked at."""
    layout = png.layout
    if layout.colour in {RGB, RGB_ALPHA}:
        return _weighted([_channel(layout, channel) for channel in range(3)])
    if layout.colour == PALETTE:
        colours = zip(png.palette[::3], png.palette[1::3], png.palette[2::3], strict=True)
        return _mapped(layout, bytes(map(_luma, colours))[:256].ljust(256, b"\0"))
    if layout.depth < 8:
        most = (1 << layout.depth) - 1
        return _mapped(layout, bytes(min(value, most) * 255 // most for value in range(256)))
    return _channel(layout, 0)


def _channel(layout: Layout, channel: int) -> Samples:
    """Restore one channel of 8 or 16 bits."""
    width = layout.depth // 8
    places = tuple(range(channel * width, (channel + 1) * width))
    channels = Channels(places, layout.pixel_bits // 8)
    return lambda row: _shortened(*channels.restored(row))


def _shortened(high: bytes, low: bytes | None = None) -> bytes:
    """Return 8-bit samples of 16-bit ones: nothing else becomes 0, or 255, than the extremes.

    A whole row is one number; no byte of the sum reaches the next one.
    """
    if low is None or low == high:
        return high
    nearly_clear = _both(high.translate(ONE_IF_ZERO), low.translate(ONE_UNLESS_ZERO))
    nearly_opaque = _both(high.translate(ONE_IF_FULL), low.translate(ONE_UNLESS_FULL))
    return (int.from_bytes(high) + nearly_clear - nearly_opaque).to_bytes(len(high))


def _both(one: bytes, other: bytes) -> int:
    return int.from_bytes(one) & int.from_bytes(other)


def _mapped(layout: Layout, table: bytes) -> Samples:
    """Restore indexes or grey values of at most 8 bits, and look them up."""
    channels = Channels((0,), 1)

    def samples(row: Row) -> bytes:
        (packed,) = channels.restored(row)
        if layout.depth == 8:
            return packed.translate(table)
        pixels = b"".join(map(_pixels_in_byte(layout.depth).__getitem__, packed))
        return pixels[: row.of.width].translate(table)

    return samples


@cache
def _pixels_in_byte(depth: int) -> tuple[bytes, ...]:
    mask = (1 << depth) - 1
    shifts = range(8 - depth, -1, -depth)
    return tuple(bytes(byte >> shift & mask for shift in shifts) for byte in range(256))


def _keyed(layout: Layout, key: bytes) -> Samples:
    """Compare all bytes of a pixel with those of the transparent colour."""
    channels = Channels(tuple(range(len(key))), layout.pixel_bits // 8)
    tables = [bytes(value != byte for value in range(256)) for byte in key]

    def samples(row: Row) -> bytes:
        differs = 0
        for part, table in zip(channels.restored(row), tables, strict=True):
            differs |= int.from_bytes(part.translate(table))
        return differs.to_bytes(row.of.width).translate(ZERO_IS_CLEAR)

    return samples


def _weighted(channels: list[Samples]) -> Samples:
    def samples(row: Row) -> bytes:
        red, green, blue = (channel(row) for channel in channels)
        if red == green == blue:
            return red
        return bytes(map(_luma, zip(red, green, blue, strict=True)))

    return samples


def _luma(colour: tuple[int, int, int]) -> int:
    red, green, blue = colour
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue + 500) // 1000
