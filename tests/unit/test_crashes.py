"""A fault at every single call of a request: in the end charged if and only if stored.

The request loses its call, loses the reply, or the process dies before or after it. Then time
passes, the reconciler comes once, and a second time to find nothing to do.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from imagegen.domain.errors import ImagegenError
from imagegen.domain.ledger import Ledger
from imagegen.domain.outcomes import Outcome
from imagegen.usecases.generate.run import Made, Running
from imagegen.wire.estimates import Estimate
from tests.fakes.faults import DiedError, Fault
from tests.fakes.ledgers import MemoryLedgerStore
from tests.fakes.pictures import png
from tests.fakes.service import USER, Service, with_stores

HOUR_MS = 3_600_000
MOST_CALLS = 24
FIRST, SECOND = "a" * 32, "b" * 32
REACTIONS: dict[str, tuple[bytes | Outcome, ...]] = {
    "all is well": (png(),),
    "the first provider fails": (Outcome.UNAVAILABLE,),
    "the first answer is lost": (Outcome.UNKNOWN,),
    "the prompt is refused": (Outcome.REFUSED,),
}
scripts = pytest.mark.parametrize("script", REACTIONS)
faults = pytest.mark.parametrize("fault", Fault)


def asked(script: str, *, rush: bool = False) -> tuple[Service, Estimate]:
    service = Service()
    service.react("alpha", *REACTIONS[script])
    if rush:
        left_by_a_dead_run(service)
    offer = service.estimate()
    service.new_process()
    return service, offer


def left_by_a_dead_run(service: Service) -> None:
    """Leave two holds of dead runs: one with its image stored, one without."""
    for step in ("images.put", "ledgers.settle"):
        offer = service.estimate()
        service.new_process()
        index = _calls_of_a_run().index(step)
        service.wire.faults[index] = Fault.DIES_BEFORE
        with suppress(DiedError, ImagegenError):
            service.confirm(offer)
        service.new_process()
    service.clock.advance(400_000)


@cache
def _calls_of_a_run() -> list[str]:
    other = Service()
    offer = other.estimate()
    other.new_process()
    other.confirm(offer)
    return list(other.wire.calls)


def click(service: Service, offer: Estimate) -> Made | Running | None:
    with suppress(DiedError, ImagegenError):
        return service.confirm(offer)
    return None


def settle_down(service: Service) -> None:
    """Let the leases end, let the reconciler come, and let it come again."""
    service.new_process()
    service.clock.advance(HOUR_MS)
    service.reconciler.sweep(limit=10)
    service.check_charged_iff_stored()
    writes = service.writes
    assert service.reconciler.sweep(limit=10).users == 0
    assert service.writes == writes
    assert not service.ledgers.leases


@faults
@scripts
def test_a_fault_at_any_call_ends_with_what_is_stored_charged(script: str, fault: Fault) -> None:
    hit = 0
    for index in range(MOST_CALLS):
        service, offer = asked(script)
        service.wire.faults[index] = fault
        came = click(service, offer)
        is_hit = index < len(service.wire.calls)
        hit += int(is_hit)
        settle_down(service)
        if isinstance(came, Made):
            assert (USER, came.ref.quote_id) in service.images.objects
        if not is_hit:
            break  # no fault was met, and none would be at a later index
    assert 6 <= hit < MOST_CALLS


@pytest.mark.thorough
@faults
@scripts
def test_a_fault_at_any_call_and_a_second_click_end_with_one_charge(
    script: str, fault: Fault
) -> None:
    for index in range(MOST_CALLS):
        service, offer = asked(script)
        service.wire.faults[index] = fault
        click(service, offer)
        is_hit = index < len(service.wire.calls)
        service.new_process()
        click(service, offer)
        settle_down(service)
        assert len(service.images.objects) <= 1
        if not is_hit:
            break


@pytest.mark.thorough
@faults
@pytest.mark.parametrize("second", [Fault.BEFORE, Fault.AFTER, Fault.DIES_AFTER])
def test_two_faults_end_with_what_is_stored_charged(fault: Fault, second: Fault) -> None:
    for first_at in range(12):
        for second_at in range(first_at + 1, 12):
            service, offer = asked("the first provider fails")
            service.wire.faults |= {first_at: fault, second_at: second}
            click(service, offer)
            is_hit = second_at < len(service.wire.calls)
            settle_down(service)
            if not is_hit:
                break


@pytest.mark.thorough
@faults
def test_a_fault_while_dead_runs_are_ended_on_the_way_ends_well(fault: Fault) -> None:
    for index in range(MOST_CALLS):
        service, offer = asked("all is well", rush=True)
        service.wire.faults[index] = fault
        click(service, offer)
        is_hit = index < len(service.wire.calls)
        settle_down(service)
        if not is_hit:
            break


@faults
def test_a_fault_in_the_sweep_itself_is_made_good_by_the_next(fault: Fault) -> None:
    for index in range(12):
        service, _ = asked("all is well", rush=True)
        service.wire.faults[index] = fault
        with suppress(DiedError, ImagegenError):
            service.reconciler.sweep(limit=10)
        is_hit = index < len(service.wire.calls)
        settle_down(service)
        if not is_hit:
            break


@dataclass
class UnreadableLedgers:
    """Ledgers, of which one user's has a form that this version cannot read."""

    ledgers: MemoryLedgerStore
    unreadable: str

    def load(self, user: str) -> Ledger:
        if user == self.unreadable:
            raise KeyError("st")
        return self.ledgers.load(user)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledgers, name)


@pytest.mark.parametrize("unreadable", [FIRST, SECOND], ids=["first", "second"])
def test_an_entry_that_cannot_be_read_does_not_keep_the_money_of_others_held(
    unreadable: str,
) -> None:
    service = Service()
    for user in (FIRST, SECOND):
        offer = service.estimate(user=user)
        service.new_process()
        service.wire.faults[_calls_of_a_run().index("images.put")] = Fault.DIES_BEFORE
        with suppress(DiedError, ImagegenError):
            service.confirm(offer, user=user)
        service.new_process()
    service.clock.advance(HOUR_MS)
    other = UnreadableLedgers(service.ledgers, unreadable)
    with pytest.raises(KeyError):
        with_stores(service.reconciler, ledgers=other).sweep(limit=10)
    assert list(service.ledgers.leases) == [unreadable]


def test_what_a_dead_run_left_is_ended_by_the_users_next_request() -> None:
    service, offer = asked("all is well", rush=True)
    service.confirm(offer)
    service.check_charged_iff_stored()
    assert len(service.images.objects) == 2


def test_a_dead_run_does_not_keep_the_user_from_the_last_place_of_the_hour() -> None:
    service, offer = asked("all is well", rush=True)
    service.redeploy(limits=replace(service.limits, hourly_images=2))
    assert isinstance(service.confirm(offer), Made)
    service.check_charged_iff_stored()
