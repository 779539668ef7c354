"""Together AI's images (https://docs.together.ai/reference/post-images-generations)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

from local.simulator.catalog import load_catalog
from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault, FaultError
from local.simulator.given import Given, from_data_url
from local.simulator.keys import check_credit, check_key
from local.simulator.kontext import KONTEXT_RATIOS, nearest_ratio
from local.simulator.spoil import base64_of
from local.simulator.together_faults import FAULTS
from local.simulator.together_models import model_view
from local.simulator.wire import Answer, Body, Request, json_answer

# Together's newest client requests the key's owner from another version of the API.
ALIASES = {"/together/v3/whoami": "/together/v1/whoami"}
CHOICES = {"response_format": ("url", "base64"), "output_format": ("jpeg", "png")}
RANGES = {
    "width": (64, 2048),
    "height": (64, 2048),
    "n": (1, 4),
    "steps": (1, 50),
    "seed": (0, 2_147_483_647),
}
OTHERS = {
    "model",
    "prompt",
    "negative_prompt",
    "guidance_scale",
    "disable_safety_checker",
    "image_url",
    "reference_images",
    "image_loras",
    "prompt_upsampling",
    "aspect_ratio",
}
KNOWN = {*OTHERS, *CHOICES, *RANGES}
KONTEXT = ("black-forest-labs/FLUX.1-kontext-pro", "black-forest-labs/FLUX.1-kontext-max")
UNSUPPORTED = {"black-forest-labs/FLUX.2-pro": {"negative_prompt"}}
# Which models take pictures, and in which fields; any other field with pictures is refused.
PICTURES = {
    **{model: {"image_url"} for model in KONTEXT},
    "black-forest-labs/FLUX.2-pro": {"image_url", "reference_images"},
    "black-forest-labs/FLUX.2-dev": {"reference_images"},
}
PIXEL_STEP = 8
KEY_OWNER = {
    "type": "project_api_key",
    "api_key": {"id": "key_simulated"},
    "organization": {"id": "org_simulated", "name": "Simulated"},
    "project": {"id": "proj_simulated", "name": "Simulated", "slug": "simulated"},
}


@dataclass(frozen=True, slots=True)
class Together:
    """Together AI."""

    name: str = "together"

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return Together's error table."""
        return FAULTS

    def key_of(self, request: Request) -> str:
        """Return the bearer token."""
        return request.bearer()

    def is_order(self, request: Request) -> bool:
        """Return whether the request is for images."""
        return (request.method, request.path) == ("POST", "/images/generations")

    def order_from(self, request: Request) -> Order:
        """Return the order; every field is checked."""
        check_key(request.bearer(), FAULTS)
        body = body_of(request)
        check_fields(body)
        check_values(body)
        check_credit(request.bearer(), FAULTS["out_of_credit"])
        return order_of(body)

    def free(self, request: Request) -> Answer:
        """Return the models, or the key's owner."""
        check_key(request.bearer(), FAULTS)
        if (request.method, request.path) == ("GET", "/models"):
            return json_answer([model_view(row) for row in models().values()])
        if (request.method, request.path) == ("GET", "/whoami"):
            return json_answer(KEY_OWNER)
        raise FaultError(replace(FAULTS["model_gone_404"], message="Not found"))

    def error(self, fault: Fault) -> Answer:
        """Return ``{"id", "error": {message, type, param, code}}``."""
        error = {
            "message": fault.message,
            "type": fault.kind or "server_error",
            "param": fault.details.get("param"),
            "code": fault.code,
        }
        after = fault.retry_after_seconds
        headers = {} if after is None else {"retry-after": str(after)}
        payload = {"id": call_id(), "error": error}
        return json_answer(payload, status=fault.status, headers=headers)

    def success(self, desk: Desk) -> Answer:
        """Return the pictures, inline or as URLs, as the request asks."""
        inline = desk.order.params.get("response_format") == "base64"
        if desk.details.get("form") == "other":
            inline = not inline
        data: list[Body] = []
        for index, picture in enumerate(desk.pictures):
            kind = "b64_json" if inline else "url"
            value = base64_of(picture, desk.spoil) if inline else desk.publish(picture)
            data.append({"index": index, "type": kind, kind: value})
        return images_answer(desk.order.model, data)

    def empty(self, desk: Desk) -> Answer:
        """Return a success without data."""
        return images_answer(desk.order.model, [])


def build() -> Together:
    """Return the simulated provider in its initial state."""
    return Together()


