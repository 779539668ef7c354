"""Checks an edit as Ideogram's Precise Edit does: a form with one picture, and perhaps a mask.

https://developer.ideogram.ai/api-reference/images/precise-edit/ideogram-4-5
"""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

from PIL import Image, ImageOps

from local.simulator.desk import Mask, Order
from local.simulator.faults import FaultError
from local.simulator.forms import Part, is_form, parts_of
from local.simulator.given import Given, opened
from local.simulator.ideogram_faults import FAULTS
from local.simulator.wire import Body, Request, is_whole

EDIT = "-precise-edit"
"""What the project's catalog adds to a model's name."""
TYPES = ("image/jpeg", "image/png", "image/webp")
MOST_BYTES = 50_000_000
QUALITIES = ("very_low", "low", "medium", "high")
RANGES = {"num_images": (1, 8), "seed": (0, 2_147_483_647)}
FIELDS = {"prompt", "quality", "async", "webhook_url", *RANGES}
FILES = {"image", "mask"}
TRUTHS = {"true": True, "false": False}
type Invalid = Callable[[str], FaultError]


def edit_of(request: Request, model: str, invalid: Invalid) -> Order:
    """Return the order of an edit, whose image has the size of the picture.

    Raises:
        FaultError: a field or a file is refused.
    """
    if not is_form(request):
        raise FaultError(FAULTS["unsupported_media"])
    try:
        parts = parts_of(request)
    except ValueError as error:
        raise invalid("invalid form") from error
    files = {part.name: _file(part, invalid) for part in parts if part.name in FILES}
    body = {part.name: _value(part) for part in parts if part.name not in FILES}
    _check_fields(body, invalid)
    if "image" not in files:
        raise invalid("image is required")
    picture = files["image"]
    mask = _mask(files["mask"], picture, invalid) if "mask" in files else None
    return Order(
        model=model,
        prompt=body["prompt"],
        params={name: value for name, value in body.items() if name != "prompt"},
        width=picture.width,
        height=picture.height,
        count=body.get("num_images", 1),
        most=RANGES["num_images"][1],
        quality=body.get("quality", "medium"),
        inputs=(picture,),
        repaint=mask,
    )


def _file(part: Part, invalid: Invalid) -> Given:
    if part.media_type not in TYPES or len(part.content) > MOST_BYTES:
        raise invalid(f"{part.name} must be a JPEG, PNG or WebP of at most 50 MB")
    try:
        return opened(part.content)
    except ValueError as error:
        raise invalid(f"{part.name} is not an image") from error


def _value(part: Part) -> Any:
    text = part.content.decode("utf-8", "replace")
    if part.name in RANGES and text.isdecimal():
        return int(text)
    return TRUTHS.get(text, text) if part.name == "async" else text


def _check_fields(body: Body, invalid: Invalid) -> None:
    if not 1 <= len(body.get("prompt", "")) <= 10_000:
        raise invalid("prompt must have 1 to 10000 characters")
    for name in sorted(body.keys() - FIELDS):
        raise invalid(f"{name} is not known")
    if body.get("quality", "medium") not in QUALITIES:
        raise invalid(f"quality must be one of {', '.join(QUALITIES)}")
    for name, (low, high) in RANGES.items():
        if not is_whole(body.get(name, low), low, high):
            raise invalid(f"{name} must be between {low} and {high}")
    if type(body.get("async", False)) is not bool:
        raise invalid("async must be true or false")


def _mask(mask: Given, picture: Given, invalid: Invalid) -> Mask:
    """Return the mask, whose black may change, as one whose white may."""
    if (mask.width, mask.height) != (picture.width, picture.height):
        raise invalid("mask must be as large as the image")
    grey = Image.open(BytesIO(mask.content)).convert("L").point(lambda one: 255 * (one >= 128))
    if grey.getextrema() != (0, 255):
        raise invalid("mask must have black and white pixels")
    out = BytesIO()
    ImageOps.invert(grey).save(out, "PNG")
    return Mask(replace(mask, content=out.getvalue(), media_type="image/png"), is_white=True)
