"""The tools: what an image would cost, where one stands, what there is. None of them spends.

The quote, with which an image can be bought, is in ``_meta``, which hosts keep from the model; what
the model reads says the price. Confirming takes the user's own token at the generate function.
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
from imagegen.edge.problems import invalid_request, to_problem
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
    "Price an image before anybody pays: picks quality, model and provider, and returns what it "
    "costs and at most can cost. Nothing is drawn and nothing is charged: the person confirms in "
    "their own client. Ask once for each image that the user wants."
)
PROGRESS = (
    "Where an image stands that was priced with estimate_image: generating, complete with its "
    "address and what was charged, or failed and not charged. An id that nobody confirmed is not "
    "found. Whether it was deleted since says its address."
)
CATALOG = "The models that can draw, with quality, sizes and prices, and whether they could now."


class Offer(EdgeModel):
    """What a model reads of an estimate: everything but the quote."""

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
    """Which image."""

    image_id: str = Field(description="The imageId of an estimate.", max_length=200)


class NoArguments(EdgeModel):
    """Nothing is asked."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What the tools do, for one user."""

    estimate: Callable[[EstimateRequest], Estimate]
    status: Callable[[str], ImageStatus]
    models: Callable[[], Models]
    providers: Sequence[str] = ()
    """The names that an estimate takes."""


def definitions(providers: Sequence[str]) -> list[dict[str, Any]]:
    """Return the tools as ``tools/list`` answers them."""
    asked = tool_definition("mcp", providers)["inputSchema"]
    return [
        _definition(ESTIMATE, "Price an image", PRICES, asked, Offer),
        _definition(
            STATUS, "Where an image stands", PROGRESS, _schema(StatusArguments), ImageStatus
        ),
        _definition(MODELS, "Models and prices", CATALOG, _schema(NoArguments), Models),
    ]


def call(name: str, arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any] | None:
    """Return what a tool says, ``None`` where there is no such tool.

    That it cannot do what was asked is a result as well: the model reads it and may do better.
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
    said = problem.model_dump(mode="json", by_alias=True, exclude_none=True)
    text = f"{problem.code}: {problem.detail}"
    return {**_content(text), "isError": True, "_meta": {f"{PREFIX}problem": said}}


def _estimate(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    made = toolbox.estimate(EstimateRequest.model_validate(arguments))
    offer = Offer.model_validate({name: getattr(made, name) for name in Offer.model_fields})
    expected, ceiling = made.price.expected, made.price.ceiling
    most = "" if ceiling == expected else f", at most {label_text(ceiling)}"
    text = (
        f"{label_text(expected)}{most}: {made.quality} quality, {made.size}, by {made.model} "
        f"({made.provider}). Nothing is charged until the user confirms."
    )
    cost = {"usd": float(usd_text(expected)), "model": made.model, "provider": made.provider}
    whole = made.model_dump(mode="json", by_alias=True)
    meta = {"cost": cost, f"{PREFIX}charged": False, f"{PREFIX}estimate": whole}
    return {**_structured(text, offer), "_meta": meta}


def _status(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    stands = toolbox.status(StatusArguments.model_validate(arguments).image_id)
    charged = label_text(stands.cost.charged) if stands.cost and stands.charged else "nothing"
    where = f" {stands.image_url}" if stands.image_url else ""
    return _structured(f"The image is {stands.status}.{where} Charged: {charged}.", stands)


def _models(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    NoArguments.model_validate(arguments)
    found = toolbox.models()
    able = [row for row in found.models if row.available]
    names = "; ".join(f"{row.quality}: {row.key} ({row.model})" for row in able)
    return _structured(f"{len(able)} of {len(found.models)} models can draw now. {names}", found)


def _structured(text: str, model: BaseModel) -> dict[str, Any]:
    values = model.model_dump(mode="json", by_alias=True)
    written = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return {**_content(text, written), "structuredContent": values, "isError": False}


def _content(*texts: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text} for text in texts]}


def _definition(
    name: str, title: str, description: str, asked: dict[str, Any], answer: type[BaseModel]
) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": asked,
        "outputSchema": answer.model_json_schema(by_alias=True, mode="serialization"),
        "annotations": {**FREE, "openWorldHint": False},
    }


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)
