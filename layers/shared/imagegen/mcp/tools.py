"""The tools: the price of an image, the state of an image, the list of models. None spends money.

A person confirms: on the page that the result links to, in the view of the offer (``confirm``), or
in a client that shows the button itself. The quote, with which an image can be bought together with
the user's token, is in ``_meta`` for views and such clients. Most hosts keep ``_meta`` from the
model; the link contains no quote.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from imagegen.chat.tool import tool_definition
from imagegen.domain.catalog import Shape, Tier
from imagegen.domain.errors import ConfigurationError, ImagegenError
from imagegen.domain.money import label_text, usd_text
from imagegen.edge.problems import invalid_request, on_route, to_problem
from imagegen.mcp import confirm as confirming
from imagegen.mcp.app import TOOL_META, offer_link
from imagegen.mcp.confirm import CONFIRM, Relay
from imagegen.mcp.results import INPUTS, content, definition, schema, structured
from imagegen.wire.edge_model import EdgeModel
from imagegen.wire.estimates import Allowance, Blocked, Estimate, EstimateRequest, Price, Replaced
from imagegen.wire.images import ImageStatus
from imagegen.wire.reports import Models, OfferedModel
from imagegen.wire.values import Instant, MicroUsd

ESTIMATE_TOOL, STATUS_TOOL, MODELS_TOOL = "estimate_image", "image_status", "list_models"
META_PREFIX = "imagegen/"
PRICES = (
    "Returns the price of an image: chooses quality, model and provider, and returns the expected "
    "price and the most that can be charged. No image is made and nothing is charged: you cannot "
    "buy it, only a person can. The result has a link to a page with the offer and a button: give "
    "it to the user, with the price, unless your application shows the button itself. Call it once "
    "for each different image; with count for several versions of one."
)
PROGRESS = (
    "Returns the state of an image that was priced with estimate_image: generating, complete with "
    "its URL and the charge, or failed and not charged. An id that was never confirmed is not "
    "found. To see whether it was deleted since, open its URL."
)
NEEDS = {"image": "input image", "mask": "input image and a mask"}
LISTING = (
    "Returns the models that can make images now, with quality, provider, and the price and usual "
    "time of a square image."
)


class Offer(EdgeModel):
    """The fields of an estimate that a model reads: everything except the quote."""

    image_id: str
    image_ids: tuple[str, ...]
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


class ListedModel(EdgeModel):
    """One model that can make images now."""

    key: str
    model: str
    provider: str
    quality: Tier
    price: MicroUsd = Field(description="Of a square image, in US dollars.")
    typical_seconds: int


class AvailableModels(EdgeModel):
    """The models that can make images now, and how many others there are."""

    models: tuple[ListedModel, ...]
    unavailable: int


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
    page_url: Callable[[], str] = lambda: ""
    """Returns the page's URL, without a slash at the end; empty if it is not known."""
    relay: Relay | None = None
    """Sends a confirmed offer to where images are made."""
    image_origins: Sequence[str] = ()
    """Where the pictures are that a view shows."""


def definitions(providers: Sequence[str], *, has_apps: bool = False) -> list[dict[str, Any]]:
    """Return the definitions of the tools for ``tools/list``; one is for the views of apps."""
    arguments = tool_definition("mcp", providers)["inputSchema"]
    arguments["properties"]["inputs"] = INPUTS
    price = definition(ESTIMATE_TOOL, "Price an image", PRICES, arguments, Offer)
    state = schema(StatusArguments)
    return [
        {**price, "_meta": TOOL_META},
        definition(STATUS_TOOL, "State of an image", PROGRESS, state, ImageStatus),
        definition(MODELS_TOOL, "Models and prices", LISTING, schema(NoArguments), AvailableModels),
        *([confirming.definition_of_tool()] if has_apps else []),
    ]


def call(
    name: str, arguments: Mapping[str, Any], toolbox: Toolbox, *, has_apps: bool = False
) -> dict[str, Any] | None:
    """Return a tool's result, ``None`` if there is no such tool for this client.

    An error of the tool is a result too, so that the model reads it and can correct its call.
    """
    tools = {
        ESTIMATE_TOOL: _estimate,
        STATUS_TOOL: _status,
        MODELS_TOOL: _models,
        CONFIRM: _confirm,
    }
    tool = tools.get(name)
    if tool is None or (name == CONFIRM and not has_apps):
        return None
    given = {key: value for key, value in arguments.items() if value is not None}
    try:
        return tool(given, toolbox)
    except ValidationError as error:
        problem = invalid_request(list(error.errors(include_input=False, include_context=False)))
    except ImagegenError as error:
        problem = to_problem(error)
    # A price buys nothing; whether an image is charged is known only to those who have looked.
    problem = problem if name in (STATUS_TOOL, CONFIRM) else on_route(problem, "/estimate")
    values = problem.model_dump(mode="json", by_alias=True)
    text = f"{problem.code}: {problem.detail}"
    return {**content(text), "isError": True, "_meta": {f"{META_PREFIX}problem": values}}


def _estimate(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    request = EstimateRequest.model_validate(arguments)
    estimate = toolbox.estimate(request)
    names = Offer.model_fields.keys() - {"offer_url"}
    link = offer_link(toolbox.page_url(), estimate, request)
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


def _status(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    image = toolbox.status(StatusArguments.model_validate(arguments).image_id)
    url = f" {image.image_url}" if image.image_url else ""
    return structured(f"The image is {image.status}.{url} {_charge(image)}", image)


def _charge(image: ImageStatus) -> str:
    if image.charged is None:
        return "Whether it is charged is not known yet."
    if not image.charged:
        return "It is not charged."
    return f"Charged: {label_text(image.cost.charged)}." if image.cost else "It is charged."


def _confirm(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    if toolbox.relay is None:
        raise ConfigurationError("Nothing can be confirmed here. Use the link of the offer.")
    found = confirming.confirm(arguments, toolbox.relay)
    return {**structured(found.detail, found), "isError": found.status == "failed"}


def _models(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    NoArguments.model_validate(arguments)
    found = toolbox.models().models
    rows = [row for row in found if row.available]
    listed = tuple(map(_listed, rows))
    lines = [
        f"{one.key} ({one.model}, {one.provider}): {one.quality}, {label_text(one.price)}, "
        f"{one.typical_seconds} s{_needs(row)}"
        for one, row in zip(listed, rows, strict=True)
    ]
    text = "\n".join([f"{len(listed)} of {len(found)} models are available now.", *lines])
    answer = AvailableModels(models=listed, unavailable=len(found) - len(listed))
    # The text has the same values: as JSON they would take the model's context a second time.
    return {**structured(text, answer), **content(text)}


def _needs(row: OfferedModel) -> str:
    support = row.inputs
    return (
        ""
        if support is None or support.needs == "nothing"
        else f", needs an {NEEDS[support.needs]}"
    )


def _listed(row: OfferedModel) -> ListedModel:
    square = next((one for one in row.sizes if one.shape is Shape.SQUARE), row.sizes[0])
    return ListedModel(
        key=row.key,
        model=row.model,
        provider=row.provider,
        quality=row.quality,
        price=square.price,
        typical_seconds=row.typical_seconds,
    )
