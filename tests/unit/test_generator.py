"""A confirmed request: paid at most once, never more than promised, only for an image."""

from dataclasses import replace
from typing import Any, Never, cast

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.errors import (
    ConfigurationError,
    ContentRefusedError,
    GenerationFailedError,
    GoneError,
    LeaseLostError,
    LimitError,
    ModerationUnavailableError,
    NoProviderError,
    QuoteError,
    QuoteExpiredError,
    QuoteMismatchError,
    StoreUnavailableError,
)
from imagegen.domain.ledger import Hold, Limits, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation, ModerationMode
from imagegen.domain.quote import open_quote
from imagegen.domain.records import RecordStatus
from imagegen.domain.stores import Held
from imagegen.usecases.generate.run import Made, Running
from imagegen.wire.images import GenerateRequest
from tests.fakes.catalogs import catalog, row
from tests.fakes.faults import Fault
from tests.fakes.pictures import png
from tests.fakes.service import HOUR_MS, OTHER_USER, PROMPT, USER, Service

STEPS = [
    "ledgers.reserve",
    "budgets.take",
    "moderator.check",
    "circuits.load",
    "provider.alpha.generate",
    "prompts.put",
    "images.put",
    "records.put",
    "budgets.give",
    "ledgers.settle",
]


def steps_of(service: Service) -> list[str]:
    """Return the calls of one confirmed request, from the estimate on."""
    offer = service.estimate()
    service.new_process()
    service.confirm(offer)
    return list(service.wire.calls)


def fail_at(service: Service, step: str, fault: Fault = Fault.BEFORE) -> None:
    service.new_process()
    service.wire.faults[STEPS.index(step)] = fault


def test_money_is_held_before_any_outside_call_and_settled_after_the_image_is_stored() -> None:
    assert steps_of(Service()) == STEPS


def test_the_price_of_the_model_that_made_the_image_is_charged_and_not_the_ceiling() -> None:
    service = Service()
    made = service.make()
    assert made.record.charged_microusd == 50_000
    assert made.record.ceiling_microusd == 70_000
    assert service.spent() == 50_000
    assert made.ledger.spent == service.ledger().spent
    service.check_charged_iff_stored()


def test_while_it_runs_the_ceiling_is_held() -> None:
    service = Service()
    held = list[int]()
    service.providers["alpha"].sleep = lambda _ms: held.append(service.spent())
    service.make()
    assert held == [70_000]


def test_the_image_is_stored_unchanged_with_its_record() -> None:
    service = Service()
    made = service.make()
    content, record = service.images.objects[(USER, made.ref.quote_id)]
    assert content == png()
    assert record == made.record == service.records.records[made.ref] == service.finished[0]


def test_the_prompt_is_moderated_with_its_style() -> None:
    service = Service()
    service.confirm(service.estimate(style="ink"))
    assert service.moderator is not None
    assert service.moderator.asked == [f"{PROMPT}\n\nStyle: ink"]


def test_a_flagged_prompt_is_refused_before_any_provider_is_called() -> None:
    service = Service()
    assert service.moderator is not None
    service.moderator.verdict = Moderation(flagged=True, categories=("violence",))
    with pytest.raises(ContentRefusedError, match="violence"):
        service.confirm(service.estimate())
    assert not service.called
    service.check_charged_iff_stored()
    assert service.ledger().attempts == {"20261122": 1}


@pytest.mark.parametrize(
    ("categories", "named"),
    [(("violence", "self-harm"), r"\(violence, self-harm\)"), ((), r"\(policy\)")],
)
def test_a_refusal_names_the_categories_or_the_policy(
    categories: tuple[str, ...], named: str
) -> None:
    service = Service()
    assert service.moderator is not None
    service.moderator.verdict = Moderation(flagged=True, categories=categories)
    with pytest.raises(ContentRefusedError, match=named):
        service.confirm(service.estimate())


