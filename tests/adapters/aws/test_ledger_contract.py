"""What every ledger store does: one suite for the one in memory and the one in DynamoDB."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain.ids import WAITING, is_waiting
from imagegen.domain.ledger import (
    HOUR_MS,
    Hold,
    Ledger,
    Limits,
    OpState,
    PersonalLimits,
    abandoned,
)
from imagegen.domain.pruning import PRUNE_MARGIN_MS
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.stores import Held, Known, LedgerSnapshot, LedgerStore, Refused
from imagegen.domain.takeovers import Takeover, taking_back
from tests.adapters.aws.world import at_once
from tests.fakes.clock import NOON_MS as NOW
from tests.fakes.ledgers import MemoryLedgerStore

type AnyLedgers = MemoryLedgerStore | DynamoLedgerStore

DAY = "20261122"
LIMITS = Limits()


def hold(name: str = "one", **changes: Any) -> Hold:
    standard = Hold(name, f"run-{name}", DAY, 70_000, NOW + 600_000, NOW + 330_000, 0)
    return replace(standard, **changes)


def held(
    store: LedgerStore,
    user: str,
    one: Hold | None = None,
    *,
    now_ms: int = NOW,
    limits: Limits = LIMITS,
) -> LedgerSnapshot:
    came = store.reserve(user, one or hold(), limits, now_ms=now_ms)
    assert isinstance(came, Held)
    return came.snapshot


def refused(
    store: LedgerStore, user: str, one: Hold, limits: Limits = LIMITS, *, now_ms: int = NOW
) -> str:
    before = store.load(user)
    came = store.reserve(user, one, limits, now_ms=now_ms)
    assert isinstance(came, Refused)
    assert came.ledger == before == store.load(user)
    return came.limit.code


def settle(store: LedgerStore, user: str, snapshot: LedgerSnapshot, charge: int = 50_000) -> bool:
    return store.settle(user, snapshot, charged_microusd=charge, now_ms=NOW)


def release(
    store: LedgerStore, user: str, snapshot: LedgerSnapshot, *, retryable: bool = False
) -> bool:
    return store.release(user, snapshot, code="why", retryable=retryable, now_ms=NOW)


def test_a_user_nobody_has_seen_has_an_empty_ledger(ledgers: LedgerStore, user: str) -> None:
    assert ledgers.load(user) == Ledger()


def test_a_hold_holds_everything_together(ledgers: LedgerStore, user: str) -> None:
    snapshot = held(ledgers, user)
    ledger = ledgers.load(user)
    assert snapshot.ledger == ledger
    assert (ledger.spent, ledger.images, ledger.attempts) == ({DAY: 70_000}, {DAY: 1}, {DAY: 1})
    assert ledger.slots == {0: NOW}
    op = ledger.ops["one"]
    assert (op.state, op.price_microusd, op.owner) == (OpState.HELD, 70_000, "run-one")
    assert (op.started_ms, op.lease_ms, op.expires_ms) == (NOW, NOW + 330_000, NOW + 600_000)
    assert (op.day, op.slot) == (DAY, 0)


def test_a_settle_lowers_the_hold_to_the_charge(ledgers: LedgerStore, user: str) -> None:
    assert settle(ledgers, user, held(ledgers, user))
    ledger = ledgers.load(user)
    assert ledger.spent == {DAY: 50_000}
    assert ledger.ops["one"].state is OpState.SETTLED
    assert ledger.ops["one"].price_microusd == 50_000
    assert ledger.slots == {0: NOW}


def test_a_release_gives_back_all_but_the_attempt(ledgers: LedgerStore, user: str) -> None:
    assert release(ledgers, user, held(ledgers, user), retryable=True)
    ledger = ledgers.load(user)
    assert (ledger.spent, ledger.images, ledger.attempts) == ({DAY: 0}, {DAY: 0}, {DAY: 1})
    assert not ledger.slots
    op = ledger.ops["one"]
    assert (op.state, op.code, op.retryable) == (OpState.RELEASED, "why", True)


def test_the_same_quote_again_is_known_and_changes_nothing(ledgers: LedgerStore, user: str) -> None:
    held(ledgers, user)
    before = ledgers.load(user)
    came = ledgers.reserve(user, hold(owner="another"), LIMITS, now_ms=NOW + 1)
    assert isinstance(came, Known)
    assert came.snapshot.op.owner == "run-one"
    assert ledgers.load(user) == before


def test_the_same_run_again_already_holds_and_holds_no_more(
    ledgers: LedgerStore, user: str
) -> None:
    held(ledgers, user)
    before = ledgers.load(user)
    assert held(ledgers, user).ledger == before == ledgers.load(user)


def test_a_used_quote_is_known_though_every_limit_is_reached(
    ledgers: LedgerStore, user: str
) -> None:
    settle(ledgers, user, held(ledgers, user))
    came = ledgers.reserve(user, hold(owner="another"), Limits(1, 1, 1, 1), now_ms=NOW)
    assert isinstance(came, Known)


@pytest.mark.parametrize("retryable", [True, False])
def test_a_released_quote_may_be_held_again_only_if_it_may_be_tried_again(
    ledgers: LedgerStore, user: str, *, retryable: bool
) -> None:
    release(ledgers, user, held(ledgers, user), retryable=retryable)
    came = ledgers.reserve(user, hold(owner="second"), LIMITS, now_ms=NOW + 5)
    assert isinstance(came, Held if retryable else Known)
    if retryable:
        op = ledgers.load(user).ops["one"]
        assert (op.state, op.owner, op.code, op.retryable) == (OpState.HELD, "second", "", False)
        assert ledgers.load(user).attempts == {DAY: 2}


def test_a_settled_quote_is_never_held_again(ledgers: LedgerStore, user: str) -> None:
    settle(ledgers, user, held(ledgers, user))
    assert isinstance(ledgers.reserve(user, hold(owner="x"), LIMITS, now_ms=NOW), Known)


def test_only_the_run_that_holds_may_settle_or_release(ledgers: LedgerStore, user: str) -> None:
    first = held(ledgers, user)
    release(ledgers, user, first, retryable=True)
    held(ledgers, user, hold(owner="second"))
    before = ledgers.load(user)
    assert not settle(ledgers, user, first)
    assert not release(ledgers, user, first)
    assert ledgers.load(user) == before


def test_an_old_run_may_not_end_what_a_new_one_holds_while_others_run_as_well(
    ledgers: LedgerStore, user: str
) -> None:
    held(ledgers, user, hold("other", slot=1))
    first = held(ledgers, user)
    release(ledgers, user, first, retryable=True)
    held(ledgers, user, hold(owner="second"))
    before = ledgers.load(user)
    assert not settle(ledgers, user, first)
    assert not release(ledgers, user, first)
    assert ledgers.load(user) == before


def test_settling_twice_charges_once_and_is_true_both_times(
    ledgers: LedgerStore, user: str
) -> None:
    snapshot = held(ledgers, user)
    assert settle(ledgers, user, snapshot)
    before = ledgers.load(user)
    assert settle(ledgers, user, snapshot)
    assert ledgers.load(user) == before


def test_releasing_twice_gives_back_once_and_is_true_both_times(
    ledgers: LedgerStore, user: str
) -> None:
    snapshot = held(ledgers, user)
    assert release(ledgers, user, snapshot)
    before = ledgers.load(user)
    assert release(ledgers, user, snapshot)
    assert ledgers.load(user) == before


def test_what_is_settled_is_not_released_and_what_is_released_not_settled(
    ledgers: LedgerStore, user: str
) -> None:
    one, two = held(ledgers, user), held(ledgers, user, hold("two", slot=1))
    assert settle(ledgers, user, one)
    assert not release(ledgers, user, one)
    assert release(ledgers, user, two)
    assert not settle(ledgers, user, two)
    assert ledgers.load(user).spent == {DAY: 50_000}


def test_a_hold_finds_a_free_slot_where_the_one_it_wanted_is_taken(
    ledgers: LedgerStore, user: str
) -> None:
    for n in range(10):
        held(ledgers, user, hold(f"op-{n}", slot=3))
    assert sorted(ledgers.load(user).slots) == list(range(10))
    assert refused(ledgers, user, hold("more", slot=3)) == "hourly_images"


def test_a_slot_beyond_the_limit_is_not_taken(ledgers: LedgerStore, user: str) -> None:
    two_an_hour = replace(LIMITS, hourly_images=2)
    held(ledgers, user, hold("one", slot=8), limits=two_an_hour)
    held(ledgers, user, hold("two", slot=9), limits=two_an_hour)
    assert sorted(ledgers.load(user).slots) == [0, 1]
    assert refused(ledgers, user, hold("three", slot=7), two_an_hour) == "hourly_images"


def test_a_slot_is_free_again_after_an_hour_and_not_before(ledgers: LedgerStore, user: str) -> None:
    one_an_hour = replace(LIMITS, hourly_images=1)
    held(ledgers, user, limits=one_an_hour)
    late = hold("two")
    assert refused(ledgers, user, late, one_an_hour, now_ms=NOW + HOUR_MS - 1) == "hourly_images"
    held(ledgers, user, late, now_ms=NOW + HOUR_MS, limits=one_an_hour)


def test_without_an_hourly_limit_no_slot_is_taken(ledgers: LedgerStore, user: str) -> None:
    unlimited = replace(LIMITS, hourly_images=0)
    for n in range(12):
        snapshot = held(ledgers, user, hold(f"op-{n}"), limits=unlimited)
        assert snapshot.op.slot is None
    assert not ledgers.load(user).slots
    assert release(ledgers, user, snapshot)


def test_the_day_is_full_at_its_limit_to_the_last_micro_dollar(
    ledgers: LedgerStore, user: str
) -> None:
    limits = replace(LIMITS, daily_microusd=140_000)
    held(ledgers, user, limits=limits)
    assert refused(ledgers, user, hold("two", ceiling_microusd=70_001), limits) == "daily_spend"
    held(ledgers, user, hold("two"), limits=limits)
    assert refused(ledgers, user, hold("three", ceiling_microusd=1), limits) == "daily_spend"


def test_a_hold_of_nothing_fits_into_a_full_day_and_is_counted(
    ledgers: LedgerStore, user: str
) -> None:
    limits = replace(LIMITS, daily_microusd=70_000, daily_images=3, hourly_images=3)
    held(ledgers, user, limits=limits)
    snapshot = held(ledgers, user, hold("two", ceiling_microusd=0, slot=1), limits=limits)
    assert settle(ledgers, user, snapshot, charge=0)
    ledger = ledgers.load(user)
    assert (ledger.spent, ledger.images) == ({DAY: 70_000}, {DAY: 2})
    assert ledger.ops["two"].state is OpState.SETTLED
    other = held(ledgers, user, hold("three", ceiling_microusd=0, slot=2), limits=limits)
    assert refused(ledgers, user, hold("four", ceiling_microusd=0), limits) != ""
    assert release(ledgers, user, other)
    assert ledgers.load(user).images == {DAY: 2}
    assert ledgers.load(user).spent == {DAY: 70_000}


def test_the_first_image_of_a_day_may_not_cost_more_than_the_day(
    ledgers: LedgerStore, user: str
) -> None:
    assert refused(ledgers, user, hold(), replace(LIMITS, daily_microusd=69_999)) == "daily_spend"
    assert refused(ledgers, user, hold(), replace(LIMITS, daily_microusd=0)) == "daily_spend"


def test_a_limit_of_nothing_lets_nothing_through(ledgers: LedgerStore, user: str) -> None:
    assert refused(ledgers, user, hold(), replace(LIMITS, daily_images=0)) == "daily_images"
    assert refused(ledgers, user, hold(), replace(LIMITS, daily_attempts=0)) == "daily_attempts"


def test_a_person_is_held_to_the_limits_of_their_own_entry(ledgers: AnyLedgers, user: str) -> None:
    def lower(limits: PersonalLimits) -> PersonalLimits:
        return replace(limits, own_daily_microusd=100_000)

    assert ledgers.set_limits(user, lower) == PersonalLimits(None, None, 100_000)
    held(ledgers, user)
    assert refused(ledgers, user, hold("two")) == "daily_spend"
    assert ledgers.load(user).spent == {DAY: 70_000}


def test_a_person_who_may_spend_more_is_held_to_that(ledgers: AnyLedgers, user: str) -> None:
    ledgers.set_limits(user, lambda limits: replace(limits, daily_microusd=140_000))
    few = Limits(daily_microusd=70_000)
    held(ledgers, user, limits=few)
    held(ledgers, user, hold("two"), limits=few)
    assert refused(ledgers, user, hold("three"), few) == "daily_spend"


def _replaced_by(after: PersonalLimits, _before: PersonalLimits) -> PersonalLimits:
    return after


def test_a_persons_limits_are_set_removed_and_set_again(ledgers: AnyLedgers, user: str) -> None:
    one, two = PersonalLimits(1, 2, 3, 4), PersonalLimits(monthly_microusd=0)
    for before, after in [(PersonalLimits(), one), (one, two), (two, PersonalLimits())]:
        assert ledgers.load(user).personal == before
        assert ledgers.set_limits(user, partial(_replaced_by, after)) == after
        assert ledgers.load(user).personal == after
    assert ledgers.set_limits(user, lambda limits: limits) == PersonalLimits()


def test_a_persons_limits_stay_through_a_hold_and_its_end(ledgers: AnyLedgers, user: str) -> None:
    ledgers.set_limits(user, lambda limits: replace(limits, own_monthly_microusd=200_000))
    assert settle(ledgers, user, held(ledgers, user))
    release(ledgers, user, held(ledgers, user, hold("two")))
    assert ledgers.load(user).personal == PersonalLimits(own_monthly_microusd=200_000)
    assert ledgers.load(user).months == {DAY[:6]: 50_000}


def test_limits_of_operator_and_person_set_at_once_are_both_kept(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    amounts = iter((1, 2))

    def as_person(limits: PersonalLimits) -> PersonalLimits:
        # The operator's write comes between the look and the person's write, twice.
        for amount in amounts:
            dynamo_ledgers.set_limits(user, lambda one: replace(one, daily_microusd=amount))  # noqa: B023
            break
        return replace(limits, own_daily_microusd=7)

    after = dynamo_ledgers.set_limits(user, as_person)
    assert after == PersonalLimits(2, None, 7)
    assert dynamo_ledgers.load(user).personal == after


@dataclass
class Meddled:
    """A client before whose writes something else happens, one thing before each."""

    client: Any
    happens: Iterator[Callable[[], object]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def update_item(self, **arguments: Any) -> Any:
        next(self.happens, int)()
        return self.client.update_item(**arguments)


def test_a_hold_is_within_the_limits_of_the_moment_though_they_change_between_its_writes(
    dynamo_ledgers: DynamoLedgerStore, user: str
) -> None:
    def lower_to(microusd: int) -> object:
        own = PersonalLimits(own_daily_microusd=microusd)
        return dynamo_ledgers.set_limits(user, partial(_replaced_by, own))

    lower_to(100_000)
    # The first write meets the limits, the second one finds that they are others now.
    happens = iter((int, partial(lower_to, 50_000)))
    meddled: Any = Meddled(dynamo_ledgers.client, happens)
    store = replace(dynamo_ledgers, client=meddled)
    came = store.reserve(user, hold(), LIMITS, now_ms=NOW)
    assert isinstance(came, Refused)
    assert (came.limit.code, came.ledger.spent) == ("daily_spend", {})
    meddled.happens = iter((partial(lower_to, 80_000), partial(lower_to, 90_000)))
    lower_to(200_000)
    assert held(store, user).ledger.personal == PersonalLimits(own_daily_microusd=90_000)


def test_images_and_attempts_of_a_day_are_limited_apart(ledgers: LedgerStore, user: str) -> None:
    limits = replace(LIMITS, daily_images=1, daily_attempts=3)
    for _ in range(2):
        snapshot = held(ledgers, user, limits=limits)
        release(ledgers, user, snapshot, retryable=True)
    held(ledgers, user, limits=limits)
    assert refused(ledgers, user, hold("two"), replace(limits, daily_attempts=9)) == "daily_images"
    assert refused(ledgers, user, hold("two"), replace(limits, daily_images=9)) == "daily_attempts"


def test_another_day_and_another_user_have_limits_of_their_own(
    ledgers: LedgerStore, user: str
) -> None:
    limits = replace(LIMITS, daily_images=1)
    held(ledgers, user, limits=limits)
    held(ledgers, user, hold("two", day="20261123"), limits=limits)
    held(ledgers, user + "0", limits=limits)


def test_a_dead_hold_puts_its_user_on_the_list_and_ending_it_takes_them_off(
    ledgers: LedgerStore, user: str
) -> None:
    snapshot = held(ledgers, user)
    lease_ms = snapshot.op.lease_ms
    assert user not in ledgers.lapsed(now_ms=lease_ms, limit=1000)
    assert user in ledgers.lapsed(now_ms=lease_ms + 1, limit=1000)
    release(ledgers, user, snapshot)
    assert user not in ledgers.lapsed(now_ms=lease_ms + 1, limit=1000)
    assert not ledgers.forget_lease(user)


def test_the_list_is_in_the_order_of_the_leases_and_no_longer_than_asked(
    ledgers: LedgerStore, user: str
) -> None:
    early = 10**12
    for n, lease_ms in enumerate((early + 30, early + 10, early + 20)):
        held(ledgers, f"{user}-{n}", hold(lease_ms=lease_ms))
    order = [f"{user}-{n}" for n in (1, 2, 0)]
    assert list(ledgers.lapsed(now_ms=early + 31, limit=3)) == order
    assert list(ledgers.lapsed(now_ms=early + 31, limit=2)) == order[:2]
    for n in range(3):
        release(ledgers, f"{user}-{n}", LedgerSnapshot("one", ledgers.load(f"{user}-{n}")))


@pytest.mark.parametrize("first_ends_last", [True, False])
@pytest.mark.parametrize("later_lease_ms", [-1000, 0, 1000])
def test_two_runs_at_once_both_end_whichever_lease_is_the_longer(
    ledgers: LedgerStore, user: str, later_lease_ms: int, *, first_ends_last: bool
) -> None:
    one = held(ledgers, user)
    two = held(ledgers, user, hold("two", slot=1, lease_ms=NOW + 330_000 + later_lease_ms))
    for snapshot in (two, one) if first_ends_last else (one, two):
        assert settle(ledgers, user, snapshot)
    assert ledgers.load(user).spent == {DAY: 100_000}


def test_while_a_hold_lives_its_user_stays_on_the_list(ledgers: LedgerStore, user: str) -> None:
    one = held(ledgers, user)
    held(ledgers, user, hold("two", slot=1, lease_ms=NOW + 500_000))
    settle(ledgers, user, one)
    assert user in ledgers.lapsed(now_ms=NOW + 500_001, limit=1000)
    ledgers.forget_lease(user)
    assert user in ledgers.lapsed(now_ms=NOW + 500_001, limit=1000)
    release(ledgers, user, LedgerSnapshot("two", ledgers.load(user)))
    ledgers.forget_lease(user)
    assert user not in ledgers.lapsed(now_ms=NOW + 10**9, limit=1000)


def test_a_dead_hold_is_listed_in_time_although_its_user_always_has_another(
    ledgers: LedgerStore, user: str
) -> None:
    first = held(ledgers, user, hold("first", lease_ms=NOW + 300))
    held(ledgers, user, hold("dead", slot=1, lease_ms=NOW + 100))
    held(ledgers, user, hold("second", slot=2, lease_ms=NOW + 500))
    assert settle(ledgers, user, first)
    assert user not in ledgers.lapsed(now_ms=NOW + 300, limit=10_000)
    assert user in ledgers.lapsed(now_ms=NOW + 301, limit=10_000)
    assert list(abandoned(ledgers.load(user), now_ms=NOW + 301)) == ["dead"]
    # It could not be ended yet; new holds do not put the next look off.
    assert ledgers.forget_lease(user)
    held(ledgers, user, hold("third", slot=3, lease_ms=NOW + 700))
    assert user not in ledgers.lapsed(now_ms=NOW + 500, limit=10_000)
    assert user in ledgers.lapsed(now_ms=NOW + 501, limit=10_000)


def test_what_nobody_needs_any_more_is_dropped_when_a_run_ends(
    ledgers: LedgerStore, user: str
) -> None:
    settle(ledgers, user, held(ledgers, user))
    later = NOW + 5 * 86_400_000
    snapshot = held(ledgers, user, hold("two", day="20261127"), now_ms=later)
    ledgers.settle(user, snapshot, charged_microusd=1, now_ms=later)
    ledger = ledgers.load(user)
    assert set(ledger.ops) == {"two"}
    assert set(ledger.spent) == set(ledger.images) == set(ledger.attempts) == {"20261127"}


def test_a_request_whose_quote_still_lives_is_kept(ledgers: LedgerStore, user: str) -> None:
    settle(ledgers, user, held(ledgers, user))
    later = NOW + LIFETIME_MS + PRUNE_MARGIN_MS
    snapshot = held(ledgers, user, hold("two", slot=1), now_ms=later)
    ledgers.settle(user, snapshot, charged_microusd=1, now_ms=later)
    assert set(ledgers.load(user).ops) == {"one", "two"}


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("blocked", [True, False])
def test_an_operator_may_block_a_user_and_let_them_in_again(
    dynamo_ledgers: DynamoLedgerStore, user: str, *, blocked: bool, is_known: bool
) -> None:
    if is_known:
        held(dynamo_ledgers, user)
    dynamo_ledgers.client.update_item(
        TableName=dynamo_ledgers.table,
        Key={"pk": {"S": f"U#{user}"}, "sk": {"S": "LEDGER"}},
        UpdateExpression="SET blk = :b",
        ExpressionAttributeValues={":b": {"BOOL": blocked}},
    )
    if blocked:
        assert refused(dynamo_ledgers, user, hold("two", slot=1)) == "blocked"
    else:
        held(dynamo_ledgers, user, hold("two", slot=1))


def test_a_settled_request_that_was_pruned_counts_as_settled_and_not_as_released(
    ledgers: LedgerStore, user: str
) -> None:
    later = NOW + LIFETIME_MS + PRUNE_MARGIN_MS + 1
    first = held(ledgers, user)
    assert settle(ledgers, user, first, 30_000) is True
    # A run of the same user prunes it; then the SDK sends the first write again.
    second = held(ledgers, user, hold("two", slot=1), now_ms=later)
    ledgers.settle(user, second, charged_microusd=1, now_ms=later)
    assert "one" not in ledgers.load(user).ops
    assert settle(ledgers, user, first, 30_000) is True
    assert release(ledgers, user, first) is False
    assert ledgers.load(user).spent == {DAY: 30_001}


def test_what_another_run_of_the_quote_settled_is_settled_for_all(
    ledgers: LedgerStore, user: str
) -> None:
    first = held(ledgers, user)
    release(ledgers, user, first, retryable=True)
    settle(ledgers, user, held(ledgers, user, hold(owner="second")), 30_000)
    assert settle(ledgers, user, first) is True
    assert release(ledgers, user, first) is False
    assert ledgers.load(user).spent == {DAY: 30_000}


def test_a_run_that_saw_its_request_end_moves_nothing_more(ledgers: LedgerStore, user: str) -> None:
    release(ledgers, user, held(ledgers, user), retryable=True)
    ended = LedgerSnapshot("one", ledgers.load(user))
    again = held(ledgers, user)
    assert settle(ledgers, user, ended) is False
    assert release(ledgers, user, ended) is True
    assert ledgers.load(user) == again.ledger


def wait(store: LedgerStore, user: str, *, now_ms: int = NOW, name: str = "one") -> bool:
    return store.wait(user, name, until_ms=now_ms + 25_000, now_ms=now_ms)  # type: ignore[attr-defined, no-any-return]


def test_one_call_at_a_time_waits_for_a_held_request(ledgers: LedgerStore, user: str) -> None:
    held(ledgers, user)
    assert [wait(ledgers, user) for _ in range(3)] == [True, False, False]
    assert ledgers.load(user).ops["one"].waiter_until_ms == NOW + 25_000
    assert not wait(ledgers, user, now_ms=NOW + 24_999)
    assert wait(ledgers, user, now_ms=NOW + 25_000)


def test_nobody_waits_for_what_is_not_held(ledgers: LedgerStore, user: str) -> None:
    assert not wait(ledgers, user)
    snapshot = held(ledgers, user)
    settle(ledgers, user, snapshot)
    assert not wait(ledgers, user)
    assert not wait(ledgers, user, name="another")


@pytest.mark.parametrize("ends", [settle, release])
def test_a_wait_changes_nothing_of_how_a_request_ends(
    ledgers: LedgerStore, user: str, ends: Any
) -> None:
    snapshot = held(ledgers, user)
    assert wait(ledgers, user)
    assert ends(ledgers, user, snapshot)
    assert ledgers.load(user).ops["one"].waiter_until_ms == 0
    assert ledgers.load(user).version == 2
    assert user not in ledgers.lapsed(now_ms=NOW + 10**9, limit=1_000)


# A hold that waits for a run in another invocation.

LEASE = NOW + 90_000
TAKEOVER = Takeover("one", f"{WAITING}1", "run-2", NOW + 330_000)


def waiting(store: LedgerStore, user: str, name: str = "one") -> LedgerSnapshot:
    return held(store, user, hold(name, owner=f"{WAITING}1", lease_ms=LEASE))


def test_a_takeover_changes_owner_and_lease_and_nothing_else(
    ledgers: LedgerStore, user: str
) -> None:
    before = waiting(ledgers, user)
    taken = ledgers.take(user, TAKEOVER, now_ms=NOW + 1_000)
    assert taken is not None
    assert taken.ledger == ledgers.load(user)
    assert taken.op == replace(before.op, owner="run-2", lease_ms=TAKEOVER.lease_ms)
    assert taken.ledger == replace(
        before.ledger, version=before.ledger.version + 1, ops={"one": taken.op}
    )
    assert settle(ledgers, user, taken)
    assert ledgers.load(user).spent == {DAY: 50_000}
    assert user not in ledgers.lapsed(now_ms=TAKEOVER.lease_ms + 1, limit=10_000)


def test_a_sweep_that_looks_after_the_waiting_lease_moves_the_user_to_that_of_the_run(
    ledgers: LedgerStore, user: str
) -> None:
    waiting(ledgers, user)
    assert ledgers.take(user, TAKEOVER, now_ms=NOW + 1_000) is not None
    assert user not in ledgers.lapsed(now_ms=LEASE, limit=10_000)
    assert user in ledgers.lapsed(now_ms=LEASE + 1, limit=10_000)
    assert ledgers.forget_lease(user)
    assert user not in ledgers.lapsed(now_ms=TAKEOVER.lease_ms, limit=10_000)
    assert user in ledgers.lapsed(now_ms=TAKEOVER.lease_ms + 1, limit=10_000)


def test_a_hold_is_taken_once_and_by_its_taker_again(ledgers: LedgerStore, user: str) -> None:
    waiting(ledgers, user)
    first = ledgers.take(user, TAKEOVER, now_ms=NOW)
    assert ledgers.take(user, replace(TAKEOVER, owner="run-3"), now_ms=NOW) is None
    assert ledgers.take(user, TAKEOVER, now_ms=NOW) == first


def test_a_takeover_is_in_time_until_the_lease_is_over(ledgers: LedgerStore, user: str) -> None:
    snapshot = waiting(ledgers, user)
    assert ledgers.take(user, TAKEOVER, now_ms=LEASE + 1) is None
    assert ledgers.load(user) == snapshot.ledger
    assert ledgers.take(user, TAKEOVER, now_ms=LEASE) is not None


@pytest.mark.parametrize(
    "takeover",
    [
        replace(TAKEOVER, previous=f"{WAITING}2"),
        replace(TAKEOVER, quote_id="two"),
        replace(TAKEOVER, quote_id="another"),
        replace(TAKEOVER, quote_id="another", previous="run-another"),
    ],
    ids=["another name", "no such request", "a live run", "a live run by its name"],
)
def test_only_the_hold_that_waits_for_this_run_is_taken(
    ledgers: LedgerStore, user: str, takeover: Takeover
) -> None:
    waiting(ledgers, user)
    held(ledgers, user, hold("another", slot=1))
    before = ledgers.load(user)
    assert ledgers.take(user, takeover, now_ms=NOW) is None
    assert ledgers.load(user) == before


def test_a_user_without_a_ledger_has_nothing_to_take(ledgers: LedgerStore, user: str) -> None:
    assert ledgers.take(user, TAKEOVER, now_ms=NOW) is None
    assert ledgers.load(user) == Ledger()


@pytest.mark.parametrize("end", ["settled", "released"])
def test_what_has_ended_is_not_taken(ledgers: LedgerStore, user: str, end: str) -> None:
    snapshot = waiting(ledgers, user)
    if end == "settled":
        assert settle(ledgers, user, snapshot)
    else:
        assert release(ledgers, user, snapshot, retryable=True)
    before = ledgers.load(user)
    assert ledgers.take(user, TAKEOVER, now_ms=NOW) is None
    assert ledgers.load(user) == before


def test_who_made_the_hold_cannot_give_it_back_once_it_is_taken(
    ledgers: LedgerStore, user: str
) -> None:
    snapshot = waiting(ledgers, user)
    taken = ledgers.take(user, TAKEOVER, now_ms=NOW)
    assert taken is not None
    assert not release(ledgers, user, snapshot)
    assert ledgers.load(user) == taken.ledger
    assert release(ledgers, user, taken)
    assert ledgers.load(user).spent == {DAY: 0}


def test_a_hold_that_is_taken_back_is_not_its_runs_and_the_other_way_round(
    ledgers: LedgerStore, user: str
) -> None:
    before = waiting(ledgers, user)
    back = taking_back("one", before.op)
    own = ledgers.take(user, back, now_ms=NOW)
    assert own is not None
    assert own.op == replace(before.op, owner=back.owner)
    assert is_waiting(own.op.owner)
    assert ledgers.take(user, TAKEOVER, now_ms=NOW) is None
    assert ledgers.take(user, back, now_ms=NOW) == own
    assert release(ledgers, user, own)
    late = waiting(ledgers, f"{user}/late")
    assert ledgers.take(f"{user}/late", TAKEOVER, now_ms=NOW) is not None
    assert ledgers.take(f"{user}/late", taking_back("one", late.op), now_ms=NOW) is None


def test_a_takeover_beside_other_holds_keeps_their_user_on_the_list(
    ledgers: LedgerStore, user: str
) -> None:
    waiting(ledgers, user)
    other = held(ledgers, user, hold("other", slot=1, lease_ms=NOW + 400_000))
    taken = ledgers.take(user, TAKEOVER, now_ms=NOW)
    assert taken is not None
    assert settle(ledgers, user, taken)
    assert user in ledgers.lapsed(now_ms=NOW + 400_001, limit=10_000)
    assert settle(ledgers, user, other)
    # The other run saw a hold that waits, and keeps its key in the list: one needless look.
    assert ledgers.forget_lease(user)
    assert user not in ledgers.lapsed(now_ms=NOW + 400_001, limit=10_000)


# The hold of a dead run, which is taken over to ask for its job.

OF_DEAD = Takeover("one", "run-1", "run-2", NOW + 400_000, of_dead_run=True)


def dead(store: LedgerStore, user: str) -> LedgerSnapshot:
    return held(store, user, hold("one", owner="run-1", lease_ms=LEASE))


def test_the_hold_of_a_dead_run_is_taken_once_its_lease_is_over(
    ledgers: LedgerStore, user: str
) -> None:
    before = dead(ledgers, user)
    assert ledgers.take(user, OF_DEAD, now_ms=LEASE) is None
    assert ledgers.load(user) == before.ledger
    taken = ledgers.take(user, OF_DEAD, now_ms=LEASE + 1)
    assert taken is not None
    assert taken.op == replace(before.op, owner="run-2", lease_ms=OF_DEAD.lease_ms)
    assert not release(ledgers, user, before)
    assert settle(ledgers, user, taken)
    assert ledgers.load(user).spent == {DAY: 50_000}


def test_of_those_who_take_the_hold_of_a_dead_run_one_gets_it(
    ledgers: LedgerStore, user: str
) -> None:
    dead(ledgers, user)
    takers = [replace(OF_DEAD, owner=f"run-{number}") for number in range(2, 18)]
    came = at_once(lambda one: ledgers.take(user, one, now_ms=LEASE + 1), takers)
    (won,) = [one for one in came if one is not None]
    assert ledgers.load(user).ops["one"].owner == won.op.owner


@pytest.mark.parametrize(
    "takeover",
    [replace(OF_DEAD, previous="run-3"), replace(OF_DEAD, quote_id="two")],
    ids=["another run", "no such request"],
)
def test_only_the_hold_of_the_dead_run_itself_is_taken(
    ledgers: LedgerStore, user: str, takeover: Takeover
) -> None:
    before = dead(ledgers, user)
    assert ledgers.take(user, takeover, now_ms=LEASE + 1) is None
    assert ledgers.load(user) == before.ledger


@pytest.mark.parametrize("end", [settle, release])
def test_what_a_dead_run_had_ended_is_not_taken(ledgers: LedgerStore, user: str, end: Any) -> None:
    assert end(ledgers, user, dead(ledgers, user))
    before = ledgers.load(user)
    assert ledgers.take(user, OF_DEAD, now_ms=LEASE + 1) is None
    assert ledgers.load(user) == before
