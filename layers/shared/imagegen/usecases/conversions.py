"""Ledgers, inputs and selections as models of the API, for the use cases that answer with them."""

from imagegen.domain.candidates import LeftOut
from imagegen.domain.choices import Choice
from imagegen.domain.errors import LimitError
from imagegen.domain.inputs import QuotedInput
from imagegen.domain.ledger import Ledger, Limits, remaining
from imagegen.domain.selection import Selection
from imagegen.wire.estimates import (
    Allowance,
    Alternative,
    Blocked,
    ChoiceRequest,
    Price,
    PricedChoice,
    Replaced,
)
from imagegen.wire.inputs import InputShown


def to_allowance(ledger: Ledger, limits: Limits, day: str, *, now_ms: int) -> Allowance:
    """Return what the user may still do within the limits; amounts are in micro-dollars."""
    left = remaining(ledger, limits, day, now_ms=now_ms)
    return Allowance(
        images_this_hour=left.images_this_hour,
        images_today=left.images_today,
        usd_today=left.spend_microusd,
    )


def to_inputs(inputs: tuple[QuotedInput, ...]) -> tuple[InputShown, ...]:
    """Return the inputs of a quote as they were measured, without the id that opens an image."""
    return tuple(
        InputShown(
            role=one.role,
            width=one.width,
            height=one.height,
            media_type=one.media_type,
            quote_id=one.image or None,
        )
        for one in inputs
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
