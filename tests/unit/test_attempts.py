"""Each row of the outcome table: the next provider, the circuit, the charge and the error."""

from dataclasses import dataclass
from typing import Any

import pytest

from imagegen.domain.breaker import State
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Offering, Tier, Variant
from imagegen.domain.errors import (
    ConfigurationError,
    ContentRefusedError,
    GenerationFailedError,
    ImagegenError,
    NoProviderError,
    QuoteExpiredError,
)
from imagegen.domain.ledger import Limits
from imagegen.domain.operations import Operation
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pricing import actual_microusd
from imagegen.domain.quote import open_quote
from imagegen.domain.records import Attempt, Fallback, record_json
from imagegen.usecases.generate.attempts import SHORTEST_CALL_SECONDS
from imagegen.usecases.generate.run import SETTLE_MARGIN_MS, AttemptLog, Made
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.pictures import picture, png
from tests.fakes.providers import Reaction, ScriptedProvider
from tests.fakes.service import KEYRING, PROMPT, Service

ALPHA, BETA, GAMMA = (f"{name}-standard-model" for name in ("alpha", "beta", "gamma"))
MODEL_CIRCUIT = f"alpha/{ALPHA}"
BROKEN = b"<html>not an image</html>"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    reaction: Reaction
    goes_on: bool
    counts: bool = False
    opens: str = ""
    alone: type[ImagegenError] = GenerationFailedError
    retryable: bool = True

    @property
    def outcome(self) -> Outcome:
        return self.reaction if isinstance(self.reaction, Outcome) else Outcome.UNAVAILABLE


TABLE = {
    "5xx": Rule(Outcome.UNAVAILABLE, goes_on=True, counts=True),
    "broken bytes": Rule(BROKEN, goes_on=True, counts=True),
    "cut off": Rule(picture("PNG")[:40], goes_on=True, counts=True),
    "no answer": Rule(Outcome.UNKNOWN, goes_on=True, counts=True, retryable=False),
    "stopped in front": Rule(Outcome.BLOCKED, goes_on=True),
    "nothing in it": Rule(Outcome.NO_IMAGE, goes_on=True),
    "429": Rule(Outcome.RATE_LIMITED, goes_on=True, counts=True, alone=NoProviderError),
    "bad key": Rule(Outcome.ACCOUNT, goes_on=True, opens="alpha", alone=NoProviderError),
    "gone": Rule(Outcome.MODEL_GONE, goes_on=True, opens=MODEL_CIRCUIT, alone=NoProviderError),
    "refused": Rule(Outcome.REFUSED, goes_on=False, alone=ContentRefusedError, retryable=False),
    "bad parameter": Rule(Outcome.BAD_PARAMETER, goes_on=True),
    "not called": Rule(Outcome.NOT_CALLED, goes_on=True, alone=NoProviderError),
}
rules = pytest.mark.parametrize("rule", TABLE.values(), ids=TABLE.keys())


@rules
def test_the_next_provider_is_called_unless_the_prompt_was_refused(rule: Rule) -> None:
    service = Service()
    service.react("alpha", rule.reaction)
    offer = service.estimate()
    if rule.goes_on:
        made = service.confirm(offer)
        assert isinstance(made, Made)
        assert made.record.provider == "beta"
        assert made.record.fallback is not None
        assert made.record.fallback.provider == "alpha"
        assert made.record.fallback.reason == rule.outcome
        assert service.called == [ALPHA, BETA]
        assert service.spent() == 60_000
    else:
        with pytest.raises(ContentRefusedError):
            service.confirm(offer)
        assert service.called == [ALPHA]
        assert service.spent() == 0
    service.check_charged_iff_stored()


@rules
def test_the_circuit_changes_as_the_table_says(rule: Rule) -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    service.react("alpha", rule.reaction)
    with pytest.raises(ImagegenError):
        service.confirm(service.estimate())
    states = {name: one.state for name, one in service.circuits.circuits.items()}
    assert states == ({rule.opens: State.OPEN} if rule.opens else states)
    counted = service.circuits.circuits.get("alpha")
    assert len(counted.failures if counted else ()) == int(rule.counts)
    if not rule.counts and not rule.opens:
        assert service.circuits.writes == 0


