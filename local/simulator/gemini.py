"""Google's generateContent with image models (https://ai.google.dev/api/generate-content)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.simulator.catalog import load_catalog
from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault, FaultError
from local.simulator.gemini_answers import blocked_answer, error_payload, image_answer
from local.simulator.gemini_faults import FAULTS, invalid
from local.simulator.gemini_pictures import MOST_BYTES, added_microusd, pictures_of
from local.simulator.gemini_sizes import (
    LEVELS,
    OUTPUT_TOKENS,
    RATIOS,
    SIZES,
    TOKENS,
    WIDE_RATIOS,
    pixels_of,
    thoughts_of,
)
from local.simulator.keys import check_credit, check_key
from local.simulator.wire import Answer, Body, Request, json_answer

DRAW = ":generateContent"
KNOWN = {"contents", "generationConfig", "safetySettings", "systemInstruction"}
KNOWN_CONFIG = {
    "responseModalities",
    "imageConfig",
    "seed",
    "temperature",
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "thinkingConfig",
}
THINKING = {"thinkingLevel", "includeThoughts"}
INPUT_TOKENS = {"gemini-nano-banana-2.1": 131_072}
# The largest pictures come from here: as PNG they would be slow to encode.
JPEG_MODELS = {"gemini-3-pro-image"}
LARGE = 4000


@dataclass(frozen=True, slots=True)
class Gemini:
    """The Gemini Developer API."""

    name: str = "gemini"

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return Gemini's error table."""
        return FAULTS

    def key_of(self, request: Request) -> str:
        """Return the key, from the header or from the query."""
        return request.headers.get("x-goog-api-key") or request.query.get("key", "")

    def is_order(self, request: Request) -> bool:
        """Return whether the request generates content."""
        return request.method == "POST" and request.path.endswith(DRAW)

    def order_from(self, request: Request) -> Order:
        """Return the order; every field is checked."""
        check_key(self.key_of(request), FAULTS)
        model = request.path.removeprefix("/models/").removesuffix(DRAW)
        if model not in models():
            raise FaultError(gone(model))
        order = order_of(model, body_of(request))
        check_credit(self.key_of(request), FAULTS["billing_off"])
        return order

    def free(self, request: Request) -> Answer:
        """Return the list of models or one of them."""
        check_key(self.key_of(request), FAULTS)
        if request.method == "GET" and request.path == "/models":
            return models_answer(request.query)
        model = request.path.removeprefix("/models/")
        if request.method != "GET" or model not in models():
            raise FaultError(gone(model))
        return json_answer(model_view(model))

    def error(self, fault: Fault) -> Answer:
        """Return ``{"error": {code, message, status, details}}``."""
        return json_answer(error_payload(fault), status=fault.status)

    def success(self, desk: Desk) -> Answer:
        """Return the picture inline; without room for one, the model stops before it."""
        if not desk.pictures:
            order, details = desk.order, {"finishReason": "MAX_TOKENS"}
            return json_answer(blocked_answer(order.model, order.prompt, details))
        return json_answer(image_answer(desk))

    def empty(self, desk: Desk) -> Answer:
        """Return a candidate that stopped, or feedback on a blocked prompt."""
        order = desk.order
        return json_answer(blocked_answer(order.model, order.prompt, desk.details))


def build() -> Gemini:
    """Return the simulated provider in its initial state."""
    return Gemini()


def models() -> Mapping[str, Any]:
    """Return the served models by id."""
    return load_catalog().models("gemini")


