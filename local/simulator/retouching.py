"""Draws a picture that is visibly made of the pictures that were given with the request."""

from PIL import Image, ImageDraw, ImageOps

from local.simulator.given import Given

FRAME = (250, 204, 21)
SMALL_SHARE = 6
"""The other pictures are shown with this part of the edge."""
OPAQUE = 255


def retouched(
    drawn: Image.Image, inputs: tuple[Given, ...], repaint: Image.Image | None
) -> Image.Image:
    """Return the drawn picture mixed with the first input, with small ones of the others on it.

    ``repaint`` is white where the first input may change: elsewhere it stays as it is. Without it,
    everything may, and the input shows through.
    """
    first = ImageOps.fit(inputs[0].pixels().convert("RGB"), drawn.size)
    plain = drawn.convert("RGB")
    if repaint is None:
        image = Image.blend(first, plain, 0.4)
        edge = max(2, min(drawn.size) // 64)
        ImageDraw.Draw(image).rectangle((0, 0, *drawn.size), outline=FRAME, width=edge)
    else:
        image = Image.composite(plain, first, ImageOps.fit(repaint, drawn.size))
    _add_small(image, inputs[1:])
    return image


def where_transparent(mask: Given) -> Image.Image:
    """Return white where a mask with alpha is transparent."""
    return ImageOps.invert(mask.pixels().getchannel("A"))


def where_white(mask: Given) -> Image.Image:
    """Return white where a mask is white."""
    return mask.pixels().convert("L")


def without_background(drawn: Image.Image) -> Image.Image:
    """Return the picture with a transparent border: alpha that is used."""
    image = drawn.convert("RGBA")
    width, height = image.size
    alpha = Image.new("L", image.size, 0)
    box = (width // 8, height // 8, width - width // 8, height - height // 8)
    ImageDraw.Draw(alpha).ellipse(box, fill=OPAQUE)
    image.putalpha(alpha)
    return image


def _add_small(image: Image.Image, others: tuple[Given, ...]) -> None:
    edge = max(8, min(image.size) // SMALL_SHARE)
    for index, one in enumerate(others):
        small = ImageOps.fit(one.pixels().convert("RGB"), (edge, edge))
        image.paste(small, ((index * edge) % max(1, image.width - edge), 0))
