"""Prices a request: reads the catalog, circuits and ledger; calls no provider, writes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from imagegen.domain import ids
from imagegen.domain.candidates import Availability, Candidate, LeftOut
from imagegen.domain.catalog import Catalog
from imagegen.domain.choices import Choice, choices
from imagegen.domain.criteria import SAME_SIZE, Criteria
from imagegen.domain.days import today, utc_day
from imagegen.domain.errors import LimitError, ParameterError
from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import QuotedInput
from imagegen.domain.ledger import Ledger, Limits, free_slots
from imagegen.domain.money import button_label, usual_price
from imagegen.domain.quality import QualityChoice
from imagegen.domain.quote import (
    LIFETIME_MS,
    Keyring,
    Quote,
    QuotedCandidate,
    prompt_hash,
    sign_quote,
)
from imagegen.domain.records import Fallback
from imagegen.domain.selection import Selection, select
from imagegen.domain.standing import limit_now
from imagegen.domain.stores import LedgerStore
from imagegen.usecases.availability import Switchboard
from imagegen.usecases.conversions import (
    to_allowance,
    to_alternatives,
    to_blocked,
    to_choice,
    to_inputs,
    to_price,
    to_replaced_row,
)
from imagegen.usecases.inputs import InputReader
from imagegen.usecases.levels import choose_level, constraints_of
from imagegen.usecases.operations import check_operation
from imagegen.usecases.requests import criteria_of, no_offer, wishes_of, with_size
from imagegen.wire.estimates import Estimate, EstimateRequest


@dataclass(frozen=True, slots=True)
class Issue:
    """When a quote is issued, and the bytes from which its id is made."""

    nonce: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class PricedOffer:
    """An offer before it is signed."""

    quote: Quote
    quality: QualityChoice
    selection: Selection
    ledger: Ledger
    criteria: Criteria
    availability: Mapping[str, Availability]


@dataclass(frozen=True, slots=True)
class Estimator:
    """Prices requests."""

    catalog: Catalog
    switchboard: Switchboard
    ledgers: LedgerStore
    inputs: InputReader
    limits: Limits
    price_multiple: Decimal
    keyring: Callable[[], Keyring]
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    max_count: int = 4

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
        offer = self.offer(request, user)
        quote, first = offer.quote, offer.selection.candidates[0]
        row, now_ms, count = first.variant.row, quote.issued_ms, request.count
        price = to_price(quote.expected_microusd, quote.ceiling_microusd, count=count)
        quotes = self._quotes(offer, count)
        signed = tuple(sign_quote(one, self.keyring()) for one in quotes)
        return Estimate(
            quote=signed[0] if count == 1 else "",
            quote_id=quote.quote_id,
            image_id=quote.image_id,
            quotes=signed,
            image_ids=tuple(one.image_id for one in quotes),
            expires_at=quote.expires_ms,
            prompt=request.prompt,
            operation=request.operation,
            scale=quote.wishes.scale or None,
            quality=offer.quality.tier,
            quality_reason=offer.quality.reason,
            provider=row.provider,
            model=row.model,
            size=first.variant.option.size,
            style=request.style,
            price=price,
            button_label=button_label(price.ceiling, count=count, operation=request.operation),
            button_note=usual_price(price.expected, price.ceiling),
            blocked=to_blocked(self._limit(offer, count), now_ms=now_ms),
            choices=tuple(to_choice(one, count=count) for one in self._choices(offer)),
            constraints=constraints_of(offer.selection, self.catalog),
            alternatives=to_alternatives(offer.selection),
            fallback=to_replaced_row(offer.selection.replaced),
            typical_seconds=row.typical_seconds,
            remaining=to_allowance(offer.ledger, self.limits, quote.day, now_ms=now_ms),
            inputs=to_inputs(quote.inputs),
            partials=quote.wishes.partials,
            request=request.without_prompt(),
        )

    def offer(
        self,
        request: EstimateRequest,
        user: str,
        *,
        ledger: Ledger | None = None,
        issue: Issue | None = None,
        most_bytes: int | None = None,
    ) -> PricedOffer:
        """Return the offer before it is signed.

        ``ledger`` is the user's, if the caller has just read it. ``issue`` is passed by callers
        that derive the quote id from their request, and ``most_bytes`` by those that can use no
        larger file.

        Raises:
            ImagegenError: as ``estimate``.
        """
        issue = issue or Issue(self.random_bytes(ids.NONCE_BYTES), self.now_ms())
        day = today(issue.at_ms)
        check_operation(request)
        chosen = choose_level(request, self.catalog, day)
        given = self.inputs.quoted(request, user)
        request = with_size(request, given)
        criteria = criteria_of(request, chosen.tier, most_bytes, given)
        availability = self.switchboard.availability(user)
        selection = select(
            self.catalog, criteria, availability, price_multiple=self.price_multiple, today=day
        )
        if not selection.candidates:
            raise no_offer(selection, request, chosen.tier)
        ledger = ledger or self.ledgers.load(user)
        quote = self._quote(request, given, selection, user=user, ledger=ledger, issue=issue)
        return PricedOffer(quote, chosen, selection, ledger, criteria, availability)

    def _limit(self, offer: PricedOffer, count: int) -> LimitError | None:
        quote = offer.quote
        return limit_now(
            offer.ledger,
            self.limits,
            day=quote.day,
            ceiling_microusd=quote.ceiling_microusd,
            now_ms=quote.issued_ms,
            count=count,
        )

    def _quotes(self, offer: PricedOffer, count: int) -> tuple[Quote, ...]:
        """Return the quote of each image: equal promises, whose ids have nothing in common."""
        first = offer.quote
        slots = free_slots(offer.ledger, self.limits, now_ms=first.issued_ms) or (0,)
        at = slots.index(first.slot)
        refs = [
            ImageRef(ids.quote_id(self.random_bytes(ids.NONCE_BYTES)), first.user, first.issued_ms)
            for _ in range(count - 1)
        ]
        key = self.image_id_key()
        return (
            first,
            *(
                # Each has another free slot, so that none has to be reserved twice.
                replace(
                    first,
                    quote_id=ref.quote_id,
                    image_id=ids.image_id(ref, key),
                    slot=slots[(at + index) % len(slots)],
                )
                for index, ref in enumerate(refs, start=1)
            ),
        )

    def _choices(self, offer: PricedOffer) -> tuple[Choice, ...]:
        return choices(
            self.catalog,
            offer.criteria,
            offer.availability,
            offer.selection,
            price_multiple=self.price_multiple,
            today=today(offer.quote.issued_ms),
        )

    def _quote(
        self,
        request: EstimateRequest,
        given: tuple[QuotedInput, ...],
        selection: Selection,
        *,
        user: str,
        ledger: Ledger,
        issue: Issue,
    ) -> Quote:
        ref = ImageRef(ids.quote_id(issue.nonce), user, issue.at_ms)
        slots = free_slots(ledger, self.limits, now_ms=issue.at_ms) or (0,)
        return Quote(
            quote_id=ref.quote_id,
            image_id=ids.image_id(ref, self.image_id_key()),
            user=user,
            day=utc_day(issue.at_ms),
            issued_ms=issue.at_ms,
            expires_ms=issue.at_ms + LIFETIME_MS,
            prompt_hash=prompt_hash(request.prompt),
            tier=selection.candidates[0].variant.row.tier,
            size=request.size,
            style=request.style,
            candidates=tuple(_quoted(one, request.size) for one in selection.candidates),
            # The nonce chooses the slot, so that quotes of the same moment rarely get the same one.
            slot=slots[issue.nonce[0] % len(slots)],
            fallback=_quoted_fallback(selection.replaced),
            inputs=given,
            wishes=wishes_of(request),
            operation=request.operation,
        )


def _quoted(one: Candidate, size: str) -> QuotedCandidate:
    option = one.variant.option
    exact = option.size if size == SAME_SIZE else ""
    digest = one.variant.row.digest(option)
    return QuotedCandidate(one.key, one.price_microusd, digest, one.file_format, exact)


def _quoted_fallback(missing: LeftOut | None) -> Fallback | None:
    return Fallback(missing.row.provider, missing.row.model, missing.reason) if missing else None
