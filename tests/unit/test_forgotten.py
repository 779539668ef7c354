"""What is no longer in the ledger is forgotten, and not "never happened".

An image that was stored is deleted only when the ledger shows that its hold was released.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from imagegen.domain.errors import (
    GoneError,
    ImagegenError,
    LeaseLostError,
    LimitError,
    StoreUnavailableError,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Hold, Ledger, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import Held
from imagegen.usecases.generate.holds import MAX_DEAD, SILENT_MS
from imagegen.usecases.generate.reconciler import EndedHold, Reconciled
from imagegen.usecases.generate.replay import not_charged, stored_is_charged
from imagegen.usecases.generate.run import Made, Running
from tests.fakes.faults import DiedError, Wire
from tests.fakes.images import MemoryImageStore
from tests.fakes.service import USER, Service

SETTLE = "ledgers.settle"
PRICE = 50_000


@dataclass(slots=True)
class Scripted(Wire):
    """Lets a test act before and after calls of some names."""

    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    after: dict[str, Callable[[], object]] = field(default_factory=dict)
    twice: set[str] = field(default_factory=set)
    """The SDK sends these again, because it lost the first reply."""

    def carry(self, name: str, action: Callable[[], Any]) -> Any:
        self.calls.append(name)
        self.before.get(name, lambda: None)()
        result = action()
        self.after.get(name, lambda: None)()
        return action() if name in self.twice else result


def scripted() -> tuple[Service, Scripted]:
    wire = Scripted()
    return Service(wire=wire), wire


def changed(service: Service, **changes: Any) -> None:
    """Change the user's ledger as another instance would."""
    service.ledgers.ledgers[USER] = replace(service.ledger(), **changes)


def as_released(ledger: Ledger, **changes: Any) -> Ledger:
    """Return the ledger as a reconciler that came too early leaves it."""
    ops = {
        name: replace(op, state=OpState.RELEASED, retryable=True, **changes)
        for name, op in ledger.ops.items()
    }
    return replace(ledger, ops=ops, spent={}, images={}, slots={})


def release(service: Service, **changes: Any) -> None:
    service.budgets.budgets.clear()
    service.ledgers.ledgers[USER] = as_released(service.ledger(), **changes)


def test_a_settled_request_that_was_pruned_before_the_second_try_keeps_its_image() -> None:
    service, wire = scripted()
    offer = service.estimate()
    wire.twice = {SETTLE}
    wire.after = {SETTLE: lambda: changed(service, ops={})}
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.charged_microusd == PRICE
    assert service.spent() == PRICE
    assert len(service.images.objects) == 1
    assert service.finder.status(offer.image_id, "https://us.test").charged


@pytest.mark.parametrize("code", ["generation_abandoned", "x"])
def test_an_image_is_deleted_if_its_release_is_seen(code: str) -> None:
    service, wire = scripted()
    wire.before = {SETTLE: lambda: release(service, code=code)}
    offer = service.estimate()
    with pytest.raises(LeaseLostError) as caught:
        service.confirm(offer)
    assert caught.value.charged is False
    assert not service.images.objects
    assert not service.prompts.kept
    assert service.spent() == 0
    (record,) = service.records.records.values()
    assert (record.status, record.charged_microusd) == (RecordStatus.FAILED, 0)
    assert record.in_doubt_microusd == PRICE


