"""A confirmed request: reserve, moderate, draw, store, settle, answer. In this order.

The price on the button is the most that is held; the hold is lowered to the price of the model
that drew. What is stored is charged and what is not stored is not, whatever dies in between: the
reconciler ends it by the same oracle.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import ImagegenError, LeaseLostError
from imagegen.domain.ids import digest_in_run_name
from imagegen.domain.quote import Keyring, Quote, check_quote, open_quote
from imagegen.domain.records import Fallback, ImageRecord, RecordStatus
from imagegen.domain.stores import Known, LedgerSnapshot, Refused
from imagegen.usecases.estimator import drawn_prompt
from imagegen.usecases.generate.attempts import AttemptLog, ImageMade, ProviderLoop
from imagegen.usecases.generate.holds import Holds
from imagegen.usecases.generate.moderation import PromptModeration
from imagegen.usecases.generate.replay import Made, Replayer, Running
from imagegen.usecases.generate.storage import ImageKeeper
from imagegen.wire.images import GenerateRequest

SETTLE_MARGIN_MS = 20_000
"""Kept free of provider calls before Lambda's timeout: to store, settle and answer."""


@dataclass(frozen=True, slots=True)
class Generator:
    """Makes the image of a quote, once."""

    catalog: Catalog
    reserver: Holds
    gatekeeper: PromptModeration
    drawer: ProviderLoop
    keeper: ImageKeeper
    replayer: Replayer
    keyring: Callable[[], Keyring]
    now_ms: Callable[[], int]

    def generate(self, request: GenerateRequest, user: str, *, ends_ms: int) -> Made | Running:
        """Return the image, or that it is being made. Lambda ends this run at ``ends_ms``.

        Raises:
            QuoteError: the quote is not valid, expired or made for something else.
            LimitError: a limit of the user stops it.
            ContentRefusedError, NoProviderError, GenerationFailedError: no image, no charge.
            GoneError: it was made with this quote, charged, and deleted since.
            StoreUnavailableError: the ledger cannot be reached; nothing is spent.
        """
        quote = open_quote(request.quote, self.keyring())
        check_quote(quote, user=user, prompt=request.prompt)
        if quote.is_expired(self.now_ms()):
            return self.replayer.after_expiry(quote)
        reservation = self.reserver.reserve(quote, ends_ms=ends_ms)
        if isinstance(reservation, Refused):
            raise reservation.limit
        if isinstance(reservation, Known):
            return self.replayer.answer(quote, reservation.snapshot.ledger)
        return self._run(quote, request.prompt, reservation.snapshot, ends_ms)

    def _run(
        self, quote: Quote, prompt: str, snapshot: LedgerSnapshot, ends_ms: int
    ) -> Made | Running:
        turns = AttemptLog()
        try:
            drawn = self._draw(quote, prompt, ends_ms, turns)
        except ImagegenError as error:
            self._give_up(quote, snapshot, turns, error)
            raise
        except Exception:
            # A bug of ours must not keep the user's money held; it is still a bug, and a 500.
            self._give_up(quote, snapshot, turns, ImagegenError("internal error"))
            raise
        record = self._complete(quote, snapshot, drawn, turns)
        try:
            return self.keeper.keep(quote, snapshot, drawn.content, record)
        except LeaseLostError as error:
            turns.in_doubt_microusd += drawn.candidate.price_microusd
            self._give_up(quote, snapshot, turns, error)
            raise

    def _draw(self, quote: Quote, prompt: str, ends_ms: int, turns: AttemptLog) -> ImageMade:
        text = drawn_prompt(prompt, quote.style)
        self.gatekeeper.admit(text)
        return self.drawer.run(quote, text, deadline_ms=ends_ms - SETTLE_MARGIN_MS, turns=turns)

    def _give_up(
        self, quote: Quote, snapshot: LedgerSnapshot, turns: AttemptLog, error: ImagegenError
    ) -> None:
        self.reserver.release(quote.user, snapshot, error)
        failed = replace(self._record(quote, snapshot, turns), code=error.code)
        self.keeper.give_up(quote, replace(failed, retryable=error.retryable))

    def _complete(
        self, quote: Quote, snapshot: LedgerSnapshot, drawn: ImageMade, turns: AttemptLog
    ) -> ImageRecord:
        row = drawn.variant.row
        return replace(
            self._record(quote, snapshot, turns),
            status=RecordStatus.COMPLETE,
            charged_microusd=drawn.candidate.price_microusd,
            key=row.key,
            provider=row.provider,
            model=row.model,
            width=drawn.measured.width,
            height=drawn.measured.height,
            media_type=drawn.measured.media_type,
            fallback=self._fallback(quote, drawn, turns),
            actual_microusd=drawn.actual_microusd,
            tokens=drawn.tokens,
        )

    def _record(self, quote: Quote, snapshot: LedgerSnapshot, turns: AttemptLog) -> ImageRecord:
        now_ms = self.now_ms()
        return ImageRecord(
            status=RecordStatus.FAILED,
            quote_id=quote.quote_id,
            issued_ms=quote.issued_ms,
            created_ms=now_ms,
            duration_ms=now_ms - snapshot.op.started_ms,
            tier=quote.tier,
            size=quote.size,
            expected_microusd=quote.expected_microusd,
            ceiling_microusd=quote.ceiling_microusd,
            charged_microusd=0,
            attempts=tuple(turns.attempts),
            in_doubt_microusd=turns.in_doubt_microusd,
            run=snapshot.op.owner if digest_in_run_name(snapshot.op.owner) else "",
        )

    def _fallback(self, quote: Quote, drawn: ImageMade, turns: AttemptLog) -> Fallback | None:
        first = quote.candidates[0]
        if quote.fallback is not None or drawn.candidate.key == first.key:
            return quote.fallback
        missed, row = turns.attempts[0], self.catalog.by_key.get(first.key)
        model = row.model if row else first.key
        return Fallback(row.provider if row else missed.provider, model, missed.outcome)
