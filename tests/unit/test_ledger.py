"""The ledger's arithmetic: nothing is lost, nothing is counted twice, the hour is exact."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain import ledger as rules
from imagegen.domain import pruning, standing
from imagegen.domain.budgets import ORGANISATION, TEAM_PREFIX, Level
from imagegen.domain.errors import LimitError
from imagegen.domain.ledger import HOUR_MS, Hold, Ledger, Limits, Op, OpState
from imagegen.domain.pruning import PRUNE_MARGIN_MS
from imagegen.domain.standing import limit_reached
from tests.examples import examples

DAY = "20261122"
NOW = 1_795_348_800_000
LIMITS = Limits()
MINUTE_MS = 60_000


def hold(name: str = "one", price: int = 50_000, *, at_ms: int = NOW, slot: int = 0) -> Hold:
    return Hold(name, f"run-of-{name}", DAY, price, at_ms + 600_000, at_ms + 330_000, slot)


def held(ledger: Ledger, name: str, price: int = 50_000, *, at_ms: int = NOW) -> Ledger:
    free = rules.free_slots(ledger, LIMITS, now_ms=at_ms)
    slot = free[0] if free else 0
    return rules.reserved(ledger, hold(name, price, at_ms=at_ms, slot=slot), LIMITS, now_ms=at_ms)


def refusal(ledger: Ledger, limits: Limits = LIMITS, price: int = 50_000) -> LimitError | None:
    return limit_reached(ledger, hold(price=price), limits, now_ms=NOW)


def test_a_hold_takes_money_slot_count_and_attempt_together() -> None:
    ledger = held(Ledger(), "one")
    assert ledger.spent == {DAY: 50_000}
    assert ledger.images == {DAY: 1}
    assert ledger.attempts == {DAY: 1}
    assert ledger.slots == {0: NOW}
    assert ledger.ops["one"].state is OpState.HELD
    assert ledger.version == 1


def test_a_hold_without_an_hourly_limit_takes_no_slot() -> None:
    ledger = rules.reserved(Ledger(), hold(), replace(LIMITS, hourly_images=0), now_ms=NOW)
    assert not ledger.slots
    assert ledger.ops["one"].slot is None


def test_a_hold_has_its_levels_its_team_and_the_frames_that_were_priced() -> None:
    levels = (Level("K#bot"), Level(f"{TEAM_PREFIX}design"), Level(ORGANISATION))
    op = rules.held_op(replace(hold(), partials=2), Limits(levels=levels), slot=3, now_ms=NOW)
    assert op.levels == ("K#bot", "T#design", "O")
    assert (op.team, op.partials, op.slot) == ("T#design", 2, 3)
    assert replace(op, levels=("K#bot", "O")).team == ""


@given(st.lists(st.integers(0, 10**6), max_size=9), st.integers(1, 10**6))
def test_a_release_gives_back_all_but_the_attempt(prices: list[int], price: int) -> None:
    before = Ledger()
    for n, other in enumerate(prices):
        before = held(before, f"other-{n}", other)
    after = rules.released(held(before, "one", price), "one", code="refused", retryable=False)
    assert after.spent.get(DAY, 0) == before.spent.get(DAY, 0)
    assert after.images.get(DAY, 0) == before.images.get(DAY, 0)
    assert after.slots == before.slots
    assert after.attempts[DAY] == before.attempts.get(DAY, 0) + 1
    assert after.version == before.version + 2


@given(st.integers(0, 10**6), st.data())
def test_a_settle_lowers_the_hold_to_the_charge_and_keeps_slot_and_count(
    price: int, data: st.DataObject
) -> None:
    charge = data.draw(st.integers(0, price))
    ledger = rules.settled(held(Ledger(), "one", price), "one", charge)
    assert ledger.spent == {DAY: charge}
    assert ledger.images == {DAY: 1}
    assert ledger.slots == {0: NOW}
    assert ledger.ops["one"].price_microusd == charge


def test_a_late_release_leaves_a_slot_that_another_has_taken() -> None:
    ledger = held(Ledger(), "one")
    retaken = replace(ledger, slots={0: NOW + HOUR_MS})
    after = rules.released(retaken, "one", code="generation_abandoned", retryable=True)
    assert after.slots == {0: NOW + HOUR_MS}


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["hold", "settle", "release"]),
        st.integers(0, 9),
        st.integers(1, 10**6),
        st.integers(0, 40 * MINUTE_MS),
    ),
    max_size=60,
)


@examples(150)
@given(MOVES)
def test_what_is_spent_is_the_sum_of_what_is_held_and_charged(
    moves: list[tuple[str, int, int, int]],
) -> None:
    ledger, now_ms = Ledger(), NOW
    for kind, which, price, wait_ms in moves:
        now_ms += wait_ms
        name = f"op-{which}"
        op = ledger.ops.get(name)
        may = limit_reached(ledger, hold(name, price), LIMITS, now_ms=now_ms) is None
        if kind == "hold" and may and rules.may_reserve_op(ledger, name):
            ledger = held(ledger, name, price, at_ms=now_ms)
        elif op is not None and op.state is OpState.HELD and kind == "settle":
            ledger = rules.settled(ledger, name, min(price, op.price_microusd))
        elif op is not None and op.state is OpState.HELD and kind == "release":
            ledger = rules.released(ledger, name, code="failed", retryable=price % 2 == 0)
        counted = [op for op in ledger.ops.values() if op.state is not OpState.RELEASED]
        assert ledger.spent.get(DAY, 0) == sum(op.price_microusd for op in counted)
        assert ledger.images.get(DAY, 0) == len(counted)
        assert ledger.attempts.get(DAY, 0) >= len(ledger.ops)
        assert ledger.spent.get(DAY, 0) <= LIMITS.daily_microusd


@examples(100)
@given(st.integers(1, 10), st.lists(st.integers(0, 30 * MINUTE_MS), min_size=1, max_size=120))
def test_any_rolling_hour_has_at_most_the_limit_and_no_image_is_refused_without_reason(
    hourly: int, waits: list[int]
) -> None:
    limits = Limits(hourly, 10**6, 10**6, 10**12)
    ledger, now_ms, taken = Ledger(), NOW, list[int]()
    for n, wait_ms in enumerate(waits):
        now_ms += wait_ms
        in_the_hour = [at for at in taken if at > now_ms - HOUR_MS]
        one = hold(f"op-{n}", 1)
        refused = limit_reached(ledger, one, limits, now_ms=now_ms)
        assert (refused is not None) == (len(in_the_hour) == hourly)
        if refused is not None:
            assert refused.code == "hourly_images"
            wait_s = refused.retry_after_seconds or 0
            assert 0 <= wait_s * 1000 - (in_the_hour[0] + HOUR_MS - now_ms) < 1000
            continue
        slot = rules.free_slots(ledger, limits, now_ms=now_ms)[0]
        ledger = rules.reserved(ledger, replace(one, slot=slot), limits, now_ms=now_ms)
        taken.append(now_ms)
    assert all(len([t for t in taken if at - HOUR_MS < t <= at]) <= hourly for at in taken)


def test_an_hour_slot_is_free_again_after_3600_seconds_and_not_before() -> None:
    ledger = held(Ledger(), "one")
    assert 0 not in rules.free_slots(ledger, LIMITS, now_ms=NOW + HOUR_MS - 1)
    assert 0 in rules.free_slots(ledger, LIMITS, now_ms=NOW + HOUR_MS)


def test_after_the_hourly_limit_was_lowered_the_wait_is_that_of_a_slot_still_in_use() -> None:
    ledger = Ledger(slots={0: NOW - 1000, 1: NOW - 2000, 7: NOW - 5 * HOUR_MS})
    refused = refusal(ledger, replace(LIMITS, hourly_images=2))
    assert refused is not None
    assert refused.retry_after_seconds == 3598


@pytest.mark.parametrize(
    ("ledger", "price", "code"),
    [
        (Ledger(blocked=True), 1, "blocked"),
        (Ledger(attempts={DAY: 100}), 1, "daily_attempts"),
        (Ledger(images={DAY: 50}), 1, "daily_images"),
        (Ledger(spent={DAY: 9_950_001}), 50_000, "daily_spend"),
        (Ledger(), 10_000_001, "daily_spend"),
        (Ledger(slots=dict.fromkeys(range(10), NOW)), 1, "hourly_images"),
    ],
)
def test_each_limit_stops_a_hold_and_says_its_name(ledger: Ledger, price: int, code: str) -> None:
    refused = refusal(ledger, price=price)
    assert refused is not None
    assert refused.code == code


@pytest.mark.parametrize(
    ("ledger", "price"),
    [
        (Ledger(attempts={DAY: 99}), 1),
        (Ledger(images={DAY: 49}), 1),
        (Ledger(spent={DAY: 9_950_000}), 50_000),
        (Ledger(spent={"20261121": 10_000_000}), 50_000),
        (Ledger(slots=dict.fromkeys(range(9), NOW)), 1),
    ],
)
def test_the_last_one_within_a_limit_is_allowed(ledger: Ledger, price: int) -> None:
    assert refusal(ledger, price=price) is None


def test_the_wait_for_a_daily_limit_ends_after_midnight() -> None:
    refused = refusal(Ledger(images={DAY: 50}))
    assert refused is not None
    assert refused.retry_after_seconds is not None
    seconds_to_midnight = 86_400 - NOW // 1000 % 86_400
    assert refused.retry_after_seconds >= seconds_to_midnight


def test_a_quote_may_be_used_again_only_after_a_release_that_may_be_tried_again() -> None:
    running = held(Ledger(), "one")
    again = rules.released(running, "one", code="x", retryable=True)
    never = rules.released(running, "one", code="x", retryable=False)
    assert rules.may_reserve_op(Ledger(), "one")
    assert rules.may_reserve_op(again, "one")
    assert not rules.may_reserve_op(running, "one")
    assert not rules.may_reserve_op(never, "one")
    assert not rules.may_reserve_op(rules.settled(running, "one", 1), "one")


def test_what_ended_is_forgotten_but_for_what_is_asked_of_it() -> None:
    ledger = held(Ledger(), "one")
    expires_ms = ledger.ops["one"].expires_ms
    charged = rules.settled(ledger, "one", 40_000).ops["one"]
    assert charged == Op(OpState.SETTLED, 40_000, "", 0, 0, expires_ms, "", None)
    given_back = rules.released(ledger, "one", code="x", retryable=True).ops["one"]
    assert given_back == Op(
        OpState.RELEASED, 50_000, "run-of-one", NOW, 0, expires_ms, "", None, "x", retryable=True
    )


MINE = Op(OpState.HELD, 1, "me", NOW, NOW, NOW, DAY, 0)


@pytest.mark.parametrize(
    ("found", "as_settled", "as_released"),
    [
        (None, True, False),  # pruned: it ended, and no release was seen
        (MINE, None, None),
        (replace(MINE, owner="other"), False, False),
        (replace(MINE, state=OpState.SETTLED, owner=""), True, False),
        (replace(MINE, state=OpState.SETTLED), True, False),
        (replace(MINE, state=OpState.RELEASED), False, True),
        (replace(MINE, state=OpState.RELEASED, owner="other"), False, False),
    ],
)
def test_a_run_is_told_how_its_request_ended_and_not_how_that_of_another_did(
    found: Op | None, *, as_settled: bool | None, as_released: bool | None
) -> None:
    assert rules.is_ended(MINE, found, OpState.SETTLED) is as_settled
    assert rules.is_ended(MINE, found, OpState.RELEASED) is as_released


def test_a_hold_is_abandoned_when_its_lease_is_over_and_not_before() -> None:
    ledger = held(Ledger(), "one")
    lease_ms = ledger.ops["one"].lease_ms
    assert not rules.abandoned(ledger, now_ms=lease_ms)
    assert set(rules.abandoned(ledger, now_ms=lease_ms + 1)) == {"one"}
    done = rules.settled(ledger, "one", 1)
    assert not rules.abandoned(done, now_ms=lease_ms + 1)


def test_a_finished_request_stays_while_its_quote_could_be_shown() -> None:
    ledger = rules.settled(held(Ledger(), "one"), "one", 1)
    last_ms = ledger.ops["one"].expires_ms + PRUNE_MARGIN_MS
    assert pruning.prunable(ledger, now_ms=last_ms, oldest_day=DAY) == ([], [])
    assert pruning.prunable(ledger, now_ms=last_ms + 1, oldest_day=DAY) == (["one"], [])


def test_a_hold_and_its_day_are_never_pruned() -> None:
    ledger = held(Ledger(), "one")
    assert pruning.prunable(ledger, now_ms=NOW + 10**12, oldest_day="20991231") == ([], [])


@examples(100)
@given(
    st.lists(st.tuples(st.sampled_from(OpState), st.integers(0, 3 * HOUR_MS)), max_size=10),
    st.integers(0, 4 * HOUR_MS),
)
def test_pruning_takes_nothing_that_may_still_be_needed(
    ops: list[tuple[OpState, int]], later_ms: int
) -> None:
    ledger = Ledger()
    for n, (state, age_ms) in enumerate(ops):
        at_ms = NOW - age_ms
        ledger = rules.reserved(ledger, hold(f"op-{n}", at_ms=at_ms), Limits(0), now_ms=at_ms)
        done = replace(ledger.ops[f"op-{n}"], state=state)
        ledger = replace(ledger, ops={**ledger.ops, f"op-{n}": done})
    names, days = pruning.prunable(ledger, now_ms=NOW + later_ms, oldest_day="20261121")
    for name in names:
        assert ledger.ops[name].state is not OpState.HELD
        assert ledger.ops[name].expires_ms < NOW + later_ms
    assert DAY not in days


def test_old_days_are_pruned_and_young_ones_are_not() -> None:
    ledger = Ledger(spent={"20261119": 1, DAY: 1}, attempts={"20261118": 1}, images={"20261120": 1})
    _, days = pruning.prunable(ledger, now_ms=NOW, oldest_day="20261120")
    assert days == ["20261118", "20261119"]


def test_a_month_is_pruned_when_it_is_over_and_nothing_of_it_is_held() -> None:
    months = {"202610": 1, "202608": 1, "202609": 1, "202611": 1}
    op = rules.reserved(Ledger(), replace(hold(), day="20260930"), LIMITS, now_ms=NOW).ops["one"]
    ledger = Ledger(months=months, ops={"one": op})
    assert pruning.prunable_months(ledger, oldest_day="20261101") == ["202608", "202610"]
    for state in (OpState.SETTLED, OpState.RELEASED):
        ended = replace(ledger, ops={"one": replace(op, state=state)})
        found = pruning.prunable_months(ended, oldest_day="20261101")
        assert found == ["202608", "202609", "202610"]


def test_what_remains_is_the_smallest_of_what_the_limits_leave() -> None:
    ledger = Ledger(
        spent={DAY: 9_000_000}, images={DAY: 3}, attempts={DAY: 98}, slots={0: NOW, 1: NOW}
    )
    left = standing.remaining(ledger, LIMITS, DAY, now_ms=NOW)
    assert (left.images_this_hour, left.images_today, left.spend_microusd) == (8, 2, 1_000_000)
    lowered = replace(LIMITS, hourly_images=0, daily_images=1, daily_microusd=1)
    none = standing.remaining(ledger, lowered, DAY, now_ms=NOW)
    assert (none.images_this_hour, none.images_today, none.spend_microusd) == (None, 0, 0)