@rules
def test_without_another_provider_the_user_gets_the_error_and_is_not_charged(rule: Rule) -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    service.react("alpha", rule.reaction)
    with pytest.raises(rule.alone) as caught:
        service.confirm(service.estimate())
    assert type(caught.value) is rule.alone
    assert caught.value.retryable is rule.retryable
    assert caught.value.charged is False
    assert service.spent() == 0
    assert service.ledger().images == {"20261122": 0}
    assert service.ledger().attempts == {"20261122": 1}
    assert not service.ledger().slots
    assert [one.outcome for one in service.finished[0].attempts] == [rule.outcome]
    service.check_charged_iff_stored()


@rules
def test_a_failed_request_leaves_a_record_that_says_so(rule: Rule) -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    service.react("alpha", rule.reaction)
    offer = service.estimate()
    with pytest.raises(ImagegenError) as caught:
        service.confirm(offer)
    record = service.records.records[service.ref(offer)]
    assert (record.status, record.code) == ("failed", caught.value.code)
    assert record.charged_microusd == 0
    assert record.in_doubt_microusd == (50_000 if rule.outcome is Outcome.UNKNOWN else 0)


def test_a_success_writes_nothing_to_the_circuits() -> None:
    service = Service()
    service.make()
    assert service.circuits.writes == 0


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.UNKNOWN])
def test_one_users_failures_leave_the_provider_to_every_other_user(outcome: Outcome) -> None:
    service = Service(limits=Limits(100, 100, 100, 100_000_000))
    service.react("alpha", outcome)
    for _ in range(5):
        assert service.make().record.provider == "beta"
    service.guard.forget()
    offer = service.estimate()
    assert offer.fallback is not None, "this user is not offered what keeps failing for this user"
    assert (offer.provider, offer.fallback.reason) == ("beta", "circuit_open")
    service.react("alpha", png())
    other = service.estimate(user="f" * 32)
    assert (other.provider, other.fallback) == ("alpha", None)
    assert service.circuits.circuits["alpha"].state is State.CLOSED


def test_a_429_rests_the_provider_for_all_and_no_longer_than_it_asks() -> None:
    service = Service()
    service.react("alpha", Outcome.RATE_LIMITED, png())
    service.providers["alpha"].retry_after_seconds = 2
    assert service.make().record.provider == "beta"
    service.guard.forget()
    assert service.estimate().provider == "beta"
    service.clock.advance(2_000)
    assert service.make().record.provider == "alpha"
    assert not service.circuits.circuits["alpha"].failures


def test_the_shortest_retry_after_of_the_providers_reaches_the_user() -> None:
    service = Service()
    for name, wait in (("alpha", 30), ("beta", 7), ("gamma", 60)):
        service.react(name, Outcome.RATE_LIMITED)
        service.providers[name].retry_after_seconds = wait
    with pytest.raises(NoProviderError) as caught:
        service.confirm(service.estimate())
    assert caught.value.retry_after_seconds == 7


def test_after_one_lost_answer_one_more_provider_may_be_called() -> None:
    service = Service()
    service.react("alpha", Outcome.UNKNOWN)
    made = service.make()
    assert service.called == [ALPHA, BETA]
    assert made.record.in_doubt_microusd == 50_000
    assert made.record.charged_microusd == 60_000


def test_after_a_lost_answer_a_model_that_could_not_be_called_is_no_second_call() -> None:
    service = Service()
    service.react("alpha", Outcome.UNKNOWN)
    service.react("beta", Outcome.NOT_CALLED)
    assert service.make().record.provider == "gamma"


def test_after_two_lost_answers_no_provider_is_called() -> None:
    service = Service()
    service.react("alpha", Outcome.UNKNOWN)
    service.react("beta", Outcome.UNKNOWN)
    with pytest.raises(GenerationFailedError) as caught:
        service.confirm(service.estimate())
    assert service.called == [ALPHA, BETA]
    assert not caught.value.retryable
    assert service.finished[0].in_doubt_microusd == 110_000


def test_without_fallback_after_unknown_no_provider_is_called_after_a_lost_answer() -> None:
    service = Service(fallback_after_unknown=False)
    service.react("alpha", Outcome.UNKNOWN)
    with pytest.raises(GenerationFailedError):
        service.confirm(service.estimate())
    assert service.called == [ALPHA]
    service.check_charged_iff_stored()


def test_fallback_after_unknown_does_not_affect_other_fallbacks() -> None:
    service = Service(fallback_after_unknown=False)
    service.react("alpha", Outcome.UNAVAILABLE)
    assert service.make().record.provider == "beta"


