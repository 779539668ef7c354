"""What may be removed from a ledger: finished requests, and days and months that are over."""

from imagegen.domain.ledger import Ledger, OpState

PRUNE_MARGIN_MS = 60_000
"""A finished request is kept for this time after its quote expires: an instance whose clock is
behind may still accept the quote, and must find the entry."""


def prunable(ledger: Ledger, *, now_ms: int, oldest_day: str) -> tuple[list[str], list[str]]:
    """Return what may be removed: finished requests by quote id, and days.

    A request is kept while its quote may be sent again, and a day while one of its quotes is valid.
    """
    ops = [
        quote_id
        for quote_id, op in ledger.ops.items()
        if op.state is not OpState.HELD and op.expires_ms + PRUNE_MARGIN_MS < now_ms
    ]
    held = {op.day for op in ledger.ops.values() if op.state is OpState.HELD}
    days = {*ledger.spent, *ledger.images, *ledger.attempts}
    return ops, sorted(day for day in days if day < oldest_day and day not in held)


def prunable_months(ledger: Ledger, *, oldest_day: str) -> list[str]:
    """Return the months that are over, as ``prunable`` returns days."""
    held = {op.day[:6] for op in ledger.ops.values() if op.state is OpState.HELD}
    return sorted(month for month in {*ledger.months} - held if month < oldest_day[:6])
