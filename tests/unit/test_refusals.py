"""Each limit lets through what it promises, and says in words what is used up and for how long."""

from dataclasses import replace

import pytest

from imagegen.domain import ledger as rules
from imagegen.domain import pruning
from imagegen.domain.ledger import Hold, Ledger, Limits, Op, OpState
from imagegen.domain.standing import limit_reached

DAY = "20261122"
NOON_MS = 1_795_348_800_000
HALF_A_DAY_SECONDS = 43_200
HOLD = Hold("one", "me", DAY, 50_000, NOON_MS + 600_000, NOON_MS + 330_000, 3)
OTHER = Op(OpState.HELD, 1, "me", NOON_MS, NOON_MS, NOON_MS, DAY, None)


@pytest.mark.parametrize(
    ("ledger", "text", "wait_seconds"),
    [
        (Ledger(blocked=True), "Image generation is switched off for this user.", None),
        (
            Ledger(attempts={DAY: 100}),
            "All 100 attempts of this day are used.",
            HALF_A_DAY_SECONDS + 60,
        ),
        (Ledger(images={DAY: 50}), "All 50 images of this day are used.", HALF_A_DAY_SECONDS + 60),
        (
            Ledger(spent={DAY: 9_950_001}),
            "This image could take the day above $10.00.",
            HALF_A_DAY_SECONDS + 60,
        ),
        (
            Ledger(slots=dict.fromkeys(range(10), NOON_MS - 1_000)),
            "All 10 images of this hour are used.",
            3_599,
        ),
    ],
)
def test_a_refusal_says_what_is_used_up_and_when_it_is_not(
    ledger: Ledger, text: str, wait_seconds: int | None
) -> None:
    refused = limit_reached(ledger, HOLD, Limits(), now_ms=NOON_MS)
    assert refused is not None
    assert (str(refused), refused.retry_after_seconds) == (text, wait_seconds)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(daily_attempts=1),
        Limits(daily_images=1),
        Limits(daily_microusd=50_000),
        Limits(hourly_images=1),
        Limits(hourly_images=0),
    ],
)
def test_a_user_nobody_has_seen_gets_the_one_that_a_limit_allows(limits: Limits) -> None:
    assert limit_reached(Ledger(), HOLD, limits, now_ms=NOON_MS) is None


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(daily_attempts=0), "daily_attempts"),
        (Limits(daily_images=0), "daily_images"),
        (Limits(daily_microusd=49_999), "daily_spend"),
    ],
)
def test_a_user_nobody_has_seen_gets_nothing_where_a_limit_allows_nothing(
    limits: Limits, code: str
) -> None:
    refused = limit_reached(Ledger(), HOLD, limits, now_ms=NOON_MS)
    assert refused is not None
    assert refused.code == code


def test_a_slot_that_is_free_in_a_moment_is_waited_for_a_second() -> None:
    full = Ledger(slots={0: NOON_MS - 3_600_000 + 1})
    refused = limit_reached(full, HOLD, Limits(hourly_images=1), now_ms=NOON_MS)
    assert refused is not None
    assert refused.retry_after_seconds == 1


def test_a_slot_beyond_a_lowered_limit_is_not_waited_for() -> None:
    full = Ledger(slots={0: NOON_MS - 1_000, 1: NOON_MS - 2_000, 2: NOON_MS - 3_000})
    refused = limit_reached(full, HOLD, Limits(hourly_images=2), now_ms=NOON_MS)
    assert refused is not None
    assert refused.retry_after_seconds == 3_598


def test_a_hold_is_counted_beside_other_days_and_not_instead_of_them() -> None:
    before = Ledger(spent={"20261121": 7}, images={"20261121": 2}, attempts={"20261121": 3})
    ledger = rules.reserved(before, HOLD, Limits(), now_ms=NOON_MS)
    assert ledger.spent == {"20261121": 7, DAY: 50_000}
    assert ledger.images == {"20261121": 2, DAY: 1}
    assert ledger.attempts == {"20261121": 3, DAY: 1}


def test_a_day_is_kept_for_a_hold_and_for_nothing_that_has_ended() -> None:
    ended = replace(OTHER, state=OpState.SETTLED, day="20261118", expires_ms=NOON_MS)
    living = replace(OTHER, day="20261119")
    ledger = Ledger(spent={"20261118": 1, "20261119": 1}, ops={"ended": ended, "living": living})
    assert pruning.prunable(ledger, now_ms=NOON_MS, oldest_day="20261121") == ([], ["20261118"])


def test_days_are_dropped_in_their_order_however_they_lie() -> None:
    days = [f"202610{number:02d}" for number in (17, 3, 29, 11, 5, 23, 8, 30, 2)]
    ledger = Ledger(spent=dict.fromkeys(days, 1), images=dict.fromkeys(days, 1))
    assert pruning.prunable(ledger, now_ms=NOON_MS, oldest_day=DAY) == ([], sorted(days))


def test_an_ending_touches_nothing_but_its_own_hold_and_raises_the_version() -> None:
    before = replace(
        rules.reserved(
            Ledger(7, {1: NOON_MS - 5}, {DAY: 9}, {DAY: 2}, {DAY: 3}, {"other": OTHER}),
            HOLD,
            Limits(),
            now_ms=NOON_MS,
        ),
        blocked=True,
    )
    held = before.ops["one"]
    settled = rules.settled(before, "one", 40_000)
    ended = replace(held, lease_ms=0, day="", slot=None)
    charged = replace(ended, state=OpState.SETTLED, price_microusd=40_000, owner="", started_ms=0)
    assert settled == Ledger(
        9,
        {1: NOON_MS - 5, 3: NOON_MS},
        {DAY: 40_009},
        {DAY: 3},
        {DAY: 4},
        {"other": OTHER, "one": charged},
        blocked=True,
        months={DAY[:6]: 40_000},
    )
    released = rules.released(before, "one", code="why", retryable=True)
    gone = replace(ended, state=OpState.RELEASED, code="why", retryable=True)
    assert released == Ledger(
        9,
        {1: NOON_MS - 5},
        {DAY: 9},
        {DAY: 2},
        {DAY: 4},
        {"other": OTHER, "one": gone},
        blocked=True,
        months={DAY[:6]: 0},
    )


def test_a_release_without_a_slot_takes_none_away() -> None:
    ledger = Ledger(slots={3: NOON_MS}, ops={"one": replace(OTHER, started_ms=NOON_MS)})
    assert rules.released(ledger, "one", code="", retryable=False).slots == {3: NOON_MS}


def test_a_release_that_was_counted_elsewhere_is_taken_from_nothing() -> None:
    ledger = rules.released(Ledger(ops={"one": OTHER}), "one", code="", retryable=False)
    assert (ledger.spent, ledger.images, ledger.attempts) == ({DAY: -1}, {DAY: -1}, {})