def test_after_a_lost_answer_the_same_provider_is_not_called_again() -> None:
    rows = (
        row("alpha-one", priority=1),
        row("alpha-two", priority=2),
        row("beta-one", priority=3),
    )
    service = Service(catalog=catalog(*rows))
    service.react("alpha", Outcome.UNKNOWN)
    made = service.make()
    assert service.called == ["alpha-one-model", "beta-one-model"]
    assert made.record.provider == "beta"
    assert made.record.attempts[1].outcome == "earlier_call_unanswered"


def test_after_a_failure_another_model_of_the_same_provider_may_be_called() -> None:
    rows = (row("alpha-one", priority=1), row("alpha-two", priority=2))
    service = Service(catalog=catalog(*rows))
    service.react("alpha", Outcome.UNAVAILABLE, png())
    assert service.make().record.model == "alpha-two-model"


@rules
def test_no_model_is_called_twice_in_one_run(rule: Rule) -> None:
    service = Service()
    for name in ("alpha", "beta", "gamma"):
        service.react(name, rule.reaction)
    with pytest.raises(ImagegenError):
        service.confirm(service.estimate())
    assert len(service.called) == len(set(service.called))


def test_a_refusal_of_the_fallback_is_final_as_well() -> None:
    service = Service()
    service.react("alpha", Outcome.UNAVAILABLE)
    service.react("beta", Outcome.REFUSED)
    with pytest.raises(ContentRefusedError):
        service.confirm(service.estimate())
    assert service.called == [ALPHA, BETA]
    service.check_charged_iff_stored()


def test_a_candidate_whose_circuit_opened_after_the_quote_is_skipped() -> None:
    service = Service()
    offer = service.estimate()
    service.guard.trip("alpha", "account")
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert service.called == [BETA]
    assert made.record.attempts == (
        Attempt("alpha", ALPHA, "circuit_open", "", 0),
        Attempt("beta", BETA, "success", "", made.record.attempts[1].duration_ms),
    )
    assert made.record.fallback is not None
    assert made.record.fallback.reason == "circuit_open"


@pytest.mark.parametrize(
    ("passed_ms", "seconds"), [(0, 600), (1, 600), (999, 600), (1_000, 599), (599_500, 1)]
)
def test_if_every_circuit_opened_after_the_quote_the_user_learns_when_to_come_back(
    passed_ms: int, seconds: int
) -> None:
    service = Service()
    offer = service.estimate()
    for name in service.providers:
        service.guard.trip(name, "account")
    service.clock.advance(passed_ms)
    with pytest.raises(NoProviderError, match="circuit_open") as caught:
        service.confirm(offer)
    assert caught.value.retry_after_seconds == seconds
    assert not service.called


SMALL = {"size": "640x640", "shape": "square", "params": {}}
OTHERS = {
    "row": row("alpha-other", priority=1),
    "size": row(
        "alpha-standard",
        priority=1,
        sizes=[SMALL],
        price={"rule": "perImage", "usd": {"640x640": "0.05"}},
    ),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_a_quote_whose_models_lost_their_row_or_size_is_over(other: dict[str, Any]) -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    offer = service.estimate()
    service.redeploy(catalog=catalog(other))
    with pytest.raises(QuoteExpiredError):
        service.confirm(offer)
    assert not service.called


def test_a_quote_whose_file_format_is_not_made_any_more_is_over() -> None:
    webp = {"webp": {"output_format": "webp"}}
    service = Service(catalog=catalog(row("alpha-standard", priority=1, formats=webp)))
    offer = service.estimate(format="webp")
    service.redeploy(catalog=catalog(row("alpha-standard", priority=1)))
    with pytest.raises(QuoteExpiredError):
        service.confirm(offer)
    assert not service.called


def test_if_any_of_several_models_failed_the_request_failed_and_each_is_named() -> None:
    service = Service()
    for name in service.providers:
        service.react(name, Outcome.RATE_LIMITED)
    service.react("gamma", Outcome.UNAVAILABLE)
    outcomes = {"alpha": "rate_limited", "gamma": "unavailable", "beta": "rate_limited"}
    offer = service.estimate()
    quote = open_quote(offer.quote, service.generator.keyring())
    named = "; ".join(
        f"{one.key.partition('-')[0]} {one.key}-model: {outcomes[one.key.partition('-')[0]]}"
        for one in quote.candidates
    )
    with pytest.raises(GenerationFailedError, match=f"failed\\. {named}$"):
        service.confirm(offer)


@pytest.mark.parametrize(("less_ms", "is_called"), [(0, True), (1, False)])
def test_a_model_is_called_if_its_usual_time_is_left(less_ms: int, *, is_called: bool) -> None:
    service = Service()
    usual_ms = 10_000 + SETTLE_MARGIN_MS - less_ms
    offer = service.estimate()
    if is_called:
        service.confirm(offer, remaining_ms=usual_ms)
    else:
        with pytest.raises(NoProviderError, match="no_time_left"):
            service.confirm(offer, remaining_ms=usual_ms)
    assert bool(service.called) is is_called


@pytest.mark.parametrize(("more_ms", "is_called"), [(0, True), (1, False)])
def test_a_look_up_that_takes_the_time_of_the_call_leaves_it_out(
    more_ms: int, *, is_called: bool
) -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1)))
    offer = service.estimate()
    took_ms = 10_000 - round(1_000 * SHORTEST_CALL_SECONDS) + more_ms

    class SlowLookUp(dict[str, ScriptedProvider]):
        def __getitem__(self, name: str) -> ScriptedProvider:
            service.clock.advance(took_ms)
            return super().__getitem__(name)

    service.redeploy(providers=SlowLookUp(service.providers))
    remaining_ms = 10_000 + SETTLE_MARGIN_MS
    if is_called:
        assert isinstance(service.confirm(offer, remaining_ms=remaining_ms), Made)
        return
    with pytest.raises(NoProviderError, match="not_called"):
        service.confirm(offer, remaining_ms=remaining_ms)
    assert not service.called


