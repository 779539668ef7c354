"""Black Forest Labs' API (https://docs.bfl.ai): orders are jobs, which are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from local.simulator.bfl_faults import FAULTS
from local.simulator.catalog import load_catalog
from local.simulator.clock import now_seconds
from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault, FaultError
from local.simulator.given import Given, from_base64
from local.simulator.keys import check_credit, check_key
from local.simulator.tasks import Task, TaskBook
from local.simulator.wire import Answer, Body, Request, is_whole, json_answer

BASE_PATH = "/bfl/v1"
PIXEL_STEP, LEAST_EDGE, MOST_PIXELS = 16, 64, 4 * 1024 * 1024
FORMATS = ("jpeg", "png", "webp")
MOST_TOLERANCE = 5
COMMON = frozenset({"prompt", "width", "height", "seed", "safety_tolerance", "output_format"})
PICTURES = ("input_image", *(f"input_image_{number}" for number in range(2, 9)))
"""The fields of the input images, in their order."""
OWN: Mapping[str, frozenset[str]] = {
    "flux-2-pro": frozenset({"disable_pup", *PICTURES}),
    "flux-2-flex": frozenset({"steps", "guidance"}),
}
MEGAPIXEL = 1024 * 1024
MICROUSD_PER_CREDIT = 10_000
MICROUSD_PER_INPUT_MEGAPIXEL, MOST_BILLED, MOST_INPUT_PIXELS = 15_000, 4, 9_000_000


@dataclass(frozen=True, slots=True)
class Bfl:
    """Black Forest Labs, with its jobs."""

    name: str = "bfl"
    book: TaskBook = field(default_factory=TaskBook)

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return the error table."""
        return FAULTS

    def key_of(self, request: Request) -> str:
        """Return the key of the header ``x-key``."""
        return request.headers.get("x-key", "").strip()

    def is_order(self, request: Request) -> bool:
        """Return whether the request orders a picture: every other one is a GET."""
        return request.method == "POST"

    def order_from(self, request: Request) -> Order:
        """Return the order; every field is checked."""
        model = request.path.removeprefix("/")
        if model not in load_catalog().models(self.name):
            raise FaultError(FAULTS["model_gone"])
        check_key(self.key_of(request), FAULTS)
        try:
            body = request.json()
        except ValueError as error:
            raise invalid("body", "Input should be a valid dictionary") from error
        check_fields(model, body)
        check_credit(self.key_of(request), FAULTS["out_of_credit"])
        return order_of(model, body)

    def free(self, request: Request) -> Answer:
        """Return the credits, or the state of a job."""
        if request.path == "/get_result":
            return self._result(request.query.get("id", ""))
        if request.path != "/credits":
            raise FaultError(FAULTS["model_gone"])
        check_key(self.key_of(request), FAULTS)
        return json_answer({"credits": 1000.0})

    def error(self, fault: Fault) -> Answer:
        """Return ``{"detail": ...}``: a text, or a list with the field that is wrong."""
        detail: object = fault.message or "Internal Server Error"
        if place := fault.details.get("field"):
            detail = [{"type": "value_error", "loc": ["body", place], "msg": fault.message}]
        return json_answer({"detail": detail}, status=fault.status)

    def success(self, desk: Desk) -> Answer:
        """Return an accepted order whose job ends with the picture."""
        result = {
            "sample": desk.publish(desk.pictures[0]),
            "prompt": desk.order.prompt,
            "seed": desk.order.params.get("seed", 7),
            "start_time": desk.now_seconds,
            "end_time": desk.now_seconds + desk.delay_seconds,
            "duration": desk.delay_seconds,
        }
        return self._accepted(desk, {"status": "Ready", "result": result})

    def empty(self, desk: Desk) -> Answer:
        """Return an accepted order whose job ends without a picture, as the fault defines."""
        return self._accepted(desk, {"status": desk.details.get("status", "Ready"), "result": None})

    def _accepted(self, desk: Desk, end: Body) -> Answer:
        task_id, order = str(uuid4()), desk.order
        running = desk.details.get("first", "Pending")
        self.book.add(Task(task_id, desk.now_seconds + desk.delay_seconds, end, running))
        origin = desk.request.origin
        answer = {
            "id": task_id,
            "polling_url": f"{origin}{BASE_PATH}/get_result?id={task_id}",
            "cost": cost_of(self.name, order),
            "input_mp": sum(one.width * one.height for one in order.inputs) / MEGAPIXEL,
            "output_mp": order.width * order.height / MEGAPIXEL,
        }
        if "polling_url" in desk.details:
            answer["polling_url"] = desk.details["polling_url"]
        # The order is answered at once, however long the job takes.
        return json_answer(answer, delay_seconds=0)

    def _result(self, task_id: str) -> Answer:
        task = self.book.find(task_id)
        if task is None:
            answer = {"id": task_id, "status": "Task not found", "result": None}
            return json_answer(answer, status=404)
        state = {"status": task.running, "result": None, "progress": 0.5}
        if now_seconds() >= task.ready_seconds:
            state = {**task.result, "progress": None}
        return json_answer({"id": task_id, **state, "details": None, "preview": None})


