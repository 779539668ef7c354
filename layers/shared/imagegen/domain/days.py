"""UTC days and months, by which limits are counted and models retire, and the waits until they end.

The limit of an hour is rolling; a day is the UTC day on which a quote was issued. So the two end at
different times, and a quote of yesterday counts against a day that is over.
"""

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime

from imagegen.domain.errors import LimitError

MIDNIGHT_MARGIN_SECONDS = 60
DAY_CODES = frozenset(
    {
        *("daily_attempts", "daily_images", "daily_spend"),
        *("key_daily_spend", "team_daily_spend", "total_daily_spend"),
    }
)
MONTH_CODES = frozenset(
    {"monthly_spend", "key_monthly_spend", "team_monthly_spend", "total_monthly_spend"}
)


def utc_day(now_ms: int) -> str:
    """Return the UTC day as ``YYYYMMDD``."""
    return today(now_ms).isoformat().replace("-", "")


def today(now_ms: int) -> date:
    """Return the UTC day as a date."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).date()


def epoch_seconds(day: date) -> int:
    """Return the beginning of the UTC day, in seconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def next_day_seconds(now_ms: int) -> int:
    """Return the wait until the next UTC day has begun on every clock."""
    return 86_400 - now_ms // 1000 % 86_400 + MIDNIGHT_MARGIN_SECONDS


def day_limit(error: LimitError, day: str, *, now_ms: int, fits_a_day: bool) -> LimitError:
    """Return a limit of a day with its wait, in seconds.

    It has none, and is not retryable, if the day is over, because that day's counts stay as they
    are, or if not even a whole day's money is enough for the image.
    """
    error.retryable = day >= utc_day(now_ms) and fits_a_day
    if error.retryable:
        error.retry_after_seconds = next_day_seconds(now_ms)
    return error


def next_month_seconds(now_ms: int) -> int:
    """Return the wait until the next UTC month has begun on every clock."""
    day = today(now_ms)
    first = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return epoch_seconds(first) - now_ms // 1000 + MIDNIGHT_MARGIN_SECONDS


def month_limit(error: LimitError, day: str, *, now_ms: int, fits_a_month: bool) -> LimitError:
    """Return a limit of a month with its wait, in seconds, by the rule of ``day_limit``."""
    error.retryable = day[:6] >= utc_day(now_ms)[:6] and fits_a_month
    if error.retryable:
        error.retry_after_seconds = next_month_seconds(now_ms)
    return error


def hour_limit(images: int, until_ms: int, *, now_ms: int) -> LimitError:
    """Return the limit of the rolling hour with its wait, in whole seconds and at least one."""
    wait = max(1, -(-(until_ms - now_ms) // 1000))
    text = f"All {images} images of this hour are used."
    return LimitError("hourly_images", text, retry_after_seconds=wait)


def longest(reached: Iterable[LimitError | None]) -> LimitError | None:
    """Return the limit that ends last, ``None`` if none is reached; one without a wait is first.

    A caller who waited for the limit that ends first would only be refused by the other one.
    """
    limits = [limit for limit in reached if limit is not None]
    return max(limits, key=_wait, default=None)


def is_of_past_day(limit: LimitError, day: str, *, now_ms: int) -> bool:
    """Return whether it is a limit of a day or month that is over: a new quote counts later."""
    if limit.code in MONTH_CODES:
        return day[:6] < utc_day(now_ms)[:6]
    return limit.code in DAY_CODES and day < utc_day(now_ms)


def _wait(limit: LimitError) -> float:
    return math.inf if limit.retry_after_seconds is None else limit.retry_after_seconds
