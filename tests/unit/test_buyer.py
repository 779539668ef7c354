"""One call of an OpenAI client: however often it is repeated, it is charged at most once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Never

import pytest
from annotated_types import Le
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain import ids
from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import (
    AboveMaxCostError,
    ContentRefusedError,
    GenerationFailedError,
    GoneError,
    ImagegenError,
    NoProviderError,
    ParameterError,
    ReusedKeyError,
    StillRunningError,
    StoreUnavailableError,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.keys import MAX_DAILY_IMAGES
from imagegen.domain.ledger import HOUR_MS, Limits, Op, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.program_limits import ATTEMPTS_PER_IMAGE
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.openai_api import retries
from imagegen.openai_api.buyer import WAIT_MS, Buyer
from imagegen.openai_api.other_attempts import RECENT_RECORDS
from imagegen.openai_api.retries import Call, parse_call
from imagegen.settings import MoneySettings
from imagegen.usecases.availability import ProviderSetup
from imagegen.usecases.generate.replay import Replayer
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import EstimateRequest
from tests.fakes.catalogs import catalog, row
from tests.fakes.clock import NOON_MS
from tests.fakes.faults import DiedError, Fault, Wire
from tests.fakes.images import MemoryImageStore, MemoryRecordStore
from tests.fakes.pictures import png
from tests.fakes.service import IMAGE_ID_KEY, OTHER_USER, PROMPT, USER, Service, with_stores

LAMBDA_MS = 300_000
REQUEST = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
FIRST, AGAIN = Call(USER, "body", retries=0), Call(USER, "body", retries=1)
UNMARKED, KEYED = Call(USER, "body"), Call(USER, "body", key="order-66")


def buy(service: Service, call: Call = FIRST, *, lambda_ms: int = LAMBDA_MS) -> Made:
    return service.buyer.buy(REQUEST, call, ends_ms=service.clock() + lambda_ms)


def test_a_call_is_an_offer_and_its_confirmation_in_one() -> None:
    service = Service()
    bought = buy(service)
    assert bought.record.charged_microusd == service.spent() == 50_000
    service.check_charged_iff_stored()


def test_first_calls_with_the_same_body_get_an_image_each() -> None:
    service = Service()
    refs = {buy(service).ref for _ in range(3)}
    assert (len(refs), len(service.called)) == (3, 3)
    service.check_charged_iff_stored()


def test_first_calls_that_do_not_count_their_tries_get_an_image_each_too() -> None:
    service = Service()
    assert buy(service, UNMARKED).ref != buy(service, UNMARKED).ref


def test_a_repetition_gets_the_image_of_the_first_attempt_and_pays_nothing() -> None:
    service = Service()
    first, second = buy(service), buy(service, AGAIN)
    assert (first.ref, first.record) == (second.ref, second.record)
    assert (service.spent(), len(service.called)) == (50_000, 1)


def test_a_repetition_of_the_second_call_gets_the_image_of_the_second() -> None:
    service = Service()
    first, second = buy(service), buy(service)
    assert buy(service, AGAIN).ref == second.ref != first.ref


def test_a_repetition_whose_first_attempt_never_arrived_buys_the_image() -> None:
    service = Service()
    buy(service, AGAIN)
    assert service.spent() == 50_000


@pytest.mark.parametrize("call", [AGAIN, KEYED], ids=["counted", "keyed"])
@pytest.mark.parametrize("later_ms", [1, LIFETIME_MS, 2 * LIFETIME_MS, HOUR_MS])
@pytest.mark.parametrize("forgotten", [False, True])
def test_a_retry_gets_its_image_for_an_hour_and_after_the_ledger_was_pruned(
    call: Call, later_ms: int, *, forgotten: bool
) -> None:
    service = Service()
    first = buy(service, replace(call, retries=0))
    service.clock.advance(later_ms)
    if forgotten:
        service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    assert buy(service, call).ref == first.ref
    assert len(service.called) == 1


def test_a_key_is_valid_for_as_long_as_its_image_is_kept() -> None:
    service = Service()
    first = buy(service, KEYED)
    service.clock.advance(90 * 24 * HOUR_MS)
    service.ledgers.ledgers.clear()
    assert buy(service, KEYED).ref == first.ref
    assert len(service.called) == 1


def test_a_key_belongs_to_one_user() -> None:
    service = Service()
    others = buy(service, replace(KEYED, user=OTHER_USER))
    assert buy(service, KEYED).ref.quote_id != others.ref.quote_id
    assert len(service.called) == 2


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_key_with_another_body_is_refused_and_charges_nothing(*, forgotten: bool) -> None:
    service = Service()
    buy(service, KEYED)
    if forgotten:
        service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    with pytest.raises(ReusedKeyError):
        buy(service, replace(KEYED, body="another"))
    assert (service.spent(), len(service.called)) == (50_000, 1)


def test_a_key_with_another_body_is_refused_while_the_first_runs_and_after_it_failed() -> None:
    service = Service()
    meanwhile(service, lambda: refuse(service, replace(KEYED, body="another")))
    with pytest.raises(GenerationFailedError):
        buy(service, KEYED)
    refuse(service, replace(KEYED, body="another"))


def refuse(service: Service, call: Call) -> None:
    with pytest.raises(ReusedKeyError):
        buy(service, call)


def meanwhile(service: Service, act: Callable[[], object]) -> None:
    """Call ``act`` while the first provider is called; then every provider fails."""

    def during(ms: int) -> None:
        service.providers["alpha"].sleep = service.clock.advance
        act()

    service.providers["alpha"].sleep = during
    for name in service.providers:
        service.react(name, Outcome.UNAVAILABLE)


def test_a_repetition_waits_while_the_first_attempt_runs() -> None:
    service = Service()
    dying(service, FIRST)
    place, stored = service.images.objects.popitem()

    def stores_late() -> None:
        if service.clock() > NOON_MS + 5_000:
            service.images.objects[place] = stored

    service.while_paused = stores_late
    made = buy(service, AGAIN)
    assert made.is_replay
    assert len(service.images.objects) == 1
    assert len(service.called) == 1
    assert service.spent() == made.record.charged_microusd


def test_a_repetition_gets_a_stored_image_at_once_though_its_hold_was_never_settled() -> None:
    service = Service()
    dying(service, FIRST)
    before_ms = service.clock()
    made = buy(service, AGAIN)
    assert service.clock() == before_ms
    assert service.spent() == made.record.charged_microusd
    service.check_charged_iff_stored()


def dying(service: Service, call: Call, fault: Fault = Fault.DIES_AFTER) -> Callable[[], None]:
    """Let a run die after it stored its image, or before; return a function that ends its lease."""
    names = calls_of(call)
    service.wire.calls.clear()
    service.wire.faults = {names.index("images.put"): fault}
    with pytest.raises(DiedError):
        buy(service, call)
    service.wire.mend()

    def lease_over() -> None:
        service.clock.advance(LAMBDA_MS + 60_000)
        service.while_paused = lambda: None

    return lease_over


def calls_of(call: Call, *before: Call) -> list[str]:
    """Return the calls to stores and providers that one call makes, in order."""
    service = Service()
    for one in before:
        buy(service, one)
    service.wire.calls.clear()
    buy(service, call)
    return list(service.wire.calls)


def test_a_repetition_that_waits_too_long_gets_a_retryable_error() -> None:
    service = Service()
    dying(service, FIRST)
    service.images.objects.clear()
    with pytest.raises(StillRunningError) as caught:
        buy(service, AGAIN, lambda_ms=30_000)
    assert (caught.value.retryable, caught.value.charged) == (True, None)
    assert len(service.called) == 1


def test_a_repetition_runs_anew_if_the_first_attempt_failed_for_a_temporary_reason() -> None:
    service = Service()
    for name in service.providers:
        service.react(name, Outcome.RATE_LIMITED)
    with pytest.raises(NoProviderError):
        buy(service)
    for name in service.providers:
        service.providers[name].reactions.clear()
    bought = buy(service, AGAIN)
    assert list(service.ledger().ops) == [bought.ref.quote_id]
    service.check_charged_iff_stored()


def test_a_repetition_that_waits_runs_anew_once_the_first_run_is_dead() -> None:
    service = Service()
    service.wire.faults = {calls_of(FIRST).index("images.put"): Fault.DIES_BEFORE}
    with pytest.raises(DiedError):
        buy(service)
    service.wire.mend()
    service.while_paused = lambda: service.clock.advance(LAMBDA_MS + 60_000)
    bought = service.buyer.buy(REQUEST, AGAIN, ends_ms=service.clock() + 10 * LAMBDA_MS)
    assert (len(service.called), service.spent()) == (2, bought.record.charged_microusd)
    service.check_charged_iff_stored()


def test_a_refused_prompt_is_refused_again_without_another_provider_call() -> None:
    service = Service()
    service.react("alpha", Outcome.REFUSED)
    for call in (FIRST, AGAIN):
        with pytest.raises(ContentRefusedError):
            buy(service, call)
    assert len(service.called) == 1


def test_a_repetition_does_not_buy_again_what_a_provider_may_still_bill() -> None:
    service = Service(fallback_after_unknown=False)
    service.react("alpha", Outcome.UNKNOWN)
    for call in (FIRST, AGAIN):
        with pytest.raises(GenerationFailedError) as caught:
            buy(service, call)
    assert not caught.value.retryable
    assert len(service.called) == 1
    assert service.spent() == 0


def test_a_repetition_for_a_deleted_image_gets_gone_and_is_not_charged() -> None:
    service = Service()
    service.images.delete(buy(service).ref)
    with pytest.raises(GoneError):
        buy(service, AGAIN)
    assert len(service.called) == 1


def test_a_repetition_needs_no_available_provider() -> None:
    service = Service()
    first = buy(service)
    service.setups.clear()
    assert buy(service, AGAIN).ref == first.ref


@pytest.mark.parametrize(
    ("call", "images"), [(FIRST, 2), (UNMARKED, 2), (KEYED, 1)], ids=["first", "unmarked", "keyed"]
)
def test_a_second_equal_call_while_the_first_is_running(call: Call, images: int) -> None:
    """Without a key and without a counted retry, it is another call with its own image."""
    service = Service()
    met: list[ImagegenError] = []

    def second(_ms: int) -> None:
        service.providers["alpha"].sleep = service.clock.advance
        try:
            buy(service, call, lambda_ms=40_000)
        except StillRunningError as error:
            met.append(error)

    service.providers["alpha"].sleep = second
    buy(service, call)
    assert (len(service.called), len(met)) == (images, 2 - images)
    service.check_charged_iff_stored()


@pytest.mark.parametrize("dies", [False, True], ids=["ends", "dies"])
@pytest.mark.parametrize("call", [FIRST, UNMARKED, KEYED], ids=["first", "unmarked", "keyed"])
def test_two_calls_at_once_are_each_charged_for_the_images_they_get(
    call: Call, *, dies: bool
) -> None:
    """The second reads the ledger before the first has reserved, and reserves after it."""
    service = Service()
    refs: list[ImageRef] = []

    def key() -> bytes:
        if not refs:
            refs.append(ImageRef("", "", 0))
            refs[0] = before(service, call, dies=dies)
        return IMAGE_ID_KEY

    service.while_paused = lambda: service.clock.advance(2 * LAMBDA_MS)
    late = replace(service.buyer, image_id_key=key)
    got = late.buy(REQUEST, call, ends_ms=service.clock() + 10 * LAMBDA_MS)
    is_same = call.key is not None
    assert (got.ref == refs[0]) == got.is_replay == is_same
    assert len(service.called) == (1 if is_same else 2)
    service.reconciler.sweep(limit=10)
    service.clock.advance(2 * LAMBDA_MS)
    service.reconciler.sweep(limit=10)
    service.check_charged_iff_stored()


def before(service: Service, call: Call, *, dies: bool) -> ImageRef:
    """Make an equal call first, which ends, or dies after it stored its image."""
    if dies:
        dying(service, call)
        (quote_id,) = service.ledger().ops
        ref = ImageRef(quote_id, USER, service.clock())
    else:
        ref = buy(service, call).ref
    service.clock.advance(7)
    return ref


def test_a_repetition_that_runs_anew_replaces_the_record_of_the_failure() -> None:
    service = Service()
    meanwhile(service, lambda: None)
    with pytest.raises(GenerationFailedError):
        buy(service)
    service.clock.advance(5_000)
    for name in service.providers:
        service.providers[name].reactions.clear()
    bought = buy(service, AGAIN)
    assert service.records.records == {bought.ref: bought.record}


def every_fault() -> list[tuple[str, int, Fault]]:
    calls_by_kind = {"counted": calls_of(FIRST), "keyed": calls_of(KEYED)}
    return [
        (name, at, fault)
        for name, calls in calls_by_kind.items()
        for at in range(len(calls))
        for fault in Fault
    ]


@pytest.mark.parametrize(("kind", "at", "fault"), every_fault())
def test_whatever_fails_or_dies_repetitions_get_one_image_charged_once(
    kind: str, at: int, fault: Fault
) -> None:
    service = Service()
    service.wire.faults = {at: fault}
    first, again = (FIRST, AGAIN) if kind == "counted" else (KEYED, KEYED)
    got = attempt(service, first)
    for _ in range(3):
        service.wire.mend()
        service.new_process()
        service.clock.advance(LAMBDA_MS + 60_000)
        got = attempt(service, again)
    assert got is not None or service.spent() == 0
    assert len(service.images.objects) <= 1
    service.reconciler.sweep(limit=10)
    service.check_charged_iff_stored()


def attempt(service: Service, call: Call) -> Made | None:
    try:
        return buy(service, call)
    except (ImagegenError, DiedError):
        return None


def test_a_repetition_is_recognised_if_the_clock_of_its_instance_is_behind() -> None:
    service = Service()
    service.clock.at_ms = NOON_MS + 500
    first = buy(service)
    service.clock.at_ms = NOON_MS - 500
    assert buy(service, AGAIN).ref == first.ref
    assert (service.spent(), len(service.called)) == (50_000, 1)


def test_an_answer_says_whether_an_earlier_call_made_its_image() -> None:
    service = Service()
    replays = [buy(service, call).is_replay for call in (FIRST, AGAIN, KEYED, KEYED, FIRST)]
    assert replays == [False, True, False, True, False]


def test_an_image_that_another_run_of_the_call_stored_is_a_replay() -> None:
    service = Service()
    dying(service, KEYED)
    service.clock.advance(LAMBDA_MS + 60_000)
    assert buy(service, KEYED).is_replay
    assert len(service.called) == 1


@pytest.mark.parametrize("call", [FIRST, UNMARKED], ids=["counted", "unmarked"])
def test_a_call_refused_before_a_hold_is_not_retryable_if_the_retry_would_get_another_calls_image(
    call: Call,
) -> None:
    service = Service()
    buy(service)
    service.setups.clear()
    with pytest.raises(NoProviderError) as caught:
        buy(service, call)
    assert not caught.value.retryable


def test_a_call_refused_before_a_hold_is_retryable_if_there_is_no_other_call() -> None:
    service = Service()
    setups = dict(service.setups)
    service.setups.clear()
    for call in (FIRST, AGAIN, KEYED):
        with pytest.raises(NoProviderError) as caught:
            buy(service, call)
        assert caught.value.retryable
    service.setups.update(setups)
    assert buy(service, AGAIN).record


def test_a_call_that_failed_after_its_hold_is_retryable_because_the_retry_finds_it() -> None:
    service = Service()
    first = buy(service)
    for name in service.providers:
        service.react(name, Outcome.RATE_LIMITED)
    with pytest.raises(NoProviderError) as caught:
        buy(service)
    assert caught.value.retryable
    for name in service.providers:
        service.providers[name].reactions.clear()
    assert buy(service, AGAIN).ref != first.ref


def test_a_repetition_belongs_to_a_running_call_before_a_finished_one() -> None:
    service = Service()
    got: dict[str, Made] = {}

    def during(_ms: int) -> None:
        service.providers["alpha"].sleep = service.clock.advance
        got["later"] = buy(service)
        with pytest.raises(StillRunningError):
            buy(service, AGAIN)

    service.providers["alpha"].sleep = during
    got["first"] = buy(service)
    assert got["first"].ref != got["later"].ref
    assert (len(service.called), service.spent()) == (2, 100_000)


def test_a_repetition_belongs_to_a_later_image_before_an_earlier_failure_and_is_not_charged() -> (
    None
):
    """Either call may be the one that is repeated, and the lost answer may be the image's."""
    service = Service()
    meanwhile(service, lambda: None)
    with pytest.raises(GenerationFailedError):
        buy(service)
    for name in service.providers:
        service.providers[name].reactions.clear()
    later = buy(service)
    assert buy(service, AGAIN).ref == later.ref
    assert len(service.images.objects) == 1


