"""The calls for the n images of one request, and which earlier ones a repetition belongs to."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from imagegen.domain import ids
from imagegen.domain.errors import ImageDeletedError
from imagegen.domain.ledger import Ledger
from imagegen.domain.stores import LedgerStore
from imagegen.openai_api import retries
from imagegen.openai_api.calls import Call
from imagegen.openai_api.earlier_images import EarlierImages


@dataclass(frozen=True, slots=True)
class SetCalls:
    """Divides a request for several images into calls for one image each."""

    ledgers: LedgerStore
    earlier_images: EarlierImages
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]

    def divide(self, call: Call, count: int) -> list[Call]:
        """Return the calls; those of a repetition belong to the images of its first attempt.

        Raises:
            ReusedKeyError: the idempotency key was used for another request.
            StoreUnavailableError: the ledger or an image cannot be looked up.
        """
        with self.earlier_images.stored_is_charged(replace(call, index=0)):
            ledger = self.ledgers.load(call.user)
        if call.key is None:
            random = self._earlier(call, count, ledger) or self.random_bytes(retries.RANDOM_BYTES)
            return [replace(call, index=index, random=random) for index in range(count)]
        calls = [replace(call, index=index) for index in range(count)]
        for one in calls:
            self._check_key(one, ledger)
        return calls

    def _earlier(self, call: Call, count: int, ledger: Ledger) -> bytes | None:
        if not call.is_retry:
            return None
        secret, now_ms = self.image_id_key(), self.now_ms()
        return retries.earlier_set(call, count, ledger.ops, secret, now_ms=now_ms)

    def _check_key(self, call: Call, ledger: Ledger) -> None:
        """Raise before any image is bought if one of the key's images was for another request."""
        secret, now_ms = self.image_id_key(), self.now_ms()
        nonce = retries.derive_nonce(call, ledger.ops, secret, random=b"", now_ms=now_ms)
        quote_id = ids.quote_id(nonce)
        op = ledger.ops.get(quote_id)
        if op is not None and op.owner:
            retries.check_body(call, op.owner)
            return
        # A deleted image takes nothing from the others of its set: its own call ends with that.
        with suppress(ImageDeletedError):
            if made := self.earlier_images.find(call, quote_id, ledger):
                # A settled request has no run in the ledger.
                retries.check_body(call, made.record.run)
