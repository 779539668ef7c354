"""Draws real pictures quickly: a landscape with the prompt, the provider and the model on it."""

import hashlib
import io
import math
import random
import textwrap
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock

from PIL import Image, ImageDraw, ImageFont

from imagegen.providers import PROVIDERS
from local.simulator.desk import Mask, Tool
from local.simulator.given import Given
from local.simulator.retouching import (
    retouched,
    where_transparent,
    where_white,
    without_background,
)
from local.simulator.working import worked_on

type Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

DRAWN_EDGE = 1600
PILLOW_FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
# Sketches share 16 locks, so that callers of the same picture wait for one drawing, not for all.
_LOCKS = tuple(Lock() for _ in range(16))


@dataclass(frozen=True, slots=True)
class Sketch:
    """The description of a picture; equal sketches give equal bytes."""

    provider: str
    model: str
    prompt: str
    width: int
    height: int
    image_format: str
    """``png``, ``jpeg`` or ``webp``."""
    transparent: bool = False
    tool: Tool | None = None


def draw(sketch: Sketch, inputs: tuple[Given, ...] = (), mask: Mask | None = None) -> bytes:
    """Return the encoded picture in exactly the requested pixels; with inputs, it is made of them.

    Only pictures without inputs are kept.
    """
    if inputs and sketch.tool:
        image = worked_on(sketch.tool, inputs[0], (sketch.width, sketch.height))
        return encoded(image, sketch.image_format)
    if inputs:
        return _draw(sketch, inputs, mask)
    with _LOCKS[hash(sketch) % len(_LOCKS)]:
        return _drawn_once(sketch)


@lru_cache(maxsize=64)
def _drawn_once(sketch: Sketch) -> bytes:
    return _draw(sketch, (), None)


def _draw(sketch: Sketch, inputs: tuple[Given, ...], mask: Mask | None) -> bytes:
    scale = math.ceil(max(sketch.width, sketch.height) / DRAWN_EDGE)
    small = (max(1, sketch.width // scale), max(1, sketch.height // scale))
    image = painted(sketch, small)
    if inputs:
        image = retouched(image, inputs, _repaint(mask))
    if sketch.transparent:
        image = without_background(image)
    if scale > 1:
        image = image.resize((sketch.width, sketch.height), Image.Resampling.NEAREST)
    return encoded(image, sketch.image_format)


def _repaint(mask: Mask | None) -> Image.Image | None:
    if mask is None:
        return None
    return where_white(mask.given) if mask.is_white else where_transparent(mask.given)


def encoded(image: Image.Image, image_format: str) -> bytes:
    """Return the picture's file, encoded for speed rather than for size."""
    buffer = io.BytesIO()
    # With method 0 and level 1, a webp or png of one megapixel takes tens of milliseconds.
    options = {"png": {"compress_level": 1}, "jpeg": {"quality": 85}, "webp": {"method": 0}}
    image.save(buffer, PILLOW_FORMATS[image_format], **options[image_format])
    return buffer.getvalue()


def painted(sketch: Sketch, size: tuple[int, int]) -> Image.Image:
    """Return the landscape of the prompt with the prompt and the signature on it."""
    seed = hashlib.sha256(sketch.prompt.encode()).digest()
    dice = random.Random(seed)
    image = sky(dice, size)
    pen = ImageDraw.Draw(image)
    draw_sun(pen, dice, size)
    draw_hills(pen, dice, size)
    draw_prompt(pen, sketch.prompt, size)
    draw_signature(pen, sketch, size)
    return image


def sky(dice: random.Random, size: tuple[int, int]) -> Image.Image:
    """Return a soft gradient, made of nine colours and enlarged."""
    hue = dice.random()
    tiny = Image.new("HSV", (3, 3))
    for row in range(3):
        for column in range(3):
            shade = (hue + 0.09 * row + 0.04 * column) % 1
            tiny.putpixel((column, row), (int(shade * 255), 150 - 30 * row, 110 + 50 * row))
    return tiny.convert("RGB").resize(size, Image.Resampling.BICUBIC)


def draw_sun(pen: ImageDraw.ImageDraw, dice: random.Random, size: tuple[int, int]) -> None:
    """Draw a pale disc somewhere in the upper half."""
    width, height = size
    radius = min(size) * dice.uniform(0.08, 0.16)
    x, y = width * dice.uniform(0.2, 0.8), height * dice.uniform(0.18, 0.42)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 236, 201))


def draw_hills(pen: ImageDraw.ImageDraw, dice: random.Random, size: tuple[int, int]) -> None:
    """Draw three ridges, the nearest the darkest."""
    width, height = size
    base = [dice.randint(40, 110) for _ in range(3)]
    for ridge in range(3):
        level, swing = 0.55 + 0.13 * ridge, dice.uniform(0.03, 0.08)
        phase, waves = dice.uniform(0, 6), dice.uniform(1.2, 3)
        line = [
            (x, height * (level + swing * math.sin(phase + waves * math.tau * x / width)))
            for x in range(0, width + 16, 8)
        ]
        shade = 1.2 - 0.4 * ridge
        fill = (int(base[0] * shade), int(base[1] * shade), int(base[2] * shade))
        pen.polygon([*line, (width + 16, height), (0, height)], fill=fill)


def draw_prompt(pen: ImageDraw.ImageDraw, prompt: str, size: tuple[int, int]) -> None:
    """Write the prompt, wrapped, as large as it fits."""
    width, height = size
    lines, edge = fitted(prompt, size)
    text = "\n".join(lines)
    middle = (width / 2, height * 0.45)
    pen.multiline_text(
        middle,
        text,
        fill="white",
        font=font_of(edge),
        anchor="mm",
        align="center",
        stroke_width=max(1, edge // 16),
        stroke_fill=(20, 24, 33),
    )


def fitted(prompt: str, size: tuple[int, int]) -> tuple[list[str], int]:
    """Return the wrapped prompt and the letter height in pixels that fits it into the picture."""
    width, height = size
    text = " ".join(prompt.split())[:600] or "(no prompt)"
    for divisor in (14, 18, 24, 32, 44):
        edge = max(8, min(size) // divisor)
        lines = textwrap.wrap(text, max(8, int(width * 0.86 / (edge * 0.56))))
        if len(lines) * edge * 1.3 <= height * 0.62:
            break
    return lines[: max(1, int(height * 0.62 / (edge * 1.3)))], edge


def draw_signature(pen: ImageDraw.ImageDraw, sketch: Sketch, size: tuple[int, int]) -> None:
    """Draw a strip with the provider, the model and the size."""
    about = PROVIDERS[sketch.provider]
    width, height = size
    strip = max(18, min(size) // 14)
    pen.rectangle((0, height - strip, width, height), fill=about.colour)
    text = f"{about.title} | {sketch.model} | {sketch.width} x {sketch.height}"
    edge = max(8, min(strip // 2, int(width * 1.7 / len(text))))
    middle = (width / 2, height - strip / 2)
    pen.text(middle, text, fill="white", font=font_of(edge), anchor="mm")


@cache
def font_of(edge: int) -> Font:
    """Return Pillow's own typeface at a letter height in pixels."""
    return ImageFont.load_default(edge)