def test_a_repetition_waits_less_than_half_a_minute_for_a_running_call() -> None:
    service = Service()
    waited_ms: list[int] = []

    def during(_ms: int) -> None:
        service.providers["alpha"].sleep = service.clock.advance
        began_ms = service.clock()
        with pytest.raises(StillRunningError) as caught:
            buy(service, AGAIN)
        assert caught.value.retryable
        assert caught.value.retry_after_seconds
        waited_ms.append(service.clock() - began_ms)

    service.providers["alpha"].sleep = during
    buy(service)
    assert [WAIT_MS] <= waited_ms <= [30_000]


def test_an_unavailable_model_is_not_replaced_by_a_much_more_expensive_one_without_max_cost() -> (
    None
):
    service = Service(catalog=expensive_replacement())
    service.setups["alpha"] = ProviderSetup(has_key=True, enabled=False)
    with pytest.raises(AboveMaxCostError, match="x-max-cost"):
        buy(service)
    assert (service.called, service.spent()) == ([], 0)


def test_a_much_more_expensive_model_replaces_it_if_max_cost_allows() -> None:
    service = Service(catalog=expensive_replacement())
    service.setups["alpha"] = ProviderSetup(has_key=True, enabled=False)
    allowed = REQUEST.model_copy(update={"max_cost": 160_000})
    bought = service.buyer.buy(allowed, FIRST, ends_ms=service.clock() + LAMBDA_MS)
    assert bought.record.charged_microusd == 160_000


