"""Several images under one button: independent promises, each charged exactly if it is stored."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from imagegen.chat.results import result_for_llm
from imagegen.domain.errors import (
    AboveMaxCostError,
    ImagegenError,
    InvalidRequestError,
    LimitError,
    ParameterError,
    StoreUnavailableError,
)
from imagegen.domain.ids import ImageRef, parse_image_id
from imagegen.domain.ledger import HOUR_MS, Ledger, Limits
from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import open_quote
from imagegen.domain.records import ImageRecord
from imagegen.domain.standing import limit_now
from imagegen.usecases.generate.run import Made, Running
from imagegen.usecases.generate.sets import ConfirmedImage
from imagegen.wire.estimates import Estimate
from imagegen.wire.images import GenerateRequest
from imagegen.wire.messages import llm_result
from tests.fakes.faults import DiedError, Fault
from tests.fakes.images import MemoryImageStore
from tests.fakes.pictures import png
from tests.fakes.service import IMAGE_ID_KEY, KEYRING, OTHER_USER, USER, Service

LAMBDA_MS = 300_000
EACH = 50_000


def confirm(
    service: Service, offer: Estimate, *, user: str = USER, **more: Any
) -> list[ConfirmedImage]:
    asked = {"quotes": offer.quotes, "prompt": offer.prompt, **more}
    request = GenerateRequest.model_validate(asked)
    made = service.functions.set_generator
    return made.generate(request, user, ends_ms=service.clock() + LAMBDA_MS)


def kinds(confirmed: list[ConfirmedImage]) -> list[str]:
    return [
        one.result.code if isinstance(one.result, ImagegenError) else type(one.result).__name__
        for one in confirmed
    ]


def ids_of(confirmed: list[ConfirmedImage]) -> list[str]:
    return [one.result.ref.quote_id for one in confirmed if isinstance(one.result, Made)]


def test_an_offer_of_four_has_four_quotes_and_one_button() -> None:
    service = Service()
    offer = service.estimate(count=4)
    assert offer.button_label == "Generate 4 Images for $0.28"
    assert offer.button_note == "usually $0.20"
    price = offer.price
    assert (price.count, price.per_image) == (4, 70_000)
    assert (price.expected, price.ceiling) == (4 * EACH, 280_000)
    assert len(set(offer.quotes)) == len(set(offer.image_ids)) == 4
    assert (offer.quote, offer.image_id) == ("", offer.image_ids[0])
    assert offer.choices[0].price == price
    assert service.writes == 0


def test_an_offer_of_one_has_its_quote_also_among_the_quotes() -> None:
    offer = Service().estimate()
    assert offer.quotes == (offer.quote,)
    assert offer.image_ids == (offer.image_id,)
    assert (offer.price.count, offer.price.per_image) == (1, offer.price.ceiling)
    assert offer.button_label == "Generate Image for $0.07"


def test_the_ids_of_siblings_share_nothing() -> None:
    service = Service()
    service.numbers = iter((0xFFEE << 100, 0x1234 << 90, 3, 4, *range(5, 50)))
    offer = service.estimate(count=4)
    quotes = [open_quote(one, KEYRING) for one in offer.quotes]
    assert len({one.quote_id for one in quotes}) == 4
    for one, image_id in zip(quotes, offer.image_ids, strict=True):
        assert parse_image_id(image_id, IMAGE_ID_KEY) == one.ref
    tails = [one[24:] for one in offer.image_ids]
    for left, right in itertools.combinations(tails, 2):
        assert left[:6] != right[:6]


def test_the_quotes_of_a_set_have_slots_of_their_own() -> None:
    service = Service()
    service.make("an earlier one")
    slots = [open_quote(one, KEYRING).slot for one in service.estimate(count=4).quotes]
    assert len(set(slots)) == 4


def test_more_than_the_operator_allows_is_refused_with_the_number() -> None:
    service = Service(max_count=2)
    with pytest.raises(ParameterError, match="at most 2 images"):
        service.estimate(count=3)
    offer = Service().estimate(count=4)
    with pytest.raises(InvalidRequestError, match="at most 2 quotes"):
        confirm(service, offer)
    with pytest.raises(ValidationError):
        service.estimate(count=0)


def test_the_most_that_a_set_may_cost_is_for_all_of_it() -> None:
    service = Service()
    with pytest.raises(AboveMaxCostError, match=r"all 4 images, \$0\.05 each"):
        service.estimate(count=4, max_cost="0.199999")
    offer = service.estimate(count=4, max_cost="0.2")
    assert offer.price.ceiling == 200_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"quote": "a", "quotes": ["b"]},
        {},
        {"quotes": []},
        {"quotes": ["a", "a"]},
        {"quotes": [str(number) for number in range(11)]},
        {"quotes": ["a", ""]},
    ],
)
def test_a_confirmation_has_either_one_quote_or_several_different_ones(
    wrong: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        GenerateRequest.model_validate({"prompt": "a fox", **wrong})


def test_a_click_makes_four_images_with_a_charge_each_and_repeating_it_none() -> None:
    service = Service()
    offer = service.estimate(count=4)
    confirmed = confirm(service, offer)
    assert kinds(confirmed) == ["Made"] * 4
    assert [one.image_id for one in confirmed] == list(offer.image_ids)
    assert service.spent() == 4 * EACH
    again = confirm(service, offer)
    assert ids_of(again) == ids_of(confirmed)
    assert all(one.result.is_replay for one in again if isinstance(one.result, Made))
    assert len(service.called) == 4
    service.check_charged_iff_stored()


def test_a_set_writes_no_more_for_each_image_than_one_image_alone() -> None:
    alone, together = Service(), Service()
    alone.make()
    confirm(together, together.estimate(count=4))
    assert together.ledgers.writes == 4 * alone.ledgers.writes
    assert together.writes == 4 * alone.writes


def test_a_quote_of_somebody_else_spoils_only_its_own_image() -> None:
    service = Service()
    mine, foreign = service.estimate(count=2), service.estimate(user=OTHER_USER)
    forged = replace_quotes(mine, (mine.quotes[0], foreign.quote, mine.quotes[1]))
    confirmed = confirm(service, forged)
    assert kinds(confirmed) == ["Made", "quote_invalid", "Made"]
    assert confirmed[1].image_id is None
    assert service.spent(OTHER_USER) == 0
    service.check_charged_iff_stored()


def test_another_prompt_than_the_quoted_one_makes_nothing() -> None:
    service = Service()
    confirmed = confirm(service, service.estimate(count=3), prompt="another prompt")
    assert kinds(confirmed) == ["quote_mismatch"] * 3
    assert service.writes == 0


def replace_quotes(offer: Estimate, quotes: tuple[str, ...]) -> Estimate:
    return offer.model_copy(update={"quotes": quotes})


def test_a_limit_in_the_middle_stops_the_rest_and_they_are_never_filled_up() -> None:
    service = Service(limits=Limits(hourly_images=3))
    offer = service.estimate(count=4)
    confirmed = confirm(service, offer)
    assert kinds(confirmed) == ["Made"] * 3 + ["hourly_images"]
    service.redeploy(limits=Limits(hourly_images=10))
    again = confirm(service, offer)
    assert kinds(again) == ["Made"] * 3 + ["generation_failed"]
    missing = again[3].result
    assert isinstance(missing, ImagegenError)
    assert (missing.charged, missing.retryable) == (False, False)
    assert ids_of(again) == ids_of(confirmed)
    assert len(service.called) == 3
    service.check_charged_iff_stored()


def test_of_a_set_that_is_not_begun_at_once_what_is_missing_may_still_be_made() -> None:
    service = Service(max_count=6, limits=Limits(hourly_images=5))
    offer = service.estimate(count=6)
    assert kinds(confirm(service, offer)) == ["Made"] * 5 + ["hourly_images"]
    missing = confirm(service, offer)[5].result
    assert isinstance(missing, ImagegenError)
    assert missing.charged is None


def test_a_set_of_which_nothing_was_made_may_be_confirmed_again() -> None:
    service = Service()
    for provider in service.providers.values():
        provider.reactions = [Outcome.RATE_LIMITED]
    offer = service.estimate(count=2)
    assert set(kinds(confirm(service, offer))) == {"no_provider_available"}
    for provider in service.providers.values():
        provider.reactions.clear()
    service.clock.advance(61_000)
    assert kinds(confirm(service, offer)) == ["Made"] * 2
    service.check_charged_iff_stored()


def test_once_one_is_stored_the_others_have_its_model_unless_mixed_is_asked() -> None:
    for mixed, expected in ((False, ["Made", "no_provider"]), (True, ["Made", "Made"])):
        service = Service()
        service.react("alpha", png(), Outcome.UNAVAILABLE)
        confirmed = confirm(service, service.estimate(count=2), mixed=mixed)
        models = [one.result.record.provider for one in confirmed if isinstance(one.result, Made)]
        assert models == (["alpha", "beta"] if mixed else ["alpha"]), expected
        service.check_charged_iff_stored()


def test_a_repetition_meets_stored_images_and_those_that_are_still_made() -> None:
    service = Service()
    offer = service.estimate(count=3)
    met: list[list[ConfirmedImage]] = []
    turns = iter(range(3))

    def during(_ms: int) -> None:
        if next(turns) == 1:
            met.append(confirm(service, offer))

    service.providers["alpha"].sleep = during
    confirmed = confirm(service, offer)
    assert kinds(confirmed) == ["Made"] * 3
    assert kinds(met[0]) == ["Made", "Running", "Running"]
    waiting = met[0][2].result
    assert isinstance(waiting, Running)
    assert waiting.charged is None, "another run is about to make it"
    assert len(service.called) == 3
    service.check_charged_iff_stored()


def test_without_the_ledger_the_images_are_looked_for() -> None:
    service = Service()
    offer = service.estimate(count=2)
    confirm(service, offer)
    service.wire.calls.clear()
    service.wire.faults = {0: Fault.BEFORE}
    results = [one.result for one in confirm(service, offer)]
    assert all(isinstance(one, StoreUnavailableError) for one in results)
    assert [one.charged for one in results if isinstance(one, ImagegenError)] == [True, True]
    fresh = service.estimate(count=2)
    service.wire.mend()
    service.wire.faults = {0: Fault.BEFORE}
    results = [one.result for one in confirm(service, fresh)]
    assert [one.charged for one in results if isinstance(one, ImagegenError)] == [None, None]


def test_an_expired_set_returns_what_was_made_and_makes_nothing() -> None:
    service = Service()
    service.react("alpha", png(), Outcome.REFUSED, png())
    offer = service.estimate(count=3)
    first = confirm(service, offer)
    assert kinds(first) == ["Made", "content_refused", "Made"]
    service.clock.advance(11 * 60_000)
    again = confirm(service, offer)
    assert ids_of(again) == ids_of(first)
    assert len(service.called) == 3
    unsent = service.estimate(count=2)
    service.clock.advance(11 * 60_000)
    assert kinds(confirm(service, unsent)) == ["quote_expired"] * 2
    service.check_charged_iff_stored()


ENDS = ("stored", "refused", "failed", "reply lost", "killed before the put", "killed after it")


@dataclass(slots=True)
class EndingImages(MemoryImageStore):
    """Ends the run at the put of an image, as told for each."""

    ends: Iterator[str] = field(default_factory=lambda: iter(()))

    def put(self, ref: ImageRef, content: bytes, record: ImageRecord) -> bool:
        end = next(self.ends, "stored")
        if end == "killed before the put":
            raise DiedError
        stored = MemoryImageStore.put(self, ref, content, record)
        if end == "killed after it":
            raise DiedError
        if end == "reply lost":
            raise StoreUnavailableError("the reply is lost")
        return stored


def ending(ends: Sequence[str]) -> Service:
    """Return a service whose images end like that, one after the other."""
    put = [one for one in ends if one not in ("refused", "failed")]
    queue: list[str] = []
    for one in put:
        # A lost reply is followed by one more put of the same image.
        queue += [one, "stored"] if one == "reply lost" else [one]
    service = Service(images=EndingImages(ends=iter(queue)))
    reactions = {"refused": Outcome.REFUSED, "failed": Outcome.UNAVAILABLE}
    service.react("alpha", *[reactions.get(one, png()) for one in ends])
    for name in ("beta", "gamma"):
        service.react(name, Outcome.UNAVAILABLE)
    return service


def stored_by(ends: Sequence[str]) -> int:
    """Return how many images are stored before the process dies."""
    count = 0
    for one in ends:
        count += one in ("stored", "reply lost", "killed after it")
        if one.startswith("killed"):
            break
    return count


def until_killed(ends: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ends up to the death of the process, which no later image meets."""
    at = next((at for at, one in enumerate(ends) if one.startswith("killed")), len(ends))
    return ends[: at + 1]


