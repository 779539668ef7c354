"""Reserves what a confirmed request needs; then charges the stored image, or gives it back."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from imagegen.domain.errors import ImagegenError, LeaseLostError, StoreUnavailableError
from imagegen.domain.ledger import Hold, Ledger, Limits, OpState, abandoned, reserved, settled
from imagegen.domain.quote import Quote
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import (
    Held,
    Known,
    LedgerSnapshot,
    LedgerStore,
    Refused,
    Reservation,
    Stores,
)
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.usecases.generate.run import Made, Run, Running

LEASE_MARGIN_MS = 30_000
"""How long a lease lasts beyond Lambda's timeout, after which the run is dead. Clocks of instances
differ by less than this."""
MAX_DEAD = 100
"""The most dead runs of one user before no further run starts. There are more only if images cannot
be looked up for a long time; the ledger entry must not grow meanwhile to DynamoDB's limit of
400 KB."""
SILENT_MS = 900
"""If the ledger took longer than this to fail, it is taken to be unreachable. The hold is then not
released at once, because the caller would wait as long again: it ends with its lease."""
PUT_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)
"""The pauses between the attempts to store an image that the provider has already billed. Most
outages of S3 are short."""
RECORD_TRIES = 2
SETTLE_PAUSE_SECONDS = 0.5
"""The pause before the hold is settled once more, if the ledger did not answer."""
PUT_ROUNDS = 3
"""How often an image is stored again if another one was stored and deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class Holds:
    """Reserves the quote's ceiling, an hour slot and the counts, and enters the request.

    All of this is one atomic write: everything is reserved, or nothing.
    """

    ledgers: LedgerStore
    reconciler: Reconciler
    limits: Limits
    now_ms: Callable[[], int]

    def reserve(self, quote: Quote, *, run_id: str, ends_ms: int) -> Reservation:
        """Return the hold of a run that Lambda ends at ``ends_ms``, or why there is none.

        Holds of the same user's dead runs are ended as well.

        Raises:
            StoreUnavailableError: the ledger cannot be reached and nothing is spent, or holds of
                dead runs cannot be ended.
        """
        hold = Hold(
            quote.quote_id,
            run_id,
            quote.day,
            quote.ceiling_microusd,
            quote.expires_ms,
            ends_ms + LEASE_MARGIN_MS,
            quote.slot,
        )
        first = self._reserve(quote.user, hold)
        ledger = first.ledger if isinstance(first, Refused) else first.snapshot.ledger
        dead = abandoned(ledger, now_ms=self.now_ms())
        if not dead:
            return first
        if _can_wait(first, hold, dead):
            # The answer matters more: the scheduled sweep ends what cannot be ended here.
            with suppress(Exception):
                self.reconciler.reconcile(quote.user, ledger)
            return first
        if isinstance(first, Held):
            self.release(quote.user, first.snapshot, StoreUnavailableError(""))
        self.reconciler.reconcile(quote.user, ledger)
        return self._reserve(quote.user, hold)

    def release(self, user: str, hold: LedgerSnapshot, error: ImagegenError) -> bool | None:
        """Give a hold back. Return whether it is given back, ``None`` if that is not known.

        If the ledger cannot be reached, the hold ends with its lease.
        """
        try:
            return self.ledgers.release(
                user, hold, code=error.code, retryable=error.retryable, now_ms=self.now_ms()
            )
        except StoreUnavailableError:
            return None

    def _reserve(self, user: str, hold: Hold) -> Reservation:
        now_ms = self.now_ms()
        try:
            return self.ledgers.reserve(user, hold, self.limits, now_ms=now_ms)
        except StoreUnavailableError as error:
            if self.now_ms() - now_ms < SILENT_MS:
                # The write may have succeeded. No provider was called yet, so the hold is released.
                likely = reserved(Ledger(), hold, self.limits, now_ms=now_ms)
                if self.release(user, LedgerSnapshot(hold.quote_id, likely), error):
                    error.charged = False  # The hold was this run's own, and it is given back.
            raise