def test_the_first_model_within_the_multiple_replaces_it() -> None:
    service = Service(catalog=expensive_replacement(row("gamma-standard", priority=3, usd="0.15")))
    service.setups["alpha"] = ProviderSetup(has_key=True, enabled=False)
    assert buy(service).record.key == "gamma-standard"


def expensive_replacement(*more: dict[str, Any]) -> Catalog:
    cheap, expensive = (
        row("alpha-standard", priority=1),
        row("beta-standard", priority=2, usd="0.16"),
    )
    return catalog(cheap, expensive, *more)


def test_a_hold_whose_image_cannot_be_looked_up_stops_no_other_call() -> None:
    service = Service()
    dying(service, replace(FIRST, body="another"))
    service.clock.advance(LAMBDA_MS + 60_000)
    blind = with_stores(service.reconciler, images=Blind(service.images))
    generator = service.generator
    buyer = replace(
        service.buyer,
        reconciler=blind,
        generator=replace(generator, holds=replace(generator.holds, reconciler=blind)),
    )
    bought = buyer.buy(REQUEST, FIRST, ends_ms=service.clock() + LAMBDA_MS)
    assert bought.record.charged_microusd == 50_000


@dataclass
class Blind:
    """An image store whose images cannot be looked up."""

    images: MemoryImageStore

    def find(self, _ref: ImageRef) -> Never:
        raise StoreUnavailableError("The image cannot be looked up.")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.images, name)


