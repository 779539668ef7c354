"""Prices a request: reads the catalog, circuits and ledger; calls no provider, writes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from imagegen.domain import ids, quality
from imagegen.domain.catalog import Catalog, Tier
from imagegen.domain.criteria import SAME_SIZE, Criteria
from imagegen.domain.days import today, utc_day
from imagegen.domain.errors import (
    AboveMaxCostError,
    InvalidRequestError,
    NoProviderError,
    ParameterError,
    RetiredModelError,
    UnknownModelError,
    UnsupportedSizeError,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import QuotedInput, Role, without_mask
from imagegen.domain.ledger import Ledger, Limits, free_slots
from imagegen.domain.money import button_label
from imagegen.domain.pricing import prompt_tokens
from imagegen.domain.quality import QualityChoice
from imagegen.domain.quote import (
    LIFETIME_MS,
    Keyring,
    Quote,
    QuotedCandidate,
    prompt_hash,
    sign_quote,
    styled_prompt,
)
from imagegen.domain.records import Fallback
from imagegen.domain.selection import (
    UNAVAILABLE,
    Candidate,
    LeftOut,
    Reason,
    Selection,
    select,
)
from imagegen.domain.stores import LedgerStore
from imagegen.domain.wishes import Wishes
from imagegen.usecases.availability import Switchboard
from imagegen.usecases.conversions import (
    to_allowance,
    to_alternatives,
    to_inputs,
    to_replaced_row,
)
from imagegen.usecases.inputs import InputReader
from imagegen.wire.images import (
    Constraints,
    Estimate,
    EstimateRequest,
    Price,
)


@dataclass(frozen=True, slots=True)
class Issue:
    """When a quote is issued, and the bytes from which its id is made."""

    nonce: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer before it is signed."""

    quote: Quote
    quality: QualityChoice
    selection: Selection
    ledger: Ledger


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

    def estimate(self, request: EstimateRequest, user: str) -> Estimate:
        """Return the priced offer, with the signed quote that accepts it; prices in micro-dollars.

        Raises:
            InvalidRequestError: the provider, model or size is unknown, the model is retired, or
                no model is within ``max_cost``.
            NoProviderError: no model of the tier is available now.
            StoreUnavailableError: the user's ledger cannot be read.
        """
        offer = self.offer(request, user)
        quote, first = offer.quote, offer.selection.candidates[0]
        row = first.variant.row
        return Estimate(
            quote=sign_quote(quote, self.keyring()),
            quote_id=quote.quote_id,
            image_id=quote.image_id,
            expires_at=quote.expires_ms,
            prompt=request.prompt,
            quality=offer.quality.tier,
            quality_reason=offer.quality.reason,
            provider=row.provider,
            model=row.model,
            size=first.variant.option.size,
            style=request.style,
            price=Price(expected=quote.expected_microusd, ceiling=quote.ceiling_microusd),
            button_label=button_label(quote.expected_microusd, quote.ceiling_microusd),
            constraints=self._constraints(offer.quality.tier),
            alternatives=to_alternatives(offer.selection),
            fallback=to_replaced_row(offer.selection.replaced),
            typical_seconds=row.typical_seconds,
            remaining=to_allowance(offer.ledger, self.limits, quote.day, now_ms=quote.issued_ms),
            inputs=to_inputs(quote.inputs),
        )

    def offer(
        self,
        request: EstimateRequest,
        user: str,
        *,
        ledger: Ledger | None = None,
        issue: Issue | None = None,
        most_bytes: int | None = None,
    ) -> Offer:
        """Return the offer before it is signed.

        ``ledger`` is the user's, if the caller has just read it. ``issue`` is passed by callers
        that derive the quote id from their request, and ``most_bytes`` by those that can use no
        larger file.

        Raises:
            ImagegenError: as ``estimate``.
        """
        issue = issue or Issue(self.random_bytes(ids.NONCE_BYTES), self.now_ms())
        day = today(issue.at_ms)
        chosen = self._choose_quality(request, day)
        given = self.inputs.quoted(request, user)
        request = _with_size(request, given)
        selection = self._select(
            request, chosen.tier, given, user=user, day=day, most_bytes=most_bytes
        )
        if not selection.candidates:
            raise _no_candidate(selection, request, chosen.tier)
        ledger = ledger or self.ledgers.load(user)
        quote = replace(
            self._quote(request, selection, user, ledger, issue),
            inputs=given,
            wishes=wishes_of(request),
        )
        return Offer(quote, chosen, selection, ledger)

    def _choose_quality(self, request: EstimateRequest, day: date) -> QualityChoice:
        """Return the tier that ``quality`` or ``model`` determines, else the prompt's words."""
        if request.provider and request.provider not in self.catalog.providers:
            known = ", ".join(self.catalog.providers)
            raise InvalidRequestError(f"Unknown provider {request.provider!r}: use one of {known}.")
        if not request.model:
            return quality.choose_quality(request.prompt, request.quality)
        if retired := self.catalog.retirement(request.model):
            ends = "ended" if retired.shutdown_on <= day else "ends"
            better = self.catalog.by_key[retired.replaced_by]
            raise RetiredModelError(
                f"{request.model!r} {ends} on {retired.shutdown_on}; "
                f"{better.model!r} ({better.key}) replaces it."
            )
        tiers = [r.tier for r in self.catalog.models if request.model in (r.key, r.model)]
        if not tiers:
            raise UnknownModelError(f"Unknown model {request.model!r}: GET /models lists them.")
        if request.quality:
            return quality.choose_quality(request.prompt, request.quality)
        return quality.choose_for_model(request.prompt, tiers)

    def _select(
        self,
        request: EstimateRequest,
        tier: Tier,
        given: tuple[QuotedInput, ...],
        *,
        user: str,
        day: date,
        most_bytes: int | None,
    ) -> Selection:
        text = styled_prompt(request.prompt, request.style)
        criteria = Criteria(
            tier,
            request.size,
            len(text),
            prompt_tokens=prompt_tokens(text),
            max_cost_microusd=request.max_cost,
            provider=request.provider,
            model=request.model,
            file_format=request.format,
            most_bytes=most_bytes,
            inputs=tuple((one.width, one.height) for one in without_mask(given)),
            has_mask=any(one.role is Role.MASK for one in given),
            wishes=wishes_of(request),
        )
        return select(
            self.catalog,
            criteria,
            self.switchboard.availability(user),
            price_multiple=self.price_multiple,
            today=day,
        )

    def _quote(
        self,
        request: EstimateRequest,
        selection: Selection,
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
        )

    def _constraints(self, tier: Tier) -> Constraints:
        rows = self.catalog.tier(tier)
        sizes = dict.fromkeys(option.size for row in rows for option in row.sizes)
        return Constraints(
            sizes=("square", "landscape", "portrait", *sizes),
            max_prompt_characters=max(row.max_prompt_characters for row in rows),
        )


