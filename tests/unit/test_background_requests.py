"""Requests of every kind in the background: sets, inputs, masks, preview frames."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import chain

import pytest

from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    ImagegenError,
    InputGoneError,
    InvalidRequestError,
    LimitError,
    QuoteMismatchError,
    StoreUnavailableError,
)
from imagegen.domain.ids import is_waiting
from imagegen.domain.ledger import Ledger, Limits, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.uploads import UploadRef
from imagegen.usecases.generate.holds import LEASE_MARGIN_MS
from imagegen.usecases.generate.run import Made, Running
from imagegen.usecases.generate.sets import Result
from imagegen.wire.estimates import Estimate
from imagegen.wire.images import GenerateRequest, ImageStatus
from imagegen.wire.run_events import RunEvent
from tests.fakes.faults import DiedError, Fault
from tests.fakes.pictures import picture, png
from tests.fakes.service import LIFETIME_MS, USER, Service
from tests.unit.test_background import LEASE_MS, begun, deliver
from tests.unit.test_crashes import settle_down
from tests.unit.test_inputs import edit, editors, image_of, mask, upload
from tests.unit.test_operations import OPERATIONS, ready
from tests.unit.test_previews import shop

EACH = 50_000
MOST_CALLS = 60
faults = pytest.mark.parametrize("fault", Fault)


def begun_set(service: Service, count: int = 3) -> tuple[Estimate, str]:
    offer = service.estimate(count=count)
    results = service.confirm_set_async(offer)
    assert results == [Running(service.clock(), charged=False)] * count
    return offer, service.events[-1]


def status(service: Service, image_id: str) -> ImageStatus:
    return service.finder.status(image_id, "https://us.test")


def kinds(results: list[Result] | list[Result | None]) -> list[str]:
    return [one.code if isinstance(one, ImagegenError) else type(one).__name__ for one in results]


# Sets.


def test_a_set_is_held_at_once_and_made_by_one_event() -> None:
    service = Service()
    offer, event = begun_set(service, 4)
    assert len(service.events) == 1
    assert service.spent() == 4 * 70_000
    assert not service.called
    assert all(is_waiting(op.owner) for op in service.ledger().ops.values())
    assert {status(service, one).status for one in offer.image_ids} == {"generating"}
    service.new_process()
    assert kinds(service.deliver_all(event)) == ["Made"] * 4
    assert service.spent() == 4 * EACH
    assert {status(service, one).status for one in offer.image_ids} == {"complete"}
    assert kinds(service.confirm_set_async(offer)) == ["Made"] * 4
    assert len(service.events) == 1
    settle_down(service)


def test_a_set_larger_than_what_is_made_at_once_is_held_completely_before_its_first_image() -> None:
    service = Service(max_count=10, limits=Limits(20, 50, 100, 10_000_000))
    _, event = begun_set(service, 10)
    seen = list[int]()

    def look(_ms: int) -> None:
        ops = service.ledger().ops.values()
        seen.append(sum(is_waiting(op.owner) for op in ops))

    service.providers["alpha"].sleep = look
    assert kinds(service.deliver_all(event)) == ["Made"] * 10
    assert set(seen) == {0}
    settle_down(service)


def test_the_event_of_a_set_again_does_nothing() -> None:
    service = Service()
    _, event = begun_set(service)
    service.deliver_all(event)
    writes = service.writes
    assert service.deliver_all(event) == [None] * 3
    assert service.writes == writes
    settle_down(service)


def test_the_event_of_a_set_twice_at_the_same_moment_makes_each_image_once() -> None:
    service = Service()
    _, event = begun_set(service)
    others = list[list[Result | None]]()
    service.providers["alpha"].sleep = lambda _ms: others.append(service.deliver_all(event))
    assert kinds(service.deliver_all(event)) == ["Made"] * 3
    assert set(chain(*others)) == {None}
    assert len(service.called) == 3
    settle_down(service)


def test_a_lost_event_of_a_set_costs_nothing_and_the_same_quotes_begin_again() -> None:
    service = Service()
    offer, event = begun_set(service)
    service.clock.advance(LEASE_MS + 1)
    found = [status(service, one) for one in offer.image_ids]
    assert {(one.status, one.code) for one in found} == {("failed", "generation_abandoned")}
    assert kinds(service.confirm_set_async(offer)) == ["Running"] * 3
    assert service.deliver_all(event) == [None] * 3
    assert kinds(service.deliver_all(service.events[-1])) == ["Made"] * 3
    settle_down(service)


def test_a_limit_within_a_set_is_answered_at_once_and_the_others_are_made() -> None:
    service = Service(limits=Limits(2, 50, 100, 10_000_000))
    offer = service.estimate(count=3)
    results = service.confirm_set_async(offer)
    assert [type(one) for one in results] == [Running, Running, LimitError]
    (event,) = service.events
    assert len(json.loads(event)["images"]) == 2
    assert kinds(service.deliver_all(event)) == ["Made", "Made"]
    settle_down(service)


def test_a_set_of_which_nothing_can_be_held_sends_no_event() -> None:
    service = Service()
    service.ledgers.ledgers[USER] = Ledger(blocked=True)
    results = service.confirm_set_async(service.estimate(count=2))
    assert all(isinstance(one, LimitError) for one in results)
    assert not service.events


def test_a_quote_that_cannot_be_read_is_answered_at_its_place() -> None:
    service = Service()
    offer = service.estimate(count=3)
    broken = offer.model_copy(
        update={"quotes": (offer.quotes[0], "q1.k1.forged.forged", offer.quotes[2])}
    )
    assert kinds(service.confirm_set_async(broken)) == ["Running", "quote_invalid", "Running"]
    assert kinds(service.deliver_all(service.events[0])) == ["Made", "Made"]
    settle_down(service)


def test_more_quotes_than_the_operator_allows_start_nothing() -> None:
    service = Service(max_count=2)
    with pytest.raises(InvalidRequestError):
        service.confirm_set_async(Service().estimate(count=3))
    assert not service.events
    assert not service.ledger().ops


@pytest.mark.parametrize("mixed", [False, True])
def test_the_images_of_a_set_are_made_by_one_model_unless_mixed_is_asked(
    mixed: bool,  # noqa: FBT001 a parameter of the test
) -> None:
    service = Service()
    service.react("alpha", png(), Outcome.UNAVAILABLE)
    offer = service.estimate(count=2)
    service.confirm_set_async(offer, mixed=mixed)
    results = service.deliver_all(service.events[0])
    assert kinds(results) == (["Made", "Made"] if mixed else ["Made", GenerationFailedError.code])
    settle_down(service)


def test_one_image_of_a_set_that_is_refused_leaves_the_others() -> None:
    service = Service()
    service.react("alpha", png(), Outcome.REFUSED, png())
    offer, event = begun_set(service)
    assert kinds(service.deliver_all(event)) == ["Made", ContentRefusedError.code, "Made"]
    assert [status(service, one).status for one in offer.image_ids] == [
        "complete",
        "failed",
        "complete",
    ]
    settle_down(service)


def test_an_event_of_a_set_that_cannot_be_sent_gives_every_hold_back() -> None:
    service = Service()
    offer = service.estimate(count=3)
    service.wire.calls.clear()
    service.confirm_set_async(offer)
    sent = service.wire.calls.index("lambda.invoke")
    service = Service()
    offer = service.estimate(count=3)
    service.wire.calls.clear()
    service.wire.faults = {sent: Fault.BEFORE}
    results = service.confirm_set_async(offer)
    assert all(isinstance(one, StoreUnavailableError) for one in results)
    assert {one.charged for one in results if isinstance(one, ImagegenError)} == {False}
    assert service.spent() == 0
    service.new_process()
    assert kinds(service.confirm_set_async(offer)) == ["Running"] * 3
    assert kinds(service.deliver_all(service.events[-1])) == ["Made"] * 3
    settle_down(service)


def test_a_bug_on_the_way_to_the_queue_gives_every_hold_back() -> None:
    service = Service()
    offer = service.estimate(count=3)

    def send(_event: str) -> None:
        raise KeyError("a bug")

    background = replace(service.functions.background, send=send)
    with pytest.raises(KeyError):
        background.start_set(GenerateRequest(quotes=offer.quotes, prompt=offer.prompt), USER)
    assert service.spent() == 0
    settle_down(service)


def test_a_run_that_takes_a_part_of_a_set_makes_that_part() -> None:
    service = Service()
    offer, event = begun_set(service)
    one = json.loads(event)
    one["images"] = one["images"][:1]
    assert kinds(service.deliver_all(json.dumps(one))) == ["Made"]
    results = service.deliver_all(event)
    assert kinds(results) == ["NoneType", "Made", "Made"]
    assert len(service.called) == 3
    assert [status(service, one).status for one in offer.image_ids] == ["complete"] * 3
    settle_down(service)


@faults
def test_a_fault_at_any_call_of_the_answer_to_a_set(fault: Fault) -> None:
    for index in range(MOST_CALLS):
        service = Service()
        offer = service.estimate(count=2)
        service.wire.calls.clear()
        service.wire.faults[index] = fault
        with suppress(DiedError, ImagegenError):
            service.confirm_set_async(offer)
        is_hit = index < len(service.wire.calls)
        service.new_process()
        for event in service.events * 2:
            with suppress(DiedError):
                service.deliver_all(event)
        settle_down(service)
        assert len(service.images.objects) <= 2
        if not is_hit:
            break
    assert index >= 4


@pytest.mark.thorough
@faults
@pytest.mark.parametrize("again", ["event", "click", "nothing"])
def test_a_fault_at_any_call_of_the_run_of_a_set(fault: Fault, again: str) -> None:
    for index in range(MOST_CALLS):
        service = Service()
        offer, event = begun_set(service, 2)
        service.new_process()
        service.wire.faults[index] = fault
        with suppress(DiedError):
            service.deliver_all(event)
        is_hit = index < len(service.wire.calls)
        service.new_process()
        if again == "event":
            service.deliver_all(event)
        elif again == "click":
            service.confirm_set_async(offer)
        for one in service.events:
            service.deliver_all(one)
        settle_down(service)
        assert len(service.images.objects) <= 2
        if not is_hit:
            break
    assert index >= 12


@pytest.mark.parametrize("lost", [{3}, {2, 4}, {0, 2}, {1, 2}, {0, 4}])
def test_a_hold_that_is_taken_at_once_leaves_the_second_tries_to_the_others(lost: set[int]) -> None:
    service = Service()
    _, event = begun_set(service, 4)
    service.new_process()
    service.wire.faults = dict.fromkeys(lost, Fault.BEFORE)
    assert kinds(service.deliver_all(event)) == ["Made"] * 4
    settle_down(service)


def test_a_ledger_that_is_down_is_tried_again_twice_in_one_event() -> None:
    service = Service()
    _, event = begun_set(service, 3)
    service.new_process()
    service.wire.refused = ["ledgers.take"]
    began_ms = service.clock()
    assert kinds(service.deliver_all(event)) == [StoreUnavailableError.code] * 3
    assert service.wire.calls == ["ledgers.take"] * 5
    assert service.clock() - began_ms == 2_500
    settle_down(service)


# Inputs and masks.


def test_an_edit_gets_its_input_in_the_run_and_not_in_the_event() -> None:
    service = editors()
    offer = edit(service)
    service.confirm_async(offer)
    (event,) = service.events
    assert len(event) < 10_000
    service.new_process()
    assert isinstance(service.deliver(event), Made)
    order = service.providers["alpha"].orders[-1]
    assert [one.role.value for one in order.inputs] == ["edit"]
    assert order.inputs[0].content == next(iter(service.images.objects.values()))[0]
    settle_down(service)


def test_upload_and_mask_go_with_the_run() -> None:
    service = editors()
    given = {"upload": upload(service, picture())}, {"upload": upload(service, mask())}
    offer = service.estimate("make it blue", inputs=[given[0]], mask=given[1])
    service.confirm_async(offer)
    service.new_process()
    assert isinstance(service.deliver(service.events[0]), Made)
    order = service.providers["alpha"].orders[-1]
    assert [one.role.value for one in order.inputs] == ["edit", "mask"]
    settle_down(service)


def test_an_input_that_is_gone_is_answered_at_once_and_nothing_is_held() -> None:
    service = editors()
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    service.uploads.objects.clear()
    with pytest.raises(InputGoneError) as found:
        service.confirm_async(offer)
    assert found.value.charged is False
    assert not service.events
    assert service.ledger() == Ledger()


def _lose(service: Service) -> None:
    service.uploads.objects.clear()


def _change(service: Service) -> None:
    for ref in list(service.uploads.objects):
        service.uploads.objects[UploadRef(ref.user, ref.upload_id)] = picture(size=(16, 16))


@pytest.mark.parametrize(
    ("happens", "error"), [(_lose, InputGoneError), (_change, QuoteMismatchError)]
)
def test_an_input_that_is_lost_before_the_run_gives_the_hold_back(
    happens: Callable[[Service], None], error: type[ImagegenError]
) -> None:
    service = editors()
    offer = service.estimate("x", inputs=[{"upload": upload(service, picture())}])
    service.confirm_async(offer)
    assert service.spent() > 0
    happens(service)
    with pytest.raises(error) as found:
        service.deliver(service.events[0])
    assert found.value.charged is False
    assert service.spent() == 0
    assert not service.called
    ended = status(service, offer.image_id)
    assert (ended.status, ended.code, ended.charged) == ("failed", error.code, False)
    settle_down(service)


def test_an_input_that_cannot_be_read_now_may_be_tried_again_with_the_same_quote() -> None:
    service = editors()
    offer = edit(service)
    service.confirm_async(offer)
    event = service.events[0]
    service.wire.calls.clear()
    service.wire.faults = {1: Fault.BEFORE}
    with pytest.raises(StoreUnavailableError) as found:
        service.deliver(event)
    assert service.wire.calls[:2] == ["ledgers.take", "images.read"]
    assert found.value.charged is False
    service.new_process()
    assert isinstance(service.confirm_async(offer), Running)
    assert isinstance(service.deliver(service.events[-1]), Made)
    settle_down(service)


def test_a_bug_while_inputs_are_read_gives_the_hold_back() -> None:
    service = editors()
    offer = edit(service)
    service.confirm_async(offer)
    generator = replace(service.generator, inputs=_BrokenReader())  # type: ignore[arg-type]
    background = replace(service.functions.background, generator=generator)
    event = RunEvent.model_validate_json(service.events[0])
    (result,) = background.run(event, ends_ms=service.clock() + LIFETIME_MS)
    assert kinds([result]) == ["internal_error"]
    assert isinstance(service.unexpected[0], KeyError)
    assert service.ledger().ops[offer.quote_id].state is OpState.RELEASED
    settle_down(service)


class _BrokenReader:
    def files(self, *_: object) -> None:
        raise KeyError("a bug")


def test_a_set_of_edits_is_made_in_the_background() -> None:
    service = editors()
    offer = service.estimate("make it blue", inputs=[{"image": image_of(service)}], count=2)
    assert kinds(service.confirm_set_async(offer)) == ["Running"] * 2
    assert kinds(service.deliver_all(service.events[0])) == ["Made"] * 2
    settle_down(service)


def test_the_images_of_a_set_read_their_inputs_once_to_hold_and_once_to_run() -> None:
    service = editors()
    offer = service.estimate("make it blue", inputs=[{"image": image_of(service)}], count=3)
    service.wire.calls.clear()
    service.confirm_set_async(offer)
    assert service.wire.calls.count("images.read") == 1
    service.wire.calls.clear()
    assert kinds(service.deliver_all(service.events[0])) == ["Made"] * 3
    assert service.wire.calls.count("images.read") == 1


@pytest.mark.parametrize("wanted", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_without_a_prompt_is_made_in_the_background(
    wanted: dict[str, object],
) -> None:
    service, offer = ready(wanted)
    assert offer.prompt == ""
    assert isinstance(service.confirm_async(offer), Running)
    assert isinstance(service.deliver(service.events[0]), Made)
    shown = service.finder.status(offer.image_id, "https://us.test", USER)
    assert (shown.status, shown.prompt) == ("complete", None)
    settle_down(service)


# Preview frames, and what is kept.


def test_preview_frames_are_shown_while_the_run_makes_the_image_and_gone_afterwards() -> None:
    service = shop()
    offer = service.estimate(partials=2)
    service.confirm_async(offer)
    assert status(service, offer.image_id).preview is None
    seen = list[ImageStatus]()
    service.providers["alpha"].sleep = lambda _ms: seen.append(status(service, offer.image_id))
    assert isinstance(service.deliver(service.events[0]), Made)
    assert [one.preview.index for one in seen if one.preview] == [1]
    assert not service.previews.objects
    settle_down(service)


def test_the_prompt_is_kept_with_an_image_of_the_background() -> None:
    service = Service()
    offer = service.estimate(style="ink")
    service.confirm_async(offer)
    service.deliver(service.events[0])
    shown = service.finder.status(offer.image_id, "https://us.test", USER)
    assert (shown.prompt, shown.style) == (offer.prompt, "ink")


def test_the_quote_may_be_over_when_its_event_comes() -> None:
    service = Service()
    offer = service.estimate()
    service.clock.advance(599_000)
    service.confirm_async(offer)
    service.clock.advance(LEASE_MS - LEASE_MARGIN_MS)
    assert service.clock() > offer.expires_at
    assert isinstance(service.deliver(service.events[0]), Made)
    settle_down(service)


def test_an_event_whose_signing_key_was_dropped_ends_with_its_lease() -> None:
    service = Service()
    offer, event = begun(service)
    forged = json.loads(event)
    forged["images"][0]["quote"] = offer.quote.replace(".k1.", ".k9.")
    assert deliver(service, json.dumps(forged)) is None
    service.clock.advance(LEASE_MS + 1)
    assert status(service, offer.image_id).code == "generation_abandoned"
    settle_down(service)
