"""Images of earlier attempts of a call whose ledger entries were pruned."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass

from imagegen.domain import ids
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import RecordStore
from imagegen.openai_api import retries
from imagegen.openai_api.retries import Call
from imagegen.usecases.generate.replay import Replayer, charged_if_unavailable, stored_is_charged
from imagegen.usecases.generate.run import Made

RECENT_RECORDS = 2_000
"""The most attempts that a person or a program can have in a day."""


@dataclass(frozen=True, slots=True)
class EarlierImages:
    """Finds the image that a repetition of a call must get."""

    replayer: Replayer
    records: RecordStore
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]

    def find(self, call: Call, quote_id: str, ledger: Ledger) -> Made | None:
        """Return the image of an earlier attempt of the call, ``None`` if there is none.

        Raises:
            StoreUnavailableError: images cannot be looked up; ``charged`` says what is known.
        """
        if call.key is not None:
            return self._by_key(ImageRef(quote_id, call.user, 0), ledger)
        return self._by_body(call, ledger) if call.is_retry else None

    def model_of(self, ref: ImageRef, ledger: Ledger) -> str | None:
        """Return the model that made the image of a quote, ``None`` if none is stored.

        Raises:
            StoreUnavailableError: the image cannot be looked up.
        """
        made = self.replayer.stored(ref, ledger)
        return made.record.model if made else None

    def stored_is_charged(self, call: Call, secret: bytes) -> AbstractContextManager[None]:
        """Return a context that looks for the stored image if the ledger cannot be reached.

        The error is ``charged`` if the image of the call's idempotency key is stored. Without a key
        only the ledger shows which image is meant. ``secret`` is what quote ids are derived from.
        """
        if call.key is None:
            return nullcontext()
        nonce = retries.derive_nonce(call, {}, secret, random=b"", now_ms=self.now_ms())
        ref = ImageRef(ids.quote_id(nonce), call.user, 0)
        return stored_is_charged(self.replayer.stores.images, ref)

    def _by_key(self, ref: ImageRef, ledger: Ledger) -> Made | None:
        try:
            return self.replayer.stored(ref, ledger)
        except StoreUnavailableError as error:
            # Without a record, or if it cannot be read, it is not known.
            with suppress(StoreUnavailableError):
                records = self._complete_records(ref.user)
                if any(one.quote_id == ref.quote_id for one in records):
                    error.charged = True
            raise

    def _by_body(self, call: Call, ledger: Ledger) -> Made | None:
        since_ms = self.now_ms() - retries.RETRY_WINDOW_MS
        made = [one.quote_id for one in self._complete_records(call.user, since_ms=since_ms)]
        same = retries.with_same_body(call, made, self.image_id_key())
        if not same:
            return None
        with charged_if_unavailable():
            return self.replayer.stored(ImageRef(same[0], call.user, 0), ledger)

    def _complete_records(self, user: str, *, since_ms: int = 0) -> list[ImageRecord]:
        """Return the records of the user's images since a time, the newest first."""
        found = self.records.recent(user, limit=RECENT_RECORDS, since_ms=since_ms)
        return [record for record in found if record.status is RecordStatus.COMPLETE]