def test_an_image_that_another_run_of_the_quote_holds_now_is_left_to_it() -> None:
    service, wire = scripted()

    def taken_over() -> None:
        ops = {name: replace(op, owner="another") for name, op in service.ledger().ops.items()}
        changed(service, ops=ops)

    wire.before = {SETTLE: taken_over}
    offer = service.estimate()
    result = service.confirm(offer)
    assert isinstance(result, Running)
    assert result.charged is None
    assert len(service.images.objects) == 1
    wire.before = {}
    assert isinstance(service.confirm(offer), Made)
    service.check_charged_iff_stored()


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.REFUSED])
def test_a_failed_run_whose_hold_another_run_has_is_not_said_to_be_free(outcome: Outcome) -> None:
    service, wire = scripted()
    for name in service.providers:
        service.react(name, outcome)

    def taken_over() -> None:
        ops = {name: replace(op, owner="another") for name, op in service.ledger().ops.items()}
        changed(service, ops=ops)

    wire.before = {"ledgers.release": taken_over}
    with pytest.raises(ImagegenError) as caught:
        service.confirm(service.estimate())
    assert caught.value.charged is None


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.REFUSED])
def test_a_failed_run_is_free_though_its_hold_ends_only_with_its_lease(outcome: Outcome) -> None:
    service, wire = scripted()
    for name in service.providers:
        service.react(name, outcome)

    def fails() -> None:
        raise StoreUnavailableError("the ledger cannot be reached")

    wire.before = {"ledgers.release": fails}
    with pytest.raises(ImagegenError) as caught:
        service.confirm(service.estimate())
    assert caught.value.charged is False


def test_an_image_that_cannot_be_deleted_is_charged_by_the_next_click() -> None:
    service, wire = scripted()

    def fails() -> None:
        raise StoreUnavailableError("the bucket cannot be reached")

    wire.before = {SETTLE: lambda: release(service), "images.delete": fails}
    offer = service.estimate()
    with pytest.raises(StoreUnavailableError) as caught:
        service.confirm(offer)
    assert caught.value.charged is None
    assert service.finished[-1].in_doubt_microusd == PRICE
    wire.before = {}
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert service.spent() == PRICE
    service.check_charged_iff_stored()


def test_an_image_that_is_deleted_between_put_and_look_up_is_stored_again() -> None:
    service, wire = scripted()
    offer = service.estimate()
    service.confirm(offer)  # An earlier run of the quote, whose hold was given back.
    release(service)
    wire.before = {"images.find": service.images.objects.clear}
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert len(service.images.objects) == 1
    wire.before = {}
    service.check_charged_iff_stored()


def test_a_pruned_request_replays_by_its_image() -> None:
    service, _ = scripted()
    offer = service.estimate()
    service.confirm(offer)
    service.clock.advance(601_000)
    changed(service, ops={})
    again = service.confirm(offer)
    assert isinstance(again, Made)
    assert again.is_replay


def test_a_charged_image_is_answered_though_another_hold_cannot_be_ended_now() -> None:
    service, wire = scripted()
    offer = service.estimate()
    service.confirm(offer)
    another = service.estimate("another fox")
    hold = Hold(
        another.quote_id, "dead", "20261122", 70_000, another.expires_at, service.clock(), 1
    )
    assert isinstance(
        service.ledgers.reserve(USER, hold, service.limits, now_ms=service.clock()), Held
    )
    service.clock.advance(1)

    def fails() -> None:
        raise StoreUnavailableError("the record cannot be written")

    wire.before = {"ledgers.release": fails}
    again = service.confirm(offer)
    assert isinstance(again, Made)
    assert again.is_replay


def dead_runs(service: Service, count: int) -> None:
    """Leave holds of dead runs whose images cannot be looked up."""
    service.confirm(service.estimate())
    (op,) = service.ledger().ops.values()
    dead = replace(op, state=OpState.HELD, lease_ms=service.clock() - 1, retryable=False)
    changed(service, ops={f"dead{number}": dead for number in range(count)})

    def fails() -> None:
        raise StoreUnavailableError("the image cannot be looked up")

    service.wire.before = {"images.find": fails}  # type: ignore[attr-defined]


def test_as_many_dead_runs_that_cannot_be_ended_as_are_allowed_stop_no_run() -> None:
    service, _ = scripted()
    offer = service.estimate()
    dead_runs(service, MAX_DEAD)
    assert isinstance(service.confirm(offer), Made)


def test_with_more_dead_runs_that_cannot_be_ended_no_run_starts_and_nothing_stays_held() -> None:
    service, wire = scripted()
    offer = service.estimate()
    dead_runs(service, MAX_DEAD + 1)
    before = service.ledger()
    wire.calls.clear()
    with pytest.raises(StoreUnavailableError):
        service.confirm(offer)
    after = service.ledger()
    assert after.ops[offer.quote_id].state is OpState.RELEASED
    assert (after.spent, after.images) == (before.spent, before.images)
    assert not any(name.startswith("provider.") for name in wire.calls)


