"""Handles one call, in the same way for all providers: check, fault, draw, bill, answer."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock

from local.simulator.board import Armed, FaultBoard
from local.simulator.catalog import load_catalog
from local.simulator.clock import now_seconds
from local.simulator.desk import Desk, Order, Provider
from local.simulator.drawing import USUAL_DETAIL, Sketch, draw
from local.simulator.faults import Fault, FaultError, Shows
from local.simulator.jobs import time_text
from local.simulator.ledger import Call, Ledger
from local.simulator.prompts import is_refused
from local.simulator.scripts import chosen, is_scripted, spoken
from local.simulator.shelf import Shelf
from local.simulator.spoil import Picture, spoiled
from local.simulator.wire import Answer, Body, Request, page_answer

DETAILS: Mapping[str, int] = {"fast": 0, "standard": 1, "high": 2, "ultra": 3}
HEALTHY = Armed(Fault(None, Shows.IMAGE))
MOST_SKETCHES = 1_000


class Takes:
    """How often each sketch was drawn, so that it is another picture each time. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = Counter[Sketch]()

    def first_of(self, count: int, sketch: Sketch) -> int:
        """Return the first of as many takes of a sketch, which no other call gets."""
        with self._lock:
            if len(self._taken) >= MOST_SKETCHES:
                self._taken.clear()
            first = self._taken[sketch]
            self._taken[sketch] += count
        return first


@dataclass(frozen=True, slots=True)
class Studio:
    """The state that all calls share: armed faults, recorded calls, and files."""

    board: FaultBoard = field(default_factory=FaultBoard)
    ledger: Ledger = field(default_factory=Ledger)
    shelf: Shelf = field(default_factory=Shelf)
    delay_scale: float = 0
    """The delay of a success, as a share of the model's typical seconds."""
    takes: Takes | None = None
    """Set if equal orders without a seed get different pictures, as from vendors.

    Else they get equal bytes.
    """

    def answer(self, provider: Provider, request: Request) -> Answer:
        """Return the provider's answer to a request, and record the call."""
        if provider.is_order(request):
            return self._order(provider, request)
        self.ledger.record_free(provider.name)
        armed = self.board.peek(provider.name)
        if armed:
            return with_delay(failed(provider, armed.fault), armed.delay_seconds)
        try:
            return with_delay(provider.free(request), 0)
        except FaultError as error:
            return with_delay(provider.error(error.fault), 0)

    def _order(self, provider: Provider, request: Request) -> Answer:
        try:
            order = provider.order_from(request)
        except FaultError as error:
            self.ledger.record(refused_call(provider, request, error.fault))
            return with_delay(provider.error(error.fault), 0)
        armed = self._fault_for(provider, order)
        armed = replace(armed, fault=chosen(armed.fault, request.content))
        call = self._call(provider, request, order, armed.fault)
        self.ledger.record(call)
        delay_seconds = armed.delay_seconds + self._usual_seconds(provider, order, armed.fault)
        desk = self._desk(provider, request, order, armed.fault)
        desk = replace(
            desk, delay_seconds=delay_seconds, cancel_bill=partial(self.ledger.refund, call)
        )
        return with_delay(answered(provider, desk, armed.fault), delay_seconds)

    def _fault_for(self, provider: Provider, order: Order) -> Armed:
        armed = self.board.take(provider.name, order.model)
        if armed:
            return armed
        if order.count and is_refused(order.prompt):
            return Armed(provider.faults["refused"])
        return HEALTHY

    def _usual_seconds(self, provider: Provider, order: Order, fault: Fault) -> float:
        row = load_catalog().row(provider.name, order.model, order.quality)
        return row.typical_seconds * self.delay_scale if row and fault.draws else 0

    def _call(self, provider: Provider, request: Request, order: Order, fault: Fault) -> Call:
        images = count_of(order, fault) if fault.draws else 0
        return Call(
            provider=provider.name,
            model=order.model,
            params=order.params,
            prompt_length=len(order.prompt),
            at=time_text(now_seconds()),
            outcome=str(fault.outcome or "drawn"),
            fault=fault.name or None,
            images=images,
            billed_microusd=images * (price_microusd(provider.name, order) + order.added_microusd),
            key_tail=tail(provider.key_of(request)),
        )

    def _desk(self, provider: Provider, request: Request, order: Order, fault: Fault) -> Desk:
        publish: Callable[[Picture], str] = partial(
            self.shelf.publish, origin=request.origin, spoil=fault.spoil
        )
        return Desk(
            request=request,
            order=order,
            pictures=self._drawn(provider, order, fault) if fault.draws else (),
            publish=publish,
            cancel_bill=lambda: None,
            now_seconds=now_seconds(),
            delay_seconds=0,
            details=fault.details,
            spoil=fault.spoil,
        )

    def _drawn(self, provider: Provider, order: Order, fault: Fault) -> tuple[Picture, ...]:
        """Return the pictures of an order, damaged as the fault defines."""
        sketch, count = sketch_of(provider.name, order), count_of(order, fault)
        takes = self.takes if order.params.get("seed") is None else None
        first = takes.first_of(count, sketch) if takes else 0
        inputs = () if fault.details.get("input_lost") else order.inputs
        media_type = f"image/{order.image_format}"
        contents = (
            draw(replace(sketch, take=take), inputs, order.repaint)
            for take in range(first, first + count)
        )
        return tuple(spoiled(Picture(one, media_type), fault.spoil) for one in contents)


