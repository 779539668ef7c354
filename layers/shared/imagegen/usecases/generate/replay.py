"""The result of an earlier run of a quote, and what an error may state about its charge.

A quote that was confirmed before gets the first result, never a second charge. An image is charged
if and only if it is stored, so the image store replaces a ledger that cannot be reached. An image
that is not stored now may still be in the making, which only the ledger shows.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    GoneError,
    ImagegenError,
    StoreUnavailableError,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger, Op, OpState
from imagegen.domain.records import ImageRecord, RecordStatus, image_deleted, with_team
from imagegen.domain.stores import ImageStore, Stores
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.usecases.generate.run import Made, Running


@dataclass(frozen=True, slots=True)
class Replayer:
    """Finds the results of requests that were confirmed before."""

    stores: Stores
    reconciler: Reconciler

    def result(self, ref: ImageRef, ledger: Ledger) -> Made | Running:
        """Return the result of the first request with this quote.

        A stored image is its result even if the ledger still has the hold: the run may have died
        before it could settle, or the write was lost.

        Raises:
            ContentRefusedError, GenerationFailedError: the first request made no image.
            GoneError: the image was deleted.
            StoreUnavailableError: the image is charged and cannot be looked up now.
        """
        try:
            return self._result(ref, ledger)
        except ImagegenError as error:
            error.replayed = True
            raise

    def ledger(self, ref: ImageRef) -> Ledger:
        """Return the ledger of an image's user as of now.

        Raises:
            StoreUnavailableError: it cannot be read; the error is ``charged`` if the image is
                stored.
        """
        with stored_is_charged(self.stores.images, ref):
            return self.reconciler.load(ref.user)

    def stored(self, ref: ImageRef, ledger: Ledger) -> Made | None:
        """Return the image of a quote, ``None`` if none is stored.

        ``ref.issued_ms`` may be 0: the stored record has the right one.

        Raises:
            ImageDeletedError: its owner deleted it.
            StoreUnavailableError: the image cannot be looked up.
        """
        record = self.stores.images.find(ref)
        if record is None:
            return None
        ref = replace(ref, issued_ms=record.issued_ms)
        # The image can be returned even if its usage record cannot be repaired.
        with suppress(Exception):
            self._repair(ref, record)
        ledger = self.reconciler.settle_stored(ref, ledger, record)
        if record.deleted_ms:
            raise image_deleted()
        return Made(ref, record, ledger, is_replay=True)

    def was_made(self, ref: ImageRef) -> bool:
        """Return whether the image of a quote was made, by its record or the image itself.

        The ledger does not show it: records are kept longer than entries of the ledger.

        Raises:
            StoreUnavailableError: the record or the image cannot be looked up.
        """
        known = self.stores.records.get(ref)
        made = known is not None and known.status is RecordStatus.COMPLETE
        return made or self.stores.images.find(ref) is not None

    def _result(self, ref: ImageRef, ledger: Ledger) -> Made | Running:
        op = ledger.ops.get(ref.quote_id)
        if op and op.state is OpState.HELD:
            return self._stored_or_running(ref, ledger, op)
        if op and op.state is OpState.RELEASED:
            raise _failed_before(op.code)
        with charged_if_unavailable():
            made = self.stored(ref, ledger)
        if made is None:
            raise self._gone(ref)
        return made

    def _gone(self, ref: ImageRef) -> GoneError:
        known = self.stores.records.get(ref)
        if known is not None and known.deleted_ms:
            return image_deleted()
        return GoneError("The image of this request was made and charged, and has been deleted.")

    def _stored_or_running(self, ref: ImageRef, ledger: Ledger, op: Op) -> Made | Running:
        try:
            made = self.stored(ref, ledger)
        except StoreUnavailableError:
            return Running(op.started_ms, charged=None)
        return made or Running(op.started_ms, charged=False)

    def _repair(self, ref: ImageRef, record: ImageRecord) -> None:
        known = self.stores.records.get(ref)
        if known is None or known.status is RecordStatus.FAILED:
            # The run died between settling and writing its record.
            self.stores.records.put(ref, with_team(record, known.team) if known else record)


@contextmanager
def charged_if_unavailable() -> Iterator[None]:
    """Mark a ``StoreUnavailableError`` as charged: by the ledger, the image has been charged."""
    try:
        yield
    except StoreUnavailableError as error:
        error.charged = True
        raise


@contextmanager
def not_charged() -> Iterator[None]:
    """Mark errors as not charged: the caller has looked, and nothing of this request is stored.

    An unreachable store is left out, because a write of this request may have reached it.
    """
    try:
        yield
    except ImagegenError as error:
        if error.charged is None and not isinstance(error, StoreUnavailableError):
            error.charged = False
        raise


@contextmanager
def stored_is_charged(images: ImageStore, ref: ImageRef) -> Iterator[None]:
    """Look for the image if a store cannot be reached: the error is ``charged`` if it is stored.

    If its owner deleted it, the error is that.

    ``charged`` stays ``None`` if no image is stored: a run may still be making it.
    """
    try:
        yield
    except StoreUnavailableError as error:
        stored = _stored(images, ref) if error.charged is None else None
        if stored is None:
            raise
        raise image_deleted() if stored.deleted_ms else _charged(error) from error


def _failed_before(code: str) -> ContentRefusedError | GenerationFailedError:
    """Return the error of a request whose release was seen in the ledger: it is not charged."""
    error: ContentRefusedError | GenerationFailedError
    if code == ContentRefusedError.code:
        error = ContentRefusedError("This prompt was refused. Change the prompt.")
    else:
        error = GenerationFailedError(
            "This request failed before. Start again: with a new estimate, or under /v1 a new call."
        )
    error.retryable = False
    error.charged = False
    return error


def _stored(images: ImageStore, ref: ImageRef) -> ImageRecord | None:
    with suppress(StoreUnavailableError):
        return images.find(ref)
    return None


def _charged(error: StoreUnavailableError) -> StoreUnavailableError:
    found = StoreUnavailableError(
        "The image was made and charged, and a store cannot be reached now. Send the same request "
        "again to get the image.",
        retry_after_seconds=error.retry_after_seconds,
    )
    found.charged = True
    return found
