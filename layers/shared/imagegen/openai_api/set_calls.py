"""The calls for the n images of one request, and which earlier ones a repetition belongs to."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from imagegen.domain import ids
from imagegen.domain.errors import ImageDeletedError, StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger, OpState
from imagegen.domain.stores import LedgerStore
from imagegen.openai_api import retries
from imagegen.openai_api.other_attempts import EarlierImages
from imagegen.openai_api.retries import Call


@dataclass(frozen=True, slots=True)
class Division:
    """The calls for the images of a request, and what is known of them from before."""

    calls: tuple[Call, ...]
    models: tuple[tuple[int, str], ...] = ()
    """Index and model of each image that is stored already."""
    running: frozenset[int] = frozenset()
    """The images that another run is making, or whose store cannot be reached."""


@dataclass(frozen=True, slots=True)
class SetCalls:
    """Divides a request for several images into calls for one image each."""

    ledgers: LedgerStore
    earlier_images: EarlierImages
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]

    def divide(self, call: Call, count: int) -> Division:
        """Return the calls; those of a repetition belong to the images of its first attempt.

        Raises:
            ReusedKeyError: the idempotency key was used for another request.
            StoreUnavailableError: the ledger or an image cannot be looked up.
        """
        with self.earlier_images.stored_is_charged(call, self.image_id_key()):
            ledger = self.ledgers.load(call.user)
        if call.key is None:
            new = retries.fresh(call, self.random_bytes(retries.RANDOM_BYTES))
            random = self._earlier(call, count, ledger) or new
            calls = [replace(call, index=index, random=random) for index in range(count)]
        else:
            calls = [replace(call, index=index) for index in range(count)]
            for one in calls:
                self._check_key(one, ledger)
        return self._with_earlier(calls, ledger)

    def _with_earlier(self, calls: list[Call], ledger: Ledger) -> Division:
        """Return the calls with the models of images that are stored, and those in the making."""
        models, running = list[tuple[int, str]](), set[int]()
        for one in calls:
            quote_id = ids.quote_id(self._nonce(one, ledger))
            op = ledger.ops.get(quote_id)
            if op is None and one.key is None:
                continue
            if op is not None and op.state is OpState.RELEASED:
                continue
            try:
                model = self.earlier_images.model_of(ImageRef(quote_id, one.user, 0), ledger)
            except StoreUnavailableError:
                running.add(one.index)
                continue
            except ImageDeletedError:
                continue
            if model is not None:
                models.append((one.index, model))
            elif op is not None and op.state is OpState.HELD:
                running.add(one.index)
        return Division(tuple(calls), tuple(models), frozenset(running))

    def _nonce(self, call: Call, ledger: Ledger) -> bytes:
        secret, now_ms = self.image_id_key(), self.now_ms()
        return retries.derive_nonce(call, ledger.ops, secret, random=b"", now_ms=now_ms)

    def _earlier(self, call: Call, count: int, ledger: Ledger) -> bytes | None:
        if not call.is_retry:
            return None
        secret, now_ms = self.image_id_key(), self.now_ms()
        return retries.earlier_set(call, count, ledger.ops, secret, now_ms=now_ms)

    def _check_key(self, call: Call, ledger: Ledger) -> None:
        """Raise before any image is bought if one of the key's images was for another request."""
        quote_id = ids.quote_id(self._nonce(call, ledger))
        op = ledger.ops.get(quote_id)
        if op is not None and op.owner:
            retries.check_body(call, op.owner)
            return
        # A deleted image takes nothing from the others of its set: its own call ends with that.
        with suppress(ImageDeletedError):
            if made := self.earlier_images.find(call, quote_id, ledger):
                # A settled request has no run in the ledger.
                retries.check_body(call, made.record.run)
