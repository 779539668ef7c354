"""The tool that prices an image, and its result: the offer, with a link to confirm it.

The quote, with which an image can be bought together with the user's token, is in ``_meta`` for
views and for clients that show the button themselves. Most hosts keep ``_meta`` from the model; the
link contains no quote.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import Field

from imagegen.chat.tool import tool_definition
from imagegen.domain.catalog import Tier
from imagegen.domain.money import label_text, usd_text
from imagegen.domain.operations import WITHOUT_PROMPT, Operation
from imagegen.mcp.app import TOOL_META
from imagegen.mcp.results import META_PREFIX, definition, structured
from imagegen.wire.estimates import (
    Allowance,
    Blocked,
    Estimate,
    EstimateRequest,
    Price,
    Replaced,
)
from imagegen.wire.inputs import MAX_INPUTS
from imagegen.wire.loose_arguments import as_meant
from imagegen.wire.values import EdgeModel, Instant

ESTIMATE_TOOL = "estimate_image"
PRICES = (
    "Returns the price of an image: chooses quality, model and provider, and returns the expected "
    "price and the most that can be charged. No image is made and nothing is charged: you cannot "
    "buy it, only a person can. The result has a link to a page with the offer and a button: give "
    "it to the user, with the price, unless your application shows the button itself. Call it once "
    "for each different image; with count for several versions of one."
)
INPUTS = {
    "type": "array",
    "maxItems": MAX_INPUTS,
    "description": (
        "Images of this user to change or to look at, by the imageId of an estimate whose image "
        "was made. Use it whenever the user wants a change of one: the prompt then says only what "
        "to change, and does not describe the image."
    ),
    "items": {
        "type": "object",
        "properties": {
            "image": {"type": "string", "description": "The imageId."},
            "role": {
                "type": "string",
                "enum": ["edit", "reference"],
                "description": "edit, only for the first one: it is changed. reference: it is "
                "looked at.",
            },
        },
        "required": ["image", "role"],
        "additionalProperties": False,
    },
}
"""The argument of a tool that names images of the user."""
OPERATION = {
    "type": "string",
    "enum": [one.value for one in Operation],
    "description": "upscale makes the one image in inputs larger, cutout removes its background; "
    "neither reads the prompt. Without it, or with generate, an image is made of the prompt.",
}
SCALE = {
    "type": "integer",
    "enum": [2, 4],
    "description": "Only with upscale: how many times longer the edges become; 2 without it.",
}
MOST_CHARACTERS = 6_000
"""Hosts cut longer links. A prompt that needs a longer one is entered by hand."""
LINKED = frozenset(
    {"prompt", "quality", "size", "style", "max_cost", "provider", "model", "count"},
)
"""The fields of a request whose offer the page makes again: a model's name by its provider, its
quality and its price."""


class Offer(EdgeModel):
    """The fields of an estimate that a model reads: everything except the quote."""

    image_id: str
    image_ids: tuple[str, ...]
    operation: Operation
    prompt: str
    quality: Tier
    quality_reason: str
    provider: str
    model: str
    size: str
    style: str
    price: Price
    button_label: str
    blocked: Blocked | None
    fallback: Replaced | None
    typical_seconds: int
    expires_at: Instant
    remaining: Allowance
    offer_url: str | None = Field(
        description="A page with the offer, its price and a button; null if there is none."
    )


def estimate_definition(providers: Sequence[str]) -> dict[str, Any]:
    """Return the tool's definition; ``providers`` are the names that an estimate accepts."""
    arguments = tool_definition("mcp", providers)["inputSchema"]
    arguments["properties"] |= {"inputs": INPUTS, "operation": OPERATION, "scale": SCALE}
    tool = definition(ESTIMATE_TOOL, "Price an image", PRICES, arguments, Offer)
    return {**tool, "_meta": TOOL_META}


def to_request(arguments: Mapping[str, Any]) -> EstimateRequest:
    """Return what a model wants priced.

    The schema requires a prompt of every call; it is dropped where an operation has none.

    Raises:
        pydantic.ValidationError: the arguments do not fit.
    """
    wanted = as_meant(arguments)
    if wanted.get("operation") in WITHOUT_PROMPT:
        wanted.pop("prompt", None)
    return EstimateRequest.model_validate(wanted)


def offer_result(request: EstimateRequest, estimate: Estimate, page_url: str) -> dict[str, Any]:
    """Return the result of the tool; the quote is in its ``_meta`` alone."""
    names = Offer.model_fields.keys() - {"offer_url"}
    link = offer_link(page_url, estimate, request)
    values = {name: getattr(estimate, name) for name in names}
    offer = Offer.model_validate({**values, "offer_url": link})
    whole = estimate.model_dump(mode="json", by_alias=True)
    meta = {
        "cost": {
            "usd": float(usd_text(estimate.price.ceiling)),
            "model": estimate.model,
            "provider": estimate.provider,
        },
        f"{META_PREFIX}charged": False,
        f"{META_PREFIX}estimate": whole,
    }
    return {**structured(_offer_text(offer), offer), "_meta": meta}


def offer_link(page_url: str, estimate: Estimate, request: EstimateRequest) -> str | None:
    """Return the link, ``None`` if there is no page or the request does not fit into a link.

    A prompt may be too long. Inputs, a seed and the like are never in a link: without them it would
    be another offer.
    """
    if not page_url or request.model_dump(exclude_defaults=True).keys() - LINKED:
        return None
    wanted = {
        "prompt": request.prompt,
        "quality": estimate.quality,
        "size": request.size,
        "style": request.style,
        "provider": estimate.provider,
        "maxCost": usd_text(estimate.price.ceiling),
        "count": str(request.count) if request.count > 1 else "",
    }
    given = {name: value for name, value in wanted.items() if value}
    link = f"{page_url}/#{urlencode(given, quote_via=quote)}"
    return link if len(link) <= MOST_CHARACTERS else None


def _offer_text(offer: Offer) -> str:
    """Return what the model reads and passes on; the first amount is the most that is charged."""
    expected, ceiling = offer.price.expected, offer.price.ceiling
    count = offer.price.count
    usual = "" if ceiling == expected else f", usually {label_text(expected)}"
    what = "It costs" if count == 1 else f"The {count} images together cost"
    text = (
        f"{what} at most {label_text(ceiling)}{usual}: {offer.quality} quality, {offer.size}, by "
        f"{offer.model} ({offer.provider}). No image is made and nothing is charged until the "
        "person confirms. "
    )
    if offer.blocked:
        text += f"Now a limit would refuse it: {offer.blocked.detail} "
    if offer.offer_url is None:
        return f"{text}They confirm where your application shows a button with the price."
    return (
        f"{text}Unless your application shows a button with the price, give them this link; the "
        f"page shows the offer and the button: {offer.offer_url}"
    )
