"""fal's queue (https://fal.ai/docs): orders are jobs, with one URL for the state and the result.

A field that a model does not take is refused when it is ordered. fal itself accepts the order then,
and its result is the same refusal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from local.simulator.catalog import load_catalog
from local.simulator.clock import now_seconds
from local.simulator.desk import Desk, Order
from local.simulator.fal_faults import FAULTS
from local.simulator.faults import Fault, FaultError
from local.simulator.keys import check_credit, check_key
from local.simulator.tasks import Task, TaskBook
from local.simulator.wire import Answer, Body, Request, is_whole, json_answer

NAME = "fal"
BASE_PATH = "/fal"
JOB = re.compile(r"/([^/]+/[^/]+)/requests/([^/]+?)(/status|/cancel)?")
PRICING = "/v1/models/pricing"
COMMON = frozenset({"prompt", "image_size", "seed", "enable_safety_checker", "output_format"})
FLUX = frozenset({"num_images", "num_inference_steps", "guidance_scale", "acceleration"})
OWN: Mapping[str, frozenset[str]] = {
    "fal-ai/flux/schnell": FLUX,
    "fal-ai/flux/dev": FLUX,
    "fal-ai/flux-2-pro": frozenset({"safety_tolerance"}),
}
SYNC = frozenset({"sync_mode"})
PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
USUAL_SIZE = "landscape_4_3"
RANGES = {"num_images": (1, 4), "num_inference_steps": (1, 50), "seed": (0, 2**32 - 1)}
MOST_EDGE = 14_142
FORMATS = ("jpeg", "png")
MEGAPIXEL = 1_000_000
BILLED_UNITS = "X-Fal-Billable-Units"
NEVER_SECONDS = 1e12


@dataclass(frozen=True, slots=True)
class Fal:
    """fal, with its jobs."""

    name: str = NAME
    book: TaskBook = field(default_factory=TaskBook)

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return the error table."""
        return FAULTS

    def key_of(self, request: Request) -> str:
        """Return the key after the word ``Key``."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "key" else ""

    def is_order(self, request: Request) -> bool:
        """Return whether the request orders a picture."""
        return request.method == "POST" and not request.path.startswith("/v1/")

    def order_from(self, request: Request) -> Order:
        """Return the order; every field is checked."""
        check_key(self.key_of(request), FAULTS)
        model = request.path.removeprefix("/")
        if model not in load_catalog().models(self.name):
            raise FaultError(FAULTS["model_gone"])
        check_credit(self.key_of(request), FAULTS["out_of_credit"])
        try:
            body = request.json()
        except ValueError as error:
            raise invalid("body", "Input should be a valid dictionary") from error
        check_fields(model, body)
        return order_of(model, body)

    def free(self, request: Request) -> Answer:
        """Return a price, or the state or the result of a job."""
        check_key(self.key_of(request), FAULTS)
        if request.path == PRICING:
            return price_answer(request)
        found = JOB.fullmatch(request.path)
        task = self.book.find(found[2]) if found else None
        if found is None or task is None:
            return json_answer({"detail": "Request not found"}, status=404)
        if found[3] == "/cancel":
            return json_answer({"status": "ALREADY_COMPLETED"}, status=400)
        is_over = now_seconds() >= task.ready_seconds
        if found[3]:
            state = {"request_id": task.id, "status": "COMPLETED" if is_over else task.running}
            return json_answer({**state, "logs": None}, status=200 if is_over else 202)
        if not is_over:
            return json_answer({"detail": "Request is still in progress"}, status=400)
        end = task.result
        return json_answer(end["body"], status=end["status"], headers=end["headers"])

    def error(self, fault: Fault) -> Answer:
        """Return ``{"detail": ...}``: a text, or a list with the field that is wrong."""
        detail: object = fault.message or "Internal Server Error"
        if place := fault.details.get("field"):
            detail = [{"loc": ["body", place], "msg": fault.message, "type": fault.kind}]
        return json_answer({"detail": detail}, status=fault.status)

    def success(self, desk: Desk) -> Answer:
        """Return an accepted order whose job ends with the pictures."""
        order = desk.order
        made = [
            {
                "url": desk.publish(one),
                "width": order.width,
                "height": order.height,
                "content_type": one.media_type,
            }
            for one in desk.pictures
        ]
        result = {
            "timings": {"inference": desk.delay_seconds},
            "seed": order.params.get("seed", 7),
            "has_nsfw_concepts": [bool(desk.details.get("black")) for _ in made],
            "prompt": order.prompt,
        }
        shown = {"image": made[0]} if desk.details.get("alone") else {"images": made}
        units = -(-order.width * order.height // MEGAPIXEL) * len(made)
        end = {"status": 200, "body": {**shown, **result}, "headers": {BILLED_UNITS: str(units)}}
        return self._accepted(desk, end)

    def empty(self, desk: Desk) -> Answer:
        """Return an accepted order whose job ends without a picture, as the fault defines."""
        details = desk.details
        end = {
            "status": details.get("status", 200),
            "body": details.get("result", {"images": []}),
            "headers": details.get("headers", {}),
        }
        return self._accepted(desk, end)

    def _accepted(self, desk: Desk, end: Body) -> Answer:
        task_id, order, details = str(uuid4()), desk.order, desk.details
        wait_seconds = NEVER_SECONDS if details.get("never") else desk.delay_seconds
        running = details.get("first", "IN_PROGRESS")
        self.book.add(Task(task_id, desk.now_seconds + wait_seconds, end, running))
        # Of the endpoint, the owner and the name of the app alone.
        app = "/".join(order.model.split("/")[:2])
        url = f"{desk.request.origin}{BASE_PATH}/{app}/requests/{task_id}"
        url = details.get("urls", url)
        answer = {
            "status": "IN_QUEUE",
            "request_id": task_id,
            "response_url": url,
            "status_url": url and f"{url}/status",
            "cancel_url": url and f"{url}/cancel",
            "queue_position": 0,
        }
        # The order is answered at once, however long the job takes.
        return json_answer(answer, delay_seconds=0)


def build() -> Fal:
    """Return the simulated provider in its initial state."""
    return Fal()


def invalid(name: str, message: str) -> FaultError:
    """Return the refusal of one field."""
    return FaultError(replace(FAULTS["bad_parameter"], message=message, details={"field": name}))


def check_fields(model: str, body: Body) -> None:
    """Refuse unknown fields, and values that the model does not take.

    Raises:
        FaultError: ``bad_parameter``.
    """
    if not isinstance(body.get("prompt"), str) or not body["prompt"]:
        raise invalid("prompt", "Field required")
    for name in sorted(body.keys() - COMMON - SYNC - OWN.get(model, frozenset())):
        raise invalid(name, "Extra inputs are not permitted")
    if body.get("output_format", "jpeg") not in FORMATS:
        raise invalid("output_format", "Input should be 'jpeg' or 'png'")
    for name, (low, high) in RANGES.items():
        if not is_whole(body.get(name, low), low, high):
            raise invalid(name, f"Input should be from {low} to {high}")
    for name in ("enable_safety_checker", "sync_mode"):
        if type(body.get(name, True)) is not bool:
            raise invalid(name, "Input should be a valid boolean")
    check_size(body.get("image_size", USUAL_SIZE))


def check_size(size: object) -> None:
    """Refuse a size that is neither a preset nor a width and a height.

    Raises:
        FaultError: ``bad_parameter``.
    """
    if isinstance(size, dict):
        edges = [size.get(name, 512) for name in ("width", "height")]
        if not size.keys() <= {"width", "height"} or not all(
            is_whole(edge, 1, MOST_EDGE) for edge in edges
        ):
            raise invalid("image_size", f"Input should be from 1 to {MOST_EDGE}")
    elif not isinstance(size, str) or size not in PRESETS:
        raise invalid("image_size", "Input should be a preset, or a width and a height")


def order_of(model: str, body: Body) -> Order:
    """Return the checked body as an order."""
    size: Any = body.get("image_size", USUAL_SIZE)
    if isinstance(size, dict):
        width, height = size.get("width", 512), size.get("height", 512)
    else:
        width, height = PRESETS[size]
    return Order(
        model=model,
        prompt=body["prompt"],
        params={key: value for key, value in body.items() if key != "prompt"},
        width=width,
        height=height,
        image_format=body.get("output_format", "jpeg"),
        count=body.get("num_images", 1),
        most=RANGES["num_images"][1],
    )


def price_answer(request: Request) -> Answer:
    """Return the price of one endpoint for each megapixel that is begun."""
    model = request.query.get("endpoint_id", "")
    row = load_catalog().models(NAME).get(model)
    if row is None:
        error = {"type": "not_found", "message": f"Endpoint {model!r} was not found"}
        return json_answer({"error": error}, status=404)
    usd = next(iter(row.price["usd"].values()))
    price = {"endpoint_id": model, "unit_price": float(usd), "currency": "USD"}
    prices = [{**price, "unit": "megapixels"}]
    return json_answer({"prices": prices, "next_cursor": None, "has_more": False})
