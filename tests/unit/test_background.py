"""Images made in the background: begun at most once, charged if and only if stored.

Whatever is lost, dies or happens twice on the way from the answer to the run.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.layer import AWS_SERVICES
from imagegen.domain.budgets import Level, LevelHold, Take, Taken
from imagegen.domain.errors import (
    ContentRefusedError,
    ImagegenError,
    LimitError,
    QuoteError,
    QuoteExpiredError,
    StoreUnavailableError,
)
from imagegen.domain.ids import WAITING, is_waiting
from imagegen.domain.ledger import Limits
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation
from imagegen.domain.text import MAX_PROMPT_CHARACTERS
from imagegen.usecases.generate.background import DELIVERY_MS
from imagegen.usecases.generate.holds import LEASE_MARGIN_MS
from imagegen.usecases.generate.reconciler import EndedHold
from imagegen.usecases.generate.run import Made, Running
from imagegen.wire.estimates import MOST_IMAGES, Estimate, EstimateRequest
from imagegen.wire.images import GenerateRequest
from imagegen.wire.run_events import RunEvent, WaitingImage
from local.parameters import read_template
from local.paths import ROOT
from tests.fakes.budgets import MemoryBudgetStore
from tests.fakes.faults import DiedError, Fault
from tests.fakes.pictures import png
from tests.fakes.service import OTHER_USER, PROMPT, USER, Service
from tests.unit.test_crashes import settle_down

LEASE_MS = DELIVERY_MS + LEASE_MARGIN_MS
HOUR_MS = 3_600_000
MOST_CALLS = 24
ASYNC_LIMIT = 1_000_000
"""Bytes of an event: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
faults = pytest.mark.parametrize("fault", Fault)


def begun(service: Service) -> tuple[Estimate, str]:
    """Return an offer that was clicked, and its event, which is not delivered yet."""
    offer = service.estimate()
    assert isinstance(service.confirm_async(offer), Running)
    return offer, service.events[-1]


def deliver(service: Service, event: str) -> Made | Running | None:
    with suppress(DiedError, ImagegenError):
        return service.deliver(event)
    return None


# The way of one image.


def test_it_is_reserved_and_answered_before_anybody_is_asked() -> None:
    service = Service()
    offer = service.estimate()
    result = service.confirm_async(offer)
    assert result == Running(service.clock(), charged=False)
    assert service.spent() == 70_000
    assert not service.called
    assert service.moderator is not None
    assert not service.moderator.asked
    assert len(service.events) == 1
    op = service.ledger().ops[offer.quote_id]
    assert is_waiting(op.owner)
    assert op.lease_ms == service.clock() + LEASE_MS


def test_the_event_makes_the_image_which_is_charged_once() -> None:
    service = Service()
    offer, event = begun(service)
    service.new_process()
    made = service.deliver(event)
    assert isinstance(made, Made)
    assert not made.is_replay
    assert service.spent() == 50_000
    assert service.finished[0] == made.record
    settle_down(service)
    assert isinstance(service.confirm(offer), Made)


def test_the_style_is_in_the_prompt_that_is_sent() -> None:
    service = Service()
    service.confirm_async(service.estimate(style="ink"))
    service.deliver(service.events[0])
    assert service.providers["alpha"].orders[0].prompt == f"{PROMPT}\n\nStyle: ink"


def test_the_run_has_a_lease_of_its_own_time_and_the_time_since_the_click() -> None:
    service = Service()
    offer, event = begun(service)
    clicked_ms = service.clock()
    service.clock.advance(40_000)
    seen = list[tuple[int, bool]]()

    def look(_ms: int) -> None:
        op = service.ledger().ops[offer.quote_id]
        seen.append((op.lease_ms - service.clock(), is_waiting(op.owner)))

    service.providers["alpha"].sleep = look
    made = service.deliver(event, remaining_ms=300_000)
    assert seen == [(300_000 + LEASE_MARGIN_MS, False)]
    assert isinstance(made, Made)
    assert made.record.created_ms - made.record.duration_ms == clicked_ms


def test_the_reconciler_leaves_a_live_run_alone_when_the_first_lease_would_be_over() -> None:
    service = Service()
    _, event = begun(service)
    ended = list[int]()

    def look(_ms: int) -> None:
        service.clock.advance(LEASE_MS + 1)
        ended.append(service.reconciler.sweep(limit=10).released)

    service.providers["alpha"].sleep = look
    assert isinstance(service.deliver(event), Made)
    assert ended == [0]
    settle_down(service)