def test_the_record_has_each_call_its_outcome_and_how_long_it_took() -> None:
    service = Service()
    service.react("alpha", Outcome.UNAVAILABLE)
    service.providers["alpha"].takes_ms = 1_500
    service.providers["beta"].takes_ms = 2_500
    assert service.make().record.attempts == (
        Attempt("alpha", ALPHA, Outcome.UNAVAILABLE, "a_code", 1_500),
        Attempt("beta", BETA, "success", "", 2_500),
    )


def test_the_record_has_what_the_provider_bills_by_its_own_count_of_tokens() -> None:
    service = Service(catalog=real_catalog())
    usage = {"input_tokens": 12, "output_tokens": 1_056, "thought_tokens": 100}
    for provider in service.providers.values():
        provider.usage = usage
    made = service.confirm(service.estimate(quality="high", provider="openai"))
    assert isinstance(made, Made)
    priced = service.catalog.by_key[made.record.key]
    assert priced.token_prices is not None
    assert made.record.actual_microusd == actual_microusd(priced, usage)
    assert made.record.tokens == (12, 1_156)


@pytest.mark.parametrize(("run_id", "kept"), [("digest.random", "digest.random"), ("random", "")])
def test_the_record_names_its_run_only_if_the_name_has_the_digest_of_a_request(
    run_id: str, kept: str
) -> None:
    service = Service()
    quote = open_quote(service.estimate().quote, service.generator.keyring())
    ends_ms = service.clock() + 300_000
    made = service.generator.confirm(quote, PROMPT, run_id=run_id, ends_ms=ends_ms)
    assert isinstance(made, Made)
    assert made.record.run == kept


def test_the_model_that_was_replaced_in_the_offer_stays_the_one_that_is_named() -> None:
    service = Service()
    service.guard.trip("alpha", "account")
    offer = service.estimate()
    service.react("gamma", Outcome.UNAVAILABLE)
    service.react("beta", Outcome.UNAVAILABLE, png())
    service.react("gamma", png())
    first = offer.model
    service.react(first.partition("-")[0], Outcome.UNAVAILABLE)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.model != first
    assert made.record.fallback == Fallback("alpha", ALPHA, "circuit_open")


def test_a_first_choice_that_left_the_catalog_is_named_by_its_key() -> None:
    service = Service()
    offer = service.estimate()
    service.redeploy(catalog=catalog(row("beta-standard", priority=2, usd="0.07")))
    made = service.confirm(offer)
    assert isinstance(made, Made)
    key = "alpha-standard"
    assert made.record.fallback == Fallback(key, key, "catalog_changed")


