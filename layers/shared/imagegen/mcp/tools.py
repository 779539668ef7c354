"""The tools of one user: the price of an image, its state, the models; and, for views, the click.

A person confirms: on the page that the result links to, in the view of the offer (``confirm``), or
in a client that shows the button itself. No tool that a model may call spends money.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from imagegen.domain.errors import ConfigurationError, ImagegenError
from imagegen.domain.money import label_text
from imagegen.edge.problems import invalid_request, on_route, to_problem
from imagegen.mcp.confirm import CONFIRM, Relay, confirm, confirm_definition
from imagegen.mcp.listing import MODELS_TOOL, NoArguments, models_definition, models_result
from imagegen.mcp.offers import ESTIMATE_TOOL, estimate_definition, offer_result, to_request
from imagegen.mcp.results import META_PREFIX, content, definition, schema, structured
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.images import ImageStatus
from imagegen.wire.model_list import Models
from imagegen.wire.values import EdgeModel

STATUS_TOOL = "image_status"
PROGRESS = (
    "Returns the state of an image that was priced with estimate_image: generating, complete with "
    "its URL and the charge, or failed and not charged. An id that was never confirmed is not "
    "found. To see whether it was deleted since, open its URL."
)


class StatusArguments(EdgeModel):
    """The arguments of ``image_status``."""

    image_id: str = Field(description="The imageId of an estimate.", max_length=200)


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
    state = schema(StatusArguments)
    return [
        estimate_definition(providers),
        definition(STATUS_TOOL, "State of an image", PROGRESS, state, ImageStatus),
        models_definition(),
        *([confirm_definition()] if has_apps else []),
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
    request = to_request(arguments)
    return offer_result(request, toolbox.estimate(request), toolbox.page_url())


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
    found = confirm(arguments, toolbox.relay)
    return {**structured(found.detail, found), "isError": found.status == "failed"}


def _models(arguments: Mapping[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    NoArguments.model_validate(arguments)
    return models_result(toolbox.models())
