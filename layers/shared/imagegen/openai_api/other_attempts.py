"""Other attempts of the same call: the image that an earlier one made, the hold of a faster one.

The ledger shows most of them. ``EarlierImages`` finds images whose entries were pruned.

``CallHolds`` is for two attempts of a call without a key. They have different quote ids until one
finds the other in the ledger, so both may hold money. Each write of a hold returns the whole
ledger, so the later attempt sees the earlier one's hold. It releases its own before anything is
bought, and returns the image of the earlier attempt.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field

from imagegen.domain import ids
from imagegen.domain.errors import LimitError, StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger
from imagegen.domain.quote import Quote
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import RecordStore
from imagegen.openai_api import retries
from imagegen.openai_api.retries import JOINED, Call
from imagegen.usecases.generate.holds import Holds
from imagegen.usecases.generate.replay import Replayer, charged_if_unavailable, stored_is_charged
from imagegen.usecases.generate.run import Made, Run, Running

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
        # With a key, the nonce depends on no ledger, no chance and no time.
        nonce = retries.derive_nonce(call, {}, secret, random=b"", now_ms=0)
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


@dataclass(frozen=True, slots=True)
class CallHolds:
    """Reserves for one call, whose user had the ledger ``seen`` when its quote was chosen."""

    call: Call
    seen: Ledger
    holds: Holds
    secret: bytes = field(repr=False)
    """The key from which the quote ids of calls are derived."""

    def reserve(
        self, quote: Quote, reserve: Callable[[], Run | Made | Running]
    ) -> Run | Made | Running | None:
        """Return what ``reserve`` returns, ``None`` if another attempt of the call was faster.

        Raises:
            ImagegenError: as ``reserve``.
            StoreUnavailableError: the hold cannot be given back; nothing is bought with it.
        """
        try:
            run = reserve()
        except LimitError:
            # The faster attempt may have taken the last place.
            with suppress(StoreUnavailableError):
                if self._is_late(quote, self.holds.ledgers.load(quote.user)):
                    return None
            raise
        if not isinstance(run, Run) or not self._is_late(quote, run.hold.ledger):
            return run
        self.holds.ledgers.release(
            quote.user,
            run.hold,
            code=JOINED,
            retryable=False,
            is_attempt=False,
            now_ms=self.holds.now_ms(),
        )
        return None

    def _is_late(self, quote: Quote, ledger: Ledger) -> bool:
        found = retries.faster_attempt(
            self.call, quote.quote_id, self.seen.ops, ledger.ops, self.secret
        )
        return found is not None
