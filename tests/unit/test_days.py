"""UTC days: where they begin, and which of two limits a user waits for."""

from datetime import date

import pytest

from imagegen.domain import budgets, days
from imagegen.domain.errors import LimitError
from tests.fakes.clock import NOON_MS as NOW

DAY_MS = 86_400_000


def test_a_day_begins_at_midnight_utc() -> None:
    assert days.epoch_seconds(date(1970, 1, 2)) == 86_400
    assert days.epoch_seconds(date(2026, 11, 22)) * 1000 % DAY_MS == 0
    assert days.utc_day(days.epoch_seconds(date(2026, 11, 22)) * 1000) == "20261122"


def test_a_limit_without_an_end_is_named_before_one_that_can_be_waited_for() -> None:
    hour = LimitError("hourly_images", "of the hour", retry_after_seconds=3_600)
    over = LimitError("daily_spend", "of a day that is over")
    assert days.longest([hour, over]) is over
    assert days.longest([over, hour]) is over
    assert days.longest([None, hour]) is hour
    assert days.longest([None]) is None


def test_of_two_limits_the_one_that_ends_last_is_named() -> None:
    soon = LimitError("hourly_images", "soon", retry_after_seconds=60)
    late = LimitError("daily_images", "late", retry_after_seconds=7_200)
    assert days.longest([soon, late]) is late
    assert days.longest([late, soon]) is late


def test_only_a_limit_of_the_day_can_be_of_a_day_that_is_over() -> None:
    yesterday, today = days.utc_day(NOW - DAY_MS), days.utc_day(NOW)
    of_day, of_hour = LimitError("daily_spend", "x"), LimitError("hourly_images", "x")
    assert days.is_of_past_day(of_day, yesterday, now_ms=NOW)
    assert not days.is_of_past_day(of_day, today, now_ms=NOW)
    assert not days.is_of_past_day(of_hour, yesterday, now_ms=NOW)


@pytest.mark.parametrize("level", ["organisation", "team", "key"])
def test_so_it_is_with_the_day_and_the_month_of_every_shared_budget(level: str) -> None:
    of_day = LimitError(budgets.CODES[level, "day"], "x")
    of_month = LimitError(budgets.CODES[level, "month"], "x")
    yesterday, a_month_ago = days.utc_day(NOW - DAY_MS), days.utc_day(NOW - 31 * DAY_MS)
    assert days.is_of_past_day(of_day, yesterday, now_ms=NOW)
    assert not days.is_of_past_day(of_day, days.utc_day(NOW), now_ms=NOW)
    assert days.is_of_past_day(of_month, a_month_ago, now_ms=NOW)
    assert not days.is_of_past_day(of_month, yesterday, now_ms=NOW)


def test_a_month_that_is_over_or_too_small_for_the_image_cannot_be_waited_for() -> None:
    def of(day: str, *, fits: bool) -> tuple[bool, int | None]:
        limit = LimitError("monthly_spend", "x")
        days.month_limit(limit, day, now_ms=NOW, fits_a_month=fits)
        return limit.retryable, limit.retry_after_seconds

    yesterday, a_month_ago = days.utc_day(NOW - DAY_MS), days.utc_day(NOW - 31 * DAY_MS)
    wait = days.next_month_seconds(NOW)
    assert of(yesterday, fits=True) == of(days.utc_day(NOW), fits=True) == (True, wait)
    assert of(a_month_ago, fits=True) == of(yesterday, fits=False) == (False, None)