@pytest.mark.parametrize(("asked", "seconds"), [(None, 5), (42, 42)])
def test_a_moderation_that_is_away_says_when_to_come_back(asked: int | None, seconds: int) -> None:
    class Away:
        def check(self, prompt: str, pictures: object, *, timeout_seconds: float) -> Never:
            raise ProviderError("openai", Outcome.UNAVAILABLE, "away", retry_after_seconds=asked)

    service = Service(moderator=Away())  # type: ignore[arg-type]
    with pytest.raises(ModerationUnavailableError) as caught:
        service.confirm(service.estimate())
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("is_known", [True, False])
def test_a_request_that_runs_is_answered_with_what_is_known_of_it(*, is_known: bool) -> None:
    service = Service()
    offer = service.estimate()
    quote = open_quote(offer.quote, service.generator.keyring())
    if not is_known:
        service.redeploy(catalog=catalog(row("beta-standard", priority=2)))
    running = Running(started_ms=1_000, charged=False)
    answer = service.presenter.in_progress(quote, running)
    assert answer.id == offer.image_id
    assert answer.typical_seconds == (offer.typical_seconds if is_known else 30)
    assert answer.charged is False
    assert service.presenter.in_progress(quote, Running(1_000, charged=None)).charged is None


@pytest.mark.parametrize("mode", set(ModerationMode) - {ModerationMode.OFF})
def test_a_moderation_that_refuses_to_judge_the_prompt_refuses_it(mode: ModerationMode) -> None:
    service = Service(moderation=mode)
    assert service.moderator is not None
    service.moderator.verdict = Outcome.REFUSED
    with pytest.raises(ContentRefusedError):
        service.confirm(service.estimate())
    assert not service.called
    service.check_charged_iff_stored()


def test_a_page_in_front_of_the_moderation_stops_one_request_and_no_circuit() -> None:
    service = Service(moderation=ModerationMode.REQUIRED)
    assert service.moderator is not None
    service.moderator.verdict = Outcome.BLOCKED
    with pytest.raises(ModerationUnavailableError):
        service.confirm(service.estimate())
    assert service.circuits.writes == 0


@pytest.mark.parametrize("mode", ModerationMode)
def test_without_a_verdict_only_the_required_mode_refuses(mode: ModerationMode) -> None:
    service = Service(moderation=mode)
    assert service.moderator is not None
    service.moderator.verdict = Outcome.UNAVAILABLE
    offer = service.estimate()
    if mode is ModerationMode.REQUIRED:
        with pytest.raises(ModerationUnavailableError) as caught:
            service.confirm(offer)
        assert caught.value.retry_after_seconds
        assert not service.called
    else:
        assert isinstance(service.confirm(offer), Made)
    service.check_charged_iff_stored()


@pytest.mark.parametrize("mode", ModerationMode)
def test_without_a_moderator_only_the_required_mode_refuses(mode: ModerationMode) -> None:
    service = Service(moderation=mode, moderator=None)
    if mode is ModerationMode.REQUIRED:
        with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
            service.confirm(service.estimate())
        assert not service.called
    else:
        service.make()
    service.check_charged_iff_stored()


@pytest.mark.parametrize("mode", ModerationMode)
def test_a_flagged_prompt_is_refused_in_every_mode_but_off(mode: ModerationMode) -> None:
    service = Service(moderation=mode)
    assert service.moderator is not None
    service.moderator.verdict = Moderation(flagged=True)
    if mode is ModerationMode.OFF:
        service.make()
        assert not service.moderator.asked
    else:
        with pytest.raises(ContentRefusedError):
            service.confirm(service.estimate())


def test_a_changed_prompt_another_users_quote_and_a_forged_quote_cost_nothing() -> None:
    service = Service()
    offer = service.estimate()
    service.new_process()
    generate = service.generator.generate
    with pytest.raises(QuoteMismatchError):
        generate(
            GenerateRequest(quote=offer.quote, prompt="a cat"),
            USER,
            ends_ms=service.clock() + 300_000,
        )
    with pytest.raises(QuoteError, match="not valid"):
        service.confirm(offer, OTHER_USER)
    with pytest.raises(QuoteError):
        generate(
            GenerateRequest(quote=offer.quote + "x", prompt=PROMPT), USER, ends_ms=service.clock()
        )
    assert not service.wire.calls


