"""Replicate's models that work on one picture, without a prompt: they enlarge it or cut it out.

https://replicate.com/topazlabs/image-upscale/api, https://replicate.com/bria/remove-background/api,
https://replicate.com/recraft-ai/recraft-crisp-upscale/api.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local.simulator.desk import Order, Tool
from local.simulator.given import Given
from local.simulator.replicate_pictures import Opener, PictureError, opened
from local.simulator.wire import Body

TOPAZ = "topazlabs/image-upscale"
CRISP = "recraft-ai/recraft-crisp-upscale"
BRIA = "bria/remove-background"
TOPAZ_FACTORS = {"None": 1, "2x": 2, "4x": 4, "6x": 6}
TOPAZ_MODELS = ("Standard V2", "Low Resolution V2", "CGI", "High Fidelity V2", "Text Refine")
TOPAZ_MOST_PIXELS = 512_000_000
CRISP_FACTOR, CRISP_MOST_EDGE = 4, 4096
CRISP_EDGES, CRISP_MOST_PIXELS, CRISP_MOST_BYTES = (32, 4096), 16_000_000, 10_000_000
SHARE = (0, 1)


def _one_of(*values: str) -> Callable[[object], bool]:
    return lambda value: value in values


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)


def _is_share(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and SHARE[0] <= value <= SHARE[1]  # type: ignore[operator] # it is a number


@dataclass(frozen=True, slots=True)
class ToolModel:
    """One model: its fields besides the picture, and what it makes of one."""

    tool: Tool
    fields: Mapping[str, Callable[[object], bool]] = field(default_factory=dict)


TOOLS: Mapping[str, ToolModel] = {
    TOPAZ: ToolModel(
        Tool.ENLARGE,
        {
            "enhance_model": _one_of(*TOPAZ_MODELS),
            "upscale_factor": _one_of(*TOPAZ_FACTORS),
            "output_format": _one_of("jpg", "png"),
            "subject_detection": _one_of("None", "All", "Foreground", "Background"),
            "face_enhancement": _is_truth,
            "face_enhancement_strength": _is_share,
            "face_enhancement_creativity": _is_share,
        },
    ),
    CRISP: ToolModel(Tool.ENLARGE),
    BRIA: ToolModel(
        Tool.CUT_OUT,
        {
            "preserve_alpha": _is_truth,
            "preserve_partial_alpha": _is_truth,
            "content_moderation": _is_truth,
        },
    ),
}


def tool_order(model: str, given: Body, opener: Opener) -> Order:
    """Return a prediction's input as an order; ``opener`` opens the file that it names.

    Raises:
        PictureError: a field is unknown or wrong, or the picture is missing or does not fit.
    """
    known = TOOLS[model]
    for name in sorted(given.keys() - {"image", *known.fields}):
        raise PictureError(name, "Additional property is not allowed")
    for name, is_good in known.fields.items():
        if name in given and not is_good(given[name]):
            raise PictureError(name, "Does not match the schema")
    if given.get("image") is None:
        raise PictureError("image", "image is required")
    picture = opened("image", given["image"], opener)
    width, height = result_pixels(model, given, picture)
    return Order(
        model, "", dict(given), width, height, result_format(model, given),
        inputs=(picture,), tool=known.tool,
    )  # fmt: skip


def result_pixels(model: str, given: Body, picture: Given) -> tuple[int, int]:
    """Return width and height of what the model makes.

    Raises:
        PictureError: the picture, or what would be made of it, is too large or too small.
    """
    if model == BRIA:
        return picture.width, picture.height
    if model == CRISP:
        return _crisp_pixels(picture)
    factor = TOPAZ_FACTORS[given.get("upscale_factor", "None")]
    width, height = picture.width * factor, picture.height * factor
    if width * height > TOPAZ_MOST_PIXELS:
        raise PictureError("upscale_factor", "The output would have more than 512 megapixels")
    return width, height


def _crisp_pixels(picture: Given) -> tuple[int, int]:
    """Return four times the edges, and at most 4096 for the longer one."""
    edges = picture.width, picture.height
    low, high = CRISP_EDGES
    if min(edges) < low or max(edges) > high or edges[0] * edges[1] > CRISP_MOST_PIXELS:
        raise PictureError("image", f"Edges must be from {low} to {high} pixels, 16 MP in all")
    if len(picture.content) >= CRISP_MOST_BYTES:
        raise PictureError("image", "The file must have less than 10 MB")
    longest = min(CRISP_FACTOR * max(edges), CRISP_MOST_EDGE)
    width, height = (round(edge * longest / max(edges)) for edge in edges)
    return width, height


def result_format(model: str, given: Body) -> str:
    """Return the format of the file; of Recraft's it was found in an answer."""
    if model == TOPAZ:
        return "png" if given.get("output_format") == "png" else "jpeg"
    return "webp" if model == CRISP else "png"
