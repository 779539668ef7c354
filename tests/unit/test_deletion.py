"""Deleting an image: it is gone for good, whatever happens meanwhile, and its charge stays."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.errors import (
    GoneError,
    ImageDeletedError,
    ImagegenError,
    NotFoundError,
    QuoteExpiredError,
    StillRunningError,
    StoreUnavailableError,
)
from imagegen.domain.gallery import KeptPrompt
from imagegen.domain.ids import image_id
from imagegen.domain.ledger import OpState
from imagegen.domain.outcomes import Outcome
from imagegen.openai_api.retries import Call
from imagegen.openai_api.sets import Wanted
from imagegen.usecases.gallery import Gallery
from imagegen.usecases.generate.run import Made
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.gallery import GalleryQuery
from tests.examples import examples
from tests.fakes.faults import DiedError, Fault, Wire
from tests.fakes.pictures import png
from tests.fakes.service import OTHER_USER, PROMPT, USER, Service

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BASE = "https://us.test"
REQUEST = EstimateRequest.model_validate({"prompt": PROMPT, "quality": "standard"})
KEYED = Call(USER, "body", key="order-66")
STEPS = ("images.mark_deleted", "prompts.forget", "images.delete", "records.put")


@dataclass(slots=True)
class Interrupted(Wire):
    """Lets another instance act before or after one call; its own calls are not counted."""

    at: int = -1
    is_before: bool = True
    other: Callable[[], object] = lambda: None
    is_inside: bool = False

    def carry(self, name: str, action: Callable[[], Any]) -> Any:
        if self.is_inside:
            return action()
        index = len(self.calls)
        if index == self.at and self.is_before:
            self._act()
        result = Wire.carry(self, name, action)
        if index == self.at and not self.is_before:
            self._act()
        return result

    def _act(self) -> None:
        self.is_inside = True
        self.other()
        self.is_inside = False


def remaining(service: Service) -> tuple[int, int]:
    """Return how many images and prompts are still there."""
    return len(service.images.objects), len(service.prompts.kept)


def listed(service: Service, user: str = USER) -> list[str]:
    return [one.id for one in service.gallery.page(GalleryQuery(), user, BASE).images]


def assert_gone(service: Service, offer: Estimate) -> None:
    """Assert that nothing is left of an image but its charge, on every way to it."""
    calls = len(service.called)
    assert remaining(service) == (0, 0)
    assert listed(service) == []
    for look in (
        lambda: service.finder.location(offer.image_id),
        lambda: service.finder.status(offer.image_id, BASE),
        lambda: service.finder.status(offer.image_id, BASE, USER),
        lambda: service.status_reader.status(offer.image_id),
        lambda: service.confirm(offer),
    ):
        with pytest.raises(ImageDeletedError) as caught:
            look()
        assert caught.value.charged
        assert not caught.value.retryable
    assert len(service.called) == calls
    assert remaining(service) == (0, 0)


def test_a_deleted_image_is_gone_on_every_way_and_stays_charged() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    usage = service.usage_reader.usage(USER)
    service.gallery.delete(offer.image_id, USER)
    assert_gone(service, offer)
    after = service.usage_reader.usage(USER)
    assert (after.spent, after.images, after.remaining) == (
        usage.spent,
        usage.images,
        usage.remaining,
    )
    assert service.spent() == 50_000
    service.check_charged_iff_stored()


def test_deleting_again_changes_nothing() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.gallery.delete(offer.image_id, USER)
    records, marks = dict(service.records.records), dict(service.images.marks)
    service.clock.advance(HOUR_MS)
    for _ in range(3):
        service.gallery.delete(offer.image_id, USER)
    assert (service.records.records, service.images.marks) == (records, marks)
    assert_gone_later(service, offer)


def assert_gone_later(service: Service, offer: Estimate) -> None:
    """Assert the same after the quote has expired."""
    for look in (
        lambda: service.finder.location(offer.image_id),
        lambda: service.finder.status(offer.image_id, BASE),
        lambda: service.confirm(offer),
    ):
        with pytest.raises(ImageDeletedError):
            look()


@pytest.mark.parametrize("later_ms", [11 * 60_000, HOUR_MS, 3 * DAY_MS])
def test_a_quote_whose_image_was_deleted_is_never_made_again(later_ms: int) -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.gallery.delete(offer.image_id, USER)
    service.clock.advance(later_ms)
    service.make("another")  # which prunes the ledger
    with pytest.raises(ImageDeletedError):
        service.confirm(offer)
    assert len(service.called) == 2


def test_only_its_owner_deletes_an_image_and_others_learn_nothing() -> None:
    service = Service()
    offer = service.estimate()
    made = service.confirm(offer)
    assert isinstance(made, Made)
    never = service.estimate("never confirmed", OTHER_USER)
    bad = [offer.image_id, never.image_id, "", "x", offer.image_id[:-1], offer.image_id.upper()]
    bad += [offer.quote_id, image_id(made.ref, b"another key of the same length.."), "a" * 64]
    answers = set()
    for one in bad:
        with pytest.raises(NotFoundError) as caught:
            service.gallery.delete(one, OTHER_USER)
        answers.add((str(caught.value), caught.value.charged, caught.value.code))
    assert answers == {("There is no such image.", False, "not_found")}
    assert remaining(service) == (1, 1)
    assert listed(service) == [offer.image_id]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNAVAILABLE])
def test_a_request_that_made_no_image_has_nothing_to_delete(outcome: Outcome) -> None:
    service = Service()
    for name in service.providers:
        service.react(name, outcome)
    offer = service.estimate()
    with pytest.raises(ImagegenError):
        service.confirm(offer)
    with pytest.raises(NotFoundError) as caught:
        service.gallery.delete(offer.image_id, USER)
    assert caught.value.charged is False
    assert service.finder.status(offer.image_id, BASE).status == "failed"


def test_an_offer_that_was_not_confirmed_has_nothing_to_delete_and_can_still_be_taken() -> None:
    service = Service()
    offer = service.estimate()
    with pytest.raises(NotFoundError):
        service.gallery.delete(offer.image_id, USER)
    assert isinstance(service.confirm(offer), Made)


def test_an_image_in_the_making_is_not_deleted_and_can_be_later() -> None:
    service = Service()
    offer = service.estimate()
    seen = list[ImagegenError]()

    def delete(_: int) -> None:
        with pytest.raises(StillRunningError) as caught:
            service.gallery.delete(offer.image_id, USER)
        seen.append(caught.value)

    service.providers["alpha"].sleep = delete
    assert isinstance(service.confirm(offer), Made)
    assert [(one.charged, one.retryable, one.retry_after_seconds) for one in seen] == [
        (False, True, 5)
    ]
    service.gallery.delete(offer.image_id, USER)
    assert_gone(service, offer)


# A delete that dies between its steps, and is repeated.


def calls_of_a_delete() -> list[str]:
    service = Service()
    made = service.make()
    service.new_process()
    service.gallery.delete(service.image_id(made), USER)
    return list(service.wire.calls)


def test_the_mark_comes_before_the_bytes_and_the_record_last() -> None:
    assert tuple(one for one in calls_of_a_delete() if one in STEPS) == STEPS


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("index", range(len(calls_of_a_delete())))
def test_a_delete_that_breaks_off_is_repeated_to_its_end(index: int, fault: Fault) -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.new_process()
    service.wire.faults[index] = fault
    with pytest.raises((DiedError, StoreUnavailableError)):
        service.gallery.delete(offer.image_id, USER)
    service.new_process()
    # Half deleted, it is charged, and never made again.
    with suppress(ImagegenError):
        service.confirm(offer)
    service.reconciler.sweep(limit=10)
    assert (service.spent(), len(service.called)) == (50_000, 1)
    service.check_charged_iff_stored()
    service.gallery.delete(offer.image_id, USER)
    assert_gone(service, offer)
    service.check_charged_iff_stored()


@pytest.mark.parametrize("step", STEPS[1:])
def test_until_a_delete_has_ended_the_image_is_listed_so_that_it_can_be_repeated(
    step: str,
) -> None:
    service = Service()
    made = service.make()
    service.wire.refused = [step]
    with pytest.raises(StoreUnavailableError):
        service.gallery.delete(service.image_id(made), USER)
    service.new_process()
    assert listed(service) == [service.image_id(made)]


def test_a_delete_ends_the_hold_of_a_run_that_could_not_report_its_image() -> None:
    service = Service()
    offer = service.estimate()
    service.wire.refused = ["ledgers.settle", "records.put"]
    service.confirm(offer)
    service.new_process()
    assert not service.records.records
    service.gallery.delete(offer.image_id, USER)
    assert service.ledger().ops[offer.quote_id].state is OpState.SETTLED
    assert service.spent() == 50_000
    assert_gone(service, offer)


# A delete while its run has not ended.


def run_calls() -> int:
    service = Service()
    offer = service.estimate()
    service.new_process()
    service.confirm(offer)
    return len(service.wire.calls)


def other_gallery(service: Service) -> Gallery:
    return service.new_instance().gallery


def settle_down(service: Service) -> None:
    service.new_process()
    service.clock.advance(HOUR_MS)
    service.reconciler.sweep(limit=10)
    service.check_charged_iff_stored()


@dataclass(slots=True)
class Attempt:
    """A delete by another instance in the middle of a run."""

    service: Service
    offer: Estimate
    ended: list[bool] = field(default_factory=list)

    def __call__(self) -> None:
        try:
            other_gallery(self.service).delete(self.offer.image_id, USER)
        except (StillRunningError, NotFoundError):
            self.ended.append(False)
        else:
            self.ended.append(True)


@pytest.mark.parametrize("fault", [None, *Fault])
@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
def test_a_delete_in_the_middle_of_a_run_ends_with_one_charge_and_no_image(
    is_before: bool,  # noqa: FBT001
    fault: Fault | None,
) -> None:
    """At every call of the run; the next call of the run may fail as well."""
    ended = list[bool]()
    for index in range(run_calls()):
        wire = Interrupted()
        service = Service(wire=wire)
        offer = service.estimate()
        service.new_process()
        attempt = Attempt(service, offer)
        wire.at, wire.is_before, wire.other = index, is_before, attempt
        if fault is not None:
            wire.faults[index + 1] = fault
        with suppress(DiedError, ImagegenError):
            service.confirm(offer)
        wire.at = -1
        settle_down(service)
        calls = len(service.called)
        ended += attempt.ended
        if attempt.ended == [True]:
            (mark,) = service.images.marks.values()
            assert service.spent() == mark.charged_microusd > 0
            assert_gone_later(service, offer)
            assert remaining(service) == (0, 0)
            assert len(service.called) == calls
        else:
            assert service.images.objects.keys() == {
                (USER, name)
                for name, op in service.ledger().ops.items()
                if op.state is OpState.SETTLED
            }
            assert len(service.prompts.kept) <= len(service.images.objects)
    assert {True, False} <= set(ended)


def test_a_put_that_comes_again_after_the_delete_does_not_bring_the_image_back() -> None:
    service = Service()
    offer = service.estimate()
    service.new_process()
    calls = steps()
    # The image is stored, the reply is lost, and its owner deletes it before the run tries again.
    service.wire.faults[calls.index("images.put")] = Fault.AFTER
    service.while_paused = lambda: other_gallery(service).delete(offer.image_id, USER)
    with pytest.raises(ImageDeletedError) as caught:
        service.confirm(offer)
    assert caught.value.charged
    service.while_paused = lambda: None
    service.new_process()
    assert_gone(service, offer)
    settle_down(service)
    assert service.spent() == 50_000


def steps() -> list[str]:
    service = Service()
    offer = service.estimate()
    service.new_process()
    service.confirm(offer)
    return list(service.wire.calls)


def test_a_late_put_of_a_run_that_then_dies_is_removed_by_the_reconciler() -> None:
    service = Service()
    made = service.make()
    opens, content = service.image_id(made), service.images.objects[USER, made.ref.quote_id]
    held_again(service, made)
    service.gallery.delete(opens, USER)
    held_again(service, made)
    service.images.objects[USER, made.ref.quote_id] = content
    service.prompts.put(made.ref, KeptPrompt("late words"), until_ms=1)
    settle_down(service)
    assert remaining(service) == (0, 0)
    assert service.spent() == 50_000


def held_again(service: Service, made: Made) -> None:
    """Let the ledger have the hold, as if the settling write had been lost."""
    ledger = service.ledger()
    op = ledger.ops[made.ref.quote_id]
    held = replace(
        op,
        state=OpState.HELD,
        price_microusd=70_000,
        owner="dead",
        started_ms=made.record.created_ms - made.record.duration_ms,
        lease_ms=service.clock() + 1,
        day=next(iter(ledger.spent)),
    )
    service.ledgers.ledgers[USER] = replace(
        ledger,
        version=ledger.version + 1,
        ops={**ledger.ops, made.ref.quote_id: held},
        spent={held.day: 70_000},
    )
    service.ledgers.leases[USER] = "0"


@pytest.mark.parametrize("refused", [["ledgers.settle"], ["ledgers.settle", "records.put"]])
def test_an_image_whose_hold_has_not_ended_is_deleted_and_charged_not_released(
    refused: list[str],
) -> None:
    service = Service()
    offer = service.estimate()
    service.wire.refused = refused
    assert isinstance(service.confirm(offer), Made)
    # The ledger still fails while it is deleted: the hold stays, and the bytes are gone.
    service.wire.refused = ["ledgers.settle"]
    service.gallery.delete(offer.image_id, USER)
    assert service.ledger().ops[offer.quote_id].state is OpState.HELD
    service.new_process()
    settle_down(service)
    assert service.spent() == 50_000
    assert service.ledger().ops[offer.quote_id].state is OpState.SETTLED
    assert_gone_later(service, offer)


def test_an_image_that_is_deleted_while_held_is_charged_by_its_own_replay() -> None:
    service = Service()
    offer = service.estimate()
    service.wire.refused = ["ledgers.settle"]
    service.confirm(offer)
    service.gallery.delete(offer.image_id, USER)
    service.new_process()
    assert_gone(service, offer)
    service.check_charged_iff_stored()


def test_with_the_ledger_away_a_replay_says_that_the_image_was_deleted() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.gallery.delete(offer.image_id, USER)
    service.wire.refused = ["ledgers.reserve", "ledgers.load", "ledgers.release"]
    with pytest.raises(ImageDeletedError) as caught:
        service.confirm(offer)
    assert caught.value.charged


@pytest.mark.parametrize("refused", ["ledgers.load", "images.find", "images.mark_deleted"])
def test_a_delete_that_cannot_begin_changes_nothing(refused: str) -> None:
    service = Service()
    made = service.make()
    service.wire.refused = [refused]
    with pytest.raises(StoreUnavailableError):
        service.gallery.delete(service.image_id(made), USER)
    service.new_process()
    assert remaining(service) == (1, 1)
    assert listed(service) == [service.image_id(made)]
    assert service.finder.location(service.image_id(made))


# What was deleted when its file's time was over, and marks whose time is over.


def test_an_image_whose_file_is_gone_already_can_be_deleted() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.images.objects.clear()
    with pytest.raises(GoneError) as caught:
        service.finder.location(offer.image_id)
    assert caught.value.code == "gone"
    service.gallery.delete(offer.image_id, USER)
    assert_gone(service, offer)


def test_a_mark_whose_time_is_over_leaves_the_record_to_say_so() -> None:
    service = Service()
    offer = service.estimate()
    service.confirm(offer)
    service.gallery.delete(offer.image_id, USER)
    service.images.marks.clear()
    assert_gone(service, offer)


def test_a_deleted_image_keeps_no_word_of_what_it_was_made_from() -> None:
    service = Service()
    made = service.make()
    with_inputs = replace(made.record, parents=("c" * 24,), input_roles=("edit",))
    service.images.objects[USER, made.ref.quote_id] = (b"x", with_inputs)
    service.records.records[made.ref] = with_inputs
    service.gallery.delete(service.image_id(made), USER)
    for record in (
        service.records.records[made.ref],
        service.images.marks[USER, made.ref.quote_id],
    ):
        assert (record.derived_from, record.parents, record.input_roles) == ("", (), ())
        assert record.charged_microusd == 50_000


# The routes under /v1.


def buy(service: Service, call: Call) -> Made:
    return service.buyer.buy(REQUEST, call, ends_ms=service.clock() + 300_000)


@pytest.mark.parametrize("later_ms", [0, 11 * 60_000, DAY_MS, 30 * DAY_MS])
@pytest.mark.parametrize("is_pruned", [False, True])
def test_the_same_key_never_buys_a_deleted_image_again(
    later_ms: int,
    is_pruned: bool,  # noqa: FBT001
) -> None:
    service = Service()
    made = buy(service, KEYED)
    service.gallery.delete(service.image_id(made), USER)
    service.clock.advance(later_ms)
    if is_pruned:
        service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    for _ in range(2):
        with pytest.raises(ImageDeletedError) as caught:
            buy(service, KEYED)
        assert caught.value.charged
    assert len(service.called) == 1
    assert buy(service, replace(KEYED, key="order-67")).record.charged_microusd == 50_000


@pytest.mark.parametrize("is_pruned", [False, True])
def test_a_counted_retry_never_buys_a_deleted_image_again(is_pruned: bool) -> None:  # noqa: FBT001
    service = Service()
    made = buy(service, Call(USER, "body", retries=0))
    service.gallery.delete(service.image_id(made), USER)
    if is_pruned:
        service.ledgers.ledgers[USER] = replace(service.ledger(), ops={})
    with pytest.raises(ImageDeletedError):
        buy(service, Call(USER, "body", retries=1))
    assert len(service.called) == 1


def test_of_a_set_the_others_are_returned_when_one_was_deleted() -> None:
    service = Service()
    sets = service.functions.openai.images.buyer
    wanted = Wanted(REQUEST, 3)
    ends_ms = service.clock() + 300_000
    bought = sets.buy(wanted, KEYED, ends_ms=ends_ms)
    assert len(bought.made) == 3
    service.gallery.delete(service.image_id(bought.made[1]), USER)
    again = sets.buy(wanted, KEYED, ends_ms=ends_ms)
    assert [one.ref for one in again.made] == [bought.made[0].ref, bought.made[2].ref]
    ((index, error),) = again.failed
    assert (index, type(error)) == (1, ImageDeletedError)
    assert len(service.called) == 3


# Any order of events.


ACTIONS = ("click", "delete", "status", "list", "sweep", "minute", "hour", "die", "repair")


@examples(150)
@given(
    actions=st.lists(st.sampled_from(ACTIONS), min_size=3, max_size=14),
    faults=st.dictionaries(st.integers(0, 40), st.sampled_from(list(Fault)), max_size=4),
)
def test_in_any_order_it_is_charged_once_and_never_comes_back(
    actions: list[str], faults: dict[int, Fault]
) -> None:
    service = Service()
    service.react("alpha", png())
    offer = service.estimate()
    service.new_process()
    service.wire.faults |= faults
    deleted = False
    acts: dict[str, Callable[[], object]] = {
        "click": lambda: service.confirm(offer),
        "delete": lambda: service.gallery.delete(offer.image_id, USER),
        "status": lambda: service.finder.status(offer.image_id, BASE, USER),
        "list": lambda: listed(service),
        "sweep": lambda: service.reconciler.sweep(limit=10),
        "minute": lambda: service.clock.advance(60_000),
        "hour": lambda: service.clock.advance(HOUR_MS),
        "die": service.new_process,
        "repair": service.wire.faults.clear,
    }
    for action in actions:
        try:
            acts[action]()
        except DiedError:
            service.new_process()
        except ImagegenError:
            pass
        else:
            deleted = deleted or action == "delete"
        if deleted:
            assert remaining(service) == (0, 0)
    settle_down(service)
    assert len(service.ledger().ops) <= 1
    assert len({*service.images.objects, *service.images.marks}) <= 1
    if deleted:
        assert remaining(service) == (0, 0)
        calls = len(service.called)
        with pytest.raises((ImageDeletedError, QuoteExpiredError)):
            service.confirm(offer)
        assert len(service.called) == calls
    assert len(service.images.objects) >= len(service.prompts.kept)


def test_a_delete_needs_no_more_than_its_four_writes() -> None:
    service = Service()
    made = service.make()
    writes = service.writes
    service.gallery.delete(service.image_id(made), USER)
    assert service.writes == writes + 4