def models() -> Mapping[str, Any]:
    """Return the served models by id."""
    return load_catalog().models("together")


def call_id() -> str:
    """Return a new id for a call."""
    return f"{token_hex(4)}-{token_hex(6)}"


def images_answer(model: str, data: list[Body]) -> Answer:
    """Return Together's list of images."""
    return json_answer({"id": call_id(), "model": model, "object": "list", "data": data})


def body_of(request: Request) -> Body:
    """Return the JSON body.

    Raises:
        FaultError: ``bad_parameter``: the body is not a JSON object.
    """
    try:
        return request.json()
    except ValueError as error:
        raise invalid("", "Invalid JSON body") from error


def invalid(param: str, message: str) -> FaultError:
    """Return the refusal of one field."""
    row = FAULTS["bad_parameter"]
    return FaultError(replace(row, message=message, details={"param": param or None}))


def check_fields(body: Body) -> None:
    """Refuse missing and unknown fields and models.

    Raises:
        FaultError: ``bad_parameter``, ``model_gone`` (retired) or ``model_gone_404`` (unknown).
    """
    if not isinstance(body.get("prompt"), str) or not body["prompt"]:
        raise invalid("prompt", "prompt: Field required")
    model = body.get("model")
    if ("together", model) in load_catalog().retired:
        message = f"Unable to access non-serverless model {model}."
        raise FaultError(replace(FAULTS["model_gone"], message=message))
    if model not in models():
        raise FaultError(FAULTS["model_gone_404"])
    unsupported = unsupported_by(str(model)) & body.keys()
    for name in sorted((body.keys() - KNOWN) | unsupported):
        raise invalid(name, f"{name}: not recognized or supported")


def unsupported_by(model: str) -> set[str]:
    """Return the known fields that a model does not take."""
    pictures = {"image_url", "reference_images"} - PICTURES.get(model, set())
    sizes = {"width", "height"} if model in KONTEXT else {"aspect_ratio"}
    return UNSUPPORTED.get(model, set()) | pictures | sizes


def pictures_of(body: Body) -> tuple[Given, ...]:
    """Return the pictures of a request; only data URLs lead anywhere here.

    Raises:
        FaultError: ``bad_parameter``: a picture cannot be opened.
    """
    found: list[Given] = []
    listed = body.get("reference_images", [])
    urls = [("image_url", body["image_url"])] if "image_url" in body else []
    if not isinstance(listed, list):
        raise invalid("reference_images", "reference_images: must be a list")
    for name, url in [*urls, *(("reference_images", one) for one in listed)]:
        try:
            found.append(from_data_url(url))
        except ValueError as error:
            raise invalid(name, f"{name}: could not load the image") from error
    return tuple(found)


def size_of(body: Body, inputs: tuple[Given, ...]) -> tuple[int, int]:
    """Return width and height: in pixels, or for Kontext by the ratio."""
    if body["model"] not in KONTEXT:
        return body.get("width", 1024), body.get("height", 1024)
    usual = nearest_ratio(inputs[0].width, inputs[0].height) if inputs else "1:1"
    ratio = body.get("aspect_ratio", usual)
    if ratio not in KONTEXT_RATIOS:
        raise invalid("aspect_ratio", f"aspect_ratio: must be one of {', '.join(KONTEXT_RATIOS)}")
    return KONTEXT_RATIOS[ratio]


def check_values(body: Body) -> None:
    """Refuse values outside the allowed choices and ranges."""
    for name, choices in CHOICES.items():
        if body.get(name, choices[0]) not in choices:
            raise invalid(name, f"{name}: must be one of {', '.join(choices)}")
    for name, (low, high) in RANGES.items():
        value = body.get(name, low)
        if not isinstance(value, int) or not low <= value <= high:
            raise invalid(name, f"{name}: must be between {low} and {high}")
    for name in ("width", "height"):
        if body.get(name, 0) % PIXEL_STEP:
            raise invalid(name, f"{name}: must be a multiple of {PIXEL_STEP}")


def order_of(body: Body) -> Order:
    """Return the checked body as an order."""
    inputs = pictures_of(body)
    width, height = size_of(body, inputs)
    return Order(
        model=body["model"],
        prompt=body["prompt"],
        params={key: value for key, value in body.items() if key != "prompt"},
        width=width,
        height=height,
        inputs=inputs,
        image_format=body.get("output_format", "jpeg"),
        count=body.get("n", 1),
    )
