"""The tool with which the view of an offer confirms it, after a person's click.

Its visibility is ``["app"]`` (https://github.com/modelcontextprotocol/ext-apps, 2026-01-26): a host
must keep it out of the model's tools, and may let a view call it. The server cannot see whether a
view or a model calls. So only hosts that declare support for MCP Apps are offered the tool, and it
requires the quote, which is in ``_meta`` of the offer alone and in nothing that a model reads. The
tool makes no image itself: it sends the person's request to ``POST /generate-image``, with the
person's own token.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from imagegen.domain.money import label_text, parse_usd
from imagegen.mcp.results import definition, schema
from imagegen.wire.images import GenerateRequest
from imagegen.wire.values import EdgeModel

CONFIRM = "confirm_image"
META = {"ui": {"visibility": ["app"]}}
DESCRIPTION = (
    "For the view of an offer alone, when the person has pressed its button: makes the image and "
    "charges it. It needs the quote of the offer, which no model has."
)
SPENDS = {
    "readOnlyHint": False,
    "destructiveHint": True,
    "idempotentHint": True,
    "openWorldHint": False,
}
"""For a host that shows the tool to its model all the same, and asks the person before it runs."""
GENERATING = "The image is being made. Its state says when it is complete, and what it cost."
UNKNOWN = (
    "The request was sent and no answer came yet. Look at the state of the image. The same quote "
    "can be sent again: it is charged at most once."
)


class Confirmation(EdgeModel):
    """The result of a confirmed offer; it contains no quote."""

    status: Literal["complete", "generating", "failed", "unknown"]
    detail: str
    charged: bool | None = Field(description="null: whether it is charged is not known yet.")
    retryable: bool = False
    code: str | None = Field(None, description="Of an error: why no image was made.")
    image_id: str | None = None
    image_url: str | None = None


@dataclass(frozen=True, slots=True)
class Relayed:
    """What ``POST /generate-image`` answered; without an answer, the status is 0."""

    status: int = 0
    body: bytes = b""


type Relay = Callable[[str], Relayed]
"""Sends a JSON body to ``POST /generate-image`` with the token of the present request."""


def confirm(arguments: Mapping[str, Any], relay: Relay) -> Confirmation:
    """Confirm an offer and return the result.

    Raises:
        pydantic.ValidationError: the arguments are not a quote and a prompt.
    """
    request = GenerateRequest.model_validate(arguments)
    answer = relay(request.model_dump_json(by_alias=True))
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = {}
    values = found if isinstance(found, dict) else {}
    match answer.status:
        case 200 if "images" in values:
            return _complete_set(values["images"])
        case 200:
            return _complete(values)
        case 202:
            return _with_id("generating", GENERATING, values)
        case _ if values.get("code") and values.get("detail"):
            return _failed(values)
    return _with_id("unknown", UNKNOWN, {})


def confirm_definition() -> dict[str, Any]:
    """Return the definition for ``tools/list``."""
    arguments = schema(GenerateRequest)
    tool = definition(CONFIRM, "Confirm an offer", DESCRIPTION, arguments, Confirmation)
    return {**tool, "annotations": SPENDS, "_meta": META}


def _complete(image: Mapping[str, Any]) -> Confirmation:
    cost = label_text(parse_usd(image["cost"]["charged"]))
    return Confirmation(
        status="complete",
        detail=f"The image is complete. Charged: {cost}.",
        charged=True,
        image_id=image["id"],
        image_url=image["imageUrl"],
    )


def _complete_set(images: Sequence[Mapping[str, Any]]) -> Confirmation:
    """Return the result of several images: the sum charged, and the first one that is stored."""
    made = [one["image"] for one in images if one["status"] == "complete"]
    cost = label_text(sum(parse_usd(one["cost"]["charged"]) for one in made))
    open_ones = any(one["charged"] is None for one in images)
    unknown = " Whether the others are charged is not known yet." if open_ones else ""
    return Confirmation(
        status="complete",
        detail=f"{len(made)} of {len(images)} images are complete. Charged: {cost}.{unknown}",
        charged=True,
        image_id=made[0]["id"],
        image_url=made[0]["imageUrl"],
    )


def _with_id(
    status: Literal["generating", "unknown"], detail: str, values: Mapping[str, Any]
) -> Confirmation:
    return Confirmation(
        status=status, detail=detail, charged=None, retryable=True, image_id=values.get("id")
    )


def _failed(problem: Mapping[str, Any]) -> Confirmation:
    return Confirmation(
        status="failed",
        detail=str(problem["detail"]),
        charged=problem.get("charged"),
        retryable=bool(problem.get("retryable")),
        code=str(problem["code"]),
    )
