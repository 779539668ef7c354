"""Keeping an image that was drawn: store it, then charge it. What is stored is charged."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from imagegen.domain.errors import ImagegenError, LeaseLostError, StoreUnavailableError
from imagegen.domain.ledger import settled
from imagegen.domain.quote import Quote
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import ImageStore, LedgerSnapshot, LedgerStore, RecordStore
from imagegen.usecases.generate.holds import LEASE_MARGIN_MS
from imagegen.usecases.generate.replay import Made, Replayer, Running, ref_of

PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Between tries to store an image that is paid for already; S3's bad moments are short."""


RECORD_TRIES = 2


@dataclass(frozen=True, slots=True)
class ImageKeeper:
    """Stores and settles."""

    ledgers: LedgerStore
    images: ImageStore
    records: RecordStore
    replayer: Replayer
    now_ms: Callable[[], int]
    pause: Callable[[float], None]
    on_finished: Callable[[ImageRecord], None]

    def keep(
        self, quote: Quote, snapshot: LedgerSnapshot, content: bytes, record: ImageRecord
    ) -> Made | Running:
        """Return the stored and charged image, or that the reconciler will find out.

        Raises:
            LeaseLostError: it is too late to store; nothing was stored.
        """
        ref = ref_of(quote)
        if self._is_late(snapshot):
            raise LeaseLostError("The request took too long and was given up. Try again.")
        try:
            if not self._put(quote, snapshot, content, record):
                # An earlier run of this quote stored its image after all: that one is charged.
                record = self.images.find(ref) or record
        except StoreUnavailableError as error:
            # Stored or not, the reconciler will find out and charge accordingly.
            self.on_finished(_lost(record, error))
            return self.replayer.running(quote, snapshot.op.started_ms)
        if not self._settle(quote, snapshot, record):
            with suppress(StoreUnavailableError):
                self.images.delete(ref)
            raise LeaseLostError("The request took too long and was given up. Try again.")
        self._write_down(quote, record)
        self.on_finished(record)
        charged = settled(snapshot.ledger, quote.quote_id, record.charged_microusd)
        return Made(quote, ref, record, charged)

    def give_up(self, quote: Quote, record: ImageRecord) -> None:
        """Write down what came to nothing; an image that was made since is not overwritten."""
        with suppress(StoreUnavailableError):
            self.records.put(ref_of(quote), record)
        self.on_finished(record)

    def _write_down(self, quote: Quote, record: ImageRecord) -> None:
        """Write the record, at a second try if need be: the ledger forgets, and it does not."""
        for _ in range(RECORD_TRIES):
            with suppress(StoreUnavailableError):
                self.records.put(ref_of(quote), record)
                return

    def _is_late(self, snapshot: LedgerSnapshot) -> bool:
        """Return whether Lambda's time is over: the reconciler may be deciding already."""
        return self.now_ms() >= snapshot.op.lease_ms - LEASE_MARGIN_MS

    def _put(
        self, quote: Quote, snapshot: LedgerSnapshot, content: bytes, record: ImageRecord
    ) -> bool:
        """Store the image; trying again is safe, the first put of a quote wins."""
        for pause_seconds in PAUSES_SECONDS:
            try:
                return self.images.put(ref_of(quote), content, record)
            except StoreUnavailableError:
                self.pause(pause_seconds)
                if self._is_late(snapshot):
                    raise
        return self.images.put(ref_of(quote), content, record)

    def _settle(self, quote: Quote, snapshot: LedgerSnapshot, record: ImageRecord) -> bool:
        charged = record.charged_microusd
        try:
            return self.ledgers.settle(
                quote.user, snapshot, charged_microusd=charged, now_ms=self.now_ms()
            )
        except StoreUnavailableError:
            # The image is stored, so it is charged: here, or by the reconciler.
            return True


def _lost(record: ImageRecord, error: ImagegenError) -> ImageRecord:
    """Return the record of an image that was bought and perhaps not stored."""
    return replace(
        record,
        status=RecordStatus.FAILED,
        in_doubt_microusd=record.in_doubt_microusd + record.charged_microusd,
        charged_microusd=0,
        code=error.code,
        retryable=error.retryable,
    )
