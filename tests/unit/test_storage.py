"""An image that was billed is not thrown away, and a charged image is not reported as gone."""

import pytest

from imagegen.domain.errors import ImageDeletedError, LeaseLostError, StoreUnavailableError
from imagegen.domain.ledger import OpState
from imagegen.domain.quote import open_quote
from imagegen.domain.records import RecordStatus
from imagegen.usecases.generate.run import Made, Running
from imagegen.usecases.generate.storage import PUT_PAUSES_SECONDS
from tests.fakes.faults import Fault
from tests.fakes.service import OTHER_USER, PROMPT, USER, Service, with_stores

PUT = "images.put"


def call_index(service: Service, name: str) -> int:
    """Return the number of the call of a whole run at which ``name`` is first called."""
    other = Service()
    other.make()
    return other.wire.calls.index(name) - other.wire.calls.index("ledgers.reserve")


def fail_puts(service: Service, times: int) -> None:
    """Let the next puts after the confirmation fail."""
    first = len(service.wire.calls) + call_index(service, PUT)
    service.wire.faults.update({first + n: Fault.BEFORE for n in range(times)})


@pytest.mark.parametrize("times", [1, 3, 5])
def test_a_short_outage_of_the_image_store_loses_no_image(times: int) -> None:
    service = Service()
    offer = service.estimate()
    pauses: list[int] = []
    service.while_paused = lambda: pauses.append(1)
    fail_puts(service, times)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert len(pauses) == times
    assert len(service.called) == 1
    assert service.spent() == made.record.charged_microusd


def test_if_the_image_store_stays_down_the_reconciler_decides_and_the_cost_is_in_doubt() -> None:
    service = Service()
    offer = service.estimate()
    fail_puts(service, 100)
    assert isinstance(service.confirm(offer), Running)
    lost = service.finished[-1]
    assert (lost.status, lost.charged_microusd) == (RecordStatus.FAILED, 0)
    assert lost.in_doubt_microusd == 50_000
    assert (lost.code, lost.retryable) == (StoreUnavailableError.code, True)
    service.new_process()
    service.clock.advance(400_000)
    service.reconciler.sweep(limit=10)
    service.check_charged_iff_stored()
    assert service.spent() == 0


def test_a_run_that_is_too_late_to_store_releases_its_hold_and_the_cost_is_in_doubt() -> None:
    service = Service()
    for provider in service.providers.values():
        provider.takes_ms = 290_000
    offer = service.estimate()
    with pytest.raises(LeaseLostError):
        service.confirm(offer, remaining_ms=250_000)
    assert service.spent() == 0
    assert service.finished[-1].status is RecordStatus.FAILED
    assert service.finished[-1].in_doubt_microusd == 50_000
    assert not service.images.objects


def test_an_image_stored_between_two_look_ups_is_not_reported_as_gone() -> None:
    service = Service()
    offer = service.estimate()
    made = service.make()
    finder = service.finder

    class LateStore:
        """Has the image from the second look-up on."""

        def __init__(self) -> None:
            self.looks = 0

        def find(self, ref: object) -> object:
            self.looks += 1
            return made.record if self.looks > 1 else None

        def link(self, ref: object, *, for_head: bool = False) -> str | None:
            self.looks += 1
            return "https://images.test/x" if self.looks > 1 else None

    image_id = service.image_id(made)
    late = with_stores(finder, images=LateStore())
    assert late.status(image_id, "https://api.test").status == "complete"
    late = with_stores(finder, images=LateStore())
    assert late.location(image_id) == "https://images.test/x"
    assert offer.image_id != image_id


def test_a_failure_with_one_user_does_not_keep_the_money_of_another_held() -> None:
    service = Service()
    for user in (USER, OTHER_USER):
        offer = service.estimate(user=user)
        fail_puts(service, 100)
        service.confirm(offer, user)
        service.new_process()
    service.clock.advance(400_000)

    class HalfStore:
        """Cannot look up one user's images."""

        def find(self, ref: object) -> None:
            if getattr(ref, "user", "") == USER:
                raise StoreUnavailableError("unreadable")

    broken = with_stores(service.reconciler, images=HalfStore())
    with pytest.raises(StoreUnavailableError):
        broken.sweep(limit=10)
    assert [op.state for op in service.ledger(USER).ops.values()] == [OpState.HELD]
    assert [op.state for op in service.ledger(OTHER_USER).ops.values()] == [OpState.RELEASED]


