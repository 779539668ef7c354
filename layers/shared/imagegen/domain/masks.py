"""Masks: which part of the first input may change.

There is one form inside and on our own routes, which is OpenAI's: a PNG of the size of the first
input, whose transparent pixels may change. Providers that want a picture of the mask get it
converted: white may change, black stays (FLUX Fill), or the reverse (Ideogram).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from imagegen.domain.errors import ParameterError
from imagegen.domain.orientation import UPRIGHT, read_orientation
from imagegen.domain.pixels import BrokenImageError, MediaType, media_type_of
from imagegen.domain.png_encoding import encoded
from imagegen.domain.png_filters import TooManyStepsError
from imagegen.domain.png_planes import CLEAR, alpha_samples, luma_samples, plane_of
from imagegen.domain.png_rows import GREY, RGB_ALPHA, Png, layout_of, open_png

MASK = "mask"
MAX_MASK_BYTES = 4_000_000
"""A mask is smaller. OpenAI documents "less than 4 MB": this holds for either meaning of MB."""
MAX_MASK_PIXELS = 25_000_000
INVERTED = bytes(255 - value for value in range(256))
HALF = 128
ROUNDED = bytes(0 if value < HALF else 255 for value in range(256))
FORM = "Send a PNG of the size of the first input; its transparent pixels are the part to change."


@dataclass(frozen=True, slots=True)
class Mask:
    """What was found in an accepted mask."""

    width: int
    height: int
    clear_pixels: int
    """How many pixels are fully transparent: at least one, and all if everything may change."""


def check_mask(content: bytes, size: tuple[int, int]) -> Mask:
    """Return a mask that suits a first input of this size in pixels after its orientation.

    Raises:
        ParameterError: it does not; the message says why, and what to change.
    """
    _check_file(content)
    try:
        _check_size(content, size)
        alpha = _alpha(content)
    except TooManyStepsError:
        raise _refused(
            "The alpha of the mask changes at too many places. Give its parts hard edges, or make "
            "input and mask smaller: up to 8 million pixels may all differ."
        ) from None
    except BrokenImageError as error:
        raise _refused(f"The mask cannot be read: {error}. Save it again as a PNG.") from None
    if alpha is None:
        raise _refused(
            "The mask has no alpha channel, and its colours are not read, black and white neither. "
            "Make the part to change transparent (alpha 0), and leave the rest opaque."
        )
    clear = alpha.count(CLEAR)
    if not clear:
        raise _refused(
            "No pixel of the mask is fully transparent, and its colours are not read, black and "
            "white neither. Make the part to change transparent (alpha 0)."
        )
    return Mask(*size, clear)


def to_luminance(mask: bytes) -> bytes:
    """Return a mask as a grey PNG of 8 bits in which white (255) may change and black (0) stays.

    Raises:
        BrokenImageError: it is not a PNG with alpha, or it is damaged or too large.
    """
    return _grey(mask, _known_alpha(mask).translate(INVERTED))


def to_darkness(mask: bytes) -> bytes | None:
    """Return a mask as a grey PNG in which black may change and white stays, and nothing between.

    Partial alpha is rounded. ``None`` if everything may change: then there is nothing to mark.

    Raises:
        BrokenImageError: it is not a PNG with alpha, or it is damaged or too large.
    """
    kept = _known_alpha(mask).translate(ROUNDED)
    return _grey(mask, kept) if any(kept) else None


def from_luminance(picture: bytes) -> bytes:
    """Return a PNG with alpha, the form of masks, for one in which white may change.

    Its pixels are black; colours are weighed as brightness, and alpha is not looked at.

    Raises:
        BrokenImageError: it is not a PNG, or it is damaged or too large.
    """
    png = _opened(picture)
    width, height = png.layout.width, png.layout.height
    alpha = plane_of(png, luma_samples(png)).translate(INVERTED)
    return encoded((width, height), RGB_ALPHA, _black(alpha, width))


def _check_file(content: bytes) -> None:
    media_type = media_type_of(content)
    if media_type is not MediaType.PNG:
        if media_type is MediaType.JPEG:
            raise _refused(f"The mask is a JPEG, which cannot be transparent. {FORM}")
        raise _refused(f"The mask is not a PNG. {FORM}")
    if len(content) >= MAX_MASK_BYTES:
        raise _refused(
            f"The mask has {len(content)} bytes; it must have less than {MAX_MASK_BYTES}. Save it "
            "with one colour: a mask needs nothing but its alpha channel."
        )


def _check_size(content: bytes, size: tuple[int, int]) -> None:
    layout = layout_of(content)
    if (layout.width, layout.height) != size:
        raise _refused(
            f"The mask has {layout.width}x{layout.height} pixels and the first input, as it is "
            f"shown, {size[0]}x{size[1]}. Make the mask as large as the input."
        )
    if read_orientation(content) != UPRIGHT:
        raise _refused(
            "The mask has an EXIF orientation, which not every provider follows. Save it as it is "
            "shown, without one."
        )


def _refused(message: str) -> ParameterError:
    return ParameterError(MASK, message)


def _known_alpha(mask: bytes) -> bytearray:
    alpha = _alpha(mask)
    if alpha is None:
        raise BrokenImageError("the mask has no alpha")
    return alpha


def _grey(mask: bytes, values: bytes | bytearray) -> bytes:
    """Return a value for each pixel of a mask as a grey PNG of its size."""
    layout = layout_of(mask)
    width, height = layout.width, layout.height
    rows = (values[start : start + width] for start in range(0, width * height, width))
    return encoded((width, height), GREY, rows)


def _alpha(content: bytes) -> bytearray | None:
    png = _opened(content)
    samples = alpha_samples(png)
    return None if samples is None else plane_of(png, samples)


def _opened(content: bytes) -> Png:
    png = open_png(content)
    if png.layout.width * png.layout.height > MAX_MASK_PIXELS:
        raise BrokenImageError("the mask has too many pixels")
    return png


def _black(alpha: bytearray, width: int) -> Iterator[bytes]:
    for start in range(0, len(alpha), width):
        row = bytearray(4 * width)
        row[3::4] = alpha[start : start + width]
        yield bytes(row)
