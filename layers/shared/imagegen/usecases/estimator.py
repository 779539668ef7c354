"""Prices a request: reads the catalog, circuits and ledger; calls no provider, writes nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.budgets import BudgetStore, Level
from imagegen.domain.catalog import Catalog
from imagegen.domain.choices import choices
from imagegen.domain.days import longest, today
from imagegen.domain.errors import ParameterError
from imagegen.domain.inputs import QuotedInput
from imagegen.domain.money import button_label, usual_price
from imagegen.domain.operations import Operation
from imagegen.domain.quote import Quote
from imagegen.domain.selection import Selection
from imagegen.domain.standing import limit_now
from imagegen.usecases.budgets import LevelStanding, standings, to_allowance
from imagegen.usecases.conversions import (
    to_alternatives,
    to_blocked,
    to_choice,
    to_price,
    to_replaced_row,
)
from imagegen.usecases.pricer import PricedOffer, Pricer
from imagegen.wire.estimates import (
    Allowance,
    Blocked,
    Constraints,
    Estimate,
    EstimateRequest,
    Price,
    PricedChoice,
)
from imagegen.wire.inputs import InputShown


@dataclass(frozen=True, slots=True)
class _Set:
    """The images of one offer."""

    quotes: tuple[Quote, ...]
    signed: tuple[str, ...]
    """The same quotes as the client gets them."""
    price: Price
    """Of all together."""
    levels: tuple[LevelStanding, ...]
    """The budgets above the user."""


@dataclass(frozen=True, slots=True)
class Estimator:
    """Answers what a request costs, with the quotes that accept it."""

    pricer: Pricer
    budgets: Callable[[], BudgetStore]
    levels: Callable[[], tuple[Level, ...]]
    """The budgets above the user, with their limits of now."""
    max_count: int

    def estimate(self, request: EstimateRequest, user: str) -> Estimate:
        """Return the priced offer, with a signed quote for each image; prices in micro-dollars.

        Raises:
            InvalidRequestError: the provider, model or size is unknown, the model is retired, or
                no model is within ``max_cost``, or more images are wanted than one click may make.
            NotFoundError, InputGoneError: an input is not one of this user, or is gone.
            NoProviderError: no model of the tier is available now.
            StoreUnavailableError: the user's ledger, a budget or an input cannot be read.
        """
        if request.count > self.max_count:
            raise ParameterError("count", f"One click makes at most {self.max_count} images.")
        offer = self.pricer.offer(request, user)
        quotes, quote = self.pricer.quotes(offer, request.count), offer.quote
        price = to_price(quote.expected_microusd, quote.ceiling_microusd, count=request.count)
        levels = standings(self.budgets(), self.levels(), quote.day)
        images = _Set(quotes, self.pricer.signed(quotes), price, levels)
        return self._answer(request, offer, images)

    def _answer(self, request: EstimateRequest, offer: PricedOffer, images: _Set) -> Estimate:
        return Estimate(
            quote=images.signed[0] if request.count == 1 else "",
            quote_id=offer.quote.quote_id,
            image_id=offer.quote.image_id,
            quotes=images.signed,
            image_ids=tuple(one.image_id for one in images.quotes),
            expires_at=offer.quote.expires_ms,
            prompt=request.prompt,
            operation=request.operation,
            scale=offer.quote.wishes.scale or None,
            quality=offer.quality.tier,
            quality_reason=offer.quality.reason,
            provider=offer.variant.row.provider,
            model=offer.variant.row.model,
            size=offer.variant.option.size,
            style=request.style,
            price=images.price,
            button_label=_label(request, images.price),
            button_note=usual_price(images.price.expected, images.price.ceiling),
            blocked=self._blocked(offer, images, request.count),
            choices=self._choices(offer, request.count),
            constraints=_constraints_of(offer.selection, self.pricer.catalog),
            alternatives=to_alternatives(offer.selection),
            fallback=to_replaced_row(offer.selection.replaced),
            typical_seconds=offer.variant.row.typical_seconds,
            remaining=self._remaining(offer, images),
            inputs=_to_inputs(offer.quote.inputs),
            partials=offer.quote.wishes.partials,
            request=request.without_prompt(),
        )

    def _remaining(self, offer: PricedOffer, images: _Set) -> Allowance:
        quote, limits = offer.quote, self.pricer.limits
        levels = tuple(one.left(quote.day) for one in images.levels) or None
        return to_allowance(offer.ledger, limits, quote.day, now_ms=quote.issued_ms, levels=levels)

    def _blocked(self, offer: PricedOffer, images: _Set, count: int) -> Blocked | None:
        quote, price_microusd = offer.quote, images.price.ceiling
        limit = limit_now(
            offer.ledger,
            self.pricer.limits,
            day=quote.day,
            ceiling_microusd=quote.ceiling_microusd,
            now_ms=quote.issued_ms,
            count=count,
        )
        of_levels = (
            one.limit(quote.day, price_microusd, now_ms=quote.issued_ms) for one in images.levels
        )
        return to_blocked(longest((limit, *of_levels)), now_ms=quote.issued_ms)

    def _choices(self, offer: PricedOffer, count: int) -> tuple[PricedChoice, ...]:
        found = choices(
            self.pricer.catalog,
            offer.criteria,
            offer.availability,
            offer.selection,
            price_multiple=self.pricer.price_multiple,
            today=today(offer.quote.issued_ms),
        )
        return tuple(to_choice(one, count=count) for one in found)


def _label(request: EstimateRequest, price: Price) -> str:
    return button_label(price.ceiling, count=request.count, operation=request.operation)


def _constraints_of(selection: Selection, catalog: Catalog) -> Constraints:
    """Return the sizes and lengths that the tier of an offer supports, or its one size."""
    first = selection.candidates[0].variant
    if first.row.operation is not Operation.GENERATE:
        return Constraints(sizes=(first.option.size,), max_prompt_characters=0)
    rows = [row for row in catalog.tier(first.row.tier) if not row.needs_input]
    sizes = dict.fromkeys(option.size for row in rows for option in row.sizes)
    return Constraints(
        sizes=("square", "landscape", "portrait", *sizes),
        max_prompt_characters=max(row.max_prompt_characters for row in rows),
    )


def _to_inputs(inputs: tuple[QuotedInput, ...]) -> tuple[InputShown, ...]:
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
