"""Records and ledgers in the words of the API: shared by the use cases that answer with them."""

from imagegen.domain.ledger import Ledger, Limits, remaining
from imagegen.domain.records import Fallback, ImageRecord
from imagegen.wire.images import Allowance, AttemptMade, Cost, Replaced


def allowance(ledger: Ledger, limits: Limits, day: str, *, now_ms: int) -> Allowance:
    """Return what may still be done."""
    left = remaining(ledger, limits, day, now_ms=now_ms)
    return Allowance(
        images_this_hour=left.images_this_hour,
        images_today=left.images_today,
        usd_today=left.spend_microusd,
    )


def cost_of(record: ImageRecord) -> Cost:
    """Return what was charged beside what was promised."""
    return Cost(
        charged=record.charged_microusd,
        expected=record.expected_microusd,
        ceiling=record.ceiling_microusd,
    )


def replaced(fallback: Fallback | None) -> Replaced | None:
    """Return whom the model stands in for."""
    if fallback is None:
        return None
    return Replaced(provider=fallback.provider, model=fallback.model, reason=fallback.reason)


def attempts_of(record: ImageRecord) -> tuple[AttemptMade, ...]:
    """Return every model's turn. A provider's own code stays in the logs."""
    return tuple(
        AttemptMade(
            provider=one.provider,
            model=one.model,
            outcome=one.outcome,
            duration_ms=one.duration_ms,
        )
        for one in record.attempts
    )
