"""UTC days: limits are counted per day, and models are retired on a day."""

from datetime import UTC, date, datetime


def utc_day(now_ms: int) -> str:
    """Return the UTC day as ``YYYYMMDD``."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d")


def today(now_ms: int) -> date:
    """Return the UTC day as a date."""
    text = utc_day(now_ms)
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def epoch_seconds(day: date) -> int:
    """Return the beginning of the UTC day, in seconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