def test_a_user_without_dead_runs_stays_on_the_list_of_running_leases() -> None:
    service, wire = scripted()
    service.confirm(service.estimate())
    assert "ledgers.forget_lease" not in wire.calls


@pytest.mark.parametrize(
    ("took_ms", "is_released"), [(0, True), (SILENT_MS - 1, True), (SILENT_MS, False)]
)
def test_a_hold_whose_answer_was_lost_is_given_back_unless_the_ledger_is_silent(
    took_ms: int, *, is_released: bool
) -> None:
    """A ledger that does not answer would let the person wait as long once more."""
    service, wire = scripted()
    offer = service.estimate()

    def lost() -> None:
        service.clock.advance(took_ms)
        raise StoreUnavailableError("the answer was lost")

    wire.after = {"ledgers.reserve": lost}
    with pytest.raises(StoreUnavailableError) as caught:
        service.confirm(offer)
    assert ("ledgers.release" in wire.calls) is is_released
    assert caught.value.charged is (False if is_released else None)
    assert (service.spent() == 0) is is_released
    assert not service.called


def test_a_hold_that_was_lost_and_is_another_runs_is_not_said_to_be_free() -> None:
    service, wire = scripted()

    def lost() -> None:
        ops = {name: replace(op, owner="another") for name, op in service.ledger().ops.items()}
        changed(service, ops=ops)
        raise StoreUnavailableError("the answer was lost")

    wire.after = {"ledgers.reserve": lost}
    with pytest.raises(StoreUnavailableError) as caught:
        service.confirm(service.estimate())
    assert caught.value.charged is None


def test_a_replay_returns_the_ledger_as_it_is_and_settles_nothing_again() -> None:
    service, wire = scripted()
    offer = service.estimate()
    service.confirm(offer)
    before = service.ledger()
    wire.calls.clear()
    again = service.confirm(offer)
    assert isinstance(again, Made)
    assert again.ledger == before == service.ledger()
    assert not {"ledgers.settle", "ledgers.forget_lease", "records.put"} & {*wire.calls}


def test_a_ledger_without_dead_runs_is_read_once_and_not_written() -> None:
    service, wire = scripted()
    service.make()
    wire.calls.clear()
    assert service.reconciler.load(USER) == service.ledger()
    assert wire.calls == ["ledgers.load"]


def test_what_was_ended_of_several_users_adds_up() -> None:
    assert Reconciled(1, 2, 3) + Reconciled(10, 20, 30) == Reconciled(11, 22, 33)


def dead_hold(service: Service) -> None:
    """Leave the hold of a run that died before it stored its image."""
    offer = service.estimate()
    hold = Hold(offer.quote_id, "dead", "20261122", PRICE, offer.expires_at, service.clock(), 1)
    held = service.ledgers.reserve(USER, hold, service.limits, now_ms=service.clock())
    assert isinstance(held, Held)
    service.clock.advance(1)


def ended_by(service: Service) -> list[EndedHold]:
    ended: list[EndedHold] = []
    service.redeploy(on_ended=ended.append)
    return ended


def test_the_end_of_a_dead_run_is_reported_once_with_what_it_held() -> None:
    service, _ = scripted()
    ended = ended_by(service)
    dead_hold(service)
    assert service.reconciler.sweep(limit=10) == Reconciled(released=1, users=1)
    assert ended == [EndedHold(is_settled=False, microusd=PRICE)]
    assert service.reconciler.sweep(limit=10) == Reconciled()
    assert len(ended) == 1


def test_the_end_of_a_dead_run_with_an_image_is_reported_with_its_charge() -> None:
    service, wire = scripted()
    ended = ended_by(service)

    def dies() -> None:
        raise DiedError

    wire.before = {SETTLE: dies}
    with pytest.raises(DiedError):
        service.confirm(service.estimate())
    wire.before = {}
    service.clock.advance(LIFETIME_MS + 60_000)
    assert service.reconciler.sweep(limit=10) == Reconciled(settled=1, users=1)
    assert ended == [EndedHold(is_settled=True, microusd=PRICE)]


