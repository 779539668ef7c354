"""Colours as three bytes, and what is made of them."""

import colorsys
from collections.abc import Sequence

from PIL import Image

type Colour = tuple[int, int, int]


def colour_of(text: str) -> Colour:
    """Return the colour of ``#rrggbb`` or ``#rgb``."""
    digits = text.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(one * 2 for one in digits)
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour with a share of another one."""
    red, green, blue = (
        round(first + (second - first) * share) for first, second in zip(one, other, strict=True)
    )
    return red, green, blue


def darker(colour: Colour, share: float = 0.22) -> Colour:
    """Return a darker colour, a little bluer, as shadows are."""
    return mixed(colour, (30, 24, 60), share)


def lighter(colour: Colour, share: float = 0.16) -> Colour:
    """Return a lighter colour."""
    return mixed(colour, (255, 250, 238), share)


def turned(colour: Colour, hue: float, strength: float = 1.0) -> Colour:
    """Return a colour with its hue moved by a part of the circle."""
    own, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    made = colorsys.hls_to_rgb((own + hue) % 1, light, min(1, saturation * strength))
    red, green, blue = (round(part * 255) for part in made)
    return red, green, blue


def hue_of(colour: Colour) -> float:
    """Return the place of a colour on the circle of hues, from 0 to 1."""
    return colorsys.rgb_to_hls(*(part / 255 for part in colour))[0]


def gradient(size: tuple[int, int], stops: Sequence[Colour]) -> Image.Image:
    """Return a picture that goes through two or more colours, from top to bottom."""
    width, height = size
    strip = Image.new("RGB", (1, len(stops)))
    strip.putdata(list(stops))
    # From the middle of the first pixel to the middle of the last one.
    tall = strip.resize(
        (1, max(1, height)), Image.Resampling.BICUBIC, box=(0, 0.5, 1, len(stops) - 0.5)
    )
    return tall.resize((max(1, width), max(1, height)), Image.Resampling.NEAREST)
