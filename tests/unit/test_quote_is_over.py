"""A quote that no wait can save says so: at once, without an attempt, and with what to do."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.errors import LimitError, NoProviderError, QuoteExpiredError
from imagegen.domain.ledger import HOUR_MS, Hold, Ledger, Limits
from imagegen.domain.outcomes import Outcome
from imagegen.domain.standing import limit_reached
from imagegen.openai_api.retries import Call
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import Estimate, EstimateRequest
from tests.fakes.catalogs import SQUARE, catalog, row
from tests.fakes.clock import NOON_MS
from tests.fakes.pictures import png
from tests.fakes.service import LIFETIME_MS, PROMPT, USER, Service

MIDNIGHT_MS = NOON_MS + 12 * HOUR_MS
REQUEST = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
YESTERDAY, TODAY = "20261122", "20261123"
FULL = {
    "daily_images": Ledger(images={YESTERDAY: 50}),
    "daily_attempts": Ledger(attempts={YESTERDAY: 100}),
    "daily_spend": Ledger(spent={YESTERDAY: 10_000_000}),
}
SOLD_DIFFERENTLY = {
    "other parameters": catalog(
        row("alpha-standard", priority=1, sizes=[{**SQUARE, "params": {"size": "other"}}]),
    ),
    "another model": catalog(row("omega-standard", priority=1)),
}


def over(service: Service, offer: Estimate) -> QuoteExpiredError:
    """Return the error of a quote that is over; nothing was held, tried or written for it."""
    before = (service.ledger(), service.writes, service.called)
    with pytest.raises(QuoteExpiredError) as caught:
        service.confirm(offer)
    assert (service.ledger(), service.writes, service.called) == before
    error = caught.value
    assert (error.retryable, error.charged, error.retry_after_seconds) == (False, False, None)
    assert "new estimate" in str(error)
    return error


# Two clocks: the day of the quote, and the day of the click.


@pytest.mark.parametrize("limit", FULL)
@pytest.mark.parametrize("late_ms", [0, 1, 300_000])
def test_after_midnight_a_quote_of_a_full_day_is_over_and_a_new_one_works_at_once(
    limit: str, late_ms: int
) -> None:
    service = Service()
    service.clock.at_ms = MIDNIGHT_MS - 10_000
    offer = service.estimate()
    service.ledgers.ledgers[USER] = FULL[limit]
    service.clock.at_ms = MIDNIGHT_MS + late_ms
    over(service, offer)
    assert isinstance(service.confirm(service.estimate()), Made)


@pytest.mark.parametrize("limit", FULL)
def test_before_midnight_the_same_quote_is_limited_until_midnight(limit: str) -> None:
    service = Service()
    service.clock.at_ms = MIDNIGHT_MS - 10_000
    offer = service.estimate()
    service.ledgers.ledgers[USER] = FULL[limit]
    with pytest.raises(LimitError) as caught:
        service.confirm(offer)
    error = caught.value
    assert (error.code, error.retryable, error.charged) == (limit, True, False)
    assert error.retry_after_seconds == 70


def test_after_midnight_a_quote_of_a_day_that_is_not_full_is_good() -> None:
    service = Service()
    service.clock.at_ms = MIDNIGHT_MS - 10_000
    offer = service.estimate()
    service.clock.at_ms = MIDNIGHT_MS + 1
    assert isinstance(service.confirm(offer), Made)
    assert service.ledger().images == {YESTERDAY: 1}


def test_what_remains_is_what_remains_of_the_day_of_the_answer() -> None:
    service = Service()
    service.clock.at_ms = MIDNIGHT_MS - 10_000
    offer = service.estimate()
    service.ledgers.ledgers[USER] = Ledger(images={YESTERDAY: 20})
    service.clock.at_ms = MIDNIGHT_MS + 1
    assert service.present(offer).remaining.images_today == 50


def test_a_repetition_under_v1_after_midnight_counts_against_the_new_day() -> None:
    service = Service()
    service.clock.at_ms = MIDNIGHT_MS - 10_000
    call = Call(USER, "body", key="order-66")
    for provider in service.providers:
        service.react(provider, Outcome.RATE_LIMITED)
    with pytest.raises(NoProviderError):
        buy(service, call)
    ledger = service.ledger()
    assert [op.retryable for op in ledger.ops.values()] == [True]
    service.ledgers.ledgers[USER] = replace(ledger, images={YESTERDAY: 50})
    for provider in service.providers:
        service.react(provider, png())
    service.new_process()
    service.clock.at_ms = MIDNIGHT_MS + 1
    assert buy(service, call).record.charged_microusd == 50_000
    assert service.ledger().images == {YESTERDAY: 50, TODAY: 1}


def buy(service: Service, call: Call) -> Made:
    return service.buyer.buy(REQUEST, call, ends_ms=service.clock() + LIFETIME_MS)


# Two limits: the caller is told of the one that ends last.


@given(
    st.integers(0, 24 * HOUR_MS - 1),
    st.integers(0, HOUR_MS),
    st.sampled_from([Ledger(), *FULL.values()]),
)
def test_whoever_waits_as_long_as_told_is_not_refused_again(
    day_ms: int, age_ms: int, full: Ledger
) -> None:
    now_ms = MIDNIGHT_MS - 24 * HOUR_MS + day_ms
    ledger = replace(full, slots=dict.fromkeys(range(10), now_ms - age_ms))
    refused = limit_reached(ledger, hold_at(now_ms), Limits(), now_ms=now_ms)
    if refused is None:
        return
    assert refused.retry_after_seconds is not None
    later_ms = now_ms + refused.retry_after_seconds * 1000
    assert limit_reached(ledger, hold_at(later_ms), Limits(), now_ms=later_ms) is None


def test_an_image_that_costs_more_than_a_day_allows_is_not_worth_a_wait() -> None:
    limits = Limits(daily_microusd=49_999)
    refused = limit_reached(Ledger(), hold_at(NOON_MS), limits, now_ms=NOON_MS)
    assert refused is not None
    assert (refused.code, refused.retryable, refused.retry_after_seconds) == (
        "daily_spend", False, None,
    )  # fmt: skip


def hold_at(now_ms: int) -> Hold:
    day = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d")
    return Hold("quote", "run", day, 50_000, now_ms + 600_000, now_ms + 330_000, 0)


# A deployment changes what is sold.


@pytest.mark.parametrize("change", SOLD_DIFFERENTLY)
def test_a_quote_none_of_whose_models_is_sold_as_it_was_priced_is_over(change: str) -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    offer = service.estimate()
    service.redeploy(catalog=SOLD_DIFFERENTLY[change])
    for _ in range(3):
        over(service, offer)
    assert service.ledger().attempts == {}


@pytest.mark.parametrize("change", SOLD_DIFFERENTLY)
def test_a_quote_that_was_confirmed_before_the_deployment_still_gets_its_image(change: str) -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    offer = service.estimate()
    service.confirm(offer)
    service.redeploy(catalog=SOLD_DIFFERENTLY[change])
    again = service.confirm(offer)
    assert isinstance(again, Made)
    assert again.is_replay


def test_a_quote_with_one_model_that_is_sold_as_before_is_good() -> None:
    service = Service()
    offer = service.estimate()
    first, second = service.catalog.models[:2]
    service.redeploy(catalog=service.catalog.model_copy(update={"models": (second,)}))
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.key == second.key != first.key
