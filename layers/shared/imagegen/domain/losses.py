"""What providers bill and no user pays, under the provider that caused it.

A request may have called several providers: one whose answer was lost, and another one that made
the image. What the first one may bill is not a cost of the second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from imagegen.domain.outcomes import UNSOLD, Outcome
from imagegen.domain.records import Attempt, ImageRecord

NO_PROVIDER = "-"
"""Stands for the provider of a loss whose record names none."""


class LossKind(StrEnum):
    """Why a user does not pay it."""

    IN_DOUBT = "in_doubt"
    """The answer was lost, or it was an error or a refusal that the vendor may bill."""
    UNSOLD = "unsold"
    """The provider made an image that is not sold."""
    ABOVE_PRICE = "above_price"
    """By the provider's answer, the image cost more than was charged."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A part of what one request may cost the operator."""

    provider: str
    model: str
    kind: LossKind
    microusd: int


def losses(record: ImageRecord) -> Iterator[Loss]:
    """Yield what a confirmed request may cost beside its charge, in micro-dollars."""
    found = [_loss(one) for one in record.attempts if one.lost_microusd]
    yield from found
    rest = record.in_doubt_microusd - sum(
        one.microusd for one in found if one.kind is LossKind.IN_DOUBT
    )
    if rest > 0:
        yield _earlier(record, rest)
    if (above := (record.actual_microusd or 0) - record.charged_microusd) > 0:
        yield Loss(record.provider, record.model, LossKind.ABOVE_PRICE, above)


def _loss(attempt: Attempt) -> Loss:
    kind = LossKind.UNSOLD if attempt.outcome in UNSOLD else LossKind.IN_DOUBT
    return Loss(attempt.provider, attempt.model, kind, attempt.lost_microusd)


def _earlier(record: ImageRecord, microusd: int) -> Loss:
    """Return the money in doubt of a record whose attempts have no amounts.

    Earlier releases wrote only the sum. It is that of the attempt whose answer was lost.
    """
    asked = {Outcome.UNKNOWN, Outcome.REFUSED}
    lost = next((one for one in record.attempts if one.outcome in asked), None)
    provider = lost.provider if lost else record.provider or NO_PROVIDER
    model = lost.model if lost else record.model or NO_PROVIDER
    return Loss(provider, model, LossKind.IN_DOUBT, microusd)
