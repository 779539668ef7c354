"""Ideogram's images (https://developer.ideogram.ai/api-reference/images/generate/ideogram-4-5).

An order waits for its images, or with ``async`` it is a job, which is asked for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from secrets import randbelow, token_urlsafe

from local.simulator.catalog import load_catalog
from local.simulator.clock import now_seconds
from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault, FaultError
from local.simulator.ideogram_edits import EDIT, edit_of
from local.simulator.ideogram_faults import FAULTS
from local.simulator.jobs import time_text
from local.simulator.keys import check_credit, check_key
from local.simulator.tasks import NEVER_SECONDS, Task, TaskBook
from local.simulator.wire import Answer, Body, Request, is_whole, json_answer

NAME = "ideogram"
ORDER = re.compile(r"/v2/image/(generate|precise-edit)/([a-z0-9-]+)")
JOB = re.compile(r"/v2/generations/([A-Za-z0-9_-]+)")
CHOICES = {"magic_prompt": ("auto", "on", "off"), "quality": ("low", "medium", "high")}
"""``very_low`` needs source images."""
RANGES = {"num_images": (1, 8), "seed": (0, 2_147_483_647)}
FLAGS = ("enable_copyright_detection", "async")
FIELDS = {"prompt", "size", "webhook_url", *CHOICES, *RANGES, *FLAGS}
MOST_CHARACTERS = 10_000
# Those of the presets for 1K and 2K that the pages of the vendor and its users name.
SIZES = (
    *("1024x1024", "1280x720", "720x1280"),
    *("2048x2048", "2496x1664", "1664x2496", "2560x1440", "1440x2560", "1440x2880", "2880x1440"),
)
AUTO = "2048x2048"
RUNNING = "pending"


@dataclass(frozen=True, slots=True)
class Ideogram:
    """Ideogram."""

    name: str = NAME
    book: TaskBook = field(default_factory=TaskBook)

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return Ideogram's errors and endings."""
        return FAULTS

    def key_of(self, request: Request) -> str:
        """Return the key in its header."""
        return request.headers.get("api-key", "")

    def is_order(self, request: Request) -> bool:
        """Return whether the request is for an image and not for its price."""
        asks = request.method == "POST" and ORDER.fullmatch(request.path) is not None
        return asks and not is_dry_run(request)

    def order_from(self, request: Request) -> Order:
        """Return the order; every field is checked."""
        order = checked_order(request)
        check_credit(self.key_of(request), FAULTS["out_of_credit"])
        return order

    def free(self, request: Request) -> Answer:
        """Return the price of a dry run, or the state of a job."""
        check_key(self.key_of(request), FAULTS)
        if request.method == "GET" and (found := JOB.fullmatch(request.path)):
            return self._state(found[1])
        if request.method != "POST" or ORDER.fullmatch(request.path) is None:
            raise FaultError(replace(FAULTS["model_gone"], message="Not found"))
        order = checked_order(request)
        row = load_catalog().row(NAME, order.model, order.quality)
        price = row.price_microusd(order.width, order.height) if row else None
        microusd = order.count * (price or 0)
        return json_answer(
            {
                "object": "price_quote",
                "billing_identifier": f"{order.model}-{order.quality}",
                "quantity": order.count,
                "usd_micros": microusd,
                "credit_millis": microusd // 1000,
                "qualifier": "exact",
            }
        )

    def error(self, fault: Fault) -> Answer:
        """Return ``{"error", "reject_reason"}``."""
        body: Body = {"error": fault.message or "error"}
        if fault.code:
            body |= {"reject_reason": fault.code, **fault.details}
        after = fault.retry_after_seconds
        headers = {} if after is None else {"retry-after": str(after)}
        return json_answer(body, status=fault.status, headers=headers)

    def success(self, desk: Desk) -> Answer:
        """Return links to the pictures."""
        links = ({"is_image_safe": True, "url": desk.publish(one)} for one in desk.pictures)
        return self._made(desk, list(links))

    def empty(self, desk: Desk) -> Answer:
        """Return a success without a picture, as the fault defines it."""
        withheld = desk.details.get("data")
        return self._made(desk, [dict(withheld)] if withheld else [])

    def _made(self, desk: Desk, found: list[Body]) -> Answer:
        if not desk.order.params.get("async") and "state" not in desk.details:
            return json_answer({**accepted(), **result_of(desk, found)})
        created = {"created": time_text(desk.now_seconds)}
        data = [{"object_type": "image", **one} for one in result_of(desk, found)["data"]]
        done = {"status": "completed", "response_type": "url", "data": data}
        end = {**created, **desk.details.get("state", done)}
        answer = accepted()
        wait_seconds = NEVER_SECONDS if desk.details.get("never") else desk.delay_seconds
        ready_seconds = desk.now_seconds + wait_seconds
        self.book.add(Task(answer["generation_id"], ready_seconds, end, RUNNING))
        # The order is answered at once, however long the job takes.
        return json_answer(answer, delay_seconds=0)

    def _state(self, task_id: str) -> Answer:
        task = self.book.find(task_id)
        if task is None or task.result.get("status") == "forgotten":
            return json_answer({"error": "Generation not found"}, status=404)
        state = task.result
        if now_seconds() < task.ready_seconds:
            state = {"status": task.running, "created": task.result["created"]}
        return json_answer({"generation_id": task_id, **state})