@pytest.mark.thorough
@pytest.mark.parametrize("first", ENDS)
def test_every_combination_of_ends_of_four_is_charged_exactly_for_what_is_stored(
    first: str,
) -> None:
    for ends in dict.fromkeys(map(until_killed, itertools.product([first], *[ENDS] * 3))):
        service = ending(ends)
        images = service.images
        assert isinstance(images, EndingImages)
        offer = service.estimate(count=4)
        confirmed: list[ConfirmedImage] = []
        try:
            confirmed = confirm(service, offer)
        except DiedError:
            service.new_process()
            service.clock.advance(LAMBDA_MS + 60_000)
        service.reconciler.sweep(limit=10)
        stored = stored_by(ends)
        assert len(service.images.objects) == stored, ends
        assert service.spent() == stored * EACH, ends
        service.check_charged_iff_stored()
        assert len(ids_of(confirmed)) in (0, stored), ends
        calls = len(service.called)
        images.ends = iter(())
        for provider in service.providers.values():
            provider.reactions.clear()
        again = confirm(service, offer)
        if stored:
            assert len(ids_of(again)) == stored, ends
            assert len(service.called) == calls, f"filled up: {ends}"
        service.check_charged_iff_stored()


def every_call() -> int:
    service = Service()
    offer = service.estimate(count=2)
    service.wire.calls.clear()
    confirm(service, offer)
    return len(service.wire.calls)


