"""What the readers of image formats return, and the error that they raise."""

from dataclasses import dataclass


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
