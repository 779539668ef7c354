"""Prices a request: reads the catalog, circuits and ledger; calls no provider, writes nothing."""

from dataclasses import dataclass

from imagegen.domain.catalog import Tier
from imagegen.domain.choices import Choice, choices
from imagegen.domain.days import today
from imagegen.domain.errors import LimitError, ParameterError
from imagegen.domain.money import button_label, usual_price
from imagegen.domain.standing import limit_now
from imagegen.usecases.conversions import (
    to_allowance,
    to_alternatives,
    to_blocked,
    to_choice,
    to_inputs,
    to_price,
    to_replaced_row,
)
from imagegen.usecases.pricer import PricedOffer, Pricer
from imagegen.wire.estimates import Constraints, Estimate, EstimateRequest


@dataclass(frozen=True, slots=True)
class Estimator:
    """Answers what a request costs, with the quotes that accept it."""

    pricer: Pricer
    max_count: int

    def estimate(self, request: EstimateRequest, user: str) -> Estimate:
        """Return the priced offer, with the signed quote that accepts it; prices in micro-dollars.

        Raises:
            InvalidRequestError: the provider, model or size is unknown, the model is retired, or
                no model is within ``max_cost``, or more images are wanted than one click may make.
            NoProviderError: no model of the tier is available now.
            StoreUnavailableError: the user's ledger cannot be read.
        """
        if request.count > self.max_count:
            raise ParameterError("count", f"One click makes at most {self.max_count} images.")
        offer = self.pricer.offer(request, user)
        quote, first = offer.quote, offer.selection.candidates[0]
        row, now_ms, count = first.variant.row, quote.issued_ms, request.count
        price = to_price(quote.expected_microusd, quote.ceiling_microusd, count=count)
        quotes = self.pricer.quotes(offer, count)
        signed = self.pricer.signed(quotes)
        return Estimate(
            quote=signed[0] if count == 1 else "",
            quote_id=quote.quote_id,
            image_id=quote.image_id,
            quotes=signed,
            image_ids=tuple(one.image_id for one in quotes),
            expires_at=quote.expires_ms,
            prompt=request.prompt,
            quality=offer.quality.tier,
            quality_reason=offer.quality.reason,
            provider=row.provider,
            model=row.model,
            size=first.variant.option.size,
            style=request.style,
            price=price,
            button_label=button_label(price.ceiling, count=count),
            button_note=usual_price(price.expected, price.ceiling),
            blocked=to_blocked(self._limit(offer, count), now_ms=now_ms),
            choices=tuple(to_choice(one, count=count) for one in self._choices(offer)),
            constraints=self._constraints(offer.quality.tier),
            alternatives=to_alternatives(offer.selection),
            fallback=to_replaced_row(offer.selection.replaced),
            typical_seconds=row.typical_seconds,
            remaining=to_allowance(offer.ledger, self.pricer.limits, quote.day, now_ms=now_ms),
            inputs=to_inputs(quote.inputs),
            partials=quote.wishes.partials,
            request=request.without_prompt(),
        )

    def _limit(self, offer: PricedOffer, count: int) -> LimitError | None:
        quote = offer.quote
        return limit_now(
            offer.ledger,
            self.pricer.limits,
            day=quote.day,
            ceiling_microusd=quote.ceiling_microusd,
            now_ms=quote.issued_ms,
            count=count,
        )

    def _choices(self, offer: PricedOffer) -> tuple[Choice, ...]:
        return choices(
            self.pricer.catalog,
            offer.criteria,
            offer.availability,
            offer.selection,
            price_multiple=self.pricer.price_multiple,
            today=today(offer.quote.issued_ms),
        )

    def _constraints(self, tier: Tier) -> Constraints:
        rows = [row for row in self.pricer.catalog.tier(tier) if not row.needs_input]
        sizes = dict.fromkeys(option.size for row in rows for option in row.sizes)
        return Constraints(
            sizes=("square", "landscape", "portrait", *sizes),
            max_prompt_characters=max(row.max_prompt_characters for row in rows),
        )