@pytest.mark.thorough
@pytest.mark.parametrize("fault", Fault)
def test_whatever_call_fails_or_dies_each_image_is_charged_if_it_is_stored(fault: Fault) -> None:
    for at in range(every_call()):
        service = Service()
        offer = service.estimate(count=2)
        service.wire.calls.clear()
        service.wire.faults = {at: fault}
        attempt(partial(confirm, service, offer))
        service.new_process()
        service.clock.advance(LAMBDA_MS + 60_000)
        stored = set(service.images.objects)
        again = confirm(service, offer)
        if stored:
            assert set(service.images.objects) == stored, (at, fault)
        assert len(ids_of(again)) == len(service.images.objects) <= 2
        service.reconciler.sweep(limit=10)
        service.check_charged_iff_stored()


def attempt(act: Callable[[], object]) -> None:
    try:
        act()
    except (ImagegenError, DiedError):
        return


def at_once[T](tasks: Sequence[Callable[[], T]]) -> list[T]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda task: task(), tasks))


@pytest.mark.parametrize("left", [4, 3, 1])
def test_images_that_are_made_at_the_same_time_never_pass_a_limit(left: int) -> None:
    for _ in range(5):
        service = Service(limits=Limits(hourly_images=left))
        offer = service.estimate(count=4)
        made = service.functions.set_generator
        made = replace(made, sets=replace(made.sets, run_at_once=at_once))
        request = GenerateRequest(quotes=offer.quotes, prompt=offer.prompt)
        confirmed = made.generate(request, USER, ends_ms=service.clock() + LAMBDA_MS)
        assert kinds(confirmed).count("Made") == left
        service.check_charged_iff_stored()