# Twice, late, never, or by another.


def test_the_same_event_again_does_nothing() -> None:
    service = Service()
    _, event = begun(service)
    assert isinstance(service.deliver(event), Made)
    writes = service.writes
    for _ in range(2):
        service.new_process()
        assert service.deliver(event) is None
    assert service.writes == writes
    assert len(service.called) == 1
    settle_down(service)


def test_the_same_event_while_the_first_run_makes_the_image_does_nothing() -> None:
    service = Service()
    _, event = begun(service)
    others = list[Made | Running | None]()
    service.providers["alpha"].sleep = lambda _ms: others.append(service.deliver(event))
    assert isinstance(service.deliver(event), Made)
    assert others == [None]
    assert len(service.called) == 1
    settle_down(service)


@pytest.mark.parametrize("hold", ["ended", "not ended yet"])
def test_an_event_after_its_lease_does_nothing(hold: str) -> None:
    service = Service()
    _, event = begun(service)
    service.clock.advance(LEASE_MS + 1)
    if hold == "ended":
        assert service.reconciler.sweep(limit=10).released == 1
    assert service.deliver(event) is None
    assert not service.called
    settle_down(service)
    assert service.spent() == 0


def test_at_the_last_moment_of_its_lease_an_event_is_in_time() -> None:
    service = Service()
    _, event = begun(service)
    service.clock.advance(LEASE_MS)
    assert isinstance(service.deliver(event), Made)
    settle_down(service)


def test_a_lost_event_costs_nobody_anything_and_the_same_quote_begins_again() -> None:
    ended = list[EndedHold]()
    service = Service(on_ended=ended.append)
    offer, event = begun(service)
    service.clock.advance(LEASE_MS + 1)
    status = service.finder.status(offer.image_id, "https://us.test")
    assert (status.status, status.code, status.charged) == ("failed", "generation_abandoned", False)
    assert status.retryable
    assert ended == [EndedHold(is_settled=False, microusd=0)], "no provider can have billed"
    assert isinstance(service.confirm_async(offer), Running)
    again = service.events[-1]
    assert service.deliver(event) is None, "the first event is not for the second hold"
    assert isinstance(service.deliver(again), Made)
    settle_down(service)


def test_an_event_for_the_hold_of_a_run_that_answers_itself_takes_nothing() -> None:
    service = Service()
    offer = service.estimate()
    taken = list[object]()

    def look(_ms: int) -> None:
        owner = service.ledger().ops[offer.quote_id].owner
        with pytest.raises(ValueError, match="hold"):
            WaitingImage(hold=owner, quote=offer.quote)
        image = WaitingImage.model_construct(hold=owner, quote=offer.quote)
        forged = RunEvent.model_construct(images=(image,), prompt=offer.prompt, mixed=False)
        taken.extend(service.functions.background.run(forged, ends_ms=service.clock() + 300_000))

    service.providers["alpha"].sleep = look
    assert isinstance(service.confirm(offer), Made)
    assert taken == [None]
    settle_down(service)


@pytest.mark.parametrize(
    "changes",
    [{"hold": f"{WAITING}guessed"}, {"prompt": "another prompt"}, {"quote": "q1.k1.forged.forged"}],
    ids=lambda one: next(iter(one)),
)
def test_a_made_up_event_does_nothing(changes: dict[str, str]) -> None:
    service = Service()
    _, event = begun(service)
    wrong = json.loads(event)
    (wrong if "prompt" in changes else wrong["images"][0]).update(changes)
    assert deliver(service, json.dumps(wrong)) is None
    assert not service.called
    assert isinstance(service.deliver(event), Made), "and the right one is in time"
    settle_down(service)


def test_an_event_with_the_quote_of_another_request_takes_nothing_of_either() -> None:
    service = Service()
    _, event = begun(service)
    _, other = begun(service)
    mixed = json.loads(event)
    mixed["images"][0]["quote"] = json.loads(other)["images"][0]["quote"]
    assert deliver(service, json.dumps(mixed)) is None
    assert not service.called
    assert isinstance(service.deliver(event), Made)
    assert isinstance(service.deliver(other), Made)
    settle_down(service)


# What the click is answered with.