def model_view(model: str) -> Body:
    """Return a model as the API describes it."""
    return {
        "name": f"models/{model}",
        "baseModelId": model,
        "version": "001",
        "displayName": model.replace("-", " ").title(),
        "inputTokenLimit": INPUT_TOKENS.get(model, 65_536),
        "outputTokenLimit": OUTPUT_TOKENS,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def models_answer(query: Mapping[str, str]) -> Answer:
    """Return one page of the list of models."""
    start = int(query.get("pageToken") or 0)
    end = start + int(query.get("pageSize") or 50)
    names = list(models())
    page: Body = {"models": [model_view(model) for model in names[start:end]]}
    if end < len(names):
        page["nextPageToken"] = str(end)
    return json_answer(page)


def gone(model: str) -> Fault:
    """Return the refusal of a model."""
    message = (
        f"models/{model} is not found for API version v1beta, or is not supported for "
        "generateContent. Call ListModels to see the list of available models."
    )
    return replace(FAULTS["model_gone"], message=message)


def body_of(request: Request) -> Body:
    """Return the JSON body.

    Raises:
        FaultError: ``bad_parameter``: the body is not a JSON object.
    """
    if len(request.content) > MOST_BYTES:
        raise invalid(f"Request payload size exceeds the limit: {MOST_BYTES} bytes.")
    try:
        return request.json()
    except ValueError as error:
        raise invalid("Invalid JSON payload received.") from error


def check_names(given: Mapping[str, Any], known: set[str], place: str) -> None:
    """Refuse unknown fields.

    Raises:
        FaultError: ``bad_parameter``; its message names the field.
    """
    for name in sorted(given.keys() - known):
        where = f" at '{place}'" if place else ""
        raise invalid(f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find.')


def order_of(model: str, body: Body) -> Order:
    """Return a body as an order.

    Raises:
        FaultError: ``bad_parameter``: a field is unknown or invalid.
    """
    config = body.get("generationConfig") or {}
    check_names(body, KNOWN, "")
    check_names(config, KNOWN_CONFIG, "generation_config")
    if config.get("candidateCount", 1) != 1:
        raise invalid("Multiple candidates is not enabled for this model")
    if "IMAGE" not in config.get("responseModalities", ["TEXT", "IMAGE"]):
        raise invalid("The requested combination of response modalities is not supported.")
    check_thinking(model, config)
    width, height = size_of(model, config.get("imageConfig") or {})
    inputs = pictures_of(parts_of(body))
    return Order(
        model=model,
        prompt=prompt_of(body),
        params={key: value for key, value in body.items() if key != "contents"},
        width=width,
        height=height,
        image_format="jpeg" if model in JPEG_MODELS or max(width, height) > LARGE else "png",
        most=most_images(model, config),
        inputs=inputs,
        added_microusd=added_microusd(model, inputs),
    )


def check_thinking(model: str, config: Mapping[str, Any]) -> None:
    """Refuse a thinking level that the model does not document, and an absurd limit.

    Raises:
        FaultError: ``bad_parameter``.
    """
    if "thinkingConfig" in config:
        if model not in LEVELS:
            raise invalid("Thinking level is not supported for this model.")
        check_names(config["thinkingConfig"], THINKING, "generation_config.thinking_config")
        if config["thinkingConfig"].get("thinkingLevel") not in LEVELS[model]:
            raise invalid(f"Thinking level must be one of {', '.join(LEVELS[model])}.")
    limit = config.get("maxOutputTokens", OUTPUT_TOKENS)
    if not isinstance(limit, int) or not 1 <= limit <= OUTPUT_TOKENS:
        raise invalid(f"max_output_tokens must be from 1 to {OUTPUT_TOKENS}.")


def most_images(model: str, config: Mapping[str, Any]) -> int:
    """Return how many pictures fit into the answer's tokens; thoughts share the limit."""
    limit: int = config.get("maxOutputTokens", OUTPUT_TOKENS)
    size = (config.get("imageConfig") or {}).get("imageSize", "1K")
    tokens = TOKENS[model].get(size, TOKENS[model]["1K"])
    return max(0, (limit - thoughts_of(model, config)) // tokens)


def size_of(model: str, image: Mapping[str, Any]) -> tuple[int, int]:
    """Return the pixels of a picture.

    Raises:
        FaultError: the model does not support the ratio or the size.
    """
    check_names(image, {"aspectRatio", "imageSize"}, "generation_config.image_config")
    ratio, size = image.get("aspectRatio", "1:1"), image.get("imageSize", "1K")
    ratios = {**RATIOS, **WIDE_RATIOS} if model == "gemini-nano-banana-2.1" else RATIOS
    if ratio not in ratios:
        raise invalid(f"Aspect ratio {ratio} is not supported by this model.")
    if size not in SIZES[model]:
        raise invalid(f"Image size {size} is not supported by this model.")
    return pixels_of(ratio, size)


def parts_of(body: Body) -> list[Body]:
    """Return all parts of the request."""
    return [part for content in body.get("contents") or [] for part in content.get("parts", [])]


def prompt_of(body: Body) -> str:
    """Return all text of the request.

    Raises:
        FaultError: the request contains no text.
    """
    text = "\n".join(part["text"] for part in parts_of(body) if "text" in part)
    if not text:
        raise invalid("* GenerateContentRequest.contents: contents is not specified")
    return text