def test_a_bug_in_one_image_does_not_hide_the_others() -> None:
    service = Service()
    service.react("alpha", png(), ZeroDivisionError("a bug"), png())
    confirmed = confirm(service, service.estimate(count=3))
    assert kinds(confirmed) == ["Made", "internal_error", "Made"]
    assert [type(one) for one in service.unexpected] == [ZeroDivisionError]
    service.check_charged_iff_stored()


def test_four_with_three_left_is_blocked_in_words() -> None:
    service = Service(limits=Limits(hourly_images=4))
    service.make("an earlier one")
    assert service.estimate(count=3).blocked is None
    blocked = service.estimate(count=4).blocked
    assert blocked is not None
    assert blocked.reason == "hourly_images"
    assert "Of the 4 images, only 3 would be within the limits now." in blocked.detail
    assert blocked.opens_at is not None
    assert abs(blocked.opens_at - service.clock() - HOUR_MS) <= 1_000


def test_a_set_that_no_hour_and_no_day_has_room_for_never_opens() -> None:
    for limits in (Limits(hourly_images=3), Limits(daily_images=3), Limits(daily_microusd=200_000)):
        blocked = Service(limits=limits).estimate(count=4).blocked
        assert blocked is not None
        assert blocked.opens_at is None


@given(
    taken=st.lists(st.integers(0, HOUR_MS - 1), max_size=5),
    count=st.integers(1, 4),
    hourly=st.integers(1, 5),
)
def test_a_set_opens_exactly_when_all_of_its_images_are_possible(
    taken: list[int], count: int, hourly: int
) -> None:
    now_ms = 1_795_342_800_000
    limits = Limits(hourly_images=hourly)
    ledger = Ledger(slots={slot: now_ms - ago for slot, ago in enumerate(taken[:hourly])})
    args = {"day": "20261122", "ceiling_microusd": EACH, "count": count}
    limit = limit_now(ledger, limits, now_ms=now_ms, **args)  # type: ignore[arg-type]
    if count > hourly:
        assert isinstance(limit, LimitError)
        assert limit.retry_after_seconds is None
    elif limit is not None:
        wait = limit.retry_after_seconds
        assert wait is not None
        later = now_ms + wait * 1000
        assert limit_now(ledger, limits, now_ms=later, **args) is None  # type: ignore[arg-type]
    else:
        assert hourly - len(taken[:hourly]) >= count


