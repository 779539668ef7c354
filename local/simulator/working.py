"""Works on the picture that was given: enlarges it, or takes its background out."""

from PIL import Image, ImageChops, ImageDraw

from local.simulator.art.album import album
from local.simulator.art.edits import alone
from local.simulator.desk import Tool
from local.simulator.given import Given

NEAR = 24
"""A pixel whose channels all differ by less than this from the corner is background."""
WHITE = (255, 255, 255)


def worked_on(tool: Tool, given: Given, size: tuple[int, int]) -> Image.Image:
    """Return what a tool makes of a picture."""
    return enlarged(given.pixels(), size) if tool is Tool.ENLARGE else cut_out(given.pixels())


def enlarged(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the picture at another size; what was transparent is white then, as at the vendors."""
    plain = Image.new("RGB", picture.size, WHITE)
    plain.paste(picture, mask=picture.getchannel("A"))
    larger = plain.resize(size, Image.Resampling.BICUBIC)
    if page := album().find(plain):
        album().add(larger, page)
    return larger


def cut_out(picture: Image.Image) -> Image.Image:
    """Return the figures of a picture alone, if they are known.

    Else it is the picture without what looks like its corner; without such, an oval of it.
    """
    plain = picture.convert("RGB")
    image = plain.convert("RGBA")
    if known := alone(plain):
        image.putalpha(ImageChops.darker(known, picture.getchannel("A")))
        return image
    corner = Image.new("RGB", plain.size, plain.getpixel((0, 0)))
    red, green, blue = ImageChops.difference(plain, corner).split()
    far = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    alpha = far.point([0] * NEAR + [255] * (256 - NEAR))
    if alpha.getextrema() != (0, 255):
        alpha = Image.new("L", plain.size, 0)
        width, height = plain.size
        oval = (width // 8, height // 8, width - width // 8, height - height // 8)
        ImageDraw.Draw(alpha).ellipse(oval, fill=255)
    image.putalpha(ImageChops.darker(alpha, picture.getchannel("A")))
    return image
