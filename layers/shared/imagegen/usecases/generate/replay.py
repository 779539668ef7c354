"""The same quote again: the same answer, never a second charge."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    GoneError,
    ImagegenError,
    QuoteExpiredError,
    StoreUnavailableError,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger, OpState, abandoned
from imagegen.domain.quote import LIFETIME_MS, Quote
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import ImageStore, LedgerStore, RecordStore
from imagegen.usecases.generate.reconciler import Reconciler

TYPICAL_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Made:
    """The image is stored and charged."""

    quote: Quote
    ref: ImageRef
    record: ImageRecord
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Running:
    """A run with this quote is under way."""

    quote: Quote
    started_ms: int
    typical_seconds: int


def ref_of(quote: Quote) -> ImageRef:
    """Return where a quote's image and record are kept."""
    return ImageRef(quote.quote_id, quote.user, quote.issued_ms)


@contextmanager
def charged_if_unavailable() -> Iterator[None]:
    """Let a store's failure say that the image behind it is charged, where the ledger says so."""
    try:
        yield
    except StoreUnavailableError as error:
        error.charged = True
        raise


@dataclass(frozen=True, slots=True)
class Replayer:
    """Answers for quotes that were used before."""

    catalog: Catalog
    ledgers: LedgerStore
    images: ImageStore
    records: RecordStore
    reconciler: Reconciler
    now_ms: Callable[[], int]

    def running(self, quote: Quote, started_ms: int) -> Running:
        """Return that the image is being made."""
        row = self.catalog.by_key.get(quote.candidates[0].key)
        return Running(quote, started_ms, row.typical_seconds if row else TYPICAL_SECONDS)

    def after_expiry(self, quote: Quote) -> Made | Running:
        """Return what an expired quote came to while it was good.

        Raises:
            QuoteExpiredError: it was never used, or came to nothing that could be kept.
            ContentRefusedError, GoneError: as it was.
        """
        ledger = self.ledgers.load(quote.user)
        if abandoned(ledger, now_ms=self.now_ms()):
            self.reconciler.reconcile(quote.user, ledger)
            ledger = self.ledgers.load(quote.user)
        if quote.quote_id in ledger.ops or self._was_made(quote):
            return self.answer(quote, ledger)
        raise QuoteExpiredError("The quote has expired. Ask for a new estimate.")

    def answer(self, quote: Quote, ledger: Ledger) -> Made | Running:
        """Return what the first request with this quote came to.

        Raises:
            ContentRefusedError, GenerationFailedError, QuoteExpiredError: it made no image.
            GoneError: its image was deleted.
            StoreUnavailableError: its image is charged, and cannot be looked for now.
        """
        try:
            return self._answer(quote, ledger)
        except ImagegenError as error:
            error.replayed = True
            raise

    def _answer(self, quote: Quote, ledger: Ledger) -> Made | Running:
        op = ledger.ops.get(quote.quote_id)
        if op:
            # A quote made anew for a request that runs already differs in its time alone.
            issued_ms = op.expires_ms - LIFETIME_MS
            quote = replace(quote, issued_ms=issued_ms, expires_ms=op.expires_ms)
        if op and op.state is OpState.HELD:
            return self.running(quote, op.started_ms)
        if op and op.state is OpState.RELEASED:
            raise self._said_before(op.code, quote)
        with charged_if_unavailable():
            record = self._stored(quote)
        if record is None:
            raise GoneError("The image of this quote was made, charged and deleted since.")
        return Made(quote, ref_of(quote), record, ledger)

    def _was_made(self, quote: Quote) -> bool:
        """Return whether there is an image, or was one: the ledger forgets, the record does not."""
        known = self.records.get(ref_of(quote))
        made = known is not None and known.status is RecordStatus.COMPLETE
        return made or self.images.find(ref_of(quote)) is not None

    def _stored(self, quote: Quote) -> ImageRecord | None:
        record = self.images.find(ref_of(quote))
        if record is not None:
            # The image is there whether its record can be mended or not.
            with suppress(StoreUnavailableError):
                self._mend(quote, record)
        return record

    def _mend(self, quote: Quote, record: ImageRecord) -> None:
        known = self.records.get(ref_of(quote))
        if known is None or known.status is RecordStatus.FAILED:
            # The run died between settling and writing its record.
            self.records.put(ref_of(quote), record)

    def _said_before(self, code: str, quote: Quote) -> ImagegenError:
        if code == ContentRefusedError.code:
            return ContentRefusedError("This prompt was refused. Change the prompt.")
        if quote.is_expired(self.now_ms()):
            return QuoteExpiredError("The quote has expired. Ask for a new estimate.")
        error = GenerationFailedError("This quote failed before. Ask for a new estimate.")
        error.retryable = False
        return error
