"""Makes a picture of those that were given with a request."""

import re

from PIL import Image, ImageOps

from local.simulator.art.edits import changed_picture, in_the_style_of, with_colours_of
from local.simulator.art.painter import Hand
from local.simulator.art.reading import read
from local.simulator.given import Given

STYLE_OF = re.compile(r"\bstyle\b|\bstil\b|\bestilo\b|スタイル|画風", re.IGNORECASE)


def retouched(
    prompt: str,
    hand: Hand,
    size: tuple[int, int],
    inputs: tuple[Given, ...],
    repaint: Image.Image | None,
) -> Image.Image:
    """Return the first picture as the prompt changes it, with a hint of the others' colours.

    ``repaint`` is white where the first may change: elsewhere it stays as it is. A prompt for
    something else in its style gives a new picture.
    """
    first = ImageOps.fit(inputs[0].pixels().convert("RGB"), size)
    if repaint is not None:
        return changed_picture(first, prompt, hand, sharp(repaint, size))
    if len(inputs) == 1 and STYLE_OF.search(prompt) and read(prompt).items:
        image = in_the_style_of(prompt, first, hand, size)
    else:
        image = changed_picture(first, prompt, hand, None)
    for other in inputs[1:]:
        image = with_colours_of(image, other.pixels())
    return image


def with_the_rest(
    image: Image.Image, inputs: tuple[Given, ...], repaint: Image.Image | None
) -> Image.Image:
    """Return a picture that was made larger, with the first input's own pixels outside the mask."""
    if repaint is None:
        return image
    first = ImageOps.fit(inputs[0].pixels().convert(image.mode), image.size)
    return Image.composite(image, first, sharp(repaint, image.size))


def sharp(repaint: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a mask of a size in black and white only."""
    return ImageOps.fit(repaint, size).point([0] * 128 + [255] * 128)


def where_transparent(mask: Given) -> Image.Image:
    """Return white where a mask with alpha is transparent."""
    return ImageOps.invert(mask.pixels().getchannel("A"))


def where_white(mask: Given) -> Image.Image:
    """Return white where a mask is white."""
    return mask.pixels().convert("L")