def answered(provider: Provider, desk: Desk, fault: Fault) -> Answer:
    """Return the answer that the fault defines, with its ending."""
    if is_scripted(fault):
        answer = spoken(fault, desk.pictures, desk.publish)
    elif fault.shows is Shows.IMAGE:
        answer = provider.success(desk)
    elif fault.shows is Shows.EMPTY:
        answer = provider.empty(desk)
    else:
        return failed(provider, fault)
    return replace(answer, ending=fault.ending, packing=fault.packing)


def failed(provider: Provider, fault: Fault) -> Answer:
    """Return the answer of a fault that needs no order."""
    answer = page_answer(fault.status) if fault.shows is Shows.PAGE else provider.error(fault)
    return replace(answer, ending=fault.ending, packing=fault.packing)


def with_delay(answer: Answer, seconds: float) -> Answer:
    """Return the answer; without a delay of its own, it gets ``seconds``."""
    return answer if answer.delay_seconds is not None else replace(answer, delay_seconds=seconds)


def sketch_of(provider: str, order: Order) -> Sketch:
    """Return the description of an order's first picture."""
    return Sketch(
        provider,
        order.model,
        order.prompt,
        order.width,
        order.height,
        order.image_format,
        order.transparent,
        order.tool,
        detail_of(provider, order),
    )


def detail_of(provider: str, order: Order) -> int:
    """Return how rich a picture is, from 0 to 3: the better the model's tier, the richer."""
    row = load_catalog().row(provider, order.model, order.quality)
    return DETAILS.get(row.tier if row else "", USUAL_DETAIL)


def count_of(order: Order, fault: Fault) -> int:
    """Return how many pictures are drawn, and billed: some models draw more than is ordered."""
    wanted: int = fault.details.get("images", order.count)
    return min(wanted, order.most)


def price_microusd(provider: str, order: Order) -> int:
    """Return the price of one picture in micro-dollars: the catalog's, else the order's own."""
    row = load_catalog().row(provider, order.model, order.quality)
    listed = row.price_microusd(order.width, order.height) if row else None
    return order.price_microusd if listed is None else listed


def refused_call(provider: Provider, request: Request, fault: Fault) -> Call:
    """Return the record of a request that was refused as invalid."""
    body = body_or_empty(request)
    return Call(
        provider=provider.name,
        model=str(body.get("model", request.path)),
        params={key: value for key, value in body.items() if key in ("model", "size", "quality")},
        prompt_length=len(str(body.get("prompt", ""))),
        at=time_text(now_seconds()),
        outcome=str(fault.outcome),
        fault=fault.name,
        key_tail=tail(provider.key_of(request)),
    )


def body_or_empty(request: Request) -> Mapping[str, object]:
    """Return the body, empty if it is not a JSON object."""
    try:
        body: Body = request.json()
    except ValueError:
        return {}
    return body


def tail(key: str) -> str:
    """Return the last four characters of a key, which may be shown."""
    return key[-4:] if len(key) > 4 else ""