def blind(service: Service) -> Buyer:
    replayer = Replayer(
        replace(service.functions.stores, images=Blind(service.images)), service.reconciler
    )
    earlier_images = replace(service.buyer.earlier_images, replayer=replayer)
    return replace(service.buyer, replayer=replayer, earlier_images=earlier_images)


@pytest.mark.parametrize("call", [AGAIN, KEYED], ids=["counted", "keyed"])
@pytest.mark.parametrize("forgotten", [False, True])
def test_an_image_that_is_charged_and_cannot_be_looked_up_is_reported_as_charged(
    call: Call, *, forgotten: bool
) -> None:
    service = Service()
    buy(service, replace(call, retries=0))
    if forgotten:
        service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    buyer = blind(service)
    with pytest.raises(StoreUnavailableError) as caught:
        buyer.buy(REQUEST, call, ends_ms=service.clock() + LAMBDA_MS)
    assert caught.value.charged


def test_an_image_that_cannot_be_looked_up_is_not_reported_as_charged_without_evidence() -> None:
    service = Service()
    buyer = blind(service)
    with pytest.raises(StoreUnavailableError) as caught:
        buyer.buy(REQUEST, KEYED, ends_ms=service.clock() + LAMBDA_MS)
    assert not caught.value.charged


def test_a_call_whose_first_attempt_failed_and_was_pruned_runs_anew() -> None:
    """The first run fails and is pruned while its repetition waits: nothing was made or charged."""
    service = Service()
    got: list[Made] = []

    def pruned() -> None:
        service.while_paused = lambda: None
        service.budgets.budgets.clear()
        service.ledgers.ledgers[USER] = replace(service.ledger(), ops={}, spent={}, images={})
        service.ledgers.ledgers[USER] = replace(service.ledger(), slots={})

    def during(_ms: int) -> None:
        service.providers["alpha"].sleep = service.clock.advance
        service.while_paused = pruned
        got.append(buy(service, KEYED))
        raise DiedError

    service.providers["alpha"].sleep = during
    with pytest.raises(DiedError):
        buy(service, KEYED)
    assert [one.is_replay for one in got] == [False]
    service.check_charged_iff_stored()


def test_a_failed_call_whose_repetition_runs_anew_buys_nothing_more() -> None:
    """Its client no longer waits: the repetition has taken over the quote."""
    service = Service()
    for name in service.providers:
        service.react(name, Outcome.RATE_LIMITED, Outcome.RATE_LIMITED, png())
    again: list[Made] = []

    def give_up(record: ImageRecord) -> None:
        if record.status is RecordStatus.FAILED and not again:
            for name in service.providers:
                service.providers[name].reactions.clear()
            again.append(buy(service, AGAIN))

    service.on_finished = give_up
    with pytest.raises(NoProviderError):
        buy(service)
    assert len(again) == len(service.images.objects) == 1