def build() -> Ideogram:
    """Return the simulated provider in its initial state."""
    return Ideogram()


def is_dry_run(request: Request) -> bool:
    """Return whether the request asks for a price alone."""
    return request.query.get("dry_run", "false").lower() == "true"


def seed_of(order: Order) -> int:
    """Return the seed of the request, or one by chance."""
    seed: int = order.params.get("seed", randbelow(RANGES["seed"][1]))
    return seed


def accepted() -> Body:
    """Return what names an order that was accepted."""
    return {"generation_id": token_urlsafe(16), "generation_kind": "sampling"}


def result_of(desk: Desk, found: list[Body]) -> Body:
    """Return the list of images; ``found`` has the link of each and whether it is safe."""
    order, seed = desk.order, seed_of(desk.order)
    shared = {
        "prompt": order.prompt,
        "resolution": f"{order.width}x{order.height}",
        "seed": seed,
    }
    return {"seed": seed, "data": [{**shared, **one} for one in found]}


def invalid(message: str) -> FaultError:
    """Return the refusal of one field."""
    return FaultError(replace(FAULTS["bad_parameter"], message=message))


def checked_order(request: Request) -> Order:
    """Return the order, whose key is good.

    Raises:
        FaultError: the key, the model or a field is refused.
    """
    check_key(request.headers.get("api-key", ""), FAULTS)
    found = ORDER.fullmatch(request.path)
    kind, model = (found[1], found[2]) if found else ("", "")
    model += EDIT if kind == "precise-edit" else ""
    if model not in load_catalog().models(NAME):
        raise FaultError(FAULTS["model_gone"])
    if model.endswith(EDIT):
        return edit_of(request, model, invalid)
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise FaultError(FAULTS["unsupported_media"])
    body = body_of(request)
    check_fields(body)
    width, _, height = body.get("size", AUTO).replace("auto", AUTO).partition("x")
    return Order(
        model=model,
        prompt=body["prompt"],
        params={name: value for name, value in body.items() if name != "prompt"},
        width=int(width),
        height=int(height),
        count=body.get("num_images", 1),
        most=RANGES["num_images"][1],
        quality=body.get("quality", "high"),
    )


def body_of(request: Request) -> Body:
    """Return the JSON body.

    Raises:
        FaultError: ``bad_parameter``: the body is not a JSON object.
    """
    try:
        return request.json()
    except ValueError as error:
        raise invalid("invalid JSON body") from error


def check_fields(body: Body) -> None:
    """Refuse missing and unknown fields, and values outside the allowed choices and ranges."""
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not 1 <= len(prompt) <= MOST_CHARACTERS:
        raise invalid("prompt must have 1 to 10000 characters")
    for name in sorted(body.keys() - FIELDS):
        raise invalid(f"{name} is not known")
    for name, choices in CHOICES.items():
        if body.get(name, choices[0]) not in choices:
            raise invalid(f"{name} must be one of {', '.join(choices)}")
    for name, (low, high) in RANGES.items():
        if not is_whole(body.get(name, low), low, high):
            raise invalid(f"{name} must be between {low} and {high}")
    for name in FLAGS:
        if type(body.get(name, False)) is not bool:
            raise invalid(f"{name} must be true or false")
    if body.get("size", "auto") not in ("auto", *SIZES):
        raise invalid("size must be auto or a preset")
