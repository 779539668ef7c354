"""Where a user stands: what is held for running images, and which limit a click would meet now."""

from imagegen.domain.errors import LimitError
from imagegen.domain.ledger import (
    Hold,
    Ledger,
    Limits,
    OpState,
    abandoned,
    limit_reached,
    released,
)


def limit_now(
    ledger: Ledger, limits: Limits, *, day: str, ceiling_microusd: int, now_ms: int
) -> LimitError | None:
    """Return the limit that would refuse a click at this moment, ``None`` if none would.

    Holds of dead runs do not count: a confirmed request ends them first, if necessary.
    """
    for quote_id in abandoned(ledger, now_ms=now_ms):
        ledger = released(ledger, quote_id, code="", retryable=True)
    hold = Hold("", "", day, ceiling_microusd, expires_ms=0, lease_ms=0, slot=0)
    return limit_reached(ledger, hold, limits, now_ms=now_ms)


def held_microusd(ledger: Ledger, day: str) -> int:
    """Return what is held on a day for images that are being made."""
    held = (op for op in ledger.ops.values() if op.state is OpState.HELD and op.day == day)
    return sum(op.price_microusd for op in held)
