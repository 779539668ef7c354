"""Turns a painted picture into one of a style."""

import random
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from local.simulator.art.colours import Colour

PAPER = (250, 246, 236)
INK = (38, 34, 46)


def styled(image: Image.Image, style: str) -> Image.Image:
    """Return the picture in a style; in no style, it is a clean illustration."""
    return STYLES[style](image) if style in STYLES else image


def photo(image: Image.Image) -> Image.Image:
    """Return the picture with softer edges, grain and darker corners."""
    soft = Image.blend(image, image.filter(ImageFilter.BoxBlur(image.width / 600)), 0.6)
    return grained(with_dark_corners(ImageEnhance.Contrast(soft).enhance(1.08), 0.38), 0.03)


def watercolor(image: Image.Image) -> Image.Image:
    """Return pale colours with dark rims that end before the edge of the paper."""
    small = wobbled(image.reduce(3).filter(ImageFilter.MedianFilter(3)), 3)
    rims = edges_of(small).point([round(255 - value * 0.42) for value in range(256)])
    mottled = clouds(small.size, 50).point([236 + value * 19 // 255 for value in range(256)])
    pale = Image.blend(
        ImageEnhance.Color(small).enhance(0.95), Image.new("RGB", small.size, PAPER), 0.3
    )
    for layer in (rims, mottled):
        pale = ImageChops.multiply(pale, Image.merge("RGB", [layer] * 3))
    return on_paper(pale.resize(image.size, Image.Resampling.BICUBIC))


def oil(image: Image.Image) -> Image.Image:
    """Return thick strokes: patches of one colour with a relief."""
    small = wobbled(image.reduce(4), 3).filter(ImageFilter.ModeFilter(5))
    strokes = small.resize(image.size, Image.Resampling.BICUBIC)
    relief = clouds(image.size, 10).filter(ImageFilter.EMBOSS)
    relief = relief.point([max(0, min(255, 128 + (value - 128) // 4)) for value in range(256)])
    rich = ImageEnhance.Color(strokes).enhance(1.35)
    return ImageChops.overlay(rich, Image.merge("RGB", [relief] * 3))


def pixel(image: Image.Image) -> Image.Image:
    """Return large square pixels of few colours."""
    share = 72 / min(image.size)
    size = (max(8, round(image.width * share)), max(8, round(image.height * share)))
    few = image.resize(size, Image.Resampling.BOX).quantize(24, dither=Image.Dither.NONE)
    return few.convert("RGB").resize(image.size, Image.Resampling.NEAREST)


def line(image: Image.Image) -> Image.Image:
    """Return the outlines in ink on paper."""
    drawn = ImageOps.invert(edges_of(image, 5).point([min(255, value * 5) for value in range(256)]))
    return ImageOps.colorize(drawn, INK, PAPER)


def pencil(image: Image.Image) -> Image.Image:
    """Return shades of grey with hatching and outlines."""
    grey = ImageOps.autocontrast(image.convert("L"))
    hatch = clouds((image.width, image.height), 3)
    hatched = ImageChops.screen(grey, hatch.point([round(value * 0.62) for value in range(256)]))
    outlines = ImageOps.invert(
        edges_of(image, 3).point([min(255, value * 4) for value in range(256)])
    )
    shaded = ImageChops.multiply(
        hatched.point([96 + value * 159 // 255 for value in range(256)]), outlines
    )
    return ImageOps.colorize(shaded, (52, 50, 58), (252, 250, 244))


def poster(image: Image.Image) -> Image.Image:
    """Return few flat colours in a broad frame."""
    flat = image.quantize(9, dither=Image.Dither.NONE).convert("RGB")
    warm = ImageEnhance.Color(flat).enhance(1.15)
    warm = ImageChops.multiply(warm, Image.new("RGB", image.size, (255, 246, 226)))
    edge = max(2, min(image.size) // 22)
    inner = warm.crop((edge, edge, image.width - edge, image.height - edge))
    return ImageOps.expand(inner, edge, (244, 234, 210))


def comic(image: Image.Image) -> Image.Image:
    """Return strong colours, ink lines, and dots in the shadows."""
    bright = ImageEnhance.Color(ImageOps.posterize(image, 4)).enhance(1.45)
    ink = ImageOps.invert(edges_of(image, 5).point([min(255, value * 5) for value in range(256)]))
    dots = dot_screen(image.size, max(4, min(image.size) // 110))
    dark = image.convert("L").point([255 if value < 120 else 0 for value in range(256)])
    shaded = Image.composite(
        ImageChops.multiply(bright, Image.merge("RGB", [dots] * 3)), bright, dark
    )
    return ImageChops.multiply(shaded, Image.merge("RGB", [ink] * 3))


def mono(image: Image.Image) -> Image.Image:
    """Return the picture without colours."""
    grey = ImageEnhance.Contrast(image.convert("L")).enhance(1.2)
    return grained(with_dark_corners(grey.convert("RGB"), 0.4), 0.06)


def sepia(image: Image.Image) -> Image.Image:
    """Return the picture as an old photograph."""
    grey = ImageEnhance.Contrast(image.convert("L")).enhance(1.05)
    brown = ImageOps.colorize(grey, (52, 34, 22), (250, 236, 208), mid=(166, 126, 88))
    return grained(with_dark_corners(brown, 0.5), 0.09)


def neon(image: Image.Image) -> Image.Image:
    """Return glowing outlines on a dark picture."""
    dark = ImageOps.colorize(image.convert("L"), (10, 6, 34), (196, 70, 190), mid=(44, 22, 96))
    lines = edges_of(image, 3).point([min(255, value * 4) for value in range(256)])
    glow = lines.filter(ImageFilter.GaussianBlur(max(1, image.width / 160)))
    cyan = ImageOps.colorize(ImageChops.lighter(lines, glow), (0, 0, 0), (110, 246, 255))
    return ImageChops.screen(dark, cyan)


STYLES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "photo": photo,
    "watercolor": watercolor,
    "oil": oil,
    "pixel": pixel,
    "line": line,
    "pencil": pencil,
    "poster": poster,
    "comic": comic,
    "mono": mono,
    "sepia": sepia,
    "neon": neon,
}


def edges_of(image: Image.Image, width: int = 3) -> Image.Image:
    """Return where neighbouring pixels differ."""
    grey = image.convert("L")
    return ImageChops.difference(
        grey.filter(ImageFilter.MaxFilter(width)), grey.filter(ImageFilter.MinFilter(width))
    )


def toned(image: Image.Image, colour: Colour, share: float = 0.5) -> Image.Image:
    """Return the picture in shades of a colour."""
    shades = ImageOps.colorize(image.convert("L"), (18, 18, 34), (255, 252, 246), mid=colour)
    return Image.blend(image, shades, share)


def with_dark_corners(image: Image.Image, share: float) -> Image.Image:
    """Return the picture darker towards its corners."""
    ring = Image.radial_gradient("L").resize(image.size, Image.Resampling.BILINEAR)
    mask = ring.point([round(max(0, value - 96) * share * 1.3) for value in range(256)])
    return Image.composite(Image.new("RGB", image.size, (10, 8, 20)), image, mask)


def grained(image: Image.Image, share: float) -> Image.Image:
    """Return the picture with film grain."""
    grain = noise(image.size)
    return Image.blend(image, ImageChops.overlay(image, Image.merge("RGB", [grain] * 3)), share * 6)


def wobbled(image: Image.Image, most: int = 4) -> Image.Image:
    """Return the picture with uneven edges, as a brush makes them."""
    dice, step = random.Random(7), max(16, min(image.size) // 26)
    xs = [*range(0, image.width, step), image.width]
    ys = [*range(0, image.height, step), image.height]
    most = max(1, round(most * min(image.size) / 512))
    at = {
        (x, y): (
            min(image.width - 1, max(0, x + dice.randint(-most, most))),
            min(image.height - 1, max(0, y + dice.randint(-most, most))),
        )
        for x in xs
        for y in ys
    }
    mesh = [
        (
            (left, top, right, bottom),
            (*at[left, top], *at[left, bottom], *at[right, bottom], *at[right, top]),
        )
        for left, right in pairwise(xs)
        for top, bottom in pairwise(ys)
    ]
    return image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def on_paper(image: Image.Image) -> Image.Image:
    """Return the picture with an uneven white rim."""
    size = (max(8, image.width // 4), max(8, image.height // 4))
    edge = max(1, min(size) // 24)
    mask = Image.new("L", size)
    mask.paste(255, (edge, edge, size[0] - edge, size[1] - edge))
    uneven = clouds(size, 60).point([value // 2 + 128 for value in range(256)])
    ragged = ImageChops.multiply(mask.filter(ImageFilter.BoxBlur(edge * 0.8)), uneven)
    sharp = ragged.resize(image.size, Image.Resampling.BICUBIC)
    sharp = sharp.point([max(0, min(255, (value - 76) * 7)) for value in range(256)])
    return Image.composite(image, Image.new("RGB", image.size, PAPER), sharp)


@cache
def _noise_tile() -> Image.Image:
    return Image.frombytes("L", (256, 256), random.Random(3).randbytes(65536))


def noise(size: tuple[int, int]) -> Image.Image:
    """Return fine grey grain around the middle."""
    tile = _noise_tile().point([128 + (value - 128) // 5 for value in range(256)])
    whole = Image.new("L", size)
    for x in range(0, size[0], 256):
        for y in range(0, size[1], 256):
            whole.paste(tile, (x, y))
    return whole


def clouds(size: tuple[int, int], grain: int) -> Image.Image:
    """Return soft noise with patches of about ``grain`` pixels, from black to white."""
    step = max(1, round(grain * min(size) / 1024))
    tile = (
        _noise_tile()
        .resize((256, 256))
        .crop((0, 0, min(256, size[0] // step + 2), min(256, size[1] // step + 2)))
    )
    return tile.resize(size, Image.Resampling.BICUBIC)


def dot_screen(size: tuple[int, int], step: int) -> Image.Image:
    """Return a screen of round dots."""
    tile = Image.new("L", (step, step), 255)
    ImageDraw.Draw(tile).ellipse((0, 0, step * 0.6, step * 0.6), fill=110)
    whole = Image.new("L", size)
    row = Image.new("L", (size[0], step))
    for x in range(0, size[0], step):
        row.paste(tile, (x, 0))
    for y in range(0, size[1], step):
        whole.paste(row, (0, y))
    return whole
