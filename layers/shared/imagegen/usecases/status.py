"""The status of an image by its id. The id is the permission: it cannot be guessed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Never

from imagegen.domain.errors import GoneError, NotFoundError, StoreUnavailableError
from imagegen.domain.ids import ImageRef, parse_image_id
from imagegen.domain.ledger import Op, OpState
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import LedgerStore, RecordStore, Stores
from imagegen.usecases.conversions import to_attempts, to_cost, to_replaced
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.wire.images import ImageStatus


@dataclass(frozen=True, slots=True)
class ImageFinder:
    """Finds one image by its id: the URL of its bytes, or its status."""

    stores: Stores
    reconciler: Reconciler
    image_id_key: Callable[[], bytes]

    def location(self, image_id: str) -> str:
        """Return a new signed URL of the image's bytes.

        Raises:
            NotFoundError: there is no such image, or it has not been made yet.
            GoneError: it was deleted.
            StoreUnavailableError: a store cannot be reached.
        """
        ref = parse_image_id(image_id, self.image_id_key())
        link = self._look_up(ref, self.stores.images.link)
        if link is not None:
            return link
        record = self.stores.records.get(ref)
        if record is None or record.status is not RecordStatus.COMPLETE:
            raise NotFoundError("There is no such image.")
        return self._look_up(ref, self.stores.images.link) or _gone()

    def status(self, image_id: str, base_url: str) -> ImageStatus:
        """Return the image's status; ``base_url`` is the URL of this service.

        A hold of a dead run is ended first.

        Raises:
            NotFoundError: there is no such image.
            GoneError: it was deleted.
            StoreUnavailableError: a store cannot be reached.
        """
        ref = parse_image_id(image_id, self.image_id_key())
        stored = self._look_up(ref, self.stores.images.find)
        if stored is not None:
            return _complete(image_id, stored, base_url)
        op = self.reconciler.load(ref.user).ops.get(ref.quote_id)
        if op is not None and op.state is OpState.HELD:
            return _generating(image_id, op)
        record = self.stores.records.get(ref)
        if record is not None and record.status is RecordStatus.FAILED:
            return _failed(image_id, record)
        if op is not None and op.state is OpState.RELEASED:
            return _failed_by_ledger(image_id, op)
        if op is None and record is None:
            raise NotFoundError("There is no such image.")
        # The image may have been stored since the first look-up.
        stored = self._look_up(ref, self.stores.images.find)
        return _complete(image_id, stored, base_url) if stored else _gone()

    def _look_up[T](self, ref: ImageRef, read: Callable[[ImageRef], T]) -> T:
        """Return what ``read`` finds in the image store; its error says whether it is charged."""
        try:
            return read(ref)
        except StoreUnavailableError as error:
            error.charged = self._is_charged(ref)
            raise

    def _is_charged(self, ref: ImageRef) -> bool:
        # If the table cannot be reached either, nothing shows that the image is charged.
        with suppress(StoreUnavailableError):
            if op := self.stores.ledgers.load(ref.user).ops.get(ref.quote_id):
                return op.state is OpState.SETTLED
            record = self.stores.records.get(ref)
            return record is not None and record.status is RecordStatus.COMPLETE
        return False


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
        ref = parse_image_id(image_id, self.image_id_key())
        op = self.ledgers.load(ref.user).ops.get(ref.quote_id)
        if op is not None and op.state is OpState.HELD:
            return _generating(image_id, op)
        record = self._record(ref, op)
        if record is not None and record.status is RecordStatus.COMPLETE:
            return _complete(image_id, record, self.base_url)
        if op is not None and op.state is OpState.SETTLED:
            # The record is not written yet, or cannot be read: the ledger entry is sufficient.
            url = f"{self.base_url}/images/{image_id}"
            return ImageStatus(id=image_id, status="complete", charged=True, image_url=url)
        if record is not None:
            return _failed(image_id, record)
        if op is not None:
            return _failed_by_ledger(image_id, op)
        raise NotFoundError("There is no such image.")

    def _record(self, ref: ImageRef, op: Op | None) -> ImageRecord | None:
        try:
            return self.records.get(ref)
        except StoreUnavailableError:
            if op is None or op.state is not OpState.SETTLED:
                raise
            return None


def _gone() -> Never:
    raise GoneError("The image was made, charged and deleted since.")


def _generating(image_id: str, op: Op) -> ImageStatus:
    return ImageStatus(id=image_id, status="generating", charged=False, started_at=op.started_ms)


def _failed_by_ledger(image_id: str, op: Op) -> ImageStatus:
    """Return the status of a request without an image that has no record."""
    return ImageStatus(
        id=image_id,
        status="failed",
        charged=False,
        started_at=op.started_ms,
        code=op.code,
        retryable=op.retryable,
    )


def _failed(image_id: str, record: ImageRecord) -> ImageStatus:
    return ImageStatus(
        id=image_id,
        status="failed",
        charged=False,
        created_at=record.created_ms,
        duration_ms=record.duration_ms,
        quality=record.tier,
        size=record.size,
        cost=to_cost(record),
        attempts=to_attempts(record),
        code=record.code,
        retryable=record.retryable,
    )


def _complete(image_id: str, record: ImageRecord, base_url: str) -> ImageStatus:
    return ImageStatus(
        id=image_id,
        status="complete",
        charged=True,
        created_at=record.created_ms,
        duration_ms=record.duration_ms,
        image_url=f"{base_url}/images/{image_id}",
        media_type=record.media_type,
        width=record.width,
        height=record.height,
        provider=record.provider,
        model=record.model,
        quality=record.tier,
        size=record.pixels,
        cost=to_cost(record),
        fallback=to_replaced(record.fallback),
        attempts=to_attempts(record),
    )