def test_a_first_choice_that_is_sold_differently_now_is_named_by_its_model() -> None:
    service = Service()
    offer = service.estimate()
    rows = (
        row("alpha-standard", priority=1, params={"steps": 50}),
        row("beta-standard", priority=2, usd="0.07"),
    )
    service.redeploy(catalog=catalog(*rows))
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.fallback == Fallback("alpha", ALPHA, "catalog_changed")


def test_a_failure_without_a_code_of_the_provider_has_an_empty_one() -> None:
    log = AttemptLog()
    service = Service()
    variant = Variant(one := service.catalog.models[0], one.sizes[0])
    error = ProviderError("alpha", Outcome.UNAVAILABLE, "down")
    log.fail(error, variant, 50_000, took_ms=7)
    assert log.attempts == [Attempt("alpha", ALPHA, Outcome.UNAVAILABLE, "", 7)]


def test_a_provider_switched_off_after_the_quote_is_skipped() -> None:
    service = Service()
    offer = service.estimate()
    service.setups.pop("alpha")
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.attempts[0].outcome == "no_key"


def test_a_candidate_that_the_catalog_has_changed_is_skipped() -> None:
    service = Service()
    offer = service.estimate()
    rows = [
        row("alpha-standard", priority=1, params={"steps": 50}),
        row("beta-standard", priority=2, usd="9"),
        row("gamma-standard", priority=3),
    ]
    service.redeploy(catalog=catalog(*rows))
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.attempts[0].outcome == "catalog_changed"
    # The price in the quote is charged, whatever the catalog says now.
    assert made.record.charged_microusd == 60_000


def test_a_candidate_that_was_removed_from_the_catalog_is_skipped() -> None:
    service = Service()
    offer = service.estimate()
    service.redeploy(catalog=catalog(row("beta-standard", priority=2, usd="0.06")))
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.provider == "beta"


def test_no_call_may_take_longer_than_the_rest_of_the_run() -> None:
    service = Service()
    service.providers["alpha"].takes_ms = 60_000
    service.react("alpha", Outcome.UNAVAILABLE)
    service.confirm(service.estimate(), remaining_ms=120_000)
    assert service.providers["alpha"].timeouts == [100.0]
    assert service.providers["beta"].timeouts == [40.0]


@pytest.mark.parametrize(("slow_seconds", "limit_seconds"), [(10, 20), (60, 120), (120, 240)])
def test_a_call_may_take_twice_as_long_as_a_slow_image(
    slow_seconds: int, limit_seconds: int
) -> None:
    rows = row("alpha-standard", priority=1, slowSeconds=slow_seconds)
    service = Service(catalog=catalog(rows))
    service.confirm(service.estimate(), remaining_ms=900_000)
    assert service.providers["alpha"].timeouts == [limit_seconds]


def test_a_picture_of_the_best_quality_is_waited_for_and_one_that_hangs_leaves_time() -> None:
    """Lambda ends a run after 300 s; pictures of this quality take up to 160 s."""
    service = Service(catalog=real_catalog())
    service.providers["openai"].takes_ms = 160_000
    offer = service.estimate(quality="ultra", model="openai-ultra")
    made = service.confirm(offer, remaining_ms=300_000)
    assert isinstance(made, Made)
    assert (made.record.provider, made.record.fallback) == ("openai", None)
    (limit_seconds,) = service.providers["openai"].timeouts
    fallbacks = [one for one in real_catalog().tier(Tier.ULTRA) if one.provider != "openai"]
    for one in fallbacks:
        assert limit_seconds + one.typical_seconds <= 300 - 20


@pytest.mark.parametrize("seconds", [121, 140, 155, 160, 200, 239])
def test_a_picture_that_takes_long_counts_against_no_circuit_and_has_its_own_price(
    seconds: int,
) -> None:
    service = Service(catalog=real_catalog())
    service.providers["openai"].takes_ms = seconds * 1_000
    for _ in range(5):
        offer = service.estimate(quality="ultra", model="openai-ultra")
        assert offer.fallback is None
        made = service.confirm(offer, remaining_ms=300_000)
        assert isinstance(made, Made)
        assert (made.record.provider, made.record.attempts) == ("openai", made.record.attempts[:1])
        assert made.record.charged_microusd == offer.price.expected
    service.check_charged_iff_stored()


