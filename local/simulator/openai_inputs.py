"""Checks image requests as OpenAI does.

https://platform.openai.com/docs/api-reference/images/create
"""

from dataclasses import replace
from typing import Any

from local.simulator.catalog import load_catalog
from local.simulator.desk import Order
from local.simulator.faults import Fault, FaultError
from local.simulator.openai_faults import FAULTS
from local.simulator.openai_prices import FACTORS, MICROUSD_PER_TOKEN, output_tokens, pixels_of
from local.simulator.prompts import categories_of, is_refused
from local.simulator.wire import Body, Request

CHOICES = {
    "quality": ("auto", *FACTORS),
    "background": ("auto", "opaque", "transparent"),
    "output_format": ("png", "jpeg", "webp"),
    "moderation": ("auto", "low"),
}
RANGES = {"n": (1, 10), "output_compression": (0, 100), "partial_images": (0, 3)}
KNOWN = {"model", "prompt", "size", "stream", "user", "safety_identifier", *CHOICES, *RANGES}
MAX_PROMPT_CHARACTERS = 32_000


def models() -> dict[str, Any]:
    """Return the served models by id."""
    return load_catalog().models("openai")


def body_of(request: Request) -> Body:
    """Return the JSON body.

    Raises:
        FaultError: ``bad_parameter``: the body is not a JSON object.
    """
    try:
        return request.json()
    except ValueError as error:
        message = "We could not parse the JSON body of your request."
        raise invalid("", message, code=None) from error


def invalid(param: str, message: str, *, code: str | None = "invalid_value") -> FaultError:
    """Return the refusal of one parameter."""
    row = FAULTS["bad_parameter"]
    return FaultError(replace(row, message=message, code=code, details={"param": param or None}))


def gone(model: str) -> Fault:
    """Return the refusal of a model; for a retired one, the message says so."""
    retired = ("openai", model) in load_catalog().retired
    message = (
        f"The model `{model}` has been deprecated, learn more here: "
        "https://platform.openai.com/docs/deprecations"
        if retired
        else f"The model `{model}` does not exist or you do not have access to it."
    )
    return replace(FAULTS["model_gone"], message=message)


def check_fields(body: Body) -> None:
    """Refuse missing and unknown fields, and values out of range.

    Raises:
        FaultError: ``bad_parameter`` with the parameter's name, or ``model_gone``.
    """
    prompt, model = body.get("prompt"), body.get("model")
    if not isinstance(prompt, str) or not prompt:
        raise invalid("prompt", "Missing required parameter: 'prompt'.", code="missing_required")
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise invalid(
            "prompt", "Invalid 'prompt': string too long.", code="string_above_max_length"
        )
    if model not in models():
        raise FaultError(gone(str(model)))
    if "input_fidelity" in body:
        text = f"The model '{model}' does not support the 'input_fidelity' parameter."
        raise invalid("input_fidelity", text, code="invalid_input_fidelity_model")
    for name in sorted(body.keys() - KNOWN):
        raise invalid(name, f"Unknown parameter: '{name}'.", code="unknown_parameter")
    check_values(body)


def check_values(body: Body) -> None:
    """Refuse values outside the allowed choices and ranges."""
    for name, choices in CHOICES.items():
        if name in body and body[name] not in choices:
            supported = ", ".join(f"'{choice}'" for choice in choices)
            message = f"Invalid value: '{body[name]}'. Supported values are: {supported}."
            raise invalid(name, message)
    for name, (low, high) in RANGES.items():
        value = body.get(name, low)
        if not isinstance(value, int) or not low <= value <= high:
            raise invalid(name, f"Invalid '{name}': must be from {low} to {high}.")
    if body.get("background") == "transparent" and body.get("output_format") == "jpeg":
        raise invalid("background", "Transparent background is not supported for 'jpeg'.")
    if body.get("output_format", "png") == "png" and body.get("output_compression", 100) != 100:
        raise invalid("output_compression", "Compression less than 100 is not supported for 'png'.")
    if not isinstance(body.get("stream", False), bool):
        raise invalid("stream", "Invalid type for 'stream'.", code="invalid_type")
    if body.get("partial_images") and not body.get("stream"):
        raise invalid("partial_images", "'partial_images' needs 'stream'.")


def order_of(body: Body) -> Order:
    """Return the checked body as an order, with OpenAI's defaults filled in."""
    size = str(body.get("size", "auto"))
    pixels = pixels_of(size)
    if pixels is None:
        raise invalid("size", f"Invalid value: '{size}'. The size is not supported.")
    width, height = pixels
    # Without a quality, the image is made and billed as high.
    quality = body.get("quality", "auto").replace("auto", "high")
    return Order(
        model=body["model"],
        prompt=body["prompt"],
        params={key: value for key, value in body.items() if key != "prompt"},
        width=width,
        height=height,
        image_format=body.get("output_format", "png"),
        count=body.get("n", 1),
        quality=quality,
        price_microusd=output_tokens(quality, width, height) * MICROUSD_PER_TOKEN,
        transparent=body.get("background") == "transparent",
        partials=body.get("partial_images", 0),
    )


def check_prompt(order: Order) -> None:
    """Refuse prompts that OpenAI's safety system refuses.

    Raises:
        FaultError: ``moderation_blocked``, with the categories.
    """
    categories = list(categories_of(order.prompt))
    if categories or is_refused(order.prompt):
        details = {"moderation_stage": "input", "categories": categories}
        row = FAULTS["moderation_blocked"]
        raise FaultError(replace(row, details={"moderation_details": details}))