def test_a_limit_is_reached_at_once() -> None:
    service = Service(limits=Limits(1, 50, 100, 10_000_000))
    begun(service)
    with pytest.raises(LimitError) as found:
        service.confirm_async(service.estimate())
    assert found.value.charged is False
    assert len(service.events) == 1


def test_a_quote_that_is_over_or_for_another_starts_nothing() -> None:
    service = Service()
    offer = service.estimate()
    with pytest.raises(QuoteError):
        service.confirm_async(offer, OTHER_USER)
    service.clock.advance(HOUR_MS)
    with pytest.raises(QuoteExpiredError) as found:
        service.confirm_async(offer)
    assert found.value.charged is False
    assert not service.events
    assert not service.ledger().ops


@pytest.mark.parametrize("first", ["async", "sync"])
@pytest.mark.parametrize("second", ["async", "sync"])
def test_the_same_quote_again_has_one_story_however_it_is_asked(first: str, second: str) -> None:
    service = Service()
    offer = service.estimate()
    click = {"async": service.confirm_async, "sync": service.confirm}
    if first == "async":
        service.confirm_async(offer)
        again = click[second](offer)
        assert again == Running(service.clock(), charged=False)
        assert len(service.events) == 1
        service.deliver(service.events[0])
    else:
        click[first](offer)
    replay = click[second](offer)
    assert isinstance(replay, Made)
    assert replay.is_replay
    assert len(service.called) == 1
    settle_down(service)


@pytest.mark.parametrize("click", ["confirm_async", "confirm"])
def test_a_refused_prompt_is_in_the_status_and_the_same_quote_is_refused_again(click: str) -> None:
    service = Service()
    assert service.moderator is not None
    service.moderator.verdict = Moderation(flagged=True, categories=("violence",))
    offer, event = begun(service)
    with pytest.raises(ContentRefusedError):
        service.deliver(event)
    status = service.finder.status(offer.image_id, "https://us.test")
    assert (status.status, status.code, status.charged) == ("failed", "content_refused", False)
    with pytest.raises(ContentRefusedError):
        getattr(service, click)(offer)
    assert not service.called
    settle_down(service)


def test_a_failure_of_all_providers_is_in_the_status_and_may_be_tried_again() -> None:
    service = Service()
    for name in service.providers:
        service.react(name, Outcome.UNAVAILABLE)
    offer, event = begun(service)
    with pytest.raises(ImagegenError):
        service.deliver(event)
    status = service.finder.status(offer.image_id, "https://us.test")
    assert (status.status, status.code) == ("failed", "generation_failed")
    assert status.retryable
    for name in service.providers:
        service.react(name, png())
    assert isinstance(service.confirm_async(offer), Running)
    assert isinstance(service.deliver(service.events[-1]), Made)
    settle_down(service)


# The event cannot be sent, or nobody knows whether it was.


def test_an_event_that_cannot_be_sent_gives_the_hold_back() -> None:
    service = Service()
    offer = service.estimate()
    service.wire.calls.clear()
    service.wire.faults = {_index_of("lambda.invoke"): Fault.BEFORE}
    with pytest.raises(StoreUnavailableError) as found:
        service.confirm_async(offer)
    assert found.value.charged is False
    assert found.value.retryable
    assert service.spent() == 0
    service.new_process()
    assert isinstance(service.confirm(offer), Made)
    settle_down(service)


def test_if_the_answer_to_the_event_is_lost_the_first_to_change_the_hold_decides() -> None:
    service = Service()
    offer = service.estimate()
    service.wire.calls.clear()
    service.wire.faults = {_index_of("lambda.invoke"): Fault.AFTER}
    with pytest.raises(StoreUnavailableError) as found:
        service.confirm_async(offer)
    assert found.value.charged is False
    service.new_process()
    assert service.deliver(service.events[0]) is None
    assert not service.called
    settle_down(service)


@pytest.mark.parametrize("ending", ["made", "running", "refused"])
def test_a_run_that_began_although_the_answer_was_lost_is_what_is_answered(ending: str) -> None:
    service = Service()
    if ending == "refused":
        service.react("alpha", Outcome.REFUSED)
    offer = service.estimate()

    def send(event: str) -> None:
        if ending == "running":
            service.wire.faults[len(service.wire.calls) + 1] = Fault.DIES_BEFORE
        deliver(service, event)
        service.wire.mend()
        raise StoreUnavailableError("the answer is lost")

    background = replace(service.functions.background, send=send)
    request = GenerateRequest(quote=offer.quote, prompt=offer.prompt)
    if ending == "refused":
        with pytest.raises(ContentRefusedError) as found:
            background.start(request, USER)
        assert found.value.charged is False
    else:
        result = background.start(request, USER).result
        assert isinstance(result, Made if ending == "made" else Running)
    settle_down(service)


