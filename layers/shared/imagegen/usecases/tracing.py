"""Where an image stands, by the ledger and the records alone: for a function that may see no image.

Charged is what is stored, so the ledger knows. It does not know what was deleted since; the image's
own address does.
"""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.errors import NotFoundError, StoreUnavailableError
from imagegen.domain.ids import ImageRef, parse_image_id
from imagegen.domain.ledger import Op, OpState
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import LedgerStore, RecordStore
from imagegen.usecases.status import complete, failed, generating, given_up
from imagegen.wire.images import ImageStatus


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