def test_a_run_stores_then_writes_its_record_then_settles_each_once_and_never_pauses() -> None:
    pauses: list[int] = []
    service = Service()
    service.while_paused = lambda: pauses.append(1)
    offer = service.estimate()
    service.wire.calls.clear()
    service.confirm(offer)
    calls = [
        one for one in service.wire.calls if one.startswith(("ledgers.", "images.", "records."))
    ]
    assert calls == ["ledgers.reserve", PUT, "records.put", "ledgers.settle"]
    assert not pauses


@pytest.mark.parametrize("lost", [1, 2])
def test_a_settle_without_an_answer_is_sent_once_more_after_a_pause_and_the_image_is_charged(
    lost: int,
) -> None:
    service = Service()
    pauses: list[int] = []
    service.while_paused = lambda: pauses.append(1)
    offer = service.estimate()
    first = len(service.wire.calls) + call_index(service, "ledgers.settle")
    service.wire.faults = {first: Fault.BEFORE} | ({first + 2: Fault.BEFORE} if lost > 1 else {})
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.ledger.ops[offer.quote_id].state is OpState.SETTLED
    assert len(pauses) == 1
    assert service.wire.calls.count("ledgers.settle") == 2
    assert service.finished[-1].charged_microusd == made.record.charged_microusd
    held = service.ledger().ops[offer.quote_id].state
    assert held is (OpState.SETTLED if lost == 1 else OpState.HELD)


def test_a_record_without_an_answer_is_written_once_more_and_then_left_to_the_next_look() -> None:
    service = Service()
    offer = service.estimate()
    first = len(service.wire.calls) + call_index(service, "records.put")
    service.wire.faults = {first: Fault.BEFORE, first + 1: Fault.BEFORE}
    assert isinstance(service.confirm(offer), Made)
    assert service.wire.calls.count("records.put") == 2
    assert service.records.get(service.ref(offer)) is None
    assert isinstance(service.confirm(offer), Made)
    assert service.records.get(service.ref(offer)) is not None


@pytest.mark.parametrize(("more_ms", "puts"), [(0, 1), (1, 2)])
def test_an_image_is_not_stored_again_once_its_run_is_over(more_ms: int, puts: int) -> None:
    service = Service()
    left_ms = round(PUT_PAUSES_SECONDS[0] * 1_000) + more_ms
    for provider in service.providers.values():
        provider.takes_ms = 250_000 - left_ms
    offer = service.estimate()
    fail_puts(service, 100)
    assert isinstance(service.confirm(offer, remaining_ms=250_000), Running)
    assert service.wire.calls.count(PUT) == puts


@pytest.mark.parametrize("run_id", ["random", "digest.random"])
@pytest.mark.parametrize("stored_by", ["this run", "another run", "a run without a digest"])
def test_only_an_image_that_another_run_stored_is_a_replay(run_id: str, stored_by: str) -> None:
    service = Service()
    quote = open_quote(service.estimate().quote, service.generator.keyring())
    ends_ms = service.clock() + 300_000
    if stored_by != "this run":
        other = "digest.other" if stored_by == "another run" else "other"
        first = service.generator.confirm(quote, PROMPT, run_id=other, ends_ms=ends_ms)
        assert isinstance(first, Made)
        service.ledgers.ledgers.clear()
    made = service.generator.confirm(quote, PROMPT, run_id=run_id, ends_ms=ends_ms)
    assert isinstance(made, Made)
    assert made.is_replay is (stored_by == "another run")


def test_a_second_run_of_a_deleted_image_finds_it_deleted_and_leaves_no_words() -> None:
    service = Service()
    quote = open_quote(service.estimate().quote, service.generator.keyring())
    ends_ms = service.clock() + 300_000
    first = service.generator.confirm(quote, PROMPT, run_id="digest.other", ends_ms=ends_ms)
    assert isinstance(first, Made)
    service.gallery.delete(service.image_id(first), USER)
    service.ledgers.ledgers.clear()
    with pytest.raises(ImageDeletedError):
        service.generator.confirm(quote, PROMPT, run_id="digest.random", ends_ms=ends_ms)
    assert (service.prompts.kept, service.images.objects) == ({}, {})
