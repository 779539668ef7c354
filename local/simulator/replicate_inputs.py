"""Checks the inputs of Replicate's image models, and computes the picture's pixels."""

from collections.abc import Sequence
from dataclasses import replace

from local.simulator.desk import Order
from local.simulator.faults import FaultError
from local.simulator.given import Given
from local.simulator.kontext import KONTEXT_RATIOS, nearest_ratio
from local.simulator.replicate_faults import FAULTS
from local.simulator.replicate_pictures import (
    FILL,
    LISTS,
    ONE,
    Opener,
    PictureError,
    added_microusd,
    pictures_of,
)
from local.simulator.replicate_tools import TOOLS, tool_order
from local.simulator.wire import Body

SQUARE = (1024, 1024)
RATIOS = {
    "1:1": SQUARE,
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
    "4:3": (1152, 896),
    "3:4": (896, 1152),
    "5:4": (1088, 896),
    "4:5": (896, 1088),
    "21:9": (1536, 640),
    "9:21": (640, 1536),
}
# Factors of the edges, not of the area: with 4 megapixels, the edges are twice as long.
MEGAPIXELS = {"0.25": 0.5, "0.5": 0.7071, "1": 1.0, "2": 1.4142, "4": 2.0}
PIXEL_STEP = 16
FORMATS = {"webp": "webp", "jpg": "jpeg", "jpeg": "jpeg", "png": "png"}
DEFAULT_FORMAT = "webp"
MATCH = "match_input_image"
PLAIN = {
    "prompt",
    "seed",
    "output_format",
    "output_quality",
    "aspect_ratio",
    "disable_safety_checker",
    "go_fast",
}
RAW = {"safety_tolerance", "prompt_upsampling"}
FLUX_2 = {"input_images", "resolution", "width", "height", "safety_tolerance"}
KONTEXT = {"input_image", *RAW}
# These models have no webp, no quality and no switch for the checker.
PLAINER = {*ONE, FILL}
NOT_OF_PLAINER = {"output_quality", "disable_safety_checker", "go_fast"}
OWN = {
    "black-forest-labs/flux-schnell": {"num_outputs", "megapixels", "num_inference_steps"},
    "black-forest-labs/flux-dev": {
        "num_outputs",
        "megapixels",
        "num_inference_steps",
        "guidance",
    },
    "black-forest-labs/flux-1.1-pro": {
        "width",
        "height",
        "safety_tolerance",
        "prompt_upsampling",
    },
    "black-forest-labs/flux-2-max": FLUX_2,
    "black-forest-labs/flux-2-pro": FLUX_2,
    "black-forest-labs/flux-kontext-pro": KONTEXT,
    "black-forest-labs/flux-kontext-max": KONTEXT,
    FILL: {"image", "mask", "outpaint", "steps", "guidance", *RAW},
    "black-forest-labs/flux-2-klein-4b": {"output_megapixels", "images"},
}
CUSTOM_EDGES = {"black-forest-labs/flux-1.1-pro": (256, 1440)}


def invalid(field: str, message: str) -> FaultError:
    """Return the refusal of one input field."""
    fields = [{"type": "invalid", "field": f"input.{field}", "description": message}]
    text = f"- input.{field}: {message}\n"
    row = FAULTS["bad_parameter"]
    return FaultError(replace(row, message=text, details={"invalid_fields": fields}))


def order_of(model: str, given: Body, opener: Opener) -> Order:
    """Return a prediction's input as an order; ``opener`` opens the files that it names.

    Raises:
        FaultError: ``bad_parameter``: the input does not fit the model's schema.
    """
    if model in TOOLS:
        return _tool_order(model, given, opener)
    prompt = given.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise invalid("prompt", "prompt is required")
    for name in sorted(given.keys() - known(model)):
        raise invalid(name, "Additional property is not allowed")
    count = given.get("num_outputs", 1)
    if not isinstance(count, int) or not 1 <= count <= 4:
        raise invalid("num_outputs", "Must be from 1 to 4")
    image_format = given.get("output_format", "png" if model in PLAINER else DEFAULT_FORMAT)
    formats = ("jpg", "png") if model in PLAINER else tuple(FORMATS)
    if image_format not in formats:
        raise invalid("output_format", f"Must be one of {', '.join(formats)}")
    try:
        pictures = pictures_of(model, given, opener)
    except PictureError as error:
        raise invalid(error.field, str(error)) from error
    return Order(
        model,
        prompt,
        {key: value for key, value in given.items() if key != "prompt"},
        *pixels_of(model, given, pictures.inputs),
        FORMATS[image_format],
        count,
        inputs=pictures.inputs,
        repaint=pictures.mask,
        added_microusd=added_microusd(model, pictures.inputs),
    )


def _tool_order(model: str, given: Body, opener: Opener) -> Order:
    try:
        return tool_order(model, given, opener)
    except PictureError as error:
        raise invalid(error.field, str(error)) from error


def known(model: str) -> set[str]:
    """Return the fields that a model takes."""
    plain = PLAIN - NOT_OF_PLAINER if model in PLAINER else PLAIN
    return (plain - {"aspect_ratio"} if model == FILL else plain) | OWN.get(model, set())


def pixels_of(model: str, given: Body, inputs: Sequence[Given] = ()) -> tuple[int, int]:
    """Return width and height: custom edges, or those of the ratio and the megapixels.

    FLUX Fill keeps the size of its picture, and Kontext the ratio unless another is requested.
    """
    if model == FILL:
        return inputs[0].width, inputs[0].height
    if model in ONE:
        return kontext_pixels(given.get("aspect_ratio", MATCH), inputs)
    ratio = given.get("aspect_ratio", "1:1")
    if ratio == MATCH and model in LISTS and inputs:
        ratio = nearest_ratio(inputs[0].width, inputs[0].height)
    if ratio == "custom":
        return custom(model, given, "width"), custom(model, given, "height")
    if ratio not in RATIOS:
        raise invalid("aspect_ratio", f"Must be one of {', '.join(RATIOS)}")
    scale = scale_of(given)
    width, height = RATIOS[ratio]
    return on_grid(width * scale), on_grid(height * scale)


def kontext_pixels(ratio: object, inputs: Sequence[Given]) -> tuple[int, int]:
    """Return the pixels of FLUX.1 Kontext."""
    if ratio == MATCH:
        first = inputs[0] if inputs else None
        return KONTEXT_RATIOS[nearest_ratio(first.width, first.height) if first else "1:1"]
    if ratio not in KONTEXT_RATIOS:
        raise invalid("aspect_ratio", f"Must be one of {', '.join(KONTEXT_RATIOS)}")
    return KONTEXT_RATIOS[str(ratio)]


def custom(model: str, given: Body, edge: str) -> int:
    """Return a custom edge."""
    low, high = CUSTOM_EDGES.get(model, (256, 2048))
    value: object = given.get(edge)
    if not isinstance(value, int) or not low <= value <= high:
        raise invalid(edge, f"Must be from {low} to {high}")
    return value


def scale_of(given: Body) -> float:
    """Return the factor for the edges, relative to one megapixel."""
    for name in ("megapixels", "output_megapixels", "resolution"):
        if name in given:
            asked = str(given[name]).removesuffix(" MP")
            if asked not in MEGAPIXELS:
                raise invalid(name, f"Must be one of {', '.join(MEGAPIXELS)}")
            return MEGAPIXELS[asked]
    return 1.0


def on_grid(edge: float) -> int:
    """Return an edge rounded to a multiple of ``PIXEL_STEP``."""
    return round(edge / PIXEL_STEP) * PIXEL_STEP