@pytest.mark.parametrize("one", real_catalog().models, ids=lambda one: one.key)
def test_every_model_is_waited_for_longer_than_a_slow_image_takes(one: Offering) -> None:
    """An image is billed whether it is waited for or not."""
    service = Service(catalog=real_catalog())
    if one.operation is not Operation.GENERATE or one.needs_input:
        assert one.call_seconds > one.slow_seconds
        return
    service.providers[one.provider].takes_ms = one.slow_seconds * 1_000 + 20_000
    made = service.confirm(service.estimate(quality=one.tier, model=one.key), remaining_ms=300_000)
    assert isinstance(made, Made)
    assert made.record.provider == one.provider
    (limit_seconds,) = service.providers[one.provider].timeouts
    assert limit_seconds > one.slow_seconds + 20


def test_a_call_that_takes_the_longest_time_is_still_settled_before_its_lease_ends() -> None:
    service = Service(catalog=real_catalog())
    longest_seconds = max(one.call_seconds for one in real_catalog().models)
    service.providers["openai"].takes_ms = longest_seconds * 1000
    offer = service.estimate(quality="ultra", model="openai-ultra")
    made = service.confirm(offer, remaining_ms=300_000)
    assert isinstance(made, Made)
    assert service.reconciler.sweep(limit=10).users == 0
    assert service.spent() == made.record.charged_microusd
    assert service.guard.policy.probe_ms >= longest_seconds * 1000 + 15_000
    service.check_charged_iff_stored()


@pytest.mark.parametrize("one", real_catalog().models, ids=lambda one: one.key)
def test_every_call_of_the_catalog_fits_into_a_run(one: Offering) -> None:
    assert one.call_seconds <= 300 - 20
    assert one.call_seconds >= 120


def test_without_time_left_no_provider_is_called_and_nothing_is_charged() -> None:
    service = Service()
    with pytest.raises(NoProviderError, match="no_time_left"):
        service.confirm(service.estimate(), remaining_ms=24_000)
    assert not service.called
    service.check_charged_iff_stored()


def test_a_provider_gets_exactly_what_was_priced() -> None:
    service = Service()
    service.confirm(service.estimate(style="ink"))
    order = service.providers["alpha"].orders[0]
    assert order.params == {"steps": 4, "size": "1024x1024"}
    assert order.prompt == "a fox in the snow\n\nStyle: ink"
    assert (order.model, order.width, order.height) == (ALPHA, 1024, 1024)


def test_the_recorded_size_is_measured_from_the_bytes() -> None:
    service = Service()
    service.react("alpha", picture("JPEG", size=(1040, 1000)))
    record = service.make().record
    assert (record.media_type, record.width, record.height) == ("image/jpeg", 1040, 1000)


def test_a_provider_that_is_not_set_up_ends_the_run_without_a_charge() -> None:
    service = Service()
    service.react("alpha", ConfigurationError("no such provider"))
    with pytest.raises(ConfigurationError):
        service.confirm(service.estimate())
    service.check_charged_iff_stored()


def test_a_bug_of_ours_does_not_keep_the_users_money() -> None:
    service = Service()
    service.react("alpha", RuntimeError("a bug"))
    with pytest.raises(RuntimeError):
        service.confirm(service.estimate())
    assert service.circuits.writes == 0
    assert service.finished[0].code == "internal_error"
    service.check_charged_iff_stored()


def test_the_longest_record_fits_beside_an_object_in_s3() -> None:
    service = Service(catalog=real_catalog())
    rows = service.catalog.tier(Tier.ULTRA)
    able = [one for one in rows if not one.inputs or one.inputs.needs == "nothing"]
    offer = service.estimate(quality="ultra", size="landscape")
    tried = open_quote(offer.quote, KEYRING).candidates
    asked = [service.catalog.by_key[one.key].provider for one in tried]
    for name in asked:
        failures = asked.count(name) - (name == asked[-1])
        made_at_last = [png((1536, 1024))] if name == asked[-1] else []
        service.react(name, *[Outcome.UNAVAILABLE] * failures, *made_at_last)
        service.providers[name].takes_ms = 59_000
    made = service.confirm(offer, remaining_ms=900_000)
    assert isinstance(made, Made)
    assert len(made.record.attempts) == len(able) >= 4
    # S3 takes 2 KB of metadata; a code has at most 80 characters and each of three may have one.
    assert len(record_json(made.record)) + 3 * 80 < 2_000


def test_bytes_that_are_no_image_have_a_code_of_their_own_in_the_record() -> None:
    service = Service()
    service.react("alpha", BROKEN)
    assert service.make().record.attempts[0].code == "broken_image"
