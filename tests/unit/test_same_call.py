"""A retry comes while the attempt that it repeats has not reserved anything: one image, one charge.

Times are those of two instances: what the other does between this one's steps is done in between.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from imagegen.domain import ids
from imagegen.domain.errors import ImagegenError, LimitError, StillRunningError
from imagegen.domain.ledger import Ledger, Limits, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.openai_api import retries
from imagegen.openai_api.other_attempts import CallHolds
from imagegen.openai_api.retries import JOINED, Call
from imagegen.openai_api.sets import Bought, Wanted
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import EstimateRequest
from tests.fakes.clock import NOON_MS
from tests.fakes.faults import DiedError
from tests.fakes.service import IMAGE_ID_KEY, PROMPT, USER, Service
from tests.unit.test_buyer import interrupted

LAMBDA_MS = 300_000
REQUEST = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
FIRST = Call(USER, "body", retries=0, arrived_ms=NOON_MS)
STEPS = ["ledgers.load", "ledgers.reserve"]
"""Before these of one attempt, another attempt does all that it does."""


def retry(number: int = 1) -> Call:
    return replace(FIRST, retries=number, arrived_ms=NOON_MS + 1_000 * number)


def buy(service: Service, call: Call) -> Made:
    return service.buyer.buy(REQUEST, call, ends_ms=service.clock() + LAMBDA_MS)


def buy_set(service: Service, call: Call, count: int = 3) -> Bought:
    buyer = service.functions.openai.set_buyer
    return buyer.buy(Wanted(REQUEST, count), call, ends_ms=service.clock() + LAMBDA_MS)


def meeting(
    step: str, first: Call, second: Call, purchase: Callable[[Service, Call], Any] = buy, **how: Any
) -> tuple[Service, Any, list[Any]]:
    """Return what two attempts get; the second makes all of its own before a step of the first."""
    service, wire = interrupted(**how)
    met: list[Any] = []

    def other() -> None:
        service.clock.advance(1_000)
        try:
            met.append(purchase(service, second))
        except ImagegenError as error:
            met.append(error)

    wire.before = {step: other}
    return service, purchase(service, first), met


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("first", "second"),
    [(FIRST, retry()), (retry(), FIRST), (retry(), retry(2)), (retry(2), retry())],
    ids=["retry faster", "first faster", "second retry faster", "first retry faster"],
)
def test_whichever_attempt_of_a_call_is_faster_both_get_its_image(
    step: str, first: Call, second: Call
) -> None:
    service, got, (met,) = meeting(step, first, second)
    assert got.ref == met.ref
    assert (len(service.called), service.spent()) == (1, 50_000)
    service.check_charged_iff_stored()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "call",
    [
        replace(FIRST, arrived_ms=NOON_MS + 5_000),
        replace(FIRST, body="another"),
        replace(FIRST, retries=None),
        replace(FIRST, arrived_ms=None),
    ],
    ids=["later", "another body", "uncounted", "of unknown age"],
)
def test_a_call_that_no_retry_can_be_of_has_its_own_image(step: str, call: Call) -> None:
    service, got, (met,) = meeting(step, call, retry())
    assert got.ref != met.ref
    assert (len(service.called), service.spent()) == (2, 100_000)
    service.check_charged_iff_stored()


def test_an_equal_first_call_beside_it_has_its_own_image() -> None:
    service, got, (met,) = meeting("ledgers.reserve", FIRST, FIRST)
    assert got.ref != met.ref
    assert service.spent() == 100_000


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("first", "second"), [(FIRST, retry()), (retry(), FIRST), (retry(), retry(2))]
)
@pytest.mark.parametrize("count", [2, 4])
def test_of_a_set_each_image_is_bought_once(
    step: str, first: Call, second: Call, count: int
) -> None:
    def purchase(service: Service, call: Call) -> Bought:
        return buy_set(service, call, count)

    service, got, _ = meeting(step, first, second, purchase)
    assert len(got.made) == len({one.ref for one in got.made}) == count
    assert len(service.called) == count
    assert service.spent() == count * 50_000
    service.check_charged_iff_stored()
    again = buy_set(service, retry(3), count)
    assert {one.ref for one in again.made} == {one.ref for one in got.made}
    assert len(service.called) == count


def test_an_attempt_that_finds_the_last_place_taken_by_its_own_retry_gets_the_image() -> None:
    service, got, (met,) = meeting("ledgers.reserve", FIRST, retry(), limits=Limits(daily_images=1))
    assert got.ref == met.ref
    assert service.spent() == 50_000


def test_the_last_place_taken_by_another_call_is_a_limit() -> None:
    with pytest.raises(LimitError):
        meeting("ledgers.reserve", FIRST, FIRST, limits=Limits(daily_images=1))


@pytest.mark.parametrize("call", [FIRST, retry()], ids=["first", "retry"])
def test_the_faster_attempts_refusal_is_the_refusal_of_both(call: Call) -> None:
    service, wire = interrupted()
    service.react("alpha", Outcome.REFUSED)
    others = {0: retry(), 1: retry(2)}
    errors = []

    def other() -> None:
        service.clock.advance(1_000)
        with pytest.raises(ImagegenError) as caught:
            buy(service, others[call.retries or 0])
        errors.append(caught.value.code)

    wire.before = {"ledgers.reserve": other}
    with pytest.raises(ImagegenError) as caught:
        buy(service, call)
    assert [*errors, caught.value.code] == ["content_refused"] * 2
    assert (len(service.called), service.spent()) == (1, 0)


def test_a_faster_attempt_that_runs_is_waited_for() -> None:
    service, wire = interrupted()

    def dies() -> None:
        service.clock.advance(1_000)
        wire.before = {"images.put": die}
        with pytest.raises(DiedError):
            buy(service, retry())

    def die() -> None:
        raise DiedError

    wire.before = {"ledgers.reserve": dies}
    service.while_paused = lambda: service.clock.advance(1_000)
    with pytest.raises(StillRunningError):
        buy(service, FIRST)
    assert len(service.called) == 1
    service.clock.advance(2 * LAMBDA_MS)
    service.reconciler.sweep(limit=10)
    assert service.spent() == 0
    service.check_charged_iff_stored()


def test_a_hold_that_was_given_back_to_another_attempt_is_no_attempt_of_a_later_retry() -> None:
    service, got, _ = meeting("ledgers.reserve", FIRST, retry())
    codes = {op.code: op.state for op in service.ledger().ops.values()}
    assert codes == {"": OpState.SETTLED, JOINED: OpState.RELEASED}
    assert sum(service.ledger().attempts.values()) == 1
    for number in (2, 3):
        service.clock.advance(100_000)
        assert buy(service, retry(number)).ref == got.ref
    assert len(service.called) == 1


def test_a_new_call_after_the_retry_is_another_call() -> None:
    service = Service()
    made = buy(service, retry())
    service.clock.advance(2_000)
    assert buy(service, replace(FIRST, arrived_ms=service.clock())).ref != made.ref


@pytest.mark.parametrize("first", [0, 0x7F, 0x80, 0xFF])
def test_a_quote_id_says_whether_a_retry_issued_it(first: int) -> None:
    random = bytes([first, 1, 2, 3, 4])
    for call, bit in ((FIRST, 0), (retry(), 0x80), (replace(FIRST, retries=None), 0)):
        found = retries.derive_nonce(call, {}, IMAGE_ID_KEY, random=random, now_ms=NOON_MS)
        assert found[0] == (first & 0x7F | bit)
        assert found[1:5] == random[1:]
        assert len(ids.quote_id(found)) == len(ids.quote_id(random * 3))


def test_the_key_of_quote_ids_is_not_in_what_a_traceback_or_a_log_shows() -> None:
    holds = CallHolds(FIRST, Ledger(), Service().functions.generator.holds, IMAGE_ID_KEY)
    assert repr(IMAGE_ID_KEY) not in repr(holds)
