"""Checks the inputs of Replicate's image models, and computes the picture's pixels."""

from dataclasses import replace

from local.simulator.desk import Order
from local.simulator.faults import FaultError
from local.simulator.replicate_faults import FAULTS
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
PLAIN = {
    "prompt",
    "seed",
    "output_format",
    "output_quality",
    "aspect_ratio",
    "disable_safety_checker",
    "go_fast",
}
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
    "black-forest-labs/flux-2-max": {"resolution", "width", "height", "safety_tolerance"},
    "black-forest-labs/flux-2-klein-4b": {"output_megapixels", "images"},
}
CUSTOM_EDGES = {"black-forest-labs/flux-1.1-pro": (256, 1440)}


def invalid(field: str, message: str) -> FaultError:
    """Return the refusal of one input field."""
    fields = [{"type": "invalid", "field": f"input.{field}", "description": message}]
    text = f"- input.{field}: {message}\n"
    row = FAULTS["bad_parameter"]
    return FaultError(replace(row, message=text, details={"invalid_fields": fields}))


def order_of(model: str, given: Body) -> Order:
    """Return a prediction's input as an order.

    Raises:
        FaultError: ``bad_parameter``: the input does not fit the model's schema.
    """
    prompt = given.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise invalid("prompt", "prompt is required")
    for name in sorted(given.keys() - PLAIN - OWN.get(model, set())):
        raise invalid(name, "Additional property is not allowed")
    count = given.get("num_outputs", 1)
    if not isinstance(count, int) or not 1 <= count <= 4:
        raise invalid("num_outputs", "Must be from 1 to 4")
    image_format = given.get("output_format", DEFAULT_FORMAT)
    if image_format not in FORMATS:
        raise invalid("output_format", f"Must be one of {', '.join(FORMATS)}")
    width, height = pixels_of(model, given)
    params = {key: value for key, value in given.items() if key != "prompt"}
    return Order(model, prompt, params, width, height, FORMATS[image_format], count)


def pixels_of(model: str, given: Body) -> tuple[int, int]:
    """Return width and height: custom edges, or those of the ratio and the megapixels."""
    ratio = given.get("aspect_ratio", "1:1")
    if ratio == "custom":
        return custom(model, given, "width"), custom(model, given, "height")
    if ratio not in RATIOS:
        raise invalid("aspect_ratio", f"Must be one of {', '.join(RATIOS)}")
    scale = scale_of(given)
    width, height = RATIOS[ratio]
    return on_grid(width * scale), on_grid(height * scale)


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