def test_a_record_whose_first_write_fails_is_written_at_the_second_attempt() -> None:
    service = Service()
    service.wire.faults = {calls_of(FIRST).index("records.put"): Fault.BEFORE}
    first = buy(service)
    service.wire.mend()
    service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    assert buy(service, AGAIN).ref == first.ref


def test_a_repetition_is_recognised_after_as_many_images_as_a_day_allows() -> None:
    service = Service()
    first = buy(service)
    service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    rules = MoneySettings.model_fields["daily_attempts"].metadata
    (most,) = (rule.le for rule in rules if isinstance(rule, Le))
    assert isinstance(most, int)
    assert max(most, MAX_DAILY_IMAGES * ATTEMPTS_PER_IMAGE) == RECENT_RECORDS
    for number in range(RECENT_RECORDS - 1):
        ref = ImageRef(f"another-{number}", USER, first.ref.issued_ms + number)
        service.records.put(ref, replace(first.record, quote_id=ref.quote_id))
    assert buy(service, AGAIN).ref == first.ref


def test_records_of_other_calls_and_of_more_than_an_hour_ago_do_not_match() -> None:
    service = Service()
    buy(service, replace(FIRST, body="another"))
    first = buy(service)
    service.clock.advance(HOUR_MS + 1)
    service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    assert buy(service, AGAIN).ref != first.ref
    assert len(service.called) == 3


RANDOM = st.binary(min_size=retries.RANDOM_BYTES, max_size=retries.RANDOM_BYTES)


def nonce(
    call: Call, ops: Mapping[str, Op] = MappingProxyType({}), random: bytes = bytes(5)
) -> bytes:
    return retries.derive_nonce(call, ops, IMAGE_ID_KEY, random=random, now_ms=NOON_MS)


@given(
    calls=st.lists(
        st.tuples(RANDOM, st.integers(0, HOUR_MS), st.sampled_from(OpState)),
        min_size=1,
        max_size=20,
        unique_by=lambda one: one[0],
    ),
    others=st.lists(st.binary(min_size=15, max_size=15), max_size=20),
)
def test_a_retry_belongs_to_the_running_call_else_to_the_latest_whatever_else_is_there(
    calls: list[tuple[bytes, int, OpState]], others: list[bytes]
) -> None:
    ops = {
        ids.quote_id(nonce(FIRST, random=random)): op(state, age_ms)
        for random, age_ms, state in calls
    }
    more = {ids.quote_id(one): op(OpState.HELD, 0) for one in others}
    other_body = ids.quote_id(nonce(replace(FIRST, body="another"), random=b"12345"))
    more[other_body] = op(OpState.HELD, 0)
    found = ops[ids.quote_id(nonce(AGAIN, {**more, **ops}, b"54321"))]
    running = [one for one in ops.values() if one.state is OpState.HELD]
    assert found.expires_ms == max(one.expires_ms for one in running or ops.values())
    assert not running or found.state is OpState.HELD


@given(body=st.text(max_size=20), user=st.sampled_from([USER, OTHER_USER]), random=RANDOM)
def test_only_a_counted_retry_or_a_key_is_taken_for_an_earlier_call(
    body: str, user: str, random: bytes
) -> None:
    for retried in (None, 0):
        call = Call(user, body, retries=retried)
        first = nonce(call, random=random)
        ops = {ids.quote_id(first): op(OpState.HELD, 0)}
        again = nonce(call, ops)
        assert again[: retries.RANDOM_BYTES] == bytes(5)
        assert again[retries.RANDOM_BYTES :] == first[retries.RANDOM_BYTES :]
        assert nonce(replace(call, retries=1), ops) == first
    keyed = Call(user, body, key="k")
    assert nonce(keyed, random=random) == nonce(replace(keyed, body="another"))


def op(state: OpState, age_ms: int) -> Op:
    return Op(state, 1, "run", 0, 0, NOON_MS - age_ms + LIFETIME_MS, "", None)


# What is left in the ledger from before the last hour is no earlier attempt.


def test_a_retry_whose_first_attempt_never_arrived_does_not_get_yesterdays_image() -> None:
    service = Service()
    yesterday = buy(service)
    service.clock.advance(24 * HOUR_MS)
    assert yesterday.ref.quote_id in service.ledger().ops
    assert buy(service, AGAIN).ref != yesterday.ref


@pytest.mark.parametrize("call", [FIRST, UNMARKED], ids=["counted", "unmarked"])
def test_an_equal_call_of_yesterday_does_not_keep_an_sdk_from_retrying(call: Call) -> None:
    service = Service()
    buy(service)
    service.clock.advance(24 * HOUR_MS)
    service.setups.clear()
    with pytest.raises(NoProviderError) as caught:
        buy(service, call)
    assert caught.value.retryable


def test_the_failure_of_yesterday_does_not_fail_todays_retry() -> None:
    service = Service(fallback_after_unknown=False)
    service.react("alpha", Outcome.UNKNOWN)
    with pytest.raises(GenerationFailedError):
        buy(service)
    service.providers["alpha"].reactions.clear()
    service.clock.advance(24 * HOUR_MS)
    assert buy(service, AGAIN).record.charged_microusd == 50_000


def test_an_image_deleted_last_month_is_not_gone_for_todays_retry() -> None:
    service = Service()
    service.images.delete(buy(service).ref)
    service.clock.advance(30 * 24 * HOUR_MS)
    assert buy(service, AGAIN).record.charged_microusd == 50_000


