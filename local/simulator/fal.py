"""fal's queue (https://fal.ai/docs): orders are jobs, with one URL for the state and the result.

A field that a model does not take is refused when it is ordered. fal itself accepts the order then,
and its result is the same refusal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from local.simulator.catalog import load_catalog
from local.simulator.clock import now_seconds
from local.simulator.desk import Desk, Order
from local.simulator.fal_faults import FAULTS
from local.simulator.fal_fields import check_fields, invalid, order_of
from local.simulator.faults import Fault, FaultError
from local.simulator.keys import check_credit, check_key
from local.simulator.tasks import NEVER_SECONDS, Task, TaskBook
from local.simulator.wire import Answer, Body, Request, json_answer

NAME = "fal"
BASE_PATH = "/fal"
JOB = re.compile(r"/([^/]+/[^/]+)/requests/([^/]+?)(/status|/cancel)?")
PRICING = "/v1/models/pricing"
MEGAPIXEL = 1_000_000
BILLED_UNITS = "X-Fal-Billable-Units"


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
            status = "COMPLETED" if is_over else task.running
            place = {"queue_position": 0} if status == "IN_QUEUE" else {}
            state = {"request_id": task.id, "status": status, "logs": None, **place}
            return json_answer(state, status=200 if is_over else 202)
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
