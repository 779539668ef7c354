"""A confirmed request: reserve, moderate, draw, store, settle, answer. In this order.

The price on the button is the most that is held; the hold is lowered to the price of the model
that drew. What is stored is charged and what is not stored is not, whatever dies in between: the
reconciler ends it by the same oracle.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import (
    ImagegenError,
    LeaseLostError,
    StoreUnavailableError,
)
from imagegen.domain.ledger import Hold, Limits, OpState, abandoned, settled
from imagegen.domain.models import GenerateRequest
from imagegen.domain.ports import (
    Held,
    ImageStore,
    Known,
    LedgerStore,
    RecordStore,
    Refused,
    Reservation,
    Seen,
)
from imagegen.domain.quote import Keyring, Quote, check_quote, open_quote
from imagegen.domain.records import Fallback, ImageRecord, RecordStatus
from imagegen.usecases.drawing import Drawer, Drawn, Turns
from imagegen.usecases.estimator import drawn_prompt
from imagegen.usecases.moderating import Gatekeeper
from imagegen.usecases.reconciler import Reconciler
from imagegen.usecases.replay import Made, Replayer, Running, ref_of

SETTLE_MARGIN_MS = 20_000
"""Kept free of provider calls before Lambda's timeout: to store, settle and answer."""
LEASE_MARGIN_MS = 30_000
"""After Lambda's timeout the run is dead; clocks differ by less than this."""