# A call whose end is not known.


@dataclass
class Slow(Blind):
    """Images whose first put is stored without an answer; they cannot be reached afterwards."""

    def put(self, ref: ImageRef, content: bytes, record: ImageRecord) -> Never:
        self.images.put(ref, content, record)
        raise StoreUnavailableError("No answer.")


@pytest.mark.parametrize(
    ("call", "retryable"), [(UNMARKED, False), (FIRST, True), (KEYED, True)], ids=str
)
@pytest.mark.parametrize("ledger_fails", [False, True])
def test_a_client_is_told_to_retry_only_if_its_retry_would_be_recognised(
    call: Call, *, retryable: bool, ledger_fails: bool
) -> None:
    service = Service()
    service.redeploy(images=Slow(service.images))
    if ledger_fails:
        at = calls_of(call).index("ledgers.settle")
        service.wire.faults = {at + n: Fault.BEFORE for n in range(20)}
    with pytest.raises((StillRunningError, StoreUnavailableError)) as caught:
        buy(service, call)
    assert caught.value.retryable is retryable
    assert ("Idempotency-Key" in str(caught.value)) is not retryable


def test_a_hold_that_was_ended_is_seen_although_another_cannot_be_ended() -> None:
    """Of two dead runs the image of the first is stored, and that of the second is unknown."""
    service = Service()
    dying(service, FIRST)
    dying(service, replace(FIRST, body="another"))
    service.clock.advance(LAMBDA_MS + 60_000)
    _, other = service.ledger().ops

    class Half(Blind):
        def find(self, ref: ImageRef) -> Any:
            return super().find(ref) if ref.quote_id == other else self.images.find(ref)

    service.redeploy(images=Half(service.images))
    began_ms = service.clock()
    assert buy(service, AGAIN).is_replay
    assert service.clock() == began_ms, "it waited for a run that had ended"


def test_a_replay_needs_no_usage_record_that_can_be_read() -> None:
    service = Service()
    first = buy(service)

    class Unreadable(MemoryRecordStore):
        def get(self, ref: ImageRef) -> Never:
            raise ValueError(f"the record of {ref.quote_id!r} is broken")

    service.redeploy(records=Unreadable())
    assert buy(service, AGAIN).ref == first.ref


# Of the repetitions of a call, one waits.


@pytest.mark.parametrize("call", [AGAIN, KEYED], ids=["counted", "keyed"])
def test_of_many_repetitions_one_waits_and_the_others_are_answered_at_once(call: Call) -> None:
    """Sixteen that wait would occupy sixteen instances for one image."""
    service = Service()
    waited_ms: list[int] = []
    errors: list[StillRunningError] = []

    def more() -> None:
        service.while_paused = lambda: None
        for _ in range(15):
            again()

    def again() -> None:
        began_ms = service.clock()
        with pytest.raises(StillRunningError) as caught:
            buy(service, call)
        errors.append(caught.value)
        waited_ms.append(service.clock() - began_ms)

    def during(_ms: int) -> None:
        service.providers["alpha"].sleep = service.clock.advance
        service.while_paused = more
        again()

    service.providers["alpha"].sleep = during
    buy(service, replace(call, retries=0))
    assert sorted(waited_ms) == [0] * 15 + [WAIT_MS]
    assert all(error.retryable and error.retry_after_seconds for error in errors)
    assert len(service.called) == 1


def test_the_place_is_free_again_when_the_wait_is_over_and_when_its_call_died() -> None:
    service = Service()
    dying(service, FIRST, Fault.DIES_BEFORE)
    for _ in range(3):
        began_ms = service.clock()
        with pytest.raises(StillRunningError):
            buy(service, AGAIN)
        assert service.clock() - began_ms == WAIT_MS

    def die() -> None:
        raise DiedError

    service.while_paused = die
    with pytest.raises(DiedError):
        buy(service, AGAIN)
    service.while_paused = lambda: None
    with pytest.raises(StillRunningError):
        buy(service, AGAIN)
    service.clock.advance(WAIT_MS)
    began_ms = service.clock()
    with pytest.raises(StillRunningError):
        buy(service, AGAIN)
    assert service.clock() - began_ms == WAIT_MS


def test_waiting_writes_once_however_many_repetitions_there_are() -> None:
    service = Service()
    dying(service, FIRST, Fault.DIES_BEFORE)
    writes = service.ledgers.writes

    def more() -> None:
        service.while_paused = lambda: None
        for _ in range(5):
            with pytest.raises(StillRunningError):
                buy(service, AGAIN)

    service.while_paused = more
    with pytest.raises(StillRunningError):
        buy(service, AGAIN)
    assert service.ledgers.writes == writes + 1


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_a_place_that_cannot_be_taken_is_no_wait(fault: Fault) -> None:
    service = Service()
    dying(service, FIRST, Fault.DIES_BEFORE)
    service.wire.calls.clear()
    service.wire.faults = {2: fault}
    began_ms = service.clock()
    with pytest.raises(StillRunningError):
        buy(service, AGAIN)
    assert service.wire.calls == ["ledgers.load", "images.find", "ledgers.wait"]
    assert service.clock() == began_ms


# What another instance does between this call's look at the ledger and its hold.


@dataclass(slots=True)
class Interrupted(Wire):
    """Lets another instance act once before a call of some name, and fail calls by their name."""

    before: dict[str, Callable[[], object]] = field(default_factory=dict)

    def carry(self, name: str, action: Callable[[], Any]) -> Any:
        act = self.before.pop(name, None)
        if act is not None:
            act()
        return super(Interrupted, self).carry(name, action)


