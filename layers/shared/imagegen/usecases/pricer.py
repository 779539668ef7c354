"""Prices a request and promises that price in quotes, before anything is shown of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from imagegen.domain import ids
from imagegen.domain.candidates import Availability, Candidate, LeftOut
from imagegen.domain.catalog import Catalog, Variant
from imagegen.domain.criteria import SAME_SIZE, Criteria
from imagegen.domain.days import today, utc_day
from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import QuotedInput
from imagegen.domain.ledger import Ledger, Limits, free_slots
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
from imagegen.domain.stores import LedgerStore
from imagegen.usecases.availability import Switchboard
from imagegen.usecases.requests import (
    check_operation,
    choose_tier,
    criteria_of,
    no_offer,
    with_size,
)
from imagegen.wire.estimates import EstimateRequest

if TYPE_CHECKING:
    from imagegen.usecases.shared_inputs import Inputs


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
    slots: tuple[int, ...]
    """The user's free slots of the hour; one that is taken, if none is free."""

    @property
    def variant(self) -> Variant:
        """What is made first."""
        return self.selection.candidates[0].variant


@dataclass(frozen=True, slots=True)
class Pricer:
    """Makes offers."""

    catalog: Catalog
    switchboard: Switchboard
    ledgers: LedgerStore
    inputs: "Inputs"
    limits: Limits
    price_multiple: Decimal
    keyring: Callable[[], Keyring]
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]

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
            InvalidRequestError: the provider, model or size is unknown, the model is retired, or
                no model is within ``max_cost``.
            NotFoundError, InputGoneError: an input is not one of this user, or is gone.
            NoProviderError: no model of the tier is available now.
            StoreUnavailableError: the user's ledger or an input cannot be read.
        """
        issue = issue or Issue(self.random_bytes(ids.NONCE_BYTES), self.now_ms())
        day = today(issue.at_ms)
        check_operation(request)
        chosen = choose_tier(request, self.catalog, day)
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
        slots = free_slots(ledger, self.limits, now_ms=issue.at_ms) or (0,)
        # The nonce chooses the slot, so that quotes of the same moment rarely get the same one.
        slot = slots[issue.nonce[0] % len(slots)]
        quote = self._quote(request, given, selection, criteria, user=user, issue=issue, slot=slot)
        return PricedOffer(quote, chosen, selection, ledger, criteria, availability, slots)

    def quotes(self, offer: PricedOffer, count: int) -> tuple[Quote, ...]:
        """Return the quote of each image: equal promises, whose ids have nothing in common."""
        first, slots = offer.quote, offer.slots
        at, key = slots.index(first.slot), self.image_id_key()
        found = [first]
        for index in range(1, count):
            quote_id = ids.quote_id(self.random_bytes(ids.NONCE_BYTES))
            image_id = ids.image_id(ImageRef(quote_id, first.user, first.issued_ms), key)
            # Each has another free slot, so that none has to be reserved twice.
            slot = slots[(at + index) % len(slots)]
            found.append(replace(first, quote_id=quote_id, image_id=image_id, slot=slot))
        return tuple(found)

    def signed(self, quotes: Iterable[Quote]) -> tuple[str, ...]:
        """Return quotes as the client gets them, signed."""
        keyring = self.keyring()
        return tuple(sign_quote(one, keyring) for one in quotes)

    def _quote(
        self,
        request: EstimateRequest,
        given: tuple[QuotedInput, ...],
        selection: Selection,
        criteria: Criteria,
        *,
        user: str,
        issue: Issue,
        slot: int,
    ) -> Quote:
        ref = ImageRef(ids.quote_id(issue.nonce), user, issue.at_ms)
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
            slot=slot,
            fallback=_quoted_fallback(selection.replaced),
            inputs=given,
            wishes=criteria.wishes,
            operation=request.operation,
        )


def _quoted(one: Candidate, size: str) -> QuotedCandidate:
    row, option = one.variant.row, one.variant.option
    exact = option.size if size == SAME_SIZE else ""
    return QuotedCandidate(row.key, one.price_microusd, row.digest(option), one.file_format, exact)


def _quoted_fallback(missing: LeftOut | None) -> Fallback | None:
    return Fallback(missing.row.provider, missing.row.model, missing.reason) if missing else None