def test_an_expired_quote_that_was_never_used_is_refused_without_a_write() -> None:
    service = Service()
    offer = service.estimate()
    service.clock.advance(600_000)
    with pytest.raises(QuoteExpiredError) as caught:
        service.confirm(offer)
    assert (caught.value.retryable, caught.value.charged) == (False, False)
    assert service.writes == 0


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(1, 50, 100, 10_000_000), "hourly_images"),
        (Limits(10, 1, 100, 10_000_000), "daily_images"),
        (Limits(10, 50, 1, 10_000_000), "daily_attempts"),
        (Limits(10, 50, 100, 119_999), "daily_spend"),
    ],
)
def test_at_a_limit_no_provider_is_called_and_the_error_has_a_retry_after(
    limits: Limits, code: str
) -> None:
    service = Service(limits=limits)
    service.make()
    offer = service.estimate("another fox")
    before = service.ledger()
    with pytest.raises(LimitError) as caught:
        service.confirm(offer)
    assert caught.value.code == code
    assert caught.value.retry_after_seconds
    assert len(service.called) == 1
    assert service.ledger() == before


def test_a_failed_request_gives_back_its_hour_slot() -> None:
    service = Service(limits=Limits(1, 50, 100, 10_000_000))
    for name in ("alpha", "beta", "gamma"):
        service.react(name, Outcome.UNAVAILABLE, png())
    with pytest.raises(GenerationFailedError):
        service.confirm(service.estimate())
    service.make()


def test_the_limits_of_the_day_of_the_quote_apply() -> None:
    service = Service()
    to_midnight_ms = 86_400_000 - service.clock() % 86_400_000
    service.clock.advance(to_midnight_ms - 1)
    offer = service.estimate()
    service.clock.advance(2)
    service.confirm(offer)
    assert service.ledger().spent == {"20261122": 50_000}


def test_an_hour_slot_is_free_again_after_an_hour() -> None:
    service = Service(limits=Limits(1, 50, 100, 10_000_000))
    service.make()
    offer = service.estimate("another fox")
    service.clock.advance(300_000)
    with pytest.raises(LimitError):
        service.confirm(offer)
    service.clock.advance(HOUR_MS - 300_000)
    service.make("a third fox")


# The same quote again.


def test_the_same_quote_again_gets_the_same_image_and_no_second_charge() -> None:
    service = Service()
    offer = service.estimate()
    first, second = service.confirm(offer), service.confirm(offer)
    assert isinstance(first, Made)
    assert isinstance(second, Made)
    assert (first.ref, first.record) == (second.ref, second.record)
    assert len(service.called) == 1
    assert service.spent() == 50_000


def test_the_same_quote_gets_the_same_image_after_it_has_expired() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.clock.advance(5 * HOUR_MS)
    service.make("another fox")  # prunes
    assert offer.quote_id not in service.ledger().ops
    again = service.confirm(offer)
    assert isinstance(again, Made)
    assert again.ref.quote_id == offer.quote_id


def test_the_same_quote_of_a_deleted_image_is_reported_as_charged() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.images.objects.clear()
    with pytest.raises(GoneError) as caught:
        service.confirm(offer)
    assert caught.value.charged


def test_a_deleted_image_stays_charged_after_its_request_was_pruned() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.images.objects.clear()
    service.clock.advance(5 * HOUR_MS)
    ledger = service.ledger()
    service.ledgers.ledgers[USER] = replace(ledger, ops={})
    with pytest.raises(GoneError) as caught:
        service.confirm(offer)
    assert caught.value.charged


def started_elsewhere(service: Service, *, lease_ms: int = 330_000) -> str:
    """Let another instance reserve an offer; return its quote."""
    offer = service.estimate()
    now_ms = service.clock()
    hold = Hold(offer.quote_id, "other", "20261122", 70_000, offer.expires_at, now_ms + lease_ms, 0)
    reservation = service.ledgers.reserve(USER, hold, service.limits, now_ms=now_ms)
    assert isinstance(reservation, Held)
    return offer.quote


