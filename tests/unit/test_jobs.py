"""A job that was ordered is asked for again after its run died: one bill, one charge, no new order.

``alpha`` works by jobs: it accepts an order, gives its ticket, and is asked for the image.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    ImagegenError,
)
from imagegen.domain.ids import ImageRef, digest_in_run_name
from imagegen.domain.jobs import ASKED_MS, Job, is_asked_for, job_json, parse_job
from imagegen.domain.ledger import OpState
from imagegen.domain.operations import Operation
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import RecordStatus
from imagegen.usecases.generate.reconciler import EndedHold
from imagegen.usecases.generate.run import Made, Running
from imagegen.wire.estimates import Estimate
from imagegen.wire.images import GenerateRequest
from tests.fakes.catalogs import catalog, row
from tests.fakes.faults import DiedError, Fault
from tests.fakes.jobs import MemoryJobStore
from tests.fakes.pictures import clear_png, png
from tests.fakes.service import LIFETIME_MS, USER, Service

LEASE_MS = LIFETIME_MS + 30_000
MOST_CALLS = 30
ENDINGS: dict[str, tuple[bytes | Outcome | None, ...]] = {
    "it is there": (png(),),
    "it still runs": (None, png()),
    "it was refused": (Outcome.REFUSED,),
    "it failed": (Outcome.UNAVAILABLE,),
    "it is forgotten": (Outcome.UNKNOWN,),
}
endings = pytest.mark.parametrize("ending", ENDINGS)
faults = pytest.mark.parametrize("fault", Fault)


def with_jobs(*answers: bytes | Outcome | None, **more: object) -> tuple[Service, Estimate]:
    service = Service(**more)  # type: ignore[arg-type]
    alpha = service.providers["alpha"]
    alpha.has_jobs, alpha.job_answers = True, list(answers or (png(),))
    offer = service.estimate()
    service.new_process()
    return service, offer


def die_at(service: Service, offer: Estimate, call: str, fault: Fault = Fault.DIES_AFTER) -> None:
    """Click, and let the process die at a call of this name."""
    other, its_offer = with_jobs()
    other.react("alpha", *service.providers["alpha"].reactions)
    with suppress(ImagegenError):
        other.confirm(its_offer)
    service.wire.faults[other.wire.calls.index(call)] = fault
    with pytest.raises(DiedError):
        service.confirm(offer)
    service.new_process()


def killed(*answers: bytes | Outcome | None, **more: object) -> tuple[Service, Estimate]:
    """A service whose run died while it waited for its job, when its lease is over."""
    service, offer = with_jobs(*answers, **more)
    die_at(service, offer, "provider.alpha.generate")
    service.clock.advance(LEASE_MS + 1)
    return service, offer


def state_of(service: Service, offer: Estimate) -> OpState:
    return service.ledger().ops[offer.quote_id].state


def end_all(service: Service) -> None:
    """Let every lease end and every job be asked for, until the sweep finds nothing."""
    service.new_process()
    for _ in range(5):
        service.clock.advance(400_000)
        service.reconciler.sweep(limit=10)
    service.check_charged_iff_stored()
    writes = service.writes
    assert service.reconciler.sweep(limit=10).users == 0
    assert service.writes == writes


# The image of a dead run.


def test_the_sweep_stores_and_charges_the_image_of_a_dead_runs_job() -> None:
    service, offer = killed()
    assert service.reconciler.sweep(limit=10).settled == 1
    service.check_charged_iff_stored()
    assert service.spent() == service.images.find(service.ref(offer)).charged_microusd  # type: ignore[union-attr]
    alpha = service.providers["alpha"]
    assert (len(alpha.orders), alpha.asked) == (1, ["job-1"])
    assert service.prompts.kept == {}, "the words came with the request, and died with its run"
    assert service.reconciler.sweep(limit=10).users == 0


def test_its_record_is_that_of_the_run_with_the_time_that_it_took() -> None:
    service, offer = with_jobs()
    alive = service.make()
    service.new_process()
    die_at(service, offer, "provider.alpha.generate")
    service.clock.advance(LEASE_MS + 1)
    service.reconciler.sweep(limit=10)
    record = service.records.get(service.ref(offer))
    assert record is not None
    assert record.status is RecordStatus.COMPLETE
    assert record.duration_ms == LEASE_MS + 1
    (attempt,) = record.attempts
    assert (attempt.outcome, attempt.code, attempt.duration_ms) == ("success", "", LEASE_MS + 1)
    same = replace(
        record,
        quote_id=alive.record.quote_id,
        issued_ms=alive.record.issued_ms,
        created_ms=alive.record.created_ms,
        duration_ms=alive.record.duration_ms,
        attempts=alive.record.attempts,
    )
    assert same == alive.record
    assert service.finished[-1] == record


def test_the_same_quote_sent_again_gets_the_image_of_the_job_and_orders_none() -> None:
    service, offer = killed()
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.is_replay
    assert len(service.called) == 1
    service.check_charged_iff_stored()


def test_an_expired_quote_gets_it_as_well() -> None:
    service, offer = killed()
    service.clock.advance(600_000)
    assert isinstance(service.confirm(offer), Made)
    assert len(service.called) == 1


def test_its_status_finds_it() -> None:
    service, offer = killed()
    made = service.confirm(service.estimate())
    assert isinstance(made, Made)
    assert {place for _, place in service.images.objects} == {offer.quote_id, made.ref.quote_id}
    service.check_charged_iff_stored()


def test_an_image_of_the_job_of_a_background_run_is_found() -> None:
    service, offer = with_jobs()
    service.confirm_async(offer)
    service.new_process()
    (event,) = service.events
    other, its_offer = with_jobs()
    other.confirm_async(its_offer)
    other.new_process()
    other.deliver(other.events[0])
    index = other.wire.calls.index("provider.alpha.generate")
    service.wire.faults[index] = Fault.DIES_AFTER
    with pytest.raises(DiedError):
        service.deliver(event)
    service.new_process()
    assert service.deliver(event) is None
    service.clock.advance(LEASE_MS + 1)
    assert service.reconciler.sweep(limit=10).settled == 1
    assert len(service.called) == 1
    service.check_charged_iff_stored()


@pytest.mark.parametrize(
    ("answer", "has_words"), [(png(), True), (Outcome.UNAVAILABLE, False), (Outcome.UNKNOWN, False)]
)
def test_the_words_that_a_run_kept_before_it_died_stay_only_with_an_image(
    answer: bytes | Outcome,
    has_words: bool,  # noqa: FBT001
) -> None:
    service, offer = with_jobs(answer)
    die_at(service, offer, "images.put", Fault.DIES_BEFORE)
    assert service.ref(offer) in service.prompts.kept
    service.clock.advance(LEASE_MS + 1)
    service.reconciler.sweep(limit=10)
    assert (service.ref(offer) in service.prompts.kept) is has_words
    assert bool(service.images.objects) is has_words


def test_no_other_candidate_is_called_for_a_dead_run() -> None:
    service, _ = killed(Outcome.UNAVAILABLE)
    service.reconciler.sweep(limit=10)
    assert len(service.called) == 1


def test_the_charge_of_a_job_is_the_price_of_its_candidate_and_never_above_the_ceiling() -> None:
    service, offer = with_jobs()
    service.providers["alpha"].has_jobs = False
    service.react("alpha", Outcome.UNAVAILABLE)
    service.providers["beta"].has_jobs = True
    die_at_beta = [*_calls_of(service, offer)]
    index = die_at_beta.index("provider.beta.generate")
    service, offer = with_jobs()
    service.providers["alpha"].has_jobs = False
    service.react("alpha", Outcome.UNAVAILABLE)
    service.providers["beta"].has_jobs = True
    service.wire.faults[index] = Fault.DIES_AFTER
    with pytest.raises(DiedError):
        service.confirm(offer)
    service.new_process()
    service.clock.advance(LEASE_MS + 1)
    service.reconciler.sweep(limit=10)
    record = service.images.find(service.ref(offer))
    assert record is not None
    assert record.provider == "beta"
    assert record.fallback is not None
    assert record.fallback.reason == Outcome.UNAVAILABLE
    assert [one.outcome for one in record.attempts] == [Outcome.UNAVAILABLE, "success"]
    assert record.charged_microusd <= record.ceiling_microusd
    service.check_charged_iff_stored()


def _calls_of(service: Service, offer: Estimate) -> list[str]:
    service.confirm(offer)
    return list(service.wire.calls)


# A job that is not there yet, or never will be.


def test_while_the_job_runs_the_hold_stays_and_is_not_asked_for_by_everybody() -> None:
    service, offer = killed(None, None, png())
    for _ in range(3):
        service.reconciler.sweep(limit=10)
        assert isinstance(service.confirm(offer), Running)
    assert service.providers["alpha"].asked == ["job-1"]
    assert state_of(service, offer) is OpState.HELD
    assert service.unexpected == []
    # Who asks may store the image for half a minute; clocks differ by as much.
    assert service.ledger().ops[offer.quote_id].lease_ms == service.clock() + 60_000
    assert len(service.called) == 1
    for _ in range(2):
        service.clock.advance(60_001)
        service.reconciler.sweep(limit=10)
    assert state_of(service, offer) is OpState.SETTLED
    service.check_charged_iff_stored()


def test_a_job_that_was_refused_is_answered_as_a_refusal_and_nothing_is_in_doubt() -> None:
    ended: list[EndedHold] = []
    service, offer = killed(Outcome.REFUSED)
    service.on_ended = ended.append
    service.reconciler.sweep(limit=10)
    assert ended == [EndedHold(is_settled=False, microusd=0)]
    with pytest.raises(ContentRefusedError) as refused:
        service.confirm(offer)
    assert refused.value.charged is False
    assert len(service.called) == 1
    service.check_charged_iff_stored()


def test_a_refusal_that_its_vendor_bills_is_in_doubt() -> None:
    ended: list[EndedHold] = []
    billing = catalog(row("alpha-standard", priority=1, billsRefusals=True))
    service, offer = killed(Outcome.REFUSED, catalog=billing)
    service.on_ended = ended.append
    service.reconciler.sweep(limit=10)
    assert ended == [EndedHold(is_settled=False, microusd=_alphas_price(offer))]


def test_what_its_vendor_says_it_does_not_bill_is_not_in_doubt() -> None:
    ended: list[EndedHold] = []
    billing = catalog(row("alpha-standard", priority=1, billsRefusals=True))
    service, _ = killed(Outcome.REFUSED, catalog=billing)
    service.providers["alpha"].is_unbilled = True
    service.on_ended = ended.append
    service.reconciler.sweep(limit=10)
    assert ended == [EndedHold(is_settled=False, microusd=0)]


def _alphas_price(offer: Estimate) -> int:
    return offer.price.expected


def test_a_job_that_the_vendor_forgot_is_in_doubt_and_its_quote_buys_no_other() -> None:
    ended: list[EndedHold] = []
    service, offer = killed(Outcome.UNKNOWN)
    service.on_ended = ended.append
    service.reconciler.sweep(limit=10)
    assert ended == [EndedHold(is_settled=False, microusd=_alphas_price(offer))]
    assert not service.ledger().ops[offer.quote_id].retryable
    with pytest.raises(GenerationFailedError) as failed:
        service.confirm(offer)
    assert failed.value.charged is False
    assert len(service.called) == 1
    service.check_charged_iff_stored()


def test_a_job_that_failed_may_be_ordered_again_by_the_same_quote() -> None:
    ended: list[EndedHold] = []
    service, offer = killed(Outcome.UNAVAILABLE)
    service.on_ended = ended.append
    service.reconciler.sweep(limit=10)
    # Its run may have called any other candidate.
    assert ended == [EndedHold(is_settled=False, microusd=offer.price.ceiling)]
    assert service.ledger().ops[offer.quote_id].retryable
    assert isinstance(service.confirm(offer), Made)
    assert len(service.called) == 2
    service.check_charged_iff_stored()


@pytest.mark.parametrize("answer", [Outcome.UNAVAILABLE, Outcome.UNKNOWN])
def test_a_job_without_an_image_after_another_answer_was_lost_is_not_ordered_again(
    answer: Outcome,
) -> None:
    ended: list[EndedHold] = []
    for with_fault in (False, True):
        service, offer = with_jobs()
        alpha, beta = service.providers["alpha"], service.providers["beta"]
        service.react("alpha", Outcome.UNKNOWN)
        alpha.has_jobs, beta.has_jobs = False, True
        beta.job_answers = [answer]
        if not with_fault:
            index = _calls_of(service, offer).index("provider.beta.generate")
    service.wire.faults[index] = Fault.DIES_AFTER
    with pytest.raises(DiedError):
        service.confirm(offer)
    job = service.jobs.get(service.ref(offer))
    assert job is not None
    service.new_process()
    service.on_ended = ended.append
    service.clock.advance(LEASE_MS + 1)
    service.reconciler.sweep(limit=10)
    both_microusd = _alphas_price(offer) + job.price_microusd
    in_doubt = both_microusd if answer is Outcome.UNKNOWN else offer.price.ceiling
    assert ended == [EndedHold(is_settled=False, microusd=in_doubt)]
    assert state_of(service, offer) is OpState.RELEASED
    assert not service.ledger().ops[offer.quote_id].retryable
    with pytest.raises(GenerationFailedError):
        service.confirm(offer)
    assert (len(alpha.orders), len(beta.orders)) == (1, 1)
    service.check_charged_iff_stored()


def given_up_for_another(*answers: bytes | Outcome | None) -> tuple[Service, Estimate, int]:
    """A run whose first job outlived its call, and that died while the next provider worked."""
    for with_fault in (False, True):
        service, offer = with_jobs(*answers)
        service.react("alpha", Outcome.UNKNOWN)
        service.providers["beta"].has_jobs = False
        if not with_fault:
            index = _calls_of(service, offer).index("provider.beta.generate")
    service.wire.faults[index] = Fault.DIES_AFTER
    with pytest.raises(DiedError):
        service.confirm(offer)
    job = service.jobs.get(service.ref(offer))
    assert job is not None
    assert job.ticket == "job-1"
    assert (len(service.providers["alpha"].orders), len(service.providers["beta"].orders)) == (1, 1)
    service.new_process()
    service.clock.advance(LEASE_MS + 1)
    return service, offer, job.later_microusd


@pytest.mark.parametrize("answer", [Outcome.REFUSED, Outcome.UNKNOWN, Outcome.UNAVAILABLE])
def test_what_was_called_after_a_job_was_given_up_is_in_doubt_and_not_ordered_again(
    answer: Outcome,
) -> None:
    ended: list[EndedHold] = []
    service, offer, later = given_up_for_another(answer)
    assert later > 0
    service.on_ended = ended.append
    service.reconciler.sweep(limit=10)
    lost = _alphas_price(offer) if answer is Outcome.UNKNOWN else 0
    wanted = offer.price.ceiling if answer is Outcome.UNAVAILABLE else later + lost
    assert ended == [EndedHold(is_settled=False, microusd=wanted)]
    assert not service.ledger().ops[offer.quote_id].retryable
    with pytest.raises(ImagegenError):
        service.confirm(offer)
    assert len(service.called) == 2
    service.check_charged_iff_stored()


def test_the_image_of_a_job_that_was_given_up_is_sold_and_the_later_call_is_in_doubt() -> None:
    service, offer, later = given_up_for_another(png())
    assert service.reconciler.sweep(limit=10).settled == 1
    record = service.records.get(service.ref(offer))
    assert record is not None
    assert record.in_doubt_microusd == later
    service.check_charged_iff_stored()


def test_a_run_whose_job_failed_notes_nothing_before_the_next_call() -> None:
    service, offer = with_jobs(Outcome.UNAVAILABLE)
    service.react("alpha", Outcome.UNAVAILABLE)
    service.providers["beta"].has_jobs = False
    assert "jobs.get" not in _calls_of(service, offer)
    assert service.jobs.writes == 1


def test_an_image_that_cannot_be_sold_is_not_charged() -> None:
    service, offer = killed(b"no image at all")
    service.reconciler.sweep(limit=10)
    assert state_of(service, offer) is OpState.RELEASED
    service.check_charged_iff_stored()


@pytest.mark.parametrize(("answer", "is_sold"), [(clear_png(), True), (png(), False)])
def test_an_image_of_a_job_must_be_transparent_if_that_was_promised(
    answer: bytes,
    is_sold: bool,  # noqa: FBT001
) -> None:
    able = row("alpha-standard", priority=1, transparent={"background": "transparent"})
    service, _ = with_jobs(answer, catalog=catalog(able))
    offer = service.estimate("a logo", background="transparent")
    service.new_process()
    die_at(service, offer, "provider.alpha.generate")
    service.clock.advance(LEASE_MS + 1)
    assert service.reconciler.sweep(limit=10).settled == is_sold
    service.check_charged_iff_stored()


def invisible() -> bytes:
    image = Image.open(BytesIO(png())).convert("RGBA")
    image.putalpha(0)
    image.save(out := BytesIO(), "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("operation", "is_sold"), [(Operation.GENERATE, True), (Operation.CUTOUT, False)]
)
def test_an_image_of_a_job_is_checked_by_the_operation_that_was_ordered(
    operation: Operation,
    is_sold: bool,  # noqa: FBT001
) -> None:
    service, offer = killed(invisible())
    job = service.jobs.get(service.ref(offer))
    assert job is not None
    ordered = replace(job, record=replace(job.record, operation=operation))
    service.jobs.put(service.ref(offer), ordered)
    assert service.reconciler.sweep(limit=10).settled == is_sold
    service.check_charged_iff_stored()


def test_a_job_that_never_ends_is_given_up_in_doubt() -> None:
    service, offer = killed(None)
    for _ in range(ASKED_MS // 60_000 + 2):
        service.reconciler.sweep(limit=10)
        service.clock.advance(60_001)
    assert state_of(service, offer) is OpState.RELEASED
    assert not service.ledger().ops[offer.quote_id].retryable
    service.check_charged_iff_stored()


@pytest.mark.parametrize(
    ("later_ms", "asked"), [(0, True), (ASKED_MS - 1, True), (ASKED_MS, False)]
)
def test_a_job_is_asked_for_during_half_an_hour(later_ms: int, asked: bool) -> None:  # noqa: FBT001
    service, offer = killed()
    job = service.jobs.get(service.ref(offer))
    assert job is not None
    assert is_asked_for(job, now_ms=job.record.created_ms + later_ms) is asked
    assert ASKED_MS == 30 * 60_000


OTHER_SIZE: dict[str, Any] = {
    "sizes": [{"size": "1536x1024", "shape": "landscape", "params": {"size": "1536x1024"}}],
    "price": {"rule": "perImage", "usd": {"1536x1024": "0.05"}},
}


@pytest.mark.parametrize(
    "left",
    [row("beta-standard", priority=2), row("alpha-standard", priority=1, **OTHER_SIZE)],
    ids=["without its row", "without its size"],
)
def test_what_was_removed_from_the_catalog_meanwhile_leaves_its_job_in_doubt(
    left: dict[str, Any],
) -> None:
    service, offer = killed()
    service.redeploy(catalog=catalog(left))
    service.reconciler.sweep(limit=10)
    assert state_of(service, offer) is OpState.RELEASED
    assert not service.ledger().ops[offer.quote_id].retryable
    assert service.providers["alpha"].asked == []
    assert service.unexpected == []


# Who asks.


def test_of_two_who_ask_at_once_one_asks() -> None:
    service, offer = killed()
    alpha = service.providers["alpha"]

    def ask_too() -> None:
        service.new_instance().reconciler.sweep(limit=10)
        service.new_instance().reconciler.load(USER)

    alpha.while_asked = ask_too
    service.reconciler.sweep(limit=10)
    assert alpha.asked == ["job-1"]
    assert state_of(service, offer) is OpState.SETTLED
    service.check_charged_iff_stored()


def two_dead_runs() -> tuple[Service, list[Estimate]]:
    service, first = with_jobs()
    second = service.estimate()
    index = _calls_until(service, "provider.alpha.generate")
    for offer in (first, second):
        service.new_process()
        service.wire.faults[len(service.wire.calls) + index] = Fault.DIES_AFTER
        with pytest.raises(DiedError):
            service.confirm(offer)
    service.new_process()
    service.clock.advance(LEASE_MS + 1)
    service.providers["alpha"].asked.clear()
    return service, [first, second]


def test_who_waits_for_an_answer_waits_for_one_question() -> None:
    service, offers = two_dead_runs()
    asked = service.providers["alpha"].asked
    service.reconciler.load(USER)
    assert len(asked) == 1
    assert sorted(state_of(service, one) for one in offers) == [OpState.HELD, OpState.SETTLED]
    service.make()
    assert len(asked) == 2
    assert {state_of(service, one) for one in offers} == {OpState.SETTLED}
    service.check_charged_iff_stored()


def test_a_click_while_a_job_waits_for_its_question_is_answered_as_running() -> None:
    service, offers = two_dead_runs()
    service.providers["alpha"].job_answers = [None]
    assert all(isinstance(service.confirm(one), Running) for one in offers)
    assert len(service.called) == 2


def test_the_sweep_asks_for_every_job() -> None:
    service, offers = two_dead_runs()
    assert service.reconciler.sweep(limit=10).settled == 2
    assert {state_of(service, one) for one in offers} == {OpState.SETTLED}
    service.check_charged_iff_stored()


def test_who_asks_for_too_long_stores_nothing() -> None:
    service, offer = killed()
    alpha = service.providers["alpha"]
    alpha.while_asked = partial(service.clock.advance, 30_000)
    assert service.reconciler.sweep(limit=10).settled == 0
    assert state_of(service, offer) is OpState.HELD
    assert not service.images.objects
    assert alpha.asked_seconds == [15]
    alpha.while_asked = lambda: None
    service.clock.advance(30_001)
    service.reconciler.sweep(limit=10)
    assert state_of(service, offer) is OpState.SETTLED


def test_a_job_of_an_earlier_hold_of_the_quote_is_not_asked_for() -> None:
    service, offer = killed(Outcome.UNAVAILABLE)
    service.reconciler.sweep(limit=10)
    service.providers["alpha"].asked.clear()
    service.wire.faults[_calls_until(service, "ledgers.reserve")] = Fault.DIES_AFTER
    with pytest.raises(DiedError):
        service.confirm(offer)
    service.new_process()
    service.clock.advance(LEASE_MS + 1)
    service.reconciler.sweep(limit=10)
    assert service.providers["alpha"].asked == []
    assert service.ledger().ops[offer.quote_id].retryable


def _calls_until(service: Service, call: str) -> int:
    other, offer = with_jobs()
    other.confirm(offer)
    service.wire.mend()
    return other.wire.calls.index(call)


def test_the_name_of_the_run_keeps_the_digest_of_its_request() -> None:
    service, offer = with_jobs(None)
    request = GenerateRequest(quote=offer.quote, prompt=offer.prompt)
    quote = service.generator.open(request.quote or "", request.prompt, USER)
    index = _calls_until(service, "provider.alpha.generate")
    service.wire.faults[index] = Fault.DIES_AFTER
    with pytest.raises(DiedError):
        service.generator.confirm(
            quote, offer.prompt, run_id="digest.1", ends_ms=service.clock() + LIFETIME_MS
        )
    service.new_process()
    service.clock.advance(LEASE_MS + 1)
    service.reconciler.sweep(limit=10)
    owner = service.ledger().ops[offer.quote_id].owner
    assert owner.startswith("digest.")
    assert owner != "digest.1"


# What it costs, and what goes wrong on the way.


def test_a_run_with_a_job_writes_once_more_and_one_without_writes_no_job() -> None:
    writes: list[int] = []
    for service in (Service(), with_jobs()[0]):
        before = service.writes
        service.make()
        writes.append(service.writes - before)
        assert service.jobs.writes == len(writes) - 1
    assert writes[1] == writes[0] + 1


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_a_run_whose_job_cannot_be_kept_makes_its_image_all_the_same(fault: Fault) -> None:
    service, offer = with_jobs()
    service.wire.faults[_calls_until(service, "jobs.put")] = fault
    assert isinstance(service.confirm(offer), Made)
    assert service.unexpected == [], "a store that does not answer is no bug of ours"
    service.check_charged_iff_stored()


def test_a_call_after_a_job_that_could_not_be_kept_notes_nothing() -> None:
    service, offer = with_jobs()
    service.react("alpha", Outcome.UNKNOWN)
    service.providers["beta"].has_jobs = False
    service.wire.refused = ["jobs.put"]
    assert isinstance(service.confirm(offer), Made)
    assert service.wire.calls.count("jobs.put") == 1
    assert service.unexpected == []
    service.check_charged_iff_stored()


def test_a_run_without_a_digest_is_asked_for_under_a_name_without_one() -> None:
    service, offer = killed(None)
    service.reconciler.sweep(limit=10)
    assert digest_in_run_name(service.ledger().ops[offer.quote_id].owner) == ""
    assert "." not in service.ledger().ops[offer.quote_id].owner


def test_a_run_that_died_before_its_job_was_kept_is_released_as_ever() -> None:
    ended: list[EndedHold] = []
    service, offer = with_jobs()
    service.on_ended = ended.append
    die_at(service, offer, "jobs.put", Fault.DIES_BEFORE)
    service.clock.advance(LEASE_MS + 1)
    service.reconciler.sweep(limit=10)
    assert ended == [EndedHold(is_settled=False, microusd=offer.price.ceiling)]
    assert service.providers["alpha"].asked == []


@dataclass(slots=True)
class BrokenJobStore(MemoryJobStore):
    """A store with a bug."""

    def put(self, ref: ImageRef, job: Job) -> None:
        raise ValueError(ref, job)


def test_a_bug_where_jobs_are_kept_costs_no_image_that_is_being_made() -> None:
    service, offer = with_jobs()
    service.jobs = BrokenJobStore()
    assert isinstance(service.confirm(offer), Made)
    assert [type(one) for one in service.unexpected] == [ValueError]
    service.check_charged_iff_stored()


def raises_a_bug() -> None:
    raise ValueError("a bug")


def test_a_bug_while_a_job_is_asked_for_is_reported_and_another_question_may_find_the_image() -> (
    None
):
    service, offer = killed()
    alpha = service.providers["alpha"]
    alpha.while_asked = raises_a_bug
    assert isinstance(service.confirm(offer), Running)
    assert [str(one) for one in service.unexpected] == ["a bug"]
    alpha.while_asked = lambda: None
    service.clock.advance(60_001)
    assert service.reconciler.sweep(limit=10).settled == 1
    service.check_charged_iff_stored()


def test_a_bug_while_a_job_is_asked_for_does_not_keep_money_held_beyond_the_half_hour() -> None:
    ended: list[EndedHold] = []
    service, offer = killed()
    service.on_ended = ended.append
    service.providers["alpha"].while_asked = raises_a_bug
    service.clock.advance(ASKED_MS)
    service.reconciler.sweep(limit=10)
    assert ended == [EndedHold(is_settled=False, microusd=_alphas_price(offer))]
    assert not service.ledger().ops[offer.quote_id].retryable
    service.check_charged_iff_stored()


def left(ending: str) -> tuple[Service, Estimate]:
    return with_jobs(*ENDINGS[ending])


@pytest.mark.thorough
@endings
@faults
def test_a_fault_at_any_call_of_a_run_with_a_job_ends_with_what_is_stored_charged(
    ending: str, fault: Fault
) -> None:
    for index in range(MOST_CALLS):
        service, offer = left(ending)
        service.wire.faults[index] = fault
        with suppress(DiedError, ImagegenError):
            service.confirm(offer)
        is_hit = index < len(service.wire.calls)
        end_all(service)
        assert len(service.providers["alpha"].orders) <= 1
        if not is_hit:
            break


@pytest.mark.thorough
@endings
@faults
def test_a_fault_while_a_job_is_asked_for_is_made_good_by_the_next_sweep(
    ending: str, fault: Fault
) -> None:
    for index in range(MOST_CALLS):
        service, _ = killed(*ENDINGS[ending])
        service.wire.faults[index] = fault
        with suppress(DiedError, ImagegenError):
            service.reconciler.sweep(limit=10)
        is_hit = index < len(service.wire.calls)
        end_all(service)
        assert len(service.called) == 1
        if not is_hit:
            break


@pytest.mark.thorough
@endings
@faults
def test_two_faults_and_a_second_click_end_with_one_order_for_each_job_that_did_not_fail(
    ending: str, fault: Fault
) -> None:
    for index in range(MOST_CALLS):
        service, offer = killed(*ENDINGS[ending])
        service.wire.faults[index] = fault
        with suppress(DiedError, ImagegenError):
            service.confirm(offer)
        is_hit = index < len(service.wire.calls)
        service.new_process()
        with suppress(ImagegenError):
            service.confirm(offer)
        end_all(service)
        assert len(service.providers["alpha"].orders) <= 1 + (ending == "it failed")
        assert len(service.images.objects) <= 1
        if not is_hit:
            break


def test_a_job_is_kept_as_json_and_read_as_it_was() -> None:
    service, offer = killed()
    job = service.jobs.get(service.ref(offer))
    assert job is not None
    assert job.ticket == "job-1"
    assert parse_job(job_json(job)) == job
    assert parse_job(job_json(replace(job, transparent=True))).transparent
    assert isinstance(job, Job)