def wishes_of(request: EstimateRequest) -> Wishes:
    """Return what a request wants of its image besides its size."""
    return Wishes(request.background == "transparent", request.seed, request.partials)


def _with_size(request: EstimateRequest, given: tuple[QuotedInput, ...]) -> EstimateRequest:
    """Return the request with the size that an edit has if none is requested: that of its input.

    Raises:
        ParameterError: the size is that of the first input, and there is none.
    """
    if request.size == SAME_SIZE and not given:
        raise ParameterError("size", "The size same needs an input. Send one, or another size.")
    if "size" in request.model_fields_set or not given or given[0].role is not Role.EDIT:
        return request
    return request.model_copy(update={"size": SAME_SIZE})


def _quoted(one: Candidate, size: str) -> QuotedCandidate:
    option = one.variant.option
    exact = option.size if size == SAME_SIZE else ""
    digest = one.variant.row.digest(option)
    return QuotedCandidate(one.key, one.price_microusd, digest, one.file_format, exact)


def _quoted_fallback(missing: LeftOut | None) -> Fallback | None:
    return Fallback(missing.row.provider, missing.row.model, missing.reason) if missing else None


def _no_candidate(
    selection: Selection, request: EstimateRequest, tier: Tier
) -> InvalidRequestError | NoProviderError:
    """Return the error that explains why there is no offer.

    It is a 503 if waiting can help; otherwise the caller has to change the request.
    """
    reasons = {one.reason for one in selection.left_out}
    details = "; ".join(f"{one.row.key}: {one.detail}" for one in selection.left_out)
    if reasons & UNAVAILABLE:
        return NoProviderError(f"No {tier} model is available now. {details}")
    if reasons == {Reason.SIZE}:
        return UnsupportedSizeError(f"No {tier} model has the size {request.size!r}. {details}")
    for reason, fields in ((Reason.INPUTS, "inputs"), (Reason.WISH, _wished(request))):
        if reason in reasons and Reason.TOO_DEAR not in reasons:
            return ParameterError(fields, f"No {tier} model can do this. {details}")
    if Reason.FORMAT in reasons and Reason.TOO_DEAR not in reasons:
        return ParameterError("format", f"No {tier} model has a file as required. {details}")
    if Reason.TOO_DEAR in reasons:
        return AboveMaxCostError(f"No {tier} model fits the request within maxCost. {details}")
    return InvalidRequestError(f"No {tier} model fits the request. {details}")


def _wished(request: EstimateRequest) -> str:
    """Return the field of the first wish, which a model may not meet."""
    if request.background == "transparent":
        return "background"
    return "seed" if request.seed is not None else "partials"