def test_if_the_event_of_a_set_cannot_be_sent_each_image_has_its_own_end() -> None:
    service = Service(limits=Limits(hourly_images=1))
    offer, foreign = service.estimate(count=2), service.estimate(user=OTHER_USER)

    def send(_event: str) -> None:
        raise StoreUnavailableError("the queue is away", retry_after_seconds=7)

    background = replace(service.functions.background, send=send)
    quotes = (offer.quotes[0], foreign.quote, offer.quotes[1])
    request = GenerateRequest(quotes=quotes, prompt=offer.prompt)
    ends = [one.result for one in background.start_set(request, USER)]
    errors = [one for one in ends if isinstance(one, ImagegenError)]
    assert [one.code for one in errors] == [
        StoreUnavailableError.code, "quote_invalid", "hourly_images",
    ]  # fmt: skip
    assert (errors[0].charged, errors[0].retry_after_seconds) == (False, 7)
    assert service.spent() == 0
    settle_down(service)


def test_a_bug_on_the_way_to_the_queue_gives_the_hold_back() -> None:
    service = Service()
    offer = service.estimate()

    def send(_event: str) -> None:
        raise KeyError("a bug")

    background = replace(service.functions.background, send=send)
    with pytest.raises(KeyError):
        background.start(GenerateRequest(quote=offer.quote, prompt=offer.prompt), USER)
    assert service.spent() == 0
    settle_down(service)


def test_without_queue_and_ledger_nobody_says_that_nothing_is_charged() -> None:
    service = Service()
    offer = service.estimate()
    service.wire.calls.clear()
    sent = _index_of("lambda.invoke")
    service.wire.faults = {sent: Fault.AFTER, sent + 1: Fault.BEFORE}
    with pytest.raises(StoreUnavailableError) as found:
        service.confirm_async(offer)
    assert found.value.charged is None
    service.new_process()
    assert isinstance(service.deliver(service.events[0]), Made)
    settle_down(service)


@dataclass(slots=True)
class SentTwiceBudgets(MemoryBudgetStore):
    """Budgets whose takes the SDK sends twice: the second copy arrives when a test lets it."""

    late: list[tuple[Level, LevelHold]] = field(default_factory=list)

    def take(self, level: Level, hold: LevelHold) -> Take:
        self.late.append((level, hold))
        return replace(MemoryBudgetStore.take(self, level, hold), is_unsure=True)


@pytest.mark.parametrize("refused", [False, True])
def test_a_copy_of_a_levels_write_that_arrives_after_the_run_counts_nothing(
    *, refused: bool
) -> None:
    budgets = SentTwiceBudgets()
    service = Service(budgets=budgets)
    if refused:
        service.react("alpha", Outcome.REFUSED)
    _, event = begun(service)
    service.new_process()
    assert (deliver(service, event) is None) is refused
    assert budgets.late
    for level, hold in budgets.late:
        assert MemoryBudgetStore.take(budgets, level, hold).result is Taken.ENDED
    settle_down(service)


# A fault at every single call.


def _index_of(step: str) -> int:
    other = Service()
    offer = other.estimate()
    other.wire.calls.clear()
    other.confirm_async(offer)
    return other.wire.calls.index(step)


@faults
@pytest.mark.parametrize("clicks", [1, 2])
def test_a_fault_at_any_call_of_the_answer(fault: Fault, clicks: int) -> None:
    for index in range(MOST_CALLS):
        service = Service()
        offer = service.estimate()
        service.wire.calls.clear()
        service.wire.faults[index] = fault
        with suppress(DiedError, ImagegenError):
            service.confirm_async(offer)
        is_hit = index < len(service.wire.calls)
        service.new_process()
        if clicks > 1:
            with suppress(ImagegenError):
                service.confirm_async(offer)
        for event in service.events * 2:
            deliver(service, event)
        settle_down(service)
        assert len(service.images.objects) <= 1
        if not is_hit:
            break
    assert index >= 2


