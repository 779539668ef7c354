"""What is held for running images, and when several images are within the limits again."""

from dataclasses import replace

import pytest

from imagegen.domain import ledger as rules
from imagegen.domain.days import next_day_seconds, next_month_seconds, utc_day
from imagegen.domain.ledger import HOUR_MS, Hold, Ledger, Limits
from imagegen.domain.standing import held_microusd, limit_now
from tests.fakes.clock import NOON_MS as NOW

LIMITS = Limits(hourly_images=3, daily_images=5, daily_microusd=1_000_000)
TODAY = utc_day(NOW)
LONG_AGO = NOW - 131_400_000
"""Half an hour before midnight, two days ago: its hour ends on a day without images."""


def held(ledger: Ledger, number: int, *, at_ms: int = NOW, limits: Limits = LIMITS) -> Ledger:
    hold = Hold(f"q{number}", "run", utc_day(at_ms), 50_000, NOW + 600_000, NOW + 60_000, number)
    return rules.reserved(ledger, hold, limits, now_ms=at_ms)


def test_held_is_what_the_running_images_of_the_day_may_cost() -> None:
    ledger = held(held(Ledger(), 0), 1, at_ms=NOW - 86_400_000)
    assert held_microusd(ledger, TODAY) == 50_000
    settled = rules.settled(ledger, "q0", 40_000)
    assert held_microusd(settled, TODAY) == 0


def test_several_images_are_within_the_hour_when_enough_slots_are_free() -> None:
    ledger = Ledger()
    for number, ago_ms in enumerate((50 * 60_000, 30 * 60_000)):
        ledger = held(ledger, number, at_ms=NOW - ago_ms)
        ledger = rules.settled(ledger, f"q{number}", 40_000)
    limit = limit_now(ledger, LIMITS, day=TODAY, ceiling_microusd=50_000, now_ms=NOW, count=3)
    assert limit is not None
    assert limit.code == "hourly_images"
    assert "only 1 would be" in str(limit)
    # Both of the hour must be over, the later one in 30 minutes.
    assert (limit.retryable, limit.retry_after_seconds) == (True, (HOUR_MS - 30 * 60_000) // 1000)


def test_several_images_that_no_limit_of_today_allows_may_be_made_tomorrow() -> None:
    few = replace(LIMITS, hourly_images=0, daily_images=2)
    ledger = rules.settled(held(Ledger(), 0, limits=few), "q0", 40_000)
    limit = limit_now(ledger, few, day=TODAY, ceiling_microusd=50_000, now_ms=NOW, count=2)
    assert limit is not None
    assert (limit.code, limit.retry_after_seconds) == ("daily_images", next_day_seconds(NOW))


@pytest.mark.parametrize("count", [1, 2])
def test_images_that_the_month_has_no_room_for_may_be_made_in_the_next_one(count: int) -> None:
    poor = replace(LIMITS, monthly_microusd=120_000)
    ledger = rules.settled(held(Ledger(), 0, at_ms=NOW - 86_400_000), "q0", 100_000)
    limit = limit_now(ledger, poor, day=TODAY, ceiling_microusd=50_000, now_ms=NOW, count=count)
    assert limit is not None
    assert (limit.code, limit.retry_after_seconds) == ("monthly_spend", next_month_seconds(NOW))


def test_more_images_than_a_day_allows_are_never_possible_together() -> None:
    limit = limit_now(Ledger(), LIMITS, day=TODAY, ceiling_microusd=50_000, now_ms=NOW, count=4)
    assert limit is not None
    assert (limit.retryable, limit.retry_after_seconds) == (False, None)


def test_the_hold_of_a_run_that_died_stands_in_no_ones_way() -> None:
    one = replace(LIMITS, hourly_images=1)
    ledger = held(Ledger(), 0, limits=one)
    asked = {"day": TODAY, "ceiling_microusd": 50_000, "count": 1}
    while_it_runs = limit_now(ledger, one, now_ms=NOW, **asked)  # type: ignore[arg-type]
    assert while_it_runs is not None
    assert while_it_runs.code == "hourly_images"
    over_ms = NOW + 600_001
    assert rules.abandoned(ledger, now_ms=over_ms)
    assert limit_now(ledger, one, now_ms=over_ms, **asked) is None  # type: ignore[arg-type]


def test_one_image_of_a_day_that_is_over_cannot_be_waited_for() -> None:
    few = replace(LIMITS, hourly_images=0, daily_images=1)
    before_ms = NOW - 86_400_000
    ledger = rules.settled(held(Ledger(), 0, at_ms=before_ms, limits=few), "q0", 40_000)
    limit = limit_now(ledger, few, day=utc_day(before_ms), ceiling_microusd=50_000, now_ms=NOW)
    assert limit is not None
    assert (limit.code, limit.retryable, limit.retry_after_seconds) == ("daily_images", False, None)


def test_an_hour_that_ended_before_now_opens_nothing() -> None:
    few = replace(LIMITS, daily_images=2)
    ledger = rules.settled(held(Ledger(), 0, at_ms=LONG_AGO, limits=few), "q0", 40_000)
    ledger = rules.settled(held(ledger, 1, limits=few), "q1", 40_000)
    limit = limit_now(ledger, few, day=TODAY, ceiling_microusd=50_000, now_ms=NOW, count=2)
    assert limit is not None
    assert (limit.code, limit.retry_after_seconds) == ("daily_images", next_day_seconds(NOW))