def build() -> Bfl:
    """Return the simulated provider in its initial state."""
    return Bfl()


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
    for name in sorted(body.keys() - COMMON - OWN.get(model, frozenset())):
        raise invalid(name, "Extra inputs are not permitted")
    if body.get("output_format", "jpeg") not in FORMATS:
        raise invalid("output_format", f"Input should be one of {', '.join(FORMATS)}")
    ranges = {"safety_tolerance": (0, MOST_TOLERANCE), "seed": (0, 2**32 - 1)}
    for name, (low, high) in ranges.items():
        if not is_whole(body.get(name, low), low, high):
            raise invalid(name, f"Input should be from {low} to {high}")
    width, height = (body.get(name, 1024) for name in ("width", "height"))
    for name, edge in (("width", width), ("height", height)):
        if not is_whole(edge, LEAST_EDGE, MOST_PIXELS) or edge % PIXEL_STEP:
            raise invalid(name, "Input should be a multiple of 16, at least 64")
    if width * height > MOST_PIXELS:
        raise invalid("width", "The image should have at most 4 megapixels")


def pictures_of(body: Body) -> tuple[Given, ...]:
    """Return the input images, which are in base64; a URL is not taken here.

    Raises:
        FaultError: ``bad_parameter``.
    """
    found = []
    for name in PICTURES:
        if body.get(name) is None:
            continue
        try:
            found.append(from_base64(body[name]))
        except ValueError as error:
            raise invalid(name, f"Invalid image: {error}") from error
    if sum(one.width * one.height for one in found) > MOST_INPUT_PIXELS:
        raise invalid(PICTURES[0], "The images have more than 9 megapixels in total")
    return tuple(found)


def added_microusd(inputs: Sequence[Given]) -> int:
    """Return what the pictures add to the price: each begins at least one megapixel."""
    begun = (min(MOST_BILLED, -(-one.width * one.height // MEGAPIXEL)) for one in inputs)
    return sum(begun) * MICROUSD_PER_INPUT_MEGAPIXEL


def order_of(model: str, body: Body) -> Order:
    """Return the checked body as an order."""
    inputs = pictures_of(body)
    return Order(
        model=model,
        prompt=body["prompt"],
        params={key: value for key, value in body.items() if key not in ("prompt", *PICTURES)},
        width=body.get("width", 1024),
        height=body.get("height", 1024),
        image_format=body.get("output_format", "jpeg"),
        inputs=inputs,
        added_microusd=added_microusd(inputs),
    )


def cost_of(provider: str, order: Order) -> float | None:
    """Return the price of an order in credits of a cent, ``None`` for a size without a price."""
    row: Any = load_catalog().row(provider, order.model)
    price = row.price_microusd(order.width, order.height)
    return None if price is None else (price + order.added_microusd) / MICROUSD_PER_CREDIT
