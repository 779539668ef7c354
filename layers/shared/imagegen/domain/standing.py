"""What a user has held and left, and which limit would refuse a click now."""

from dataclasses import dataclass, replace

from imagegen.domain.days import (
    day_limit,
    hour_limit,
    longest,
    month_limit,
    next_day_seconds,
    next_month_seconds,
    utc_day,
)
from imagegen.domain.errors import LimitError
from imagegen.domain.ledger import (
    HOUR_MS,
    Hold,
    Ledger,
    Limits,
    OpState,
    abandoned,
    free_slots,
    released,
    reserved,
)
from imagegen.domain.money import label_text
from imagegen.domain.personal_limits import applied


@dataclass(frozen=True, slots=True)
class Remaining:
    """What a user may still do."""

    images_this_hour: int | None
    """``None`` if the hour is not limited."""
    images_today: int
    spend_microusd: int


def remaining(ledger: Ledger, limits: Limits, day: str, *, now_ms: int) -> Remaining:
    """Return how many images and how much spending are left this hour and on that day."""
    limits = applied(limits, ledger.personal)
    hour = len(free_slots(ledger, limits, now_ms=now_ms)) if limits.hourly_images else None
    images = min(
        limits.daily_images - ledger.images.get(day, 0),
        limits.daily_attempts - ledger.attempts.get(day, 0),
    )
    spend = limits.daily_microusd - ledger.spent.get(day, 0)
    if limits.monthly_microusd is not None:
        spend = min(spend, limits.monthly_microusd - ledger.months.get(day[:6], 0))
    return Remaining(hour, max(images, 0), max(spend, 0))


def limit_reached(ledger: Ledger, hold: Hold, limits: Limits, *, now_ms: int) -> LimitError | None:
    """Return the limit that stops this hold, or ``None`` if none does."""
    if ledger.blocked:
        return LimitError("blocked", "Image generation is switched off for this user.")
    limits = applied(limits, ledger.personal)
    of_day = _day_limit(ledger, hold, limits, now_ms=now_ms)
    of_month = _month_limit(ledger, hold, limits, now_ms=now_ms)
    return longest((of_month, of_day, _hour_limit(ledger, limits, now_ms=now_ms)))


def limit_now(
    ledger: Ledger, limits: Limits, *, day: str, ceiling_microusd: int, now_ms: int, count: int = 1
) -> LimitError | None:
    """Return the limit that would refuse a click at this moment, ``None`` if none would.

    For several images it is the limit that would refuse one of them, with the wait until all of
    them are possible.
    ``ceiling_microusd`` is that of one image. Holds of dead runs do not count: a confirmed request
    ends them first, if necessary.
    """
    for quote_id in abandoned(ledger, now_ms=now_ms):
        ledger = released(ledger, quote_id, code="", retryable=True)
    hold = Hold("", "", day, ceiling_microusd, expires_ms=0, lease_ms=0, slot=0)
    fits, limit = _how_many(ledger, hold, limits, count, now_ms=now_ms)
    if limit is None or count == 1:
        return limit
    text = f"Of the {count} images, only {fits} would be within the limits now. " if fits else ""
    all_limit = LimitError(limit.code, f"{text}{limit}")
    for at_ms in _openings(ledger, now_ms):
        of_day = replace(hold, day=utc_day(at_ms))
        if _how_many(ledger, of_day, limits, count, now_ms=at_ms)[0] == count:
            all_limit.retry_after_seconds = -(-(at_ms - now_ms) // 1000)
            return all_limit
    all_limit.retryable = False
    return all_limit


def _how_many(
    ledger: Ledger, hold: Hold, limits: Limits, count: int, *, now_ms: int
) -> tuple[int, LimitError | None]:
    """Return how many of the images are possible, and the limit that stops the next one."""
    for index in range(count):
        if index:
            slot = next(iter(free_slots(ledger, limits, now_ms=now_ms)), 0)
            taken = replace(hold, quote_id=str(index), slot=slot)
            ledger = reserved(ledger, taken, limits, now_ms=now_ms)
        if limit := limit_reached(ledger, hold, limits, now_ms=now_ms):
            return index, limit
    return count, None


def _openings(ledger: Ledger, now_ms: int) -> list[int]:
    """Return the times, in ms, at which a limit may stop applying.

    The limit of the hour may do so one hour after each image, those of the day and of the month
    when the next UTC one begins.
    """
    hours = {at_ms + HOUR_MS for at_ms in ledger.slots.values()}
    begins = {now_ms + wait(now_ms) * 1000 for wait in (next_day_seconds, next_month_seconds)}
    return sorted(at for at in hours | begins if at > now_ms)


def held_microusd(ledger: Ledger, day: str) -> int:
    """Return what is held on a day for images that are being made."""
    held = (op for op in ledger.ops.values() if op.state is OpState.HELD and op.day == day)
    return sum(op.price_microusd for op in held)


def _day_limit(ledger: Ledger, hold: Hold, limits: Limits, *, now_ms: int) -> LimitError | None:
    error = None
    if ledger.attempts.get(hold.day, 0) >= limits.daily_attempts:
        text = f"All {limits.daily_attempts} attempts of this day are used."
        error = LimitError("daily_attempts", text)
    elif ledger.images.get(hold.day, 0) >= limits.daily_images:
        error = LimitError(
            "daily_images", f"All {limits.daily_images} images of this day are used."
        )
    elif ledger.spent.get(hold.day, 0) + hold.ceiling_microusd > limits.daily_microusd:
        text = f"This image could take the day above {label_text(limits.daily_microusd)}."
        error = LimitError("daily_spend", text)
    fits = hold.ceiling_microusd <= limits.daily_microusd
    return error and day_limit(error, hold.day, now_ms=now_ms, fits_a_day=fits)


def _month_limit(ledger: Ledger, hold: Hold, limits: Limits, *, now_ms: int) -> LimitError | None:
    most, price = limits.monthly_microusd, hold.ceiling_microusd
    if most is None or ledger.months.get(hold.day[:6], 0) + price <= most:
        return None
    error = LimitError(
        "monthly_spend", f"This image could take the month above {label_text(most)}."
    )
    return month_limit(error, hold.day, now_ms=now_ms, fits_a_month=price <= most)


def _hour_limit(ledger: Ledger, limits: Limits, *, now_ms: int) -> LimitError | None:
    if not limits.hourly_images or free_slots(ledger, limits, now_ms=now_ms):
        return None
    # Slots beyond the limit are from a time when it was higher.
    first_ms = min(at for slot, at in ledger.slots.items() if slot < limits.hourly_images)
    return hour_limit(limits.hourly_images, first_ms + HOUR_MS, now_ms=now_ms)
