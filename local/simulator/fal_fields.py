"""The fields of fal's orders (https://fal.ai/docs), checked as each model's own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.simulator.desk import Order
from local.simulator.fal_faults import FAULTS
from local.simulator.faults import FaultError
from local.simulator.given import Given, from_data_url
from local.simulator.wire import Body, is_whole

COMMON = frozenset({"prompt", "image_size", "seed", "enable_safety_checker", "output_format"})
FLUX = frozenset({"num_images", "num_inference_steps", "guidance_scale", "acceleration"})
EDITING, PICTURES, MOST_PICTURES = "fal-ai/flux-2-max/edit", "image_urls", 10
INPUT_MEGAPIXEL, MICROUSD_PER_INPUT_MEGAPIXEL = 1024 * 1024, 30_000
"""Of FLUX.2: 1920x1080 counts as two megapixels (https://fal.ai/models/fal-ai/flux-2-flex)."""
OWN: Mapping[str, frozenset[str]] = {
    "fal-ai/flux/schnell": FLUX,
    "fal-ai/flux/dev": FLUX,
    "fal-ai/flux-2-pro": frozenset({"safety_tolerance"}),
    "fal-ai/flux-2-max": frozenset({"safety_tolerance"}),
    EDITING: frozenset({"safety_tolerance", PICTURES}),
}
SYNC = frozenset({"sync_mode"})
PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
USUAL_SIZE = "landscape_4_3"
RANGES = {"num_images": (1, 4), "num_inference_steps": (1, 50), "seed": (0, 2**32 - 1)}
MOST_EDGE = 14_142
FORMATS = ("jpeg", "png")


def invalid(name: str, message: str) -> FaultError:
    """Return the refusal of one field."""
    return FaultError(replace(FAULTS["bad_parameter"], message=message, details={"field": name}))


def check_fields(model: str, body: Body) -> None:
    """Refuse unknown fields, and values that the model does not take.

    Raises:
        FaultError: ``bad_parameter``.
    """
    if not isinstance(body.get("prompt"), str) or not body["prompt"]:
        raise invalid("prompt", "Field required")
    for name in sorted(body.keys() - COMMON - SYNC - OWN.get(model, frozenset())):
        raise invalid(name, "Extra inputs are not permitted")
    if body.get("output_format", "jpeg") not in FORMATS:
        raise invalid("output_format", "Input should be 'jpeg' or 'png'")
    for name, (low, high) in RANGES.items():
        if not is_whole(body.get(name, low), low, high):
            raise invalid(name, f"Input should be from {low} to {high}")
    for name in ("enable_safety_checker", "sync_mode"):
        if type(body.get(name, True)) is not bool:
            raise invalid(name, "Input should be a valid boolean")
    if model == EDITING and PICTURES not in body:
        raise invalid(PICTURES, "Field required")
    check_size(body.get("image_size", USUAL_SIZE))


def pictures_of(body: Body) -> tuple[Given, ...]:
    """Return the input images, which are data URLs here.

    Raises:
        FaultError: ``bad_parameter``.
    """
    urls = body.get(PICTURES, [])
    if not isinstance(urls, list) or len(urls) > MOST_PICTURES or (PICTURES in body and not urls):
        raise invalid(PICTURES, f"Input should be a list of 1 to {MOST_PICTURES} URLs")
    try:
        return tuple(map(from_data_url, urls))
    except ValueError as error:
        raise invalid(PICTURES, f"Failed to load the image: {error}") from error


def check_size(size: object) -> None:
    """Refuse a size that is neither a preset nor a width and a height.

    Raises:
        FaultError: ``bad_parameter``.
    """
    if isinstance(size, dict):
        edges = [size.get(name, 512) for name in ("width", "height")]
        if not size.keys() <= {"width", "height"} or not all(
            is_whole(edge, 1, MOST_EDGE) for edge in edges
        ):
            raise invalid("image_size", f"Input should be from 1 to {MOST_EDGE}")
    elif not isinstance(size, str) or size not in PRESETS:
        raise invalid("image_size", "Input should be a preset, or a width and a height")


def order_of(model: str, body: Body) -> Order:
    """Return the checked body as an order."""
    size: Any = body.get("image_size", USUAL_SIZE)
    if isinstance(size, dict):
        width, height = size.get("width", 512), size.get("height", 512)
    else:
        width, height = PRESETS[size]
    inputs = pictures_of(body)
    begun = sum(-(-one.width * one.height // INPUT_MEGAPIXEL) for one in inputs)
    return Order(
        model=model,
        prompt=body["prompt"],
        params={key: value for key, value in body.items() if key not in ("prompt", PICTURES)},
        width=width,
        height=height,
        image_format=body.get("output_format", "jpeg"),
        count=body.get("num_images", 1),
        most=RANGES["num_images"][1],
        inputs=inputs,
        added_microusd=begun * MICROUSD_PER_INPUT_MEGAPIXEL,
    )
