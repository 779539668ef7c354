"""The promised figures, written out: a test that reads them from the code proves nothing."""

from dataclasses import replace

import pytest

from imagegen.domain import breaker, pruning, standing
from imagegen.domain import ledger as rules
from imagegen.domain.breaker import Circuit, Effect, Failure, Policy, State
from imagegen.domain.ledger import Hold, Ledger, Limits, Op, OpState
from imagegen.domain.money import label_text, parse_usd
from imagegen.domain.pricing import actual_microusd
from imagegen.domain.standing import Remaining, limit_reached
from tests.fakes.catalogs import SOURCE, catalog, row

DAY = "20261122"
NOON_MS = 1_795_348_800_000
HALF_A_DAY_SECONDS = 43_200
HOLD = Hold("one", "me", DAY, 50_000, NOON_MS + 600_000, NOON_MS + 330_000, 3)
HELD = Op(
    OpState.HELD,
    50_000,
    "me",
    NOON_MS,
    NOON_MS + 330_000,
    NOON_MS + 600_000,
    DAY,
    3,
    "",
    retryable=False,
)
POLICY = Policy()
RESTING = Circuit(State.OPEN, 4, until_ms=NOON_MS, why="unavailable")


def test_an_hour_has_3600_seconds() -> None:
    ledger = Ledger(slots=dict.fromkeys(range(10), NOON_MS))
    assert not rules.free_slots(ledger, Limits(), now_ms=NOON_MS + 3_599_999)
    assert len(rules.free_slots(ledger, Limits(), now_ms=NOON_MS + 3_600_000)) == 10


@pytest.mark.parametrize(
    "ledger", [Ledger(images={DAY: 50}), Ledger(attempts={DAY: 100}), Ledger(spent={DAY: 10**7})]
)
def test_a_full_day_is_over_a_minute_after_midnight(ledger: Ledger) -> None:
    refused = limit_reached(ledger, HOLD, Limits(), now_ms=NOON_MS)
    assert refused is not None
    assert refused.retry_after_seconds == HALF_A_DAY_SECONDS + 60


@pytest.mark.parametrize(
    ("after_noon_seconds", "wait_seconds"),
    [(43_199, 61), (43_200, None), (43_201, None), (-3_600, 46_860)],
)
def test_a_day_is_a_utc_day_and_its_wait_is_counted_down(
    after_noon_seconds: int, wait_seconds: int | None
) -> None:
    now_ms = NOON_MS + after_noon_seconds * 1_000
    refused = limit_reached(Ledger(images={DAY: 50}), HOLD, Limits(), now_ms=now_ms)
    assert refused is not None
    assert refused.retry_after_seconds == wait_seconds


def test_a_finished_request_is_kept_for_a_minute_after_its_quote() -> None:
    ledger = Ledger(ops={"one": replace(HELD, state=OpState.SETTLED)})
    last_ms = NOON_MS + 600_000 + 60_000
    assert pruning.prunable(ledger, now_ms=last_ms, oldest_day=DAY) == ([], [])
    assert pruning.prunable(ledger, now_ms=last_ms + 1, oldest_day=DAY) == (["one"], [])


def test_a_user_nobody_has_seen_may_do_all_that_the_limits_say() -> None:
    left = standing.remaining(Ledger(), Limits(), DAY, now_ms=NOON_MS)
    assert left == Remaining(10, 50, 10_000_000)
    few = standing.remaining(Ledger(), Limits(daily_attempts=7), DAY, now_ms=NOON_MS)
    assert few == Remaining(10, 7, 10_000_000)


def test_a_first_hold_is_counted_from_nothing_and_leaves_nothing_out() -> None:
    ledger = rules.reserved(Ledger(), HOLD, Limits(), now_ms=NOON_MS)
    assert ledger == Ledger(
        1,
        {3: NOON_MS},
        {DAY: 50_000},
        {DAY: 1},
        {DAY: 1},
        {"one": HELD},
        blocked=False,
        months={DAY[:6]: 50_000},
    )


def test_only_what_was_released_may_be_tried_again() -> None:
    for state in OpState:
        ledger = Ledger(ops={"one": replace(HELD, state=state, retryable=True)})
        assert rules.may_reserve_op(ledger, "one") is (state is OpState.RELEASED)


@pytest.mark.parametrize("words", [State, Effect])
def test_the_words_that_logs_and_health_show_are_the_names(words: type[State | Effect]) -> None:
    assert all(one.value == one.name.lower() for one in words)


def test_a_probing_circuit_has_an_owner_a_lease_and_the_reason_it_opened_for() -> None:
    probing = breaker.probing(RESTING, POLICY, owner="me", now_ms=NOON_MS)
    lease_ms = NOON_MS + 135_000
    assert probing == Circuit(State.HALF_OPEN, 5, frozenset(), lease_ms, "me", "unavailable")


def test_a_circuit_given_back_waits_for_nothing_and_keeps_its_reason() -> None:
    assert breaker.given_back(RESTING) == Circuit(State.OPEN, 5, frozenset(), 0, "", "unavailable")


def test_a_closed_circuit_waits_for_nothing_and_has_no_owner_and_no_reason() -> None:
    assert breaker.closed(RESTING) == Circuit(State.CLOSED, 5, frozenset(), 0, "", "")
    assert Circuit() == Circuit(State.CLOSED, 0, frozenset(), 0, "", "")


def test_a_failure_on_the_edge_of_the_window_is_not_stale() -> None:
    edge, old = Failure(NOON_MS - 600_000, "edge"), Failure(NOON_MS - 600_001, "old")
    assert breaker.stale({edge, old}, POLICY, now_ms=NOON_MS) == {old}
    circuit = Circuit(failures=frozenset({edge, old}))
    assert breaker.recent(circuit, POLICY, now_ms=NOON_MS) == {edge}


def test_a_billion_dollars_is_an_amount_and_a_micro_dollar_more_is_none() -> None:
    assert parse_usd("1000000000") == 10**15
    with pytest.raises(ValueError, match="between 0 and 1000000000 dollars"):
        parse_usd("1000000000.000001")


def test_a_hundredth_of_a_cent_is_spelled_in_four_places() -> None:
    assert label_text(100) == "$0.0001"
    assert label_text(101) == "$0.0002"


def test_a_million_tokens_cost_what_is_asked_for_a_million() -> None:
    prices = {"textIn": "2", "imageOut": "120", "source": SOURCE, "checkedOn": "2026-11-22"}
    (one,) = catalog(row("alpha-one", priority=1, tokenPrices=prices)).models
    assert actual_microusd(one, {"output_tokens": 1_000_000}) == 120_000_000
