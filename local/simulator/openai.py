"""OpenAI's images and models (https://platform.openai.com/docs/api-reference/images)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex

from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault, FaultError
from local.simulator.keys import check_credit, check_key
from local.simulator.openai_edits import Edit, edit_of
from local.simulator.openai_faults import FAULTS
from local.simulator.openai_inputs import (
    body_of,
    check_fields,
    check_prompt,
    gone,
    models,
    order_of,
)
from local.simulator.openai_prices import added_microusd, usage_of
from local.simulator.openai_streams import streamed
from local.simulator.spoil import base64_of
from local.simulator.wire import Answer, Body, Request, json_answer

CREATED = 1_788_825_600
EDIT = "image_edit"
ORDERS = {"/images/generations": "image_generation", "/images/edits": EDIT}
"""The paths that cost money, and how the events of their streams begin."""


@dataclass(frozen=True, slots=True)
class OpenAi:
    """OpenAI without its moderation, which is simulated separately."""

    name: str = "openai"

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return OpenAI's error table."""
        return FAULTS

    def key_of(self, request: Request) -> str:
        """Return the bearer token."""
        return request.bearer()

    def is_order(self, request: Request) -> bool:
        """Return whether the request is for images."""
        return request.method == "POST" and request.path in ORDERS

    def order_from(self, request: Request) -> Order:
        """Return the order; every field is checked as OpenAI checks it."""
        check_key(request.bearer(), FAULTS)
        edit = (
            edit_of(request) if ORDERS[request.path] == EDIT else Edit(body_of(request), (), None)
        )
        body = {key: value for key, value in edit.body.items() if value is not None}
        check_fields(body)
        order = replace(order_of(body), inputs=edit.pictures, repaint=edit.mask)
        order = replace(order, added_microusd=added_microusd(order))
        check_credit(request.bearer(), FAULTS["insufficient_quota"])
        check_prompt(order)
        return order

    def free(self, request: Request) -> Answer:
        """Return the list of models or one of them."""
        check_key(request.bearer(), FAULTS)
        served = {model: model_view(model, row.shutdown_on) for model, row in models().items()}
        if request.method == "GET" and request.path == "/models":
            return json_answer({"object": "list", "data": list(served.values())})
        model = request.path.removeprefix("/models/")
        if request.method != "GET" or model not in served:
            raise FaultError(gone(model))
        return json_answer(served[model])

    def error(self, fault: Fault) -> Answer:
        """Return ``{"error": {message, type, param, code}}``."""
        return error_answer(fault)

    def success(self, desk: Desk) -> Answer:
        """Return the pictures as base64, the only form in which GPT image models answer.

        A base that is compatible with OpenAI's API may answer with links instead.
        """
        if desk.order.params.get("stream"):
            return streamed(desk, ORDERS[desk.request.path])
        if desk.details.get("form") == "url":
            links = [{"b64_json": None, "url": desk.publish(one)} for one in desk.pictures]
            return images_answer(desk, links)
        data = [{"b64_json": base64_of(picture, desk.spoil)} for picture in desk.pictures]
        return images_answer(desk, data)

    def empty(self, desk: Desk) -> Answer:
        """Return a success without data."""
        if desk.order.params.get("stream"):
            return streamed(desk, ORDERS[desk.request.path])
        return images_answer(desk, [])


def build() -> OpenAi:
    """Return the simulated provider in its initial state."""
    return OpenAi()


def model_view(model: str, shutdown_on: str | None) -> Body:
    """Return an entry of the list of models."""
    view = {"id": model, "object": "model", "created": CREATED, "owned_by": "system"}
    return {**view, "shutdown_date": shutdown_on}


def error_answer(fault: Fault) -> Answer:
    """Return OpenAI's error body, with the headers its client reads."""
    code = fault.code or ("server_error" if fault.status == 500 else None)
    error = {
        "message": fault.message,
        "type": fault.kind or "server_error",
        "param": None,
        "code": code,
        **fault.details,
    }
    return json_answer({"error": error}, status=fault.status, headers=headers_of(fault))


def headers_of(fault: Fault) -> dict[str, str]:
    """Return the headers of an error."""
    headers = {"x-request-id": f"req_{token_hex(16)}"}
    if fault.retry_after_seconds is not None:
        headers["retry-after"] = str(fault.retry_after_seconds)
    return headers


def images_answer(desk: Desk, data: Sequence[Mapping[str, str | None]]) -> Answer:
    """Return an image response with its data."""
    order = desk.order
    background = order.params.get("background", "auto").replace("auto", "opaque")
    payload = {
        "created": CREATED,
        "background": background,
        "data": list(data),
        "output_format": order.image_format,
        "quality": order.quality,
        "size": f"{order.width}x{order.height}",
        "usage": usage_of(order, input_lost=bool(desk.details.get("input_lost"))),
    }
    return json_answer(payload, headers={"x-request-id": f"req_{token_hex(16)}"})