def click(service: Service, quote: str) -> Made | Running:
    request = GenerateRequest(quote=quote, prompt=PROMPT)
    return service.generator.generate(request, USER, ends_ms=service.clock() + 300_000).result


@pytest.mark.parametrize("later_ms", [0, 300_000, 329_999])
def test_the_same_quote_while_its_run_is_under_way_gets_in_progress(later_ms: int) -> None:
    service = Service()
    started_ms = service.clock()
    request = GenerateRequest(quote=started_elsewhere(service), prompt=PROMPT)
    service.clock.advance(later_ms)
    confirmed = service.generator.generate(request, USER, ends_ms=service.clock() + 300_000)
    assert isinstance(confirmed.result, Running)
    answer = service.presenter.in_progress(confirmed.quote, confirmed.result)
    assert (answer.started_at, answer.typical_seconds) == (started_ms, 10)
    assert not service.called


def test_the_same_quote_of_a_run_that_died_may_run_again() -> None:
    service = Service()
    quote = started_elsewhere(service)
    service.clock.advance(330_001)
    assert isinstance(click(service, quote), Made)
    assert service.spent() == 50_000
    assert service.ledger().attempts == {"20261122": 2}
    service.check_charged_iff_stored()


def test_an_expired_quote_whose_run_is_under_way_gets_in_progress() -> None:
    service = Service()
    quote = started_elsewhere(service, lease_ms=700_000)
    service.clock.advance(600_001)
    assert isinstance(click(service, quote), Running)


def test_an_expired_quote_whose_run_died_has_expired_and_is_not_charged() -> None:
    service = Service()
    quote = started_elsewhere(service)
    service.clock.advance(600_001)
    with pytest.raises(QuoteExpiredError):
        click(service, quote)
    service.check_charged_iff_stored()


def test_a_refused_quote_is_refused_again_without_another_provider_call() -> None:
    service = Service()
    service.react("alpha", Outcome.REFUSED)
    offer = service.estimate()
    for _ in range(2):
        with pytest.raises(ContentRefusedError):
            service.confirm(offer)
    assert len(service.called) == 1
    service.clock.advance(700_000)
    with pytest.raises(ContentRefusedError):
        service.confirm(offer)


def test_a_retryable_failed_quote_can_be_confirmed_again() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    service.react("alpha", Outcome.UNAVAILABLE, png())
    offer = service.estimate()
    with pytest.raises(GenerationFailedError) as caught:
        service.confirm(offer)
    assert caught.value.retryable
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert service.records.records[made.ref].status == "complete"
    assert service.ledger().attempts == {"20261122": 2}
    service.check_charged_iff_stored()


def test_a_retryable_failed_quote_cannot_be_confirmed_after_it_has_expired() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    service.react("alpha", Outcome.RATE_LIMITED)
    offer = service.estimate()
    with pytest.raises(NoProviderError):
        service.confirm(offer)
    service.clock.advance(600_000)
    with pytest.raises(QuoteExpiredError):
        service.confirm(offer)


def test_after_a_lost_answer_the_same_quote_does_not_buy_again() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    service.react("alpha", Outcome.UNKNOWN, png())
    offer = service.estimate()
    for _ in range(2):
        with pytest.raises(GenerationFailedError) as caught:
            service.confirm(offer)
        assert not caught.value.retryable
    assert len(service.called) == 1


# Stores that fail on the way: what one fault does to the answer (the money is in test_crashes).


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_without_the_ledger_no_provider_is_called_and_nothing_stays_held(fault: Fault) -> None:
    service = Service()
    offer = service.estimate()
    fail_at(service, "ledgers.reserve", fault)
    with pytest.raises(StoreUnavailableError) as caught:
        service.confirm(offer)
    assert caught.value.retryable
    assert not service.called
    assert service.spent() == 0
    service.new_process()
    assert isinstance(service.confirm(offer), Made)


def test_an_image_that_was_stored_without_a_reply_is_found_and_charged_once() -> None:
    service = Service()
    offer = service.estimate()
    fail_at(service, "images.put", Fault.AFTER)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert service.spent() == made.record.charged_microusd
    service.check_charged_iff_stored()


