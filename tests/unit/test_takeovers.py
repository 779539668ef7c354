"""Who may take over a hold: the run that it waits for, in time, or the reconciler of a dead run."""

from dataclasses import replace

import pytest

from imagegen.domain.ids import WAITING, is_waiting
from imagegen.domain.ledger import Hold, Ledger, Limits, Op, OpState, reserved
from imagegen.domain.takeovers import Takeover, may_take, taken, taking_back
from tests.fakes.clock import NOON_MS as NOW

WAITS, RUN = f"{WAITING}1", "run-2"
LEASE_MS = NOW + 330_000


def ledger(owner: str) -> Ledger:
    hold = Hold("one", owner, "20261122", 50_000, NOW + 600_000, LEASE_MS, 0)
    return reserved(Ledger(), hold, Limits(), now_ms=NOW)


def op_of(owner: str) -> Op:
    return ledger(owner).ops["one"]


def by_run(previous: str = WAITS, *, of_dead_run: bool = False) -> Takeover:
    return Takeover("one", previous, RUN, LEASE_MS + 1, of_dead_run=of_dead_run)


@pytest.mark.parametrize(("now_ms", "may"), [(NOW, True), (LEASE_MS, True), (LEASE_MS + 1, False)])
def test_a_waiting_hold_is_taken_over_until_its_lease_is_over(now_ms: int, *, may: bool) -> None:
    assert may_take(op_of(WAITS), by_run(), now_ms=now_ms) is may


@pytest.mark.parametrize(("now_ms", "may"), [(NOW, False), (LEASE_MS, False), (LEASE_MS + 1, True)])
def test_a_runs_hold_is_taken_over_once_its_lease_is_over(now_ms: int, *, may: bool) -> None:
    assert may_take(op_of("run-1"), by_run("run-1", of_dead_run=True), now_ms=now_ms) is may


def test_a_hold_that_does_not_wait_is_taken_over_from_no_living_run() -> None:
    assert not may_take(op_of("run-1"), by_run("run-1"), now_ms=NOW)


@pytest.mark.parametrize("state", [OpState.SETTLED, OpState.RELEASED])
@pytest.mark.parametrize("of_dead_run", [True, False])
def test_what_has_ended_is_not_taken_over(state: OpState, *, of_dead_run: bool) -> None:
    ended = replace(op_of(WAITS), state=state)
    now_ms = LEASE_MS + 1 if of_dead_run else NOW
    assert not may_take(ended, by_run(of_dead_run=of_dead_run), now_ms=now_ms)


@pytest.mark.parametrize("op", [None, op_of(f"{WAITING}2"), op_of(RUN)])
def test_a_hold_of_another_owner_is_not_taken_over(op: Op | None) -> None:
    assert not may_take(op, by_run(), now_ms=NOW)


def test_a_takeover_changes_owner_and_lease_and_nothing_else() -> None:
    before = ledger(WAITS)
    after = taken(before, by_run())
    op = replace(before.ops["one"], owner=RUN, lease_ms=LEASE_MS + 1)
    assert after == replace(before, version=before.version + 1, ops={"one": op})


def test_a_hold_that_is_taken_back_waits_for_a_run_that_never_comes() -> None:
    back = taking_back("one", op_of(WAITS))
    assert (back.previous, back.lease_ms, back.of_dead_run) == (WAITS, LEASE_MS, False)
    after = taken(ledger(WAITS), back)
    assert is_waiting(after.ops["one"].owner)
    assert not may_take(after.ops["one"], by_run(), now_ms=NOW)
