"""A stored image tells one story, also if the write that settles its hold was lost.

The first answer, the same quote again, its status, /v1 and the usage have the same charge; and the
hold is lowered by the first of them that reaches the ledger.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ledger import OpState
from imagegen.openai_api.retries import Call
from imagegen.usecases.generate.run import Made, Running
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.gallery import GalleryQuery
from tests.fakes.faults import DiedError, Wire
from tests.fakes.service import LIFETIME_MS, PROMPT, USER, Service

BASE_URL = "https://us.test"
REQUEST = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
PRICE, CEILING = 50_000, 70_000
SETTLE, RECORD = "ledgers.settle", "records.put"


@dataclass(slots=True)
class Failing(Wire):
    """Fails every call of some names: refused, applied without a reply, or the process dies."""

    refused: Collection[str] = ()
    reply_lost: Collection[str] = ()
    deadly: Collection[str] = ()

    def carry(self, name: str, action: Callable[[], Any]) -> Any:
        if self.dead or name in self.deadly:
            self.dead = True
            raise DiedError
        self.calls.append(name)
        if name in self.refused:
            raise StoreUnavailableError(f"{name} is throttled")
        if name in self.reply_lost:
            action()
            raise StoreUnavailableError(f"the reply of {name} is lost")
        return action()

    def works(self) -> None:
        """Let every call succeed again."""
        self.refused = self.reply_lost = self.deadly = ()
        self.dead = False
        self.calls.clear()


LOST: dict[str, dict[str, Collection[str]]] = {
    "settle throttled": {"refused": [SETTLE]},
    "settle and record throttled": {"refused": [SETTLE, RECORD]},
    "settled, and the reply lost": {"reply_lost": [SETTLE]},
    "settled, both replies lost": {"reply_lost": [SETTLE, RECORD]},
    "killed between put and settle": {"deadly": [SETTLE]},
    "killed between settle and record": {"deadly": [RECORD]},
}
losses = pytest.mark.parametrize("loss", LOST)


def confirmed(loss: str) -> tuple[Service, Failing, Estimate, Made | Running | None]:
    """Return a service after a confirmed request whose writes were lost, and its answer."""
    wire = Failing()
    service = Service(wire=wire)
    offer = service.estimate()
    for name, calls in LOST[loss].items():
        setattr(wire, name, calls)
    first = None
    with suppress(DiedError):
        first = service.confirm(offer)
    wire.works()
    return service, wire, offer, first


def held(service: Service) -> list[OpState]:
    return [op.state for op in service.ledger().ops.values() if op.state is OpState.HELD]


@losses
def test_the_same_quote_again_gets_the_image_and_lowers_the_hold(loss: str) -> None:
    service, _, offer, first = confirmed(loss)
    if first is not None:
        assert isinstance(first, Made)
        assert first.record.charged_microusd == PRICE
    again = service.confirm(offer)
    assert isinstance(again, Made)
    assert again.is_replay
    assert again.record.charged_microusd == PRICE
    assert again.ledger.spent == {"20261122": PRICE}
    assert len(service.called) == 1
    service.check_charged_iff_stored()


@losses
def test_the_same_quote_again_gets_the_image_even_while_the_ledger_takes_no_writes(
    loss: str,
) -> None:
    service, wire, offer, _ = confirmed(loss)
    wire.refused = [SETTLE, RECORD]
    for _ in range(3):
        again = service.confirm(offer)
        assert isinstance(again, Made)
        assert again.ledger.spent == {"20261122": PRICE}
    wire.works()
    assert isinstance(service.confirm(offer), Made)
    service.check_charged_iff_stored()


@losses
def test_the_status_is_complete_and_charged_and_lowers_the_hold(loss: str) -> None:
    service, _, offer, _ = confirmed(loss)
    status = service.finder.status(offer.image_id, BASE_URL)
    assert (status.status, status.charged) == ("complete", True)
    service.check_charged_iff_stored()


@losses
def test_the_status_without_the_image_store_never_says_not_charged(loss: str) -> None:
    service, _, offer, _ = confirmed(loss)
    status = service.status_reader.status(offer.image_id)
    expected = {"complete": True, "generating": None}
    assert status.charged is expected[status.status]


@losses
def test_the_usage_has_the_charge_of_each_image_that_it_lists(loss: str) -> None:
    service, _, _, _ = confirmed(loss)
    usage = service.usage_reader.usage(USER)
    for one in usage.recent:
        assert (one.status, one.cost, usage.spent) == ("complete", PRICE, PRICE)
        service.check_charged_iff_stored()


@losses
def test_a_repetition_under_v1_gets_the_image_at_once(loss: str) -> None:
    wire = Failing()
    service = Service(wire=wire)
    for name, calls in LOST[loss].items():
        setattr(wire, name, calls)
    call = Call(USER, "body", key="order-66")
    with suppress(DiedError):
        service.buyer.buy(REQUEST, call, ends_ms=service.clock() + LIFETIME_MS)
    wire.works()
    began_ms = service.clock()
    made = service.buyer.buy(REQUEST, call, ends_ms=service.clock() + LIFETIME_MS)
    assert (made.is_replay, made.record.charged_microusd) == (True, PRICE)
    assert service.clock() == began_ms
    assert len(service.called) == 1
    service.check_charged_iff_stored()


@losses
def test_the_next_image_of_the_user_and_the_sweep_find_nothing_wrong(loss: str) -> None:
    service, _, offer, _ = confirmed(loss)
    service.confirm(offer)
    service.make("another fox")
    service.clock.advance(3_600_000)
    assert service.reconciler.sweep(limit=10).settled == 0
    service.check_charged_iff_stored()


def test_a_settle_that_was_throttled_is_sent_again_by_the_same_run() -> None:
    service = Service(wire=Failing(refused=[SETTLE]))
    wire = service.wire
    assert isinstance(wire, Failing)

    def recovers() -> None:
        wire.refused = ()

    service.while_paused = recovers
    assert isinstance(service.confirm(service.estimate()), Made)
    service.check_charged_iff_stored()


def test_a_run_whose_image_is_not_stored_yet_is_not_charged_and_an_unseen_one_is_not_known() -> (
    None
):
    service = Service(wire=Failing(deadly=["images.put"]))
    wire = service.wire
    assert isinstance(wire, Failing)
    offer = service.estimate()
    with suppress(DiedError):
        service.confirm(offer)
    wire.works()
    running = service.confirm(offer)
    assert isinstance(running, Running)
    assert running.charged is False
    wire.refused = ["images.find"]
    running = service.confirm(offer)
    assert isinstance(running, Running)
    assert running.charged is None
    assert service.status_reader.status(offer.image_id).charged is None
    assert len(held(service)) == 1


def test_an_image_of_which_it_is_not_known_whether_it_was_stored_is_not_said_to_be_free() -> None:
    for puts in ({"refused": ["images.put"]}, {"reply_lost": ["images.put"]}):
        wire = Failing()
        service = Service(wire=wire)
        offer = service.estimate()
        for name, calls in puts.items():
            setattr(wire, name, calls)
        result = service.confirm(offer)
        assert isinstance(result, Running)
        assert result.charged is None


STORIES = {
    "the click": ["click"],
    "its status, then the click": ["status", "click"],
    "the usage, then the click": ["usage", "click"],
    "the list, then the status": ["list", "status"],
    "the click, twice, then the status": ["click", "click", "status"],
    "the status while nothing can be written, then the click": ["no writes", "status", "click"],
    "all while nothing can be written": ["no writes", "status", "click", "usage", "list"],
    "the sweep, then all": ["sweep", "click", "status", "usage", "list"],
}


def charge_by(service: Service, offer: Estimate, look: str) -> int | None:
    """Return what one way to look at the image says was charged, ``None`` if it says nothing."""
    match look:
        case "click":
            made = service.confirm(offer)
            assert isinstance(made, Made)
            return made.record.charged_microusd
        case "status":
            status = service.finder.status(offer.image_id, BASE_URL)
            assert (status.status, status.charged) == ("complete", True)
            return status.cost.charged if status.cost else None
        case "usage":
            usage = service.usage_reader.usage(USER)
            assert usage.spent in (PRICE, 0)
            return usage.recent[0].cost if usage.recent else None
        case "list":
            images = service.gallery.page(GalleryQuery(), USER, BASE_URL).images
            return images[0].cost.charged if images else None
        case "sweep":
            service.clock.advance(3_600_000)
            service.reconciler.sweep(limit=10)
    return None


@pytest.mark.parametrize("story", STORIES)
@losses
def test_the_charge_is_the_same_in_whatever_order_somebody_looks(loss: str, story: str) -> None:
    service, wire, offer, _ = confirmed(loss)
    told = []
    for look in STORIES[story]:
        if look == "no writes":
            wire.refused = [SETTLE, RECORD]
        else:
            told.append(charge_by(service, offer, look))
    assert set(told) <= {PRICE, None}
    wire.works()
    assert charge_by(service, offer, "click") == PRICE
    assert len(service.called) == 1
    assert service.spent() == PRICE
    service.check_charged_iff_stored()


# The order of writes: whoever dies in between leaves a hold that is found again.


@pytest.mark.parametrize("settles", ["sweep", "replay"])
def test_the_record_is_written_before_the_hold_is_settled(settles: str) -> None:
    service, wire, offer, _ = confirmed("killed between put and settle")
    wire.deadly = [SETTLE]
    if settles == "sweep":
        service.clock.advance(400_000)
    with suppress(DiedError):
        if settles == "sweep":
            service.reconciler.sweep(limit=10)
        else:
            service.confirm(offer)
    wire.works()
    assert [record.charged_microusd for record in service.records.records.values()] == [PRICE]
    assert held(service) == [OpState.HELD]


@pytest.mark.parametrize("settles", ["sweep", "replay"])
def test_a_hold_is_not_settled_while_its_record_cannot_be_written(settles: str) -> None:
    service, wire, offer, _ = confirmed("killed between put and settle")
    wire.refused = [RECORD]
    with suppress(ImagegenError):
        if settles == "sweep":
            service.clock.advance(400_000)
            service.reconciler.sweep(limit=10)
        else:
            service.confirm(offer)
    assert SETTLE not in wire.calls
    assert held(service) == [OpState.HELD]
