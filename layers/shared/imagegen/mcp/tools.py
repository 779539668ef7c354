"""The tools: the price of an image, the state of an image, the list of models. None spends money.

The quote, with which an image can be bought, is in ``_meta``, which hosts do not show to the model;
the model reads only the price. To confirm, a client calls the generate function with the user's own
token.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from imagegen.chat.tool import tool_definition
from imagegen.domain.catalog import Tier
from imagegen.domain.errors import ImagegenError
from imagegen.domain.money import label_text, usd_text
from imagegen.edge.problems import invalid_request, on_route, to_problem
from imagegen.wire.images import (
    Allowance,
    EdgeModel,
    Estimate,
    EstimateRequest,
    ImageStatus,
    Instant,
    Price,
    Replaced,
)
from imagegen.wire.reports import Models

ESTIMATE, STATUS, MODELS = "estimate_image", "image_status", "list_models"
PREFIX = "imagegen/"
FREE = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True}
PRICES = (
    "Returns the price of an image: chooses quality, model and provider, and returns the expected "
    "price and the most that can be charged. No image is made and nothing is charged: the person "
    "confirms in their own client. Call it once for each image that the user wants."
)
PROGRESS = (
    "Returns the state of an image that was priced with estimate_image: generating, complete with "
    "its URL and the charge, or failed and not charged. An id that was never confirmed is not "
    "found. To see whether it was deleted since, open its URL."
)
CATALOG = (
    "Returns the models that can make images, with quality, sizes, prices, and whether each one is "
    "available now."
)


class Offer(EdgeModel):
    """The fields of an estimate that a model reads: everything except the quote."""

    image_id: str
    prompt: str
    quality: Tier
    quality_reason: str
    provider: str
    model: str
    size: str
    style: str
    price: Price
    button_label: str
    fallback: Replaced | None
    typical_seconds: int
    expires_at: Instant
    remaining: Allowance


class StatusArguments(EdgeModel):
    """The arguments of ``image_status``."""

    image_id: str = Field(description="The imageId of an estimate.", max_length=200)


class NoArguments(EdgeModel):
    """The arguments of a tool that takes none."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The functions behind the tools, for one user."""

    estimate: Callable[[EstimateRequest], Estimate]
    status: Callable[[str], ImageStatus]
    models: Callable[[], Models]
    providers: Sequence[str] = ()
    """The names that an estimate accepts."""


def definitions(providers: Sequence[str]) -> list[dict[str, Any]]:
    """Return the definitions of the tools for ``tools/list``."""
    arguments = tool_definition("mcp", providers)["inputSchema"]
    return [
        _definition(ESTIMATE, "Price an image", PRICES, arguments, Offer),
        _definition(STATUS, "State of an image", PROGRESS, _schema(StatusArguments), ImageStatus),
        _definition(MODELS, "Models and prices", CATALOG, _schema(NoArguments), Models),
    ]


def call(name: str, arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any] | None:
    """Return a tool's result, ``None`` if there is no such tool.

    An error of the tool is a result too, so that the model reads it and can correct its call.
    """
    tool = {ESTIMATE: _estimate, STATUS: _status, MODELS: _models}.get(name)
    if tool is None:
        return None
    given = {key: value for key, value in arguments.items() if value is not None}
    try:
        return tool(given, toolbox)
    except ValidationError as error:
        problem = invalid_request(list(error.errors(include_input=False, include_context=False)))
    except ImagegenError as error:
        problem = to_problem(error)
    # A price buys nothing; whether an image is charged is known only to those who have looked.
    problem = problem if name == STATUS else on_route(problem, "/estimate")
    values = problem.model_dump(mode="json", by_alias=True)
    text = f"{problem.code}: {problem.detail}"
    return {**_content(text), "isError": True, "_meta": {f"{PREFIX}problem": values}}


def _estimate(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    estimate = toolbox.estimate(EstimateRequest.model_validate(arguments))
    offer = Offer.model_validate({name: getattr(estimate, name) for name in Offer.model_fields})
    expected, ceiling = estimate.price.expected, estimate.price.ceiling
    most = "" if ceiling == expected else f", at most {label_text(ceiling)}"
    text = (
        f"{label_text(expected)}{most}: {estimate.quality} quality, {estimate.size}, by "
        f"{estimate.model} ({estimate.provider}). Nothing is charged until the user confirms."
    )
    cost = {
        "usd": float(usd_text(expected)),
        "model": estimate.model,
        "provider": estimate.provider,
    }
    whole = estimate.model_dump(mode="json", by_alias=True)
    meta = {"cost": cost, f"{PREFIX}charged": False, f"{PREFIX}estimate": whole}
    return {**_structured(text, offer), "_meta": meta}


def _status(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    image = toolbox.status(StatusArguments.model_validate(arguments).image_id)
    url = f" {image.image_url}" if image.image_url else ""
    return _structured(f"The image is {image.status}.{url} {_charge(image)}", image)


def _charge(image: ImageStatus) -> str:
    if image.charged is None:
        return "Whether it is charged is not known yet."
    if not image.charged:
        return "It is not charged."
    return f"Charged: {label_text(image.cost.charged)}." if image.cost else "It is charged."


def _models(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    NoArguments.model_validate(arguments)
    catalog = toolbox.models()
    available = [row for row in catalog.models if row.available]
    names = "; ".join(f"{row.quality}: {row.key} ({row.model})" for row in available)
    text = f"{len(available)} of {len(catalog.models)} models are available now. {names}"
    return _structured(text, catalog)


def _structured(text: str, model: BaseModel) -> dict[str, Any]:
    values = model.model_dump(mode="json", by_alias=True)
    as_text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return {**_content(text, as_text), "structuredContent": values, "isError": False}


def _content(*texts: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text} for text in texts]}


def _definition(
    name: str, title: str, description: str, arguments: dict[str, Any], answer: type[BaseModel]
) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": arguments,
        "outputSchema": answer.model_json_schema(by_alias=True, mode="serialization"),
        "annotations": {**FREE, "openWorldHint": False},
    }


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)
