"""Where an image stands, for whoever has its id: the id is the capability."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Never

from imagegen.domain.errors import GoneError, NotFoundError, StoreUnavailableError
from imagegen.domain.ids import ImageRef, parse_image_id
from imagegen.domain.ledger import Op, OpState, abandoned
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import ImageStore, LedgerStore, RecordStore
from imagegen.usecases.answers import attempts_of, cost_of, replaced
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.wire.images import ImageStatus


@dataclass(frozen=True, slots=True)
class ImageFinder:
    """Answers for one image by its id."""

    ledgers: LedgerStore
    images: ImageStore
    records: RecordStore
    reconciler: Reconciler
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]

    def location(self, image_id: str) -> str:
        """Return a fresh address of the image's bytes.

        Raises:
            NotFoundError: there is no such image, or not yet.
            GoneError: it was deleted.
        """
        ref = parse_image_id(image_id, self.image_id_key())
        link = self._look(ref, self.images.link)
        if link is not None:
            return link
        record = self.records.get(ref)
        if record is None or record.status is not RecordStatus.COMPLETE:
            raise NotFoundError("There is no such image.")
        return self._look(ref, self.images.link) or _gone()

    def status(self, image_id: str, base_url: str) -> ImageStatus:
        """Return where the image stands; ``base_url`` is where this service is reached.

        Raises:
            NotFoundError: there is no such image.
            GoneError: it was deleted.
        """
        ref = parse_image_id(image_id, self.image_id_key())
        stored = self._look(ref, self.images.find)
        if stored is not None:
            return complete(image_id, stored, base_url)
        op = self._op(ref)
        if op is not None and op.state is OpState.HELD:
            return generating(image_id, op)
        record = self.records.get(ref)
        if record is not None and record.status is RecordStatus.FAILED:
            return failed(image_id, record)
        if op is not None and op.state is OpState.RELEASED:
            return given_up(image_id, op)
        if op is None and record is None:
            raise NotFoundError("There is no such image.")
        # It may have been stored since the first look.
        stored = self._look(ref, self.images.find)
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
            if op := self.ledgers.load(ref.user).ops.get(ref.quote_id):
                return op.state is OpState.SETTLED
            record = self.records.get(ref)
            return record is not None and record.status is RecordStatus.COMPLETE
        return False

    def _op(self, ref: ImageRef) -> Op | None:
        ledger = self.ledgers.load(ref.user)
        if abandoned(ledger, now_ms=self.now_ms()):
            self.reconciler.reconcile(ref.user, ledger)
            ledger = self.ledgers.load(ref.user)
        return ledger.ops.get(ref.quote_id)


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