@faults
@pytest.mark.parametrize("again", ["event", "click", "async click", "nothing"])
def test_a_fault_at_any_call_of_the_run(fault: Fault, again: str) -> None:
    for index in range(MOST_CALLS):
        service = Service()
        offer, event = begun(service)
        service.new_process()
        service.wire.faults[index] = fault
        deliver(service, event)
        is_hit = index < len(service.wire.calls)
        service.new_process()
        with suppress(ImagegenError):
            if again == "event":
                service.deliver(event)
            elif again != "nothing":
                (service.confirm if again == "click" else service.confirm_async)(offer)
        for one in service.events:
            deliver(service, one)
        settle_down(service)
        assert len(service.images.objects) <= 1
        if not is_hit:
            break
    assert index >= 6


@pytest.mark.thorough
@faults
@pytest.mark.parametrize("second", [Fault.BEFORE, Fault.AFTER, Fault.DIES_AFTER])
def test_two_faults_of_the_run(fault: Fault, second: Fault) -> None:
    for first_at in range(10):
        for second_at in range(first_at + 1, 10):
            service = Service()
            _, event = begun(service)
            service.new_process()
            service.wire.faults |= {first_at: fault, second_at: second}
            deliver(service, event)
            is_hit = second_at < len(service.wire.calls)
            service.new_process()
            deliver(service, event)
            settle_down(service)
            assert len(set(service.called)) == len(service.called), "one run at most"
            if not is_hit:
                break


def test_a_takeover_whose_answer_is_lost_is_sent_again_and_goes_on() -> None:
    service = Service()
    _, event = begun(service)
    service.new_process()
    service.wire.faults = {0: Fault.AFTER, 1: Fault.BEFORE}
    assert isinstance(service.deliver(event), Made)
    settle_down(service)


def test_a_run_whose_lease_was_given_up_stores_and_charges_nothing() -> None:
    service = Service()
    _, event = begun(service)

    def stall(_ms: int) -> None:
        service.clock.advance(300_000 + LEASE_MARGIN_MS + 1)
        service.reconciler.sweep(limit=10)

    service.providers["alpha"].sleep = stall
    assert deliver(service, event) is None
    settle_down(service)
    assert not service.images.objects


# The event itself.


def event_of(prompt: str, images: int = 1, quote: str = "q1") -> RunEvent:
    waiting = WaitingImage(hold=f"{WAITING}{'a' * 12}", quote=quote)
    return RunEvent(images=(waiting,) * images, prompt=prompt)


@given(st.sampled_from(["a", '"', "\\", "é", "漢", "\U0001f98a", "\u0001", "\n", "\u2028"]))
def test_the_longest_event_is_within_the_limit_of_lambda(character: str) -> None:
    prompt = f"fox {character * (MAX_PROMPT_CHARACTERS - 5)}x"
    event = event_of(prompt, MOST_IMAGES, "q" * 8_192)
    text = event.to_json()
    assert len(text.encode()) < 280_000 < ASYNC_LIMIT
    assert RunEvent.model_validate_json(text) == event


@given(st.text(min_size=1, max_size=200))
def test_what_a_request_accepts_as_a_prompt_an_event_carries_unchanged(text: str) -> None:
    with suppress(ValueError):
        prompt = EstimateRequest(prompt=text).prompt
        event = event_of(prompt)
        assert RunEvent.model_validate_json(event.to_json().encode()).prompt == prompt


def test_an_event_has_nothing_but_names_of_holds_quotes_and_the_prompt() -> None:
    service = Service()
    offer, event = begun(service)
    name = service.ledger().ops[offer.quote_id].owner
    assert json.loads(event) == {
        "task": "makeImages",
        "images": [{"hold": name, "quote": offer.quote}],
        "prompt": offer.prompt,
        "mixed": False,
    }


def test_an_event_waits_no_longer_than_its_hold() -> None:
    configured = read_template()["Globals"]["Function"]["EventInvokeConfig"]
    assert configured == {
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": DELIVERY_MS // 1000,
    }


def test_the_layer_has_the_description_of_every_service_that_is_called() -> None:
    source = (ROOT / "layers/shared/imagegen/aws/clients.py").read_text()
    called = set(re.findall(r'boto3\.client\("(\w+)"', source))
    assert "lambda" in called
    assert called <= AWS_SERVICES, "add it to AWS_SERVICES in generators/layer.py"