@dataclass(frozen=True, slots=True)
class ImageKeeper:
    """Stores the image of a run and settles its hold."""

    stores: Stores
    now_ms: Callable[[], int]
    pause: Callable[[float], None]
    on_finished: Callable[[ImageRecord], None]

    def keep(self, run: Run, content: bytes, record: ImageRecord) -> Made | Running:
        """Return the stored and charged image, or ``Running`` if the reconciler must decide.

        Raises:
            LeaseLostError: the run took too long; the image is not stored and not charged.
        """
        ref = run.quote.ref
        if self.now_ms() >= run.ends_ms:
            raise _too_late()
        try:
            record = self._stored(run, content, record)
        except StoreUnavailableError as error:
            # The image may be stored or not: the reconciler looks and charges accordingly.
            self.on_finished(_lost(record, error))
            return Running(run.hold.op.started_ms, charged=None)
        is_settled = self._settle(run, record)
        if is_settled is False:
            return self._give_up(run, record)
        self._write_record(run, record)
        if is_settled is None:
            # The image is stored, so it is charged: now, or later by a replay or the reconciler.
            self.pause(SETTLE_PAUSE_SECONDS)
            self._settle(run, record)
        self.on_finished(record)
        ledger = settled(run.hold.ledger, run.quote.quote_id, record.charged_microusd)
        is_replay = record.run not in ("", run.hold.op.owner)
        return Made(ref, record, ledger, is_replay)

    def record_failure(self, run: Run, record: ImageRecord) -> None:
        """Write the record of a run without an image, unless there is a record of its image."""
        with suppress(StoreUnavailableError):
            self.stores.records.put(run.quote.ref, record)
        self.on_finished(record)

    def _stored(self, run: Run, content: bytes, record: ImageRecord) -> ImageRecord:
        """Return the record of the stored image: this one, or that of an earlier run's image.

        Raises:
            StoreUnavailableError: this image may be stored or not.
        """
        for _ in range(PUT_ROUNDS):
            if self._put(run, content, record):
                return record
            # An earlier run of this quote has stored its image, so that one is charged. If it is
            # not there any more, it was deleted in between, and nothing may be charged for it.
            if earlier := self.stores.images.find(run.quote.ref):
                return earlier
        raise StoreUnavailableError("The image store contradicts itself. Try again.")

    def _give_up(self, run: Run, record: ImageRecord) -> Running:
        """Delete the image if the ledger shows that its hold was released.

        Otherwise another run of the quote holds it, and finds the stored image.

        Raises:
            LeaseLostError: the hold was released, and the image is deleted.
            StoreUnavailableError: the image cannot be deleted now. The same quote, sent again,
                finds it, and it is charged then.
        """
        try:
            ledger = self.stores.ledgers.load(run.quote.user)
            op = ledger.ops.get(run.quote.quote_id)
            if op is None or op.state is not OpState.RELEASED:
                return Running(run.hold.op.started_ms, charged=None)
            self.stores.images.delete(run.quote.ref)
        except StoreUnavailableError as error:
            self.on_finished(_lost(record, error))
            raise
        raise _too_late()

    def _write_record(self, run: Run, record: ImageRecord) -> None:
        """Write the record, if necessary at the second attempt: it outlives the ledger entry."""
        for _ in range(RECORD_TRIES):
            with suppress(StoreUnavailableError):
                self.stores.records.put(run.quote.ref, record)
                return

    def _put(self, run: Run, content: bytes, record: ImageRecord) -> bool:
        """Store the image; return ``False`` if the quote already has a stored image.

        A repeated put is safe: only the first put of a quote is stored.
        """
        for pause_seconds in PUT_PAUSES_SECONDS:
            try:
                return self.stores.images.put(run.quote.ref, content, record)
            except StoreUnavailableError:
                self.pause(pause_seconds)
                if self.now_ms() >= run.ends_ms:
                    raise
        return self.stores.images.put(run.quote.ref, content, record)

    def _settle(self, run: Run, record: ImageRecord) -> bool | None:
        """Return whether the hold is settled, ``None`` if the ledger cannot be reached."""
        charged = record.charged_microusd
        try:
            return self.stores.ledgers.settle(
                run.quote.user, run.hold, charged_microusd=charged, now_ms=self.now_ms()
            )
        except StoreUnavailableError:
            return None


def _can_wait(first: Reservation, hold: Hold, dead: Collection[str]) -> bool:
    """Return whether the answer does not depend on the end of the holds of dead runs."""
    if isinstance(first, Held):
        return len(dead) <= MAX_DEAD
    return isinstance(first, Known) and hold.quote_id not in dead


def _too_late() -> LeaseLostError:
    return LeaseLostError("The request took too long and was given up. Try again.")


def _lost(record: ImageRecord, error: ImagegenError) -> ImageRecord:
    """Return the record of an image that the provider billed and that may not be stored."""
    return replace(
        record,
        status=RecordStatus.FAILED,
        in_doubt_microusd=record.in_doubt_microusd + record.charged_microusd,
        charged_microusd=0,
        code=error.code,
        retryable=error.retryable,
    )
