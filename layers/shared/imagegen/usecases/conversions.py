"""Records, ledgers and selections as models of the API, for the use cases that answer with them.

What the answers about an image say of it is one list of fields for all of them.
"""

from typing import TypedDict

from imagegen.domain.candidates import LeftOut
from imagegen.domain.catalog import Tier
from imagegen.domain.choices import Choice
from imagegen.domain.errors import LimitError
from imagegen.domain.ledger import Op
from imagegen.domain.operations import Operation
from imagegen.domain.records import Fallback, ImageRecord
from imagegen.domain.selection import Selection
from imagegen.wire.estimates import (
    Alternative,
    Blocked,
    ChoiceRequest,
    Price,
    PricedChoice,
    Replaced,
)
from imagegen.wire.images import AttemptMade, Cost, ImageStatus, Provenance


class ImageFacts(TypedDict):
    """What every answer with a stored image says of it, as fields of its model."""

    media_type: str
    width: int
    height: int
    provider: str
    model: str
    quality: Tier
    size: str
    cost: Cost
    created_at: int
    operation: Operation
    provenance: Provenance


class RunFacts(TypedDict):
    """What the answers to a confirmed request say of its run, as fields of their models."""

    duration_ms: int
    fallback: Replaced | None
    attempts: tuple[AttemptMade, ...]


class Origin(TypedDict):
    """The pictures from which an image was made; only its owner's answers contain them."""

    derived_from: str | None
    inputs: tuple[str, ...]


def to_image_facts(record: ImageRecord) -> ImageFacts:
    """Return the fields that every answer with a stored image has; amounts in micro-dollars."""
    return ImageFacts(
        media_type=record.media_type,
        width=record.width,
        height=record.height,
        provider=record.provider,
        model=record.model,
        quality=record.tier,
        size=record.pixels,
        cost=to_cost(record),
        created_at=record.created_ms,
        operation=record.operation,
        provenance=to_provenance(record),
    )


def to_run_facts(record: ImageRecord) -> RunFacts:
    """Return the fields about the run that made an image."""
    return RunFacts(
        duration_ms=record.duration_ms,
        fallback=to_replaced(record.fallback),
        attempts=to_attempts(record),
    )


def to_origin(record: ImageRecord) -> Origin:
    """Return the fields about the pictures that an image was made from, for its owner alone."""
    return Origin(derived_from=record.derived_from or None, inputs=record.input_roles)


def to_cost(record: ImageRecord) -> Cost:
    """Return what was charged beside what was promised, in micro-dollars."""
    return Cost(
        charged=record.charged_microusd,
        expected=record.expected_microusd,
        ceiling=record.ceiling_microusd,
    )


def to_replaced(fallback: Fallback | None) -> Replaced | None:
    """Return the first choice that the model replaced, ``None`` if it was the first choice."""
    if fallback is None:
        return None
    return Replaced(provider=fallback.provider, model=fallback.model, reason=fallback.reason)


def to_provenance(record: ImageRecord) -> Provenance:
    """Return where an image is from; what an earlier release did not record is unknown."""
    return Provenance.model_validate(
        {
            "generator": record.provider,
            "model": record.model,
            "created_at": record.created_ms,
            "c2pa": record.c2pa or "unknown",
            "watermark": record.watermark or "unknown",
        }
    )


def to_attempts(record: ImageRecord) -> tuple[AttemptMade, ...]:
    """Return every attempt, without the provider's error code: that is for the logs only."""
    return tuple(
        AttemptMade(
            provider=one.provider,
            model=one.model,
            outcome=one.outcome,
            duration_ms=one.duration_ms,
        )
        for one in record.attempts
    )


def to_generating(image_id: str, op: Op, *, charged: bool | None) -> ImageStatus:
    """Return the status of a request that is running."""
    return ImageStatus(id=image_id, status="generating", charged=charged, started_at=op.started_ms)


def to_failed_by_ledger(image_id: str, op: Op) -> ImageStatus:
    """Return the status of a request without an image that has no record."""
    return ImageStatus(
        id=image_id,
        status="failed",
        charged=False,
        started_at=op.started_ms,
        code=op.code,
        retryable=op.retryable,
    )


def to_failed(image_id: str, record: ImageRecord, *, charged: bool | None) -> ImageStatus:
    """Return the status of a request without an image; amounts are in micro-dollars."""
    return ImageStatus(
        id=image_id,
        status="failed",
        charged=charged,
        created_at=record.created_ms,
        duration_ms=record.duration_ms,
        quality=record.tier,
        size=record.size,
        cost=to_cost(record),
        attempts=to_attempts(record),
        code=record.code,
        retryable=record.retryable,
    )


def to_complete(image_id: str, record: ImageRecord, base_url: str) -> ImageStatus:
    """Return the status of a stored image; amounts are in micro-dollars."""
    return ImageStatus(
        id=image_id,
        status="complete",
        charged=True,
        image_url=f"{base_url}/images/{image_id}",
        **to_image_facts(record),
        **to_run_facts(record),
    )


def to_alternatives(selection: Selection) -> tuple[Alternative, ...]:
    """Return the other models of the tier: the fallbacks in order, then the rows left out."""
    others = [
        Alternative(
            key=one.key,
            provider=one.variant.row.provider,
            model=one.variant.row.model,
            price=one.price_microusd,
            available=True,
        )
        for one in selection.candidates[1:]
    ]
    return (*others, *map(_left_out, selection.left_out))


def to_price(expected_microusd: int, ceiling_microusd: int, *, count: int = 1) -> Price:
    """Return the price of several images; the given amounts are of one."""
    return Price(
        per_image=ceiling_microusd,
        expected=expected_microusd * count,
        ceiling=ceiling_microusd * count,
        count=count,
    )


def to_choice(one: Choice, *, count: int = 1) -> PricedChoice:
    """Return a choice with what re-quotes it; amounts are in micro-dollars."""
    return PricedChoice(
        labels=one.labels,
        quality=one.row.tier,
        provider=one.row.provider,
        model=one.row.model,
        price=to_price(one.expected_microusd, one.ceiling_microusd, count=count),
        typical_seconds=one.row.typical_seconds,
        request=ChoiceRequest(quality=one.row.tier, model=one.row.key),
    )


def to_blocked(limit: LimitError | None, *, now_ms: int) -> Blocked | None:
    """Return why a click would be refused, ``None`` if no limit is reached."""
    if limit is None:
        return None
    wait = limit.retry_after_seconds
    opens_at = None if wait is None else now_ms + wait * 1000
    return Blocked(reason=limit.code, detail=str(limit), opens_at=opens_at)


def _left_out(one: LeftOut) -> Alternative:
    return Alternative(
        key=one.row.key,
        provider=one.row.provider,
        model=one.row.model,
        price=one.price_microusd,
        available=False,
        reason=one.reason,
        detail=one.detail,
    )


def to_replaced_row(missing: LeftOut | None) -> Replaced | None:
    """Return the first choice that is unavailable, with its price, ``None`` if it is offered."""
    if missing is None:
        return None
    return Replaced(
        provider=missing.row.provider,
        model=missing.row.model,
        reason=missing.reason,
        price=missing.price_microusd,
    )