@dataclass(frozen=True, slots=True)
class Generator:
    """Makes the image of a quote, once."""

    catalog: Catalog
    drawer: Drawer
    ledgers: LedgerStore
    images: ImageStore
    records: RecordStore
    reconciler: Reconciler
    gatekeeper: Gatekeeper
    replayer: Replayer
    keyring: Callable[[], Keyring]
    limits: Limits
    now_ms: Callable[[], int]
    new_run_id: Callable[[], str]
    on_finished: Callable[[ImageRecord], None]

    def generate(self, request: GenerateRequest, user: str, *, remaining_ms: int) -> Made | Running:
        """Return the image, or that it is being made.

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
        started_ms = self.now_ms()
        hold = self._hold(quote, started_ms + remaining_ms + LEASE_MARGIN_MS)
        reservation = self._reserve(user, hold)
        if isinstance(reservation, Refused):
            raise reservation.limit
        if isinstance(reservation, Known):
            return self.replayer.answer(quote, reservation.seen.ledger)
        deadline_ms = started_ms + remaining_ms - SETTLE_MARGIN_MS
        return self._run(quote, request.prompt, reservation.seen, deadline_ms)

    def _hold(self, quote: Quote, lease_ms: int) -> Hold:
        return Hold(
            quote.quote_id,
            self.new_run_id(),
            quote.day,
            quote.ceiling_microusd,
            quote.expires_ms,
            lease_ms,
            quote.slot,
        )

    def _reserve(self, user: str, hold: Hold) -> Reservation:
        """Hold what the request needs; dead runs of the user are ended on the way."""
        first = self._try_reserve(user, hold)
        ledger = first.ledger if isinstance(first, Refused) else first.seen.ledger
        dead = abandoned(ledger, now_ms=self.now_ms())
        if not dead:
            return first
        if isinstance(first, Held):
            # The image comes first: what fails here waits for the schedule.
            with suppress(StoreUnavailableError):
                self.reconciler.reconcile(user, ledger)
            return first
        self.reconciler.reconcile(user, ledger)
        return self._try_reserve(user, hold)

    def _try_reserve(self, user: str, hold: Hold) -> Reservation:
        try:
            return self.ledgers.reserve(user, hold, self.limits, now_ms=self.now_ms())
        except StoreUnavailableError:
            self._undo(user, hold)
            raise

    def _undo(self, user: str, hold: Hold) -> None:
        """Give back what a reservation without an answer may have held: no provider was asked."""
        with suppress(StoreUnavailableError):
            ledger = self.ledgers.load(user)
            op = ledger.ops.get(hold.quote_id)
            if op and op.state is OpState.HELD and op.owner == hold.owner:
                self._release(user, Seen(hold.quote_id, ledger), StoreUnavailableError(""))

    def _run(self, quote: Quote, prompt: str, seen: Seen, deadline_ms: int) -> Made | Running:
        turns = Turns()
        try:
            text = drawn_prompt(prompt, quote.style)
            self.gatekeeper.admit(text)
            drawn = self.drawer.draw(quote, text, deadline_ms=deadline_ms, turns=turns)
        except ImagegenError as error:
            self._give_up(quote, seen, turns, error)
            raise
        except Exception:
            # A bug of ours must not keep the user's money held; it is still a bug, and a 500.
            self._give_up(quote, seen, turns, ImagegenError("internal error"))
            raise
        return self._keep(quote, seen, drawn, turns)

    def _keep(self, quote: Quote, seen: Seen, drawn: Drawn, turns: Turns) -> Made | Running:
        ref = ref_of(quote)
        record = self._complete(quote, seen, drawn, turns)
        if self.now_ms() >= seen.op.lease_ms - LEASE_MARGIN_MS:
            # Too late to store: the reconciler may be deciding already.
            raise LeaseLostError("The request took too long and was given up. Try again.")
        try:
            if not self.images.put(ref, drawn.content, record):
                # An earlier run of this quote stored its image after all: that one is charged.
                record = self.images.find(ref) or record
        except StoreUnavailableError:
            # Stored or not, the reconciler will find out and charge accordingly.
            return self.replayer.running(quote, seen.op.started_ms)
        charged = record.charged_microusd
        try:
            kept = self.ledgers.settle(
                quote.user, seen, charged_microusd=charged, now_ms=self.now_ms()
            )
        except StoreUnavailableError:
            # The image is stored, so it is charged: here, or by the reconciler.
            kept = True
        if not kept:
            with suppress(StoreUnavailableError):
                self.images.delete(ref)
            raise LeaseLostError("The request took too long and was given up. Try again.")
        with suppress(StoreUnavailableError):
            self.records.put(ref, record)
        self.on_finished(record)
        return Made(quote, ref, record, settled(seen.ledger, quote.quote_id, charged))

    def _complete(self, quote: Quote, seen: Seen, drawn: Drawn, turns: Turns) -> ImageRecord:
        row, now_ms = drawn.draw.row, self.now_ms()
        return ImageRecord(
            status=RecordStatus.COMPLETE,
            quote_id=quote.quote_id,
            issued_ms=quote.issued_ms,
            created_ms=now_ms,
            duration_ms=now_ms - seen.op.started_ms,
            tier=quote.tier,
            size=quote.size,
            expected_microusd=quote.expected_microusd,
            ceiling_microusd=quote.ceiling_microusd,
            charged_microusd=drawn.candidate.price_microusd,
            key=row.key,
            provider=row.provider,
            model=row.model,
            width=drawn.measured.width,
            height=drawn.measured.height,
            media_type=drawn.measured.media_type,
            fallback=self._fallback(quote, drawn, turns),
            attempts=tuple(turns.attempts),
            in_doubt_microusd=turns.in_doubt_microusd,
        )

    def _fallback(self, quote: Quote, drawn: Drawn, turns: Turns) -> Fallback | None:
        first = quote.candidates[0]
        if quote.fallback is not None or drawn.candidate.key == first.key:
            return quote.fallback
        missed, row = turns.attempts[0], self.catalog.by_key.get(first.key)
        model = row.model if row else first.key
        return Fallback(row.provider if row else missed.provider, model, missed.outcome)

    def _give_up(self, quote: Quote, seen: Seen, turns: Turns, error: ImagegenError) -> None:
        with suppress(StoreUnavailableError):  # then the hold ends with its lease
            self._release(quote.user, seen, error)
        now_ms = self.now_ms()
        record = ImageRecord(
            status=RecordStatus.FAILED,
            quote_id=quote.quote_id,
            issued_ms=quote.issued_ms,
            created_ms=now_ms,
            duration_ms=now_ms - seen.op.started_ms,
            tier=quote.tier,
            size=quote.size,
            expected_microusd=quote.expected_microusd,
            ceiling_microusd=quote.ceiling_microusd,
            charged_microusd=0,
            attempts=tuple(turns.attempts),
            code=error.code,
            retryable=error.retryable,
            in_doubt_microusd=turns.in_doubt_microusd,
        )
        with suppress(StoreUnavailableError):
            self.records.put(ref_of(quote), record)
        self.on_finished(record)

    def _release(self, user: str, seen: Seen, error: ImagegenError) -> None:
        self.ledgers.release(
            user, seen, code=error.code, retryable=error.retryable, now_ms=self.now_ms()
        )
