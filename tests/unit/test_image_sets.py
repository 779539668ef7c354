"""Several images in one call: n independent promises, and the same n images for its repetitions."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Never, cast

import pytest

from imagegen.domain.errors import (
    AboveMaxCostError,
    ContentRefusedError,
    GenerationFailedError,
    ImagegenError,
    LimitError,
    ReusedKeyError,
    StillRunningError,
    StoreUnavailableError,
)
from imagegen.domain.ledger import Limits
from imagegen.domain.outcomes import Outcome
from imagegen.openai_api.buyer import Buyer
from imagegen.openai_api.retries import Call
from imagegen.openai_api.sets import Bought, SetBuyer, Wanted
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import EstimateRequest
from tests.fakes.faults import DiedError, Fault
from tests.fakes.pictures import png
from tests.fakes.service import PROMPT, USER, Service

LAMBDA_MS = 300_000
REQUEST = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
FIRST, AGAIN = Call(USER, "body", retries=0), Call(USER, "body", retries=1)
UNMARKED, KEYED = Call(USER, "body"), Call(USER, "body", key="order-66")
repeated = pytest.mark.parametrize(
    ("first", "again"), [(FIRST, AGAIN), (KEYED, KEYED)], ids=["counted", "keyed"]
)


def buy(service: Service, call: Call = FIRST, count: int = 3, **asked: Any) -> Bought:
    wanted = Wanted(REQUEST.model_copy(update=asked), count)
    return service.functions.openai.set_buyer.buy(wanted, call, ends_ms=service.clock() + LAMBDA_MS)


def ids_of(bought: Bought) -> list[str]:
    return [one.ref.quote_id for one in bought.made]


@pytest.mark.parametrize("call", [FIRST, UNMARKED, KEYED], ids=["counted", "unmarked", "keyed"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_each_image_has_its_own_quote_hold_and_charge(call: Call, count: int) -> None:
    service = Service()
    bought = buy(service, call, count)
    assert len(set(ids_of(bought))) == len(service.called) == len(service.ledger().ops) == count
    assert service.spent() == sum(one.record.charged_microusd for one in bought.made)
    service.check_charged_iff_stored()


@repeated
@pytest.mark.parametrize("forgotten", [False, True])
def test_a_repetition_gets_the_same_images_in_order_and_buys_none(
    first: Call, again: Call, *, forgotten: bool
) -> None:
    service = Service()
    one = buy(service, first)
    if forgotten:
        service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    two = buy(service, again)
    assert ids_of(one) == ids_of(two)
    assert all(made.is_replay for made in two.made)
    assert len(service.called) == 3


def test_equal_calls_without_a_key_and_a_count_are_images_of_their_own() -> None:
    service = Service()
    assert not set(ids_of(buy(service, UNMARKED))) & set(ids_of(buy(service, UNMARKED)))
    assert len(service.called) == 6


@pytest.mark.parametrize("count", [1, 3])
def test_a_key_that_was_used_for_another_number_of_images_is_refused(count: int) -> None:
    service = Service()
    buy(service, KEYED, count)
    with pytest.raises(ReusedKeyError):
        buy(service, replace(KEYED, body="with another n"), 4 - count)
    assert len(service.called) == count


def fail(service: Service, *, good: tuple[bool, ...]) -> None:
    """Let the first provider make or refuse the images, in order; the others are down."""
    service.react("alpha", *[png() if one else Outcome.UNAVAILABLE for one in good])
    for name in ("beta", "gamma"):
        service.react(name, Outcome.UNAVAILABLE)


@pytest.mark.parametrize("good", [(True, False, True), (False, False, True), (True, False, False)])
def test_what_is_stored_is_answered_and_charged_and_what_failed_is_told(
    good: tuple[bool, ...],
) -> None:
    service = Service()
    fail(service, good=good)
    bought = buy(service)
    assert len(bought.made) == sum(good)
    assert [index for index, _ in bought.failed] == [i for i, one in enumerate(good) if not one]
    assert {error.code for _, error in bought.failed} == {"generation_failed"}
    assert service.spent() == 50_000 * sum(good)
    service.check_charged_iff_stored()


@repeated
def test_a_repetition_after_a_partial_end_buys_only_what_is_missing(
    first: Call, again: Call
) -> None:
    service = Service()
    fail(service, good=(True, False, True))
    one = buy(service, first)
    for provider in service.providers.values():
        provider.reactions.clear()
    two = buy(service, again)
    assert set(ids_of(one)) < set(ids_of(two))
    assert [made.is_replay for made in two.made] == [True, False, True]
    assert len(service.images.objects) == 3
    service.check_charged_iff_stored()


def test_if_nothing_is_stored_the_call_fails_and_nothing_is_charged() -> None:
    service = Service()
    fail(service, good=(False, False, False))
    with pytest.raises(ImagegenError) as caught:
        buy(service)
    assert (caught.value.retryable, service.spent()) == (True, 0)
    refusing = Service()
    refusing.react("alpha", Outcome.REFUSED, Outcome.REFUSED, Outcome.REFUSED)
    with pytest.raises(ContentRefusedError):
        buy(refusing)


def test_limits_count_each_image() -> None:
    service = Service(limits=Limits(hourly_images=2))
    bought = buy(service)
    assert len(bought.made) == 2
    ((index, error),) = bought.failed
    assert (index, isinstance(error, LimitError), error.code) == (2, True, "hourly_images")
    with pytest.raises(LimitError):
        buy(service, replace(FIRST, body="another"))


def test_the_maximum_is_for_all_images_together() -> None:
    service = Service()
    with pytest.raises(AboveMaxCostError, match=r"each of the 3 images may cost \$0\.05"):
        buy(service, max_cost=149_999)
    assert service.called == []
    bought = buy(service, max_cost=150_000)
    assert sum(one.record.ceiling_microusd for one in bought.made) <= 150_000


@repeated
def test_a_repetition_while_some_images_are_made_gets_all_of_them_later(
    first: Call, again: Call
) -> None:
    """It meets a stored image, one that is being made, and one that has not begun."""
    service = Service()
    met: list[StillRunningError] = []
    turns = iter(range(3))

    def during(_ms: int) -> None:
        if next(turns) == 1:
            service.providers["alpha"].sleep = service.clock.advance
            with pytest.raises(StillRunningError) as caught:
                buy(service, again)
            met.append(caught.value)

    service.providers["alpha"].sleep = during
    bought = buy(service, first)
    assert [(one.charged, one.retryable) for one in met] == [(True, True)]
    assert ids_of(buy(service, again)) == ids_of(bought)
    assert len(service.called) == len(service.images.objects) == 3
    service.check_charged_iff_stored()


def calls_of(call: Call) -> list[str]:
    service = Service()
    buy(service, call, 2)
    return list(service.wire.calls)


def every_death() -> list[tuple[str, int, Fault]]:
    kinds = {"counted": FIRST, "keyed": KEYED}
    return [
        (kind, at, fault)
        for kind, call in kinds.items()
        for at in range(len(calls_of(call)))
        for fault in Fault
    ]


@pytest.mark.thorough
@pytest.mark.parametrize(("kind", "at", "fault"), every_death())
def test_whatever_fails_or_dies_in_the_middle_repetitions_end_with_n_images_each_charged_once(
    kind: str, at: int, fault: Fault
) -> None:
    service = Service()
    service.wire.faults = {at: fault}
    first, again = (FIRST, AGAIN) if kind == "counted" else (KEYED, KEYED)
    got = attempt(lambda: buy(service, first, 2))
    for _ in range(3):
        service.wire.mend()
        service.new_process()
        service.clock.advance(LAMBDA_MS + 60_000)
        got = attempt(lambda: buy(service, again, 2))
    assert len(service.images.objects) <= 2
    assert got is not None
    assert len({*ids_of(got)}) == 2 - len(got.failed)
    service.reconciler.sweep(limit=10)
    service.check_charged_iff_stored()


def attempt(act: Callable[[], Bought]) -> Bought | None:
    try:
        return act()
    except (ImagegenError, DiedError):
        return None


@pytest.mark.parametrize("call", [FIRST, UNMARKED, KEYED], ids=["counted", "unmarked", "keyed"])
def test_images_that_are_made_at_the_same_time_are_each_charged_once(call: Call) -> None:
    def at_once[T](tasks: Sequence[Callable[[], T]]) -> list[T]:
        with ThreadPoolExecutor(len(tasks)) as pool:
            return list(pool.map(lambda task: task(), tasks))

    for _ in range(10):
        service = Service()
        buyer = service.functions.openai.set_buyer
        buyer = replace(buyer, sets=replace(buyer.sets, run_at_once=at_once))
        ends_ms = service.clock() + LAMBDA_MS
        bought = buyer.buy(Wanted(REQUEST, 4), call, ends_ms=ends_ms)
        assert len({*ids_of(bought)}) == len(service.called) == 4
        service.check_charged_iff_stored()


def test_a_bug_in_one_image_does_not_hide_those_that_are_charged() -> None:
    service = Service()
    buyer = service.functions.openai.set_buyer
    real = buyer.buyer.now_ms
    calls = iter(range(1_000))

    def broken() -> int:
        if next(calls) == 0:
            raise ZeroDivisionError("a bug")
        return real()

    broken_buyer = replace(buyer, buyer=replace(buyer.buyer, now_ms=broken))
    bought = broken_buyer.buy(Wanted(REQUEST, 2), FIRST, ends_ms=service.clock() + LAMBDA_MS)
    assert len(bought.made) == 1
    ((index, error),) = bought.failed
    assert (index, error.code) == (0, "internal_error")
    assert [type(one) for one in service.unexpected] == [ZeroDivisionError]


@pytest.mark.parametrize("used", [0, 1, 2])
def test_a_key_is_refused_before_anything_is_bought_whichever_of_its_images_is_known(
    used: int,
) -> None:
    service = Service()
    buy(service, KEYED, 3)
    ops = service.ledger().ops
    kept = dict([list(ops.items())[used]])
    service.ledgers.ledgers[USER] = replace(service.ledger(), ops=kept)
    with pytest.raises(ReusedKeyError):
        buy(service, replace(KEYED, body="another"), 3)
    assert len(service.called) == 3


def test_a_repetition_belongs_to_one_earlier_call_and_not_to_parts_of_two() -> None:
    service = Service()
    one, two = buy(service), buy(service)
    again = buy(service, AGAIN)
    assert ids_of(again) in (ids_of(one), ids_of(two))
    assert len(service.called) == 6


class FailingBuyer:
    """Stands in for ``Buyer``: each image ends with the next of the given errors."""

    def __init__(self, *errors: ImagegenError) -> None:
        self.errors = iter(errors)

    def buy(self, *_: object, **_named: object) -> Never:
        raise next(self.errors)


def an_error(kind: type[ImagegenError], *, charged: bool | None) -> ImagegenError:
    error = kind("It ended.")
    error.charged = charged
    return error


@pytest.mark.parametrize(
    ("kinds", "said", "expected"),
    [
        ((GenerationFailedError, StoreUnavailableError), (False, None), None),
        ((StoreUnavailableError, GenerationFailedError), (None, False), None),
        ((StoreUnavailableError, StoreUnavailableError), (None, True), True),
        ((GenerationFailedError, ContentRefusedError), (False, False), False),
        ((StillRunningError, GenerationFailedError), (None, False), None),
    ],
)
def test_what_is_or_may_be_charged_is_said_before_what_is_not(
    kinds: tuple[type[ImagegenError], ...], said: tuple[bool | None, ...], *, expected: bool | None
) -> None:
    service = Service()
    errors = [an_error(kind, charged=one) for kind, one in zip(kinds, said, strict=True)]
    failing = cast("Buyer", FailingBuyer(*errors))
    buyer = replace(service.functions.openai.set_buyer, buyer=failing)
    with pytest.raises(ImagegenError) as caught:
        buyer.buy(Wanted(REQUEST, 2), KEYED, ends_ms=service.clock() + LAMBDA_MS)
    assert caught.value.charged is expected


def test_without_the_ledger_the_stored_image_of_a_key_is_looked_for() -> None:
    """The first read of a call for several images is that of the ledger."""
    service = Service()
    buy(service, KEYED, 2)
    service.wire.calls.clear()
    service.wire.faults = {0: Fault.BEFORE}
    with pytest.raises(StoreUnavailableError) as caught:
        buy(service, KEYED, 2)
    assert caught.value.charged is True
    assert service.wire.calls[:2] == ["ledgers.load", "images.find"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_only_the_maximum_of_several_images_is_named_as_a_share(count: int) -> None:
    """The second of two that fail keeps its own words: the price is not what failed."""
    service = Service()
    with pytest.raises(AboveMaxCostError) as caught:
        buy(service, count=count, max_cost=3)
    assert ("x-max-cost, each of" in str(caught.value)) is (count > 1)


def test_another_error_of_a_set_with_a_maximum_keeps_its_words() -> None:
    service = Service()
    for name in service.providers:
        service.react(name, Outcome.REFUSED)
    with pytest.raises(ContentRefusedError) as caught:
        buy(service, max_cost=3_000_000)
    assert "x-max-cost" not in str(caught.value)


@pytest.mark.parametrize("count", [1, 2])
def test_an_unexpected_error_of_the_only_image_is_that_of_the_call(count: int) -> None:
    service = Service()

    class Broken:
        def buy(self, *_: Any, **__: Any) -> Never:
            raise ValueError("a bug of ours")

    buyer = replace(service.functions.openai.set_buyer, buyer=cast("Buyer", Broken()))
    expected = ValueError if count == 1 else ImagegenError
    with pytest.raises(expected):
        buyer.buy(Wanted(REQUEST, count), FIRST, ends_ms=service.clock() + LAMBDA_MS)
    assert len(service.unexpected) == (0 if count == 1 else count)


def buyer_of(service: Service, *results: Made | ImagegenError) -> SetBuyer:
    """Return a buyer of sets whose images end as given, by their index."""

    class Scripted:
        def buy(self, request: EstimateRequest, call: Call, **_: Any) -> Made:
            result = results[call.index]
            if isinstance(result, ImagegenError):
                raise result
            return result

    return replace(service.functions.openai.set_buyer, buyer=cast("Buyer", Scripted()))


@pytest.mark.parametrize(
    ("call", "is_answered"), [(UNMARKED, True), (FIRST, False), (KEYED, False)], ids=str
)
def test_images_are_answered_before_the_last_is_there_only_if_no_repetition_could_get_it(
    call: Call, *, is_answered: bool
) -> None:
    service = Service()
    made = service.make()
    buyer = buyer_of(service, made, StillRunningError("running"))
    wanted, ends_ms = Wanted(REQUEST, 2), service.clock() + LAMBDA_MS
    if is_answered:
        bought = buyer.buy(wanted, call, ends_ms=ends_ms)
        assert bought.made == (made,)
        assert [index for index, _ in bought.failed] == [1]
        return
    with pytest.raises(StillRunningError) as caught:
        buyer.buy(wanted, call, ends_ms=ends_ms)
    assert caught.value.charged is True


CHARGED, UNKNOWN, FREE, FREE_AND_FINAL = (
    GenerationFailedError(text) for text in ("charged", "unknown", "free", "free and final")
)
CHARGED.charged, UNKNOWN.charged, FREE.charged, FREE_AND_FINAL.charged = True, None, False, False
CHARGED.retryable = UNKNOWN.retryable = FREE_AND_FINAL.retryable = False
FREE.retryable = True


@pytest.mark.parametrize(
    ("errors", "answered"),
    [
        ((FREE, CHARGED), CHARGED),
        ((CHARGED, UNKNOWN), CHARGED),
        ((UNKNOWN, CHARGED), CHARGED),
        ((FREE, UNKNOWN), UNKNOWN),
        ((UNKNOWN, FREE), UNKNOWN),
        ((FREE_AND_FINAL, FREE), FREE),
        ((FREE, FREE_AND_FINAL), FREE),
    ],
    ids=str,
)
def test_of_several_errors_the_one_that_may_have_cost_most_is_the_answer(
    errors: tuple[ImagegenError, ImagegenError], answered: ImagegenError
) -> None:
    service = Service()
    with pytest.raises(GenerationFailedError, match=f"^{answered}$"):
        buyer_of(service, *errors).buy(
            Wanted(REQUEST, 2), FIRST, ends_ms=service.clock() + LAMBDA_MS
        )


def test_a_larger_set_with_a_running_key_and_another_body_buys_nothing() -> None:
    service = Service()
    at = buys_of(KEYED, 2).index("images.put")
    service.wire.calls.clear()
    service.wire.faults = {at: Fault.DIES_BEFORE}
    with pytest.raises(DiedError):
        buy(service, KEYED, 2)
    service.wire.mend()
    called = len(service.called)
    with pytest.raises(ReusedKeyError):
        buy(service, replace(KEYED, body="another"), 4)
    assert len(service.called) == called


def buys_of(call: Call, count: int) -> list[str]:
    """Return the calls to stores and providers that one call makes, in order."""
    service = Service()
    service.wire.calls.clear()
    buy(service, call, count)
    return list(service.wire.calls)


def test_a_body_with_half_a_character_has_a_digest_of_its_own() -> None:
    digests = {Call(USER, body).digest for body in ("\ud800", "\ud801", "?")}
    assert len(digests) == 3


def test_a_replacement_that_is_too_dear_without_a_maximum_names_no_share() -> None:
    service = Service()
    errors = (AboveMaxCostError("too dear"), AboveMaxCostError("too dear"))
    with pytest.raises(AboveMaxCostError, match=r"^too dear$"):
        buyer_of(service, *errors).buy(
            Wanted(REQUEST, 2), FIRST, ends_ms=service.clock() + LAMBDA_MS
        )