def interrupted(**services: Any) -> tuple[Service, Interrupted]:
    wire = Interrupted()
    return Service(wire=wire, **services), wire


def lost() -> Never:
    raise StoreUnavailableError("No answer.")


def test_a_key_that_another_body_took_first_is_refused_and_gets_no_image_of_it() -> None:
    service, wire = interrupted()
    wire.before = {"ledgers.reserve": lambda: buy(service, replace(KEYED, body="another"))}
    with pytest.raises(ReusedKeyError) as caught:
        buy(service, KEYED)
    assert caught.value.charged is False
    assert len(service.called) == 1


def test_a_key_that_another_body_holds_is_refused_without_a_wait() -> None:
    service, wire = interrupted()
    other = replace(KEYED, body="another")

    def dies() -> None:
        wire.before = {"images.put": die}
        with pytest.raises(DiedError):
            buy(service, other)

    def die() -> Never:
        raise DiedError

    wire.before = {"ledgers.reserve": dies}
    began_ms = service.clock()
    with pytest.raises(ReusedKeyError):
        buy(service, KEYED)
    assert service.clock() == began_ms


def test_an_image_that_another_run_of_the_key_made_is_looked_up_again_if_its_store_fails() -> None:
    service, wire = interrupted()

    def first() -> None:
        buy(service, KEYED)
        wire.before = {"images.find": lost}

    wire.before = {"ledgers.reserve": first}
    assert buy(service, KEYED).is_replay
    assert service.spent() == 50_000


@pytest.mark.parametrize("call", [FIRST, UNMARKED, KEYED], ids=["counted", "unmarked", "keyed"])
def test_a_call_that_midnight_overtakes_counts_against_the_new_day(call: Call) -> None:
    service, wire = interrupted(limits=Limits(daily_images=1))
    service.clock.advance(12 * HOUR_MS - 1)
    buy(service, replace(call, body="before", key=call.key and "another key"))
    wire.before = {"ledgers.reserve": lambda: service.clock.advance(1)}
    made = buy(service, call)
    assert made.record.charged_microusd == 50_000
    assert len(service.called) == 2


@pytest.mark.parametrize(
    ("left_ms", "is_new"), [(30_001, False), (30_000, False), (29_999, True), (0, True)]
)
def test_a_quote_with_less_than_half_a_minute_left_is_issued_anew(
    left_ms: int, *, is_new: bool
) -> None:
    service = Service()
    for name in service.providers:
        service.react(name, Outcome.RATE_LIMITED)
    expiries = []
    for wait_ms in (0, LIFETIME_MS - left_ms):
        service.clock.advance(wait_ms)
        with pytest.raises(NoProviderError):
            buy(service, KEYED)
        expiries += [op.expires_ms for op in service.ledger().ops.values()]
    assert (expiries[0] != expiries[1]) is is_new


@pytest.mark.parametrize("call", [UNMARKED, FIRST], ids=["unmarked", "counted"])
def test_a_call_that_waits_for_its_own_run_takes_no_place_of_a_repetition(call: Call) -> None:
    service = Service()
    service.redeploy(images=Slow(service.images))
    service.wire.calls.clear()
    began_ms = service.clock()
    with pytest.raises((StillRunningError, StoreUnavailableError)):
        buy(service, call)
    assert "ledgers.wait" not in service.wire.calls
    assert service.clock() > began_ms + WAIT_MS - 1


def test_a_call_that_cannot_be_repeated_is_reported_as_charged_if_its_ledger_has_settled() -> None:
    service = Service()

    def settled_by_another() -> None:
        ops = service.ledger().ops.items()
        settled = {name: replace(op, state=OpState.SETTLED) for name, op in ops}
        service.ledgers.ledgers[USER] = replace(service.ledger(), ops=settled)

    service.redeploy(images=Slow(service.images))
    service.while_paused = settled_by_another
    with pytest.raises(StoreUnavailableError) as caught:
        buy(service, UNMARKED)
    assert caught.value.retryable is False
    assert caught.value.charged is True


# What a quote id is made of: images are kept longer than one version of this code.

KNOWN = Call("a1" * 16, "body")
NONCES = {
    "key": (replace(KNOWN, key="order-66"), "f492f0cee461a36a57936a363e8044"),
    "second of a key": (
        replace(KNOWN, key="order-66", index=1),
        "ace15c5ce3034ba4459e687f30cf71",
    ),
    "body": (KNOWN, "3031323334cdc4dbb407e6795c916d"),
    "third of a body": (replace(KNOWN, index=2), "30313233341febb68c9fa5144b9244"),
    "of a set": (replace(KNOWN, random=b"abcde"), "6162636465cdc4dbb407e6795c916d"),
}


@pytest.mark.parametrize(("call", "expected"), NONCES.values(), ids=NONCES.keys())
def test_a_call_gets_the_same_quote_from_every_version(call: Call, expected: str) -> None:
    made = retries.derive_nonce(call, {}, b"s" * 32, random=b"01234", now_ms=0)
    assert made.hex() == expected


@pytest.mark.parametrize(
    ("age_ms", "is_found"), [(0, True), (HOUR_MS, True), (HOUR_MS + 1, False), (-1, True)]
)
@pytest.mark.parametrize("state", OpState)
def test_an_earlier_attempt_is_at_most_an_hour_old(
    age_ms: int, state: OpState, *, is_found: bool
) -> None:
    first = ids.quote_id(nonce(FIRST, random=b"12345"))
    ops = {first: op(state, age_ms)}
    found = retries.earlier_attempt(AGAIN, ops, IMAGE_ID_KEY, now_ms=NOON_MS)
    assert found == (first if is_found else None)
    of_set = retries.earlier_set(AGAIN, 2, ops, IMAGE_ID_KEY, now_ms=NOON_MS)
    assert of_set == (b"12345" if is_found else None)


