"""Where an image stands, for whoever has its id: the id is the capability."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Never

from imagegen.domain.errors import GoneError, NotFoundError, StoreUnavailableError
from imagegen.domain.ids import ImageRef, parse_image_id
from imagegen.domain.ledger import Op, OpState
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import LedgerStore, RecordStore, Stores
from imagegen.usecases.conversions import attempts_of, cost_of, replaced
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.wire.images import ImageStatus


@dataclass(frozen=True, slots=True)
class ImageFinder:
    """Answers for one image by its id."""

    stores: Stores
    reconciler: Reconciler
    image_id_key: Callable[[], bytes]

    def location(self, image_id: str) -> str:
        """Return a fresh address of the image's bytes.

        Raises:
            NotFoundError: there is no such image, or not yet.
            GoneError: it was deleted.
        """
        ref = parse_image_id(image_id, self.image_id_key())
        link = self._look(ref, self.stores.images.link)
        if link is not None:
            return link
        record = self.stores.records.get(ref)
        if record is None or record.status is not RecordStatus.COMPLETE:
            raise NotFoundError("There is no such image.")
        return self._look(ref, self.stores.images.link) or _gone()

    def status(self, image_id: str, base_url: str) -> ImageStatus:
        """Return where the image stands; ``base_url`` is where this service is reached.

        Raises:
            NotFoundError: there is no such image.
            GoneError: it was deleted.
        """
        ref = parse_image_id(image_id, self.image_id_key())
        stored = self._look(ref, self.stores.images.find)
        if stored is not None:
            return complete(image_id, stored, base_url)
        op = self._op(ref)
        if op is not None and op.state is OpState.HELD:
            return generating(image_id, op)
        record = self.stores.records.get(ref)
        if record is not None and record.status is RecordStatus.FAILED:
            return failed(image_id, record)
        if op is not None and op.state is OpState.RELEASED:
            return given_up(image_id, op)
        if op is None and record is None:
            raise NotFoundError("There is no such image.")
        # It may have been stored since the first look.
        stored = self._look(ref, self.stores.images.find)
        return complete(image_id, stored, base_url) if stored else _gone()

    def _look[T](self, ref: ImageRef, look: Callable[[ImageRef], T]) -> T:
        """Return what the image store says; where it cannot, its error tells what is charged."""
        try:
            return look(ref)
        except StoreUnavailableError as error:
            error.charged = self._is_charged(ref)
            raise

    def _is_charged(self, ref: ImageRef) -> bool:
        # The table may be away as well: then nothing is known to be charged.
        with suppress(StoreUnavailableError):
            if op := self.stores.ledgers.load(ref.user).ops.get(ref.quote_id):
                return op.state is OpState.SETTLED
            record = self.stores.records.get(ref)
            return record is not None and record.status is RecordStatus.COMPLETE
        return False

    def _op(self, ref: ImageRef) -> Op | None:
        return self.reconciler.load(ref.user).ops.get(ref.quote_id)


@dataclass(frozen=True, slots=True)
class LedgerStatusReader:
    """Answers for one image by its id; writes nothing, not even what a dead run left."""

    ledgers: LedgerStore
    records: RecordStore
    image_id_key: Callable[[], bytes]
    base_url: str
    """Where images are reached."""

    def status(self, image_id: str) -> ImageStatus:
        """Return where the image stands.

        Raises:
            NotFoundError: there is no such image, or nobody confirmed it.
            StoreUnavailableError: there is no telling.
        """
        ref = parse_image_id(image_id, self.image_id_key())
        op = self.ledgers.load(ref.user).ops.get(ref.quote_id)
        if op is not None and op.state is OpState.HELD:
            return generating(image_id, op)
        record = self._record(ref, op)
        if record is not None and record.status is RecordStatus.COMPLETE:
            return complete(image_id, record, self.base_url)
        if op is not None and op.state is OpState.SETTLED:
            # Its record is not written yet, or cannot be read: the ledger says enough.
            url = f"{self.base_url}/images/{image_id}"
            return ImageStatus(id=image_id, status="complete", charged=True, image_url=url)
        if record is not None:
            return failed(image_id, record)
        if op is not None:
            return given_up(image_id, op)
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


def generating(image_id: str, op: Op) -> ImageStatus:
    """Return that a run is under way."""
    return ImageStatus(id=image_id, status="generating", charged=False, started_at=op.started_ms)


def given_up(image_id: str, op: Op) -> ImageStatus:
    """Return that a request came to nothing, as the ledger has it."""
    return ImageStatus(
        id=image_id,
        status="failed",
        charged=False,
        started_at=op.started_ms,
        code=op.code,
        retryable=op.retryable,
    )


def failed(image_id: str, record: ImageRecord) -> ImageStatus:
    """Return that a request came to nothing, as its record has it."""
    return ImageStatus(
        id=image_id,
        status="failed",
        charged=False,
        created_at=record.created_ms,
        duration_ms=record.duration_ms,
        quality=record.tier,
        size=record.size,
        cost=cost_of(record),
        attempts=attempts_of(record),
        code=record.code,
        retryable=record.retryable,
    )


def complete(image_id: str, record: ImageRecord, base_url: str) -> ImageStatus:
    """Return that the image was made and charged."""
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
        size=f"{record.width}x{record.height}",
        cost=cost_of(record),
        fallback=replaced(record.fallback),
        attempts=attempts_of(record),
    )