@pytest.mark.parametrize("step", ["ledgers.settle", "records.put"])
@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_a_stored_image_is_returned_whatever_fails_afterwards(step: str, fault: Fault) -> None:
    service = Service()
    offer = service.estimate()
    fail_at(service, step, fault)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.charged_microusd == 50_000


def test_a_run_that_is_too_late_to_store_stores_nothing() -> None:
    service = Service()
    service.providers["alpha"].takes_ms = 300_000
    with pytest.raises(LeaseLostError):
        service.confirm(service.estimate())
    assert not service.images.objects
    service.clock.advance(60_000)
    service.reconciler.sweep(limit=10)
    service.check_charged_iff_stored()


def test_a_run_whose_hold_was_released_meanwhile_deletes_its_image() -> None:
    service = Service()
    offer = service.estimate()

    def slept(_ms: int) -> None:
        """Let a clock ahead of ours decide that this run is dead."""
        service.clock.advance(400_000)
        service.reconciler.sweep(limit=10)
        service.clock.advance(-400_000)

    service.providers["alpha"].sleep = slept
    with pytest.raises(LeaseLostError):
        service.confirm(offer)
    assert service.spent() == 0
    service.check_charged_iff_stored()


def test_an_image_that_an_earlier_run_stored_is_charged_instead() -> None:
    service = Service()
    offer = service.estimate()
    fail_at(service, "images.put", Fault.DIES_AFTER)
    with pytest.raises(BaseException):  # noqa: B017, PT011 the process dies
        service.confirm(offer)
    service.new_process()
    # The hold was released though the image had come: the lease was over too early.
    ledger = service.ledger()
    released = replace(ledger.ops[offer.quote_id], state=OpState.RELEASED, retryable=True)
    service.ledgers.ledgers[USER] = replace(
        ledger, ops={offer.quote_id: released}, spent={}, images={}, slots={}
    )
    service.budgets.budgets.clear()
    service.react("alpha", Outcome.UNAVAILABLE)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.provider == "alpha"
    assert service.spent() == 50_000
    service.check_charged_iff_stored()


def fail_again_at(service: Service, step: str) -> None:
    """Let a step of the second request with the same quote fail."""
    steps = ["ledgers.reserve", "images.find", "records.get", "records.put"]
    service.new_process()
    service.wire.faults[steps.index(step)] = Fault.BEFORE


def test_a_charged_image_that_cannot_be_looked_up_is_reported_as_charged() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    fail_again_at(service, "images.find")
    with pytest.raises(StoreUnavailableError) as caught:
        service.confirm(offer)
    assert caught.value.charged


@pytest.mark.parametrize("step", ["records.get", "records.put"])
def test_a_stored_image_is_returned_again_even_if_its_record_cannot_be_repaired(step: str) -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.records.records.clear()
    fail_again_at(service, step)
    assert isinstance(service.confirm(offer), Made)


def test_a_record_that_could_not_be_written_is_written_at_the_second_attempt() -> None:
    service = Service()
    offer = service.estimate()
    fail_at(service, "records.put", Fault.BEFORE)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert service.records.records == {made.ref: made.record}


def test_a_bug_in_reading_the_usage_gives_the_hold_back_and_is_recorded() -> None:
    prices = {
        "text_in": "5",
        "image_out": "40",
        "source": "https://prices.test/",
        "checked_on": "2026-01-01",
    }
    service = Service(catalog=catalog(row("alpha-standard", priority=1, token_prices=prices)))
    service.providers["alpha"].usage = cast("Any", {"output_tokens": "many"})
    with pytest.raises(TypeError):
        service.confirm(service.estimate())
    assert service.spent() == 0
    assert [one.status for one in service.finished] == [RecordStatus.FAILED]


def test_an_image_is_answered_as_a_call_that_succeeded_with_its_charge() -> None:
    service = Service()
    answer = service.present(service.estimate())
    assert answer.llm_api_call.success is True
    assert answer.llm_api_call.cost == answer.cost.charged == 50_000