def test_an_llm_reads_why_there_is_no_button() -> None:
    service = Service(limits=Limits(hourly_images=4))
    service.make("an earlier one")
    offer = service.estimate(count=4)
    as_json = offer.model_dump(mode="json", by_alias=True)
    for told in (llm_result(offer), result_for_llm(as_json)):
        assert "only 3 would be within the limits now" in str(told["blocked"])
    free = Service().estimate(count=4)
    assert "blocked" not in llm_result(free)
    assert "blocked" not in result_for_llm(free.model_dump(mode="json", by_alias=True))


def test_of_an_expired_set_what_was_never_made_is_over_and_what_was_is_returned() -> None:
    service = Service(limits=Limits(hourly_images=2))
    offer = service.estimate(count=3)
    first = confirm(service, offer)
    assert kinds(first) == ["Made", "Made", "hourly_images"]
    service.clock.advance(11 * 60_000)
    ledger = service.ledger()
    known = ids_of(first)[0]
    # The second one is forgotten by the ledger, and found by its image.
    service.ledgers.ledgers[USER] = replace(ledger, ops={known: ledger.ops[known]})
    again = confirm(service, offer)
    assert kinds(again) == ["Made", "Made", "quote_expired"]
    assert ids_of(again) == ids_of(first)
    assert len(service.called) == 2


def test_without_the_ledger_a_quote_of_somebody_else_is_still_refused_as_that() -> None:
    service = Service()
    mine, foreign = service.estimate(count=2), service.estimate(user=OTHER_USER)
    forged = replace_quotes(mine, (mine.quotes[0], foreign.quote))
    service.wire.calls.clear()
    service.wire.faults = {0: Fault.BEFORE}
    found = confirm(service, forged)
    assert kinds(found) == [StoreUnavailableError.code, "quote_invalid"]
    assert found[1].image_id is None