def test_of_several_sets_the_running_one_is_retried_and_else_the_latest() -> None:
    def quote(random: bytes, index: int) -> str:
        return ids.quote_id(nonce(replace(FIRST, index=index), random=random))

    old, new = quote(b"zzzzz", 0), quote(b"aaaaa", 1)
    ended = {old: op(OpState.SETTLED, 2_000), new: op(OpState.SETTLED, 1_000)}
    one = retries.earlier_set(AGAIN, 2, ended, IMAGE_ID_KEY, now_ms=NOON_MS)
    assert one == b"aaaaa"
    running = ended | {old: op(OpState.HELD, 2_000)}
    assert retries.earlier_set(AGAIN, 2, running, IMAGE_ID_KEY, now_ms=NOON_MS) == b"zzzzz"
    assert retries.earlier_set(AGAIN, 1, {new: ended[new]}, IMAGE_ID_KEY, now_ms=NOON_MS) is None


@pytest.mark.parametrize(
    ("call", "run", "is_other"),
    [
        (KEYED, f"{KEYED.digest[:10]}.random", False),
        (KEYED, f"{FIRST.digest[:9]}x.random", True),
        (KEYED, "0123456789.random", True),
        (KEYED, "random", False),
        (KEYED, "", False),
        (FIRST, "0123456789.random", False),
    ],
)
def test_only_a_key_with_the_digest_of_another_body_is_refused(
    call: Call, run: str, *, is_other: bool
) -> None:
    assert retries.has_other_body(call, run) is is_other
    assert retries.run_name(KEYED, "random") == f"{KEYED.digest[:10]}.random"
    if not is_other:
        retries.check_body(call, run)
        return
    with pytest.raises(ReusedKeyError) as caught:
        retries.check_body(call, run)
    assert caught.value.charged is False


HEADERS: dict[str, tuple[Mapping[str, str], tuple[str | None, int | None]]] = {
    "none": ({}, (None, None)),
    "a key": ({"idempotency-key": "order 66"}, ("order 66", None)),
    "the longest key": ({"idempotency-key": "k" * 255}, ("k" * 255, None)),
    "the shortest key": ({"idempotency-key": "k"}, ("k", None)),
    "the first try": ({"x-stainless-retry-count": "0"}, (None, 0)),
    "a retry": ({"x-stainless-retry-count": "2"}, (None, 2)),
    "as many as are read": ({"x-stainless-retry-count": "999"}, (None, 999)),
    "more than are read": ({"x-stainless-retry-count": "1000"}, (None, None)),
    "no number": ({"x-stainless-retry-count": "two"}, (None, None)),
    "another script": ({"x-stainless-retry-count": "\u0662"}, (None, None)),
    "a superscript": ({"x-stainless-retry-count": "\u00b2"}, (None, None)),
    "an empty count": ({"x-stainless-retry-count": ""}, (None, None)),
}


@pytest.mark.parametrize(("headers", "expected"), HEADERS.values(), ids=HEADERS.keys())
def test_key_and_count_are_read_from_the_headers(
    headers: Mapping[str, str], expected: tuple[str | None, int | None]
) -> None:
    call = parse_call(headers, "body", USER)
    assert (call.key, call.retries) == expected
    assert (call.user, call.body) == (USER, "body")
    assert call.is_retry is bool(expected[1])
    assert call.is_recognised is (expected != (None, None))


@pytest.mark.parametrize("key", ["", "k" * 256, "caf\u00e9", "a\nb", "a\x7f"])
def test_a_key_that_is_no_printable_ascii_of_1_to_255_characters_is_refused(key: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_call({"idempotency-key": key}, "body", USER)
    assert caught.value.param == "idempotency-key"


def test_a_key_may_always_be_retried_and_a_body_only_without_another_call_of_it() -> None:
    own, other = (ids.quote_id(nonce(FIRST, random=random)) for random in (b"12345", b"54321"))
    ops = {other: op(OpState.HELD, 0)}

    def may(call: Call, quote_id: str, ops: Mapping[str, Op]) -> bool:
        return retries.may_retry(call, quote_id, ops, IMAGE_ID_KEY, now_ms=NOON_MS)

    assert may(KEYED, own, ops)
    assert may(FIRST, other, ops)
    assert may(FIRST, own, {})
    assert not may(FIRST, own, ops)


@pytest.mark.parametrize("call", [AGAIN, UNMARKED, KEYED], ids=["counted", "unmarked", "keyed"])
@pytest.mark.parametrize("is_stored", [False, True])
def test_with_the_ledger_away_only_the_stored_image_of_a_key_is_said_to_be_charged(
    call: Call, *, is_stored: bool
) -> None:
    service, wire = interrupted()
    if is_stored:
        buy(service, replace(call, retries=0 if call is AGAIN else None))
    wire.before = {"ledgers.load": lost}
    with pytest.raises(StoreUnavailableError) as caught:
        buy(service, call)
    assert caught.value.charged is (True if is_stored and call is KEYED else None)


def test_the_record_of_a_failure_is_no_sign_that_a_keys_image_is_charged() -> None:
    service = Service()
    for name in service.providers:
        service.react(name, Outcome.UNAVAILABLE)
    with pytest.raises(GenerationFailedError):
        buy(service, KEYED)
    service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    with pytest.raises(StoreUnavailableError) as caught:
        blind(service).buy(REQUEST, KEYED, ends_ms=service.clock() + LAMBDA_MS)
    assert not caught.value.charged
