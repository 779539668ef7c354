"""What a request would cost: reads only, calls no provider, writes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from imagegen.domain import ids, quality
from imagegen.domain.catalog import Catalog, Tier
from imagegen.domain.days import today, utc_day
from imagegen.domain.errors import (
    AboveMaxCostError,
    InvalidRequestError,
    NoProviderError,
    RetiredModelError,
    UnknownModelError,
    UnsupportedSizeError,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger, Limits, free_slots
from imagegen.domain.money import button_label
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
from imagegen.domain.selection import (
    UNAVAILABLE,
    Candidate,
    LeftOut,
    Reason,
    Selection,
    Wish,
    select,
)
from imagegen.domain.stores import LedgerStore
from imagegen.usecases.answers import allowance
from imagegen.usecases.availability import Switchboard
from imagegen.wire.images import (
    Alternative,
    Constraints,
    Estimate,
    EstimateRequest,
    Price,
    Replaced,
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What signs quotes and masks image ids."""

    keyring: Keyring
    image_id_key: bytes


@dataclass(frozen=True, slots=True)
class Estimator:
    """Prices requests."""

    catalog: Catalog
    switchboard: Switchboard
    ledgers: LedgerStore
    limits: Limits
    price_multiple: Decimal
    secrets: Callable[[], Secrets]
    now_ms: Callable[[], int]
    nonce: Callable[[], bytes]

    def estimate(
        self, request: EstimateRequest, user: str, *, ledger: Ledger | None = None
    ) -> Estimate:
        """Return the priced offer, with the quote that accepts it.

        ``ledger`` is the user's, where the caller has just read it.

        Raises:
            InvalidRequestError: unknown provider or model, a retired model, a size nobody draws.
            NoProviderError: nobody can make it now, or not for ``maxCost``.
            StoreUnavailableError: the user's ledger cannot be read.
        """
        choice = self._choice(request)
        selection = self._select(request, choice.tier)
        if not selection.candidates:
            raise _nobody(selection, request, choice.tier)
        now_ms = self.now_ms()
        ledger = ledger or self.ledgers.load(user)
        quote = self._quote(request, choice.tier, selection, user, ledger)
        first = selection.candidates[0]
        return Estimate(
            quote=sign_quote(quote, self.secrets().keyring),
            quote_id=quote.quote_id,
            image_id=quote.image_id,
            expires_at=quote.expires_ms,
            prompt=request.prompt,
            quality=choice.tier,
            quality_reason=choice.reason,
            provider=first.variant.row.provider,
            model=first.variant.row.model,
            size=first.variant.option.size,
            style=request.style,
            price=Price(expected=quote.expected_microusd, ceiling=quote.ceiling_microusd),
            button_label=button_label(quote.expected_microusd, quote.ceiling_microusd),
            constraints=self._constraints(choice.tier),
            alternatives=_alternatives(selection),
            fallback=_fallback(selection.replaced),
            typical_seconds=first.variant.row.typical_seconds,
            remaining=allowance(ledger, self.limits, quote.day, now_ms=now_ms),
        )

    def _choice(self, request: EstimateRequest) -> QualityChoice:
        """Return the tier asked for, by name or by model, or else by the prompt's words."""
        if request.provider and request.provider not in self.catalog.providers:
            known = ", ".join(self.catalog.providers)
            raise InvalidRequestError(f"Unknown provider {request.provider!r}: use one of {known}.")
        if not request.model:
            return quality.choose_quality(request.prompt, request.quality)
        if retired := self.catalog.retirement(request.model):
            ends = "ended" if retired.shutdown_on <= self._today() else "ends"
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

    def _select(self, request: EstimateRequest, tier: Tier) -> Selection:
        drawn = drawn_prompt(request.prompt, request.style)
        wish = Wish(
            tier,
            request.size,
            len(drawn),
            len(drawn.encode("utf-8", "surrogatepass")),
            request.max_cost,
            request.provider,
            request.model,
        )
        return select(
            self.catalog,
            wish,
            self.switchboard.availability(),
            price_multiple=self.price_multiple,
            today=self._today(),
        )

    def _quote(
        self,
        request: EstimateRequest,
        tier: Tier,
        selection: Selection,
        user: str,
        ledger: Ledger,
    ) -> Quote:
        now_ms, nonce = self.now_ms(), self.nonce()
        ref = ImageRef(ids.quote_id(nonce), user, now_ms)
        slots = free_slots(ledger, self.limits, now_ms=now_ms) or (0,)
        gone = selection.replaced
        return Quote(
            quote_id=ref.quote_id,
            image_id=ids.image_id(ref, self.secrets().image_id_key),
            user=user,
            day=utc_day(now_ms),
            issued_ms=now_ms,
            expires_ms=now_ms + LIFETIME_MS,
            prompt_hash=prompt_hash(request.prompt),
            tier=tier,
            size=request.size,
            style=request.style,
            candidates=tuple(_quoted(one) for one in selection.candidates),
            # Spread over the free slots, so that quotes asked for together do not collide.
            slot=slots[nonce[0] % len(slots)],
            fallback=Fallback(gone.row.provider, gone.row.model, gone.reason) if gone else None,
        )

    def _constraints(self, tier: Tier) -> Constraints:
        rows = self.catalog.tier(tier)
        sizes = dict.fromkeys(option.size for row in rows for option in row.sizes)
        return Constraints(
            sizes=("square", "landscape", "portrait", *sizes),
            max_prompt_characters=max(row.max_prompt_characters for row in rows),
        )

    def _today(self) -> date:
        return today(self.now_ms())


def drawn_prompt(prompt: str, style: str) -> str:
    """Return what a provider is asked to draw: the style stands behind the prompt."""
    return f"{prompt}\n\nStyle: {style}" if style.strip() else prompt


def _quoted(one: Candidate) -> QuotedCandidate:
    return QuotedCandidate(one.key, one.price_microusd, one.variant.row.digest(one.variant.option))


def _alternatives(selection: Selection) -> tuple[Alternative, ...]:
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


def _fallback(gone: LeftOut | None) -> Replaced | None:
    if gone is None:
        return None
    return Replaced(
        provider=gone.row.provider,
        model=gone.row.model,
        reason=gone.reason,
        price=gone.price_microusd,
    )


def _nobody(
    selection: Selection, request: EstimateRequest, tier: Tier
) -> InvalidRequestError | NoProviderError:
    """Return why there is no offer: the caller's to change where waiting cannot help."""
    reasons = {one.reason for one in selection.left_out}
    said = "; ".join(f"{one.row.key}: {one.detail}" for one in selection.left_out)
    if reasons & UNAVAILABLE:
        return NoProviderError(f"No {tier} model is available now. {said}")
    if reasons == {Reason.SIZE}:
        return UnsupportedSizeError(f"No {tier} model draws {request.size!r}. {said}")
    if Reason.TOO_DEAR in reasons:
        return AboveMaxCostError(f"No {tier} model is as cheap as that. {said}")
    return InvalidRequestError(f"No {tier} model fits the request. {said}")
