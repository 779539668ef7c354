"""The status of an image by its id. The id is the permission: it cannot be guessed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Never

from imagegen.domain.errors import GoneError, NotFoundError, StoreUnavailableError
from imagegen.domain.ids import ImageRef, parse_image_id
from imagegen.domain.ledger import Op, OpState
from imagegen.domain.previews import PreviewStore
from imagegen.domain.records import ImageRecord, RecordStatus, image_deleted
from imagegen.domain.stores import LedgerStore, RecordStore, Stores
from imagegen.usecases.conversions import (
    to_complete,
    to_failed,
    to_failed_by_ledger,
    to_generating,
    to_origin,
)
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.wire.images import ImageStatus, Preview


@dataclass(frozen=True, slots=True)
class ImageFinder:
    """Finds one image by its id: the URL of its bytes, or its status."""

    stores: Stores
    reconciler: Reconciler
    image_id_key: Callable[[], bytes]
    previews: Callable[[], PreviewStore]
    shows_prompts: bool = True

    def location(self, image_id: str, *, for_head: bool = False) -> str:
        """Return a new signed URL of the image's bytes, for GET or for HEAD.

        Raises:
            NotFoundError: there is no such image, or it has not been made yet.
            GoneError: it was deleted, by its owner or when its time was over.
            StoreUnavailableError: a store cannot be reached.
        """
        ref = parse_image_id(image_id, self.image_id_key())
        link = self._look_up(ref, partial(self.stores.images.link, for_head=for_head))
        if link is not None:
            return link
        # Of an image that its owner deleted, this is the mark.
        record = self._look_up(ref, self.stores.images.find) or self.stores.records.get(ref)
        if record is None or record.status is not RecordStatus.COMPLETE:
            raise _not_made()
        _raise_if_deleted(record)
        return self._look_up(ref, self.stores.images.link) or _gone()

    def status(self, image_id: str, base_url: str, viewer: str = "") -> ImageStatus:
        """Return the image's status; ``base_url`` is the URL of this service.

        For a ``viewer`` who is its owner it contains the prompt. A dead run's hold is ended first.

        Raises:
            NotFoundError: there is no such image.
            GoneError: it was deleted.
            StoreUnavailableError: a store cannot be reached.
        """
        ref = parse_image_id(image_id, self.image_id_key())
        stored = self._look_up(ref, self.stores.images.find)
        if stored is not None:
            self._settle(ref, stored)
        elif without := self._without_image(image_id, ref):
            return without
        else:
            # It may have been stored since the first look-up.
            stored = self._look_up(ref, self.stores.images.find) or _gone()
        _raise_if_deleted(stored)
        shown = to_complete(image_id, stored, base_url)
        return self._for_owner(shown, ref, stored) if viewer == ref.user else shown

    def _without_image(self, image_id: str, ref: ImageRef) -> ImageStatus | None:
        """Return the status of a request without a stored image, ``None`` if it had one."""
        op = self.reconciler.load(ref.user).ops.get(ref.quote_id)
        if op is not None and op.state is OpState.HELD:
            running = to_generating(image_id, op, charged=False)
            return running.model_copy(update={"preview": self._preview(ref, op.partials)})
        record = self.stores.records.get(ref)
        if record is not None and record.status is RecordStatus.FAILED:
            return to_failed(image_id, record, charged=False)
        if op is not None and op.state is OpState.RELEASED:
            return to_failed_by_ledger(image_id, op)
        if op is None and record is None:
            raise _not_made()
        if record is not None:
            _raise_if_deleted(record)
        return None

    def _preview(self, ref: ImageRef, most: int) -> Preview | None:
        """Return the newest of the ordered preview frames; the status does not depend on it."""
        if not most:
            return None
        with suppress(StoreUnavailableError):
            if link := self.previews().newest(ref, most=most):
                return Preview(index=link.index, url=link.url)
        return None

    def _for_owner(self, shown: ImageStatus, ref: ImageRef, record: ImageRecord) -> ImageStatus:
        try:
            words = self.stores.prompts.get(ref) if self.shows_prompts else None
        except StoreUnavailableError as error:
            error.charged = True
            raise
        return shown.model_copy(
            update={
                "prompt": words.prompt if words else None,
                "style": words.style if words else None,
                **to_origin(record),
            }
        )

    def _look_up[T](self, ref: ImageRef, read: Callable[[ImageRef], T]) -> T:
        """Return what ``read`` finds in the image store; its error says whether it is charged."""
        try:
            return read(ref)
        except StoreUnavailableError as error:
            error.charged = self._is_charged(ref)
            raise

    def _is_charged(self, ref: ImageRef) -> bool | None:
        """Return what ledger and record show of the charge, ``None`` if that is not enough.

        A held request may be stored, and one that is no longer in the ledger may have been.
        """
        with suppress(StoreUnavailableError):
            op = self.stores.ledgers.load(ref.user).ops.get(ref.quote_id)
            if op is not None and op.state is not OpState.HELD:
                return op.state is OpState.SETTLED
            record = self.stores.records.get(ref)
            if record is not None and record.status is RecordStatus.COMPLETE:
                return True
        return None

    def _settle(self, ref: ImageRef, record: ImageRecord) -> None:
        """Settle a stored image whose settling write was lost; its status does not depend on it."""
        with suppress(StoreUnavailableError):
            self.reconciler.settle_stored(ref, self.stores.ledgers.load(ref.user), record)


@dataclass(frozen=True, slots=True)
class LedgerStatusReader:
    """Reads the status of one image by its id from ledger and records, without the image store.

    It writes nothing and does not end the holds of dead runs.
    """

    ledgers: LedgerStore
    records: RecordStore
    image_id_key: Callable[[], bytes]
    base_url: str
    """The URL of the service that has the images."""

    def status(self, image_id: str) -> ImageStatus:
        """Return the image's status.

        Raises:
            NotFoundError: there is no such image, or its quote was not confirmed.
            StoreUnavailableError: the status cannot be read.
        """
        try:
            return self._status(image_id)
        except NotFoundError as error:
            error.charged = None  # The images are not visible from here.
            raise

    def _status(self, image_id: str) -> ImageStatus:
        ref = parse_image_id(image_id, self.image_id_key())
        op = self.ledgers.load(ref.user).ops.get(ref.quote_id)
        record = self._record(ref, op)
        if record is not None and record.status is RecordStatus.COMPLETE:
            _raise_if_deleted(record)
            return to_complete(image_id, record, self.base_url)
        if op is not None and op.state is OpState.HELD:
            # Whether the image is stored already is not visible from here.
            return to_generating(image_id, op, charged=None)
        if op is not None and op.state is OpState.SETTLED:
            # The record is not written yet, or cannot be read: the ledger entry is sufficient.
            url = f"{self.base_url}/images/{image_id}"
            return ImageStatus(id=image_id, status="complete", charged=True, image_url=url)
        if record is not None:
            # After a failure that may be tried again, a later run of the quote may have succeeded.
            forgotten = op is None and record.retryable
            return to_failed(image_id, record, charged=None if forgotten else False)
        if op is not None:
            return to_failed_by_ledger(image_id, op)
        raise NotFoundError("There is no such image.")

    def _record(self, ref: ImageRef, op: Op | None) -> ImageRecord | None:
        try:
            return self.records.get(ref)
        except StoreUnavailableError:
            if op is None or op.state is OpState.RELEASED:
                raise
            return None


def _raise_if_deleted(record: ImageRecord) -> None:
    if record.deleted_ms:
        raise image_deleted()


def _gone() -> Never:
    raise GoneError("The image was made, charged and deleted since.")


def _not_made() -> NotFoundError:
    """Return the error of an image that was looked for: it is not stored, so it is not charged."""
    error = NotFoundError("There is no such image.")
    error.charged = False
    return error
