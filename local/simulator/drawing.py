"""Draws pictures quickly: a scene made of the prompt's words, in the manner of the model."""

import io
import math
from dataclasses import dataclass
from threading import Lock

from PIL import Image

from local.simulator.art.album import Page, album
from local.simulator.art.painter import Hand, paint_alone
from local.simulator.art.pictures import picture_of
from local.simulator.art.reading import read_scene
from local.simulator.desk import Mask, Tool
from local.simulator.given import Given
from local.simulator.newest import Newest
from local.simulator.retouching import (
    retouched,
    where_transparent,
    where_white,
    with_the_rest,
)
from local.simulator.working import cut_out, worked_on

DRAWN_EDGE = 1600
PILLOW_FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
USUAL_DETAIL = 2
# Sketches share 16 locks, so that callers of the same picture wait for one drawing, not for all.
_LOCKS = tuple(Lock() for _ in range(16))
KEPT_BYTES = 64_000_000
"""A picture of four megapixels has up to seven of them."""


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
    detail: int = USUAL_DETAIL
    """From 0 to 3: how much is drawn besides what the prompt names."""
    take: int = 0
    """Another number gives another picture of the same words."""

    @property
    def hand(self) -> Hand:
        """Return who paints it."""
        return Hand(f"{self.provider}|{self.model}", self.detail)


_DRAWN = Newest[Sketch, bytes](KEPT_BYTES)


def draw(sketch: Sketch, inputs: tuple[Given, ...] = (), mask: Mask | None = None) -> bytes:
    """Return the encoded picture in exactly the requested pixels; with inputs, it is made of them.

    Only pictures without inputs are kept, the newest of them.
    """
    if inputs and sketch.tool:
        image = worked_on(sketch.tool, inputs[0], (sketch.width, sketch.height))
        return encoded(image, sketch.image_format)
    if inputs:
        return _draw(sketch, inputs, mask)
    with _LOCKS[hash(sketch) % len(_LOCKS)]:
        content = _DRAWN.get(sketch)
        if content is None:
            content = _draw(sketch, (), None)
            _DRAWN.put(sketch, content, len(content))
        return content


def _draw(sketch: Sketch, inputs: tuple[Given, ...], mask: Mask | None) -> bytes:
    scale = max(1.0, max(sketch.width, sketch.height) / DRAWN_EDGE)
    small = (math.ceil(sketch.width / scale), math.ceil(sketch.height / scale))
    if inputs:
        image = retouched(sketch.prompt, sketch.hand, small, inputs, _repaint(mask))
        image = cut_out(image.convert("RGBA")) if sketch.transparent else image
    else:
        image = painted(sketch, small)
    if image.size != (sketch.width, sketch.height):
        image = image.resize((sketch.width, sketch.height), Image.Resampling.BICUBIC)
        image = with_the_rest(image, inputs, _repaint(mask)) if mask else image
    return encoded(image, sketch.image_format)


def _repaint(mask: Mask | None) -> Image.Image | None:
    if mask is None:
        return None
    return where_white(mask.given) if mask.is_white else where_transparent(mask.given)


def encoded(image: Image.Image, image_format: str) -> bytes:
    """Return the picture's file, encoded for speed rather than for size."""
    buffer = io.BytesIO()
    # With method 0 and level 1, a webp or png of one megapixel takes tens of milliseconds.
    options = {"png": {"compress_level": 1}, "jpeg": {"quality": 88}, "webp": {"method": 0}}
    image.save(buffer, PILLOW_FORMATS[image_format], **options[image_format])
    return buffer.getvalue()


def painted(sketch: Sketch, size: tuple[int, int]) -> Image.Image:
    """Return the picture of a prompt, and keep in mind what it shows."""
    words = " ".join(sketch.prompt.lower().split())
    scene = read_scene(sketch.prompt, f"{words}|{sketch.take}")
    image = picture_of(scene, size, sketch.hand)
    if sketch.transparent:
        alpha = paint_alone(scene, size, sketch.hand).getchannel("A") if scene.items else None
        image = image.convert("RGBA") if alpha else cut_out(image.convert("RGBA"))
        if alpha:
            image.putalpha(alpha)
    album().add(image, Page(scene, sketch.hand))
    return image