def test_a_dead_run_that_another_instance_ended_is_not_reported_twice() -> None:
    service, wire = scripted()
    ended = ended_by(service)
    dead_hold(service)

    def settled_by_another() -> None:
        ops = service.ledger().ops.items()
        changed(service, ops={name: replace(op, state=OpState.SETTLED) for name, op in ops})

    wire.before = {"ledgers.release": settled_by_another}
    assert service.reconciler.sweep(limit=10) == Reconciled(users=1)
    assert not ended


def test_an_image_whose_request_was_pruned_before_it_was_looked_up_is_kept() -> None:
    service, wire = scripted()
    offer = service.estimate()
    wire.before = {
        SETTLE: lambda: release(service),
        "ledgers.load": lambda: changed(service, ops={}),
    }
    result = service.confirm(offer)
    assert isinstance(result, Running)
    assert result.charged is None
    assert len(service.images.objects) == 1


def test_an_image_store_that_neither_stores_nor_finds_leaves_the_end_to_the_reconciler() -> None:
    service, _ = scripted()

    class Contradicting(MemoryImageStore):
        def put(self, ref: ImageRef, content: bytes, record: ImageRecord) -> bool:
            return False

    service.redeploy(images=Contradicting())
    offer = service.estimate()
    result = service.confirm(offer)
    assert isinstance(result, Running)
    assert result.charged is None
    assert service.ledger().ops[offer.quote_id].state is OpState.HELD
    assert service.finished[-1].in_doubt_microusd == PRICE


@pytest.mark.parametrize(
    ("build", "charged"),
    [
        (lambda: LimitError("daily_images", "reached"), False),
        (lambda: ImagegenError("failed"), False),
        (lambda: GoneError("deleted"), True),
        (lambda: StoreUnavailableError("its write may have arrived"), None),
    ],
    ids=["a limit", "a failure", "a deleted image", "a store"],
)
def test_who_has_looked_says_not_charged_of_all_but_a_write_that_was_lost(
    build: Callable[[], ImagegenError], *, charged: bool | None
) -> None:
    error = build()
    with pytest.raises(type(error)) as caught, not_charged():
        raise error
    assert caught.value.charged is charged


@pytest.mark.parametrize("before", [None, False, True])
@pytest.mark.parametrize("is_stored", [False, True])
def test_a_stored_image_is_charged_if_the_ledger_said_nothing(
    *, before: bool | None, is_stored: bool
) -> None:
    service, _ = scripted()
    ref = service.make().ref
    if not is_stored:
        service.images.objects.clear()
    error = StoreUnavailableError("the ledger cannot be reached", retry_after_seconds=7)
    error.charged = before
    with pytest.raises(StoreUnavailableError) as caught, stored_is_charged(service.images, ref):
        raise error
    assert caught.value.charged is (True if before is None and is_stored else before)
    assert caught.value.retry_after_seconds == 7


@pytest.mark.parametrize("dies_at", ["records.put", SETTLE, "ledgers.forget_lease"])
def test_whatever_call_of_a_sweep_dies_the_next_one_leaves_record_and_charge(dies_at: str) -> None:
    """The record comes before the charge: what is settled is not looked at again."""
    service, wire = scripted()

    def dies() -> None:
        raise DiedError

    # Of the run there is the stored image, and neither record nor charge.
    wire.before = {"records.put": dies}
    offer = service.estimate()
    with pytest.raises(DiedError):
        service.confirm(offer)
    service.clock.advance(LIFETIME_MS + 60_000)
    wire.before = {dies_at: dies}
    with pytest.raises(DiedError):
        service.reconciler.sweep(limit=10)
    wire.before = {}
    service.reconciler.sweep(limit=10)
    assert service.ledger().ops[offer.quote_id].state is OpState.SETTLED
    record = service.records.get(service.ref(offer))
    assert record is not None
    assert record.charged_microusd == service.spent() == PRICE
