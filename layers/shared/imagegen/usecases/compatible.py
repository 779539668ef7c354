"""OpenAI's one call: an offer and its confirmation together, once for every call of a client.

The SDKs try again by themselves, and a lost answer may have been paid for: a repetition meets its
first attempt by the quote id, which ``domain.retries`` makes of the call. It waits while that one
runs, takes over where it failed in a way that may pass, and answers with its image otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from imagegen.domain import ids, retries
from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    GoneError,
    ReusedKeyError,
    StillRunningError,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger, Op, OpState, abandoned, may_reserve_op
from imagegen.domain.models import EstimateRequest, GenerateRequest
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.retries import Call
from imagegen.domain.stores import ImageStore, LedgerStore, RecordStore
from imagegen.usecases.estimator import Estimator
from imagegen.usecases.generator import Generator
from imagegen.usecases.reconciler import Reconciler
from imagegen.usecases.replay import Made

ROUNDS = 16
"""So often another call may take a number first, or an attempt may fail while this one waits."""
POLL_SECONDS = 1.0
ANSWER_MARGIN_MS = 5_000
"""Kept free before Lambda's timeout: to say that the first attempt still runs."""
EXPIRY_MARGIN_MS = 30_000
RECENT_RECORDS = 50
AGAIN_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Bought:
    """An image that is stored and charged, now or by an earlier attempt of the same call."""

    ref: ImageRef
    record: ImageRecord
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Buyer:
    """Buys the image of a call, once."""

    estimator: Estimator
    generator: Generator
    ledgers: LedgerStore
    images: ImageStore
    records: RecordStore
    reconciler: Reconciler
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]
    pause: Callable[[float], None]
    new_run_id: Callable[[], str]

    def buy(self, wish: EstimateRequest, call: Call, *, ends_ms: int) -> Bought:
        """Return the image. Lambda ends this run at ``ends_ms``.

        Raises:
            InvalidRequestError, NoProviderError: there is no offer.
            LimitError: a limit of the user stops it.
            ReusedKeyError: the idempotency key belongs to another request.
            ContentRefusedError, GenerationFailedError: no image, no charge.
            GoneError: it was made, charged and deleted since.
            StillRunningError: the first attempt is not over; asking again meets it.
            StoreUnavailableError: the ledger cannot be reached; nothing is spent.
        """
        for _ in range(ROUNDS):
            bought = self._round(wish, call, ends_ms)
            if bought is not None:
                return bought
        raise _still_running()

    def _round(self, wish: EstimateRequest, call: Call, ends_ms: int) -> Bought | None:
        """Return the image, ``None`` where the next look at the ledger decides."""
        ledger = self._ledger(call.user)
        secret = self.image_id_key()
        nonce = retries.nonce_of(call, ledger.ops, secret, now_ms=self.now_ms())
        quote_id = ids.quote_id(nonce)
        op = ledger.ops.get(quote_id)
        _check(call, op)
        if not may_reserve_op(ledger, quote_id):
            return self._meet(call, quote_id, ledger, ends_ms)
        if op is None and call.is_again and (stored := self._from_before(call, quote_id, ledger)):
            return stored
        return self._spend(wish, call, nonce, ledger, ends_ms)

    def _spend(
        self, wish: EstimateRequest, call: Call, nonce: bytes, ledger: Ledger, ends_ms: int
    ) -> Bought | None:
        """Return the image of this very run, or of another that came first and is to be met."""
        run, quote_id = retries.run_name(call, self.new_run_id()), ids.quote_id(nonce)
        issued_ms = self._issued(ledger.ops.get(quote_id))
        estimator = replace(self.estimator, nonce=lambda: nonce, now_ms=lambda: issued_ms)
        offer = estimator.estimate(wish, call.user, ledger=ledger)
        reserver = replace(self.generator.reserver, new_run_id=lambda: run)
        came = replace(self.generator, reserver=reserver).generate(
            GenerateRequest(quote=offer.quote, prompt=wish.prompt), call.user, ends_ms=ends_ms
        )
        if isinstance(came, Made):
            bought = _checked(call, Bought(came.ref, came.record, came.ledger))
            return None if call.is_first and came.record.run != run else bought
        ledger = self._ledger(call.user)
        op = ledger.ops.get(quote_id)
        if call.is_first and (op is None or op.owner != run):
            # Another first call with the same body took the number: this one takes the next.
            return None
        _check(call, op)
        return self._meet(call, quote_id, ledger, ends_ms)

    def _meet(self, call: Call, quote_id: str, ledger: Ledger, ends_ms: int) -> Bought | None:
        """Return what the run with this quote comes to, ``None`` where it may be tried again."""
        while (op := ledger.ops.get(quote_id)) and op.state is OpState.HELD:
            if self.now_ms() >= ends_ms - ANSWER_MARGIN_MS:
                raise _still_running()
            self.pause(POLL_SECONDS)
            ledger = self._ledger(call.user)
        if op and op.state is OpState.RELEASED:
            if op.retryable:
                return None
            raise _said_before(op)
        bought = self._stored(call, quote_id, ledger)
        if bought is None:
            raise GoneError("The image of this request was made, charged and deleted since.")
        return bought

    def _from_before(self, call: Call, quote_id: str, ledger: Ledger) -> Bought | None:
        """Return the image of an attempt that the ledger has forgotten, if there was one."""
        if call.key is not None:
            return self._stored(call, quote_id, ledger)
        nonces = retries.earlier(call, self.image_id_key(), now_ms=self.now_ms())
        mine = {ids.quote_id(nonce) for nonce in nonces}
        for record in self.records.recent(call.user, limit=RECENT_RECORDS):
            if record.status is RecordStatus.COMPLETE and record.quote_id in mine:
                return self._stored(call, record.quote_id, ledger)
        return None

    def _stored(self, call: Call, quote_id: str, ledger: Ledger) -> Bought | None:
        # An image lies under its user and quote; when it was issued says its own record.
        record = self.images.find(ImageRef(quote_id, call.user, 0))
        if record is None:
            return None
        ref = ImageRef(quote_id, call.user, record.issued_ms)
        return _checked(call, Bought(ref, record, ledger))

    def _ledger(self, user: str) -> Ledger:
        ledger = self.ledgers.load(user)
        if not abandoned(ledger, now_ms=self.now_ms()):
            return ledger
        self.reconciler.reconcile(user, ledger)
        return self.ledgers.load(user)

    def _issued(self, op: Op | None) -> int:
        """Return when the quote counts as issued: with the first attempt, while that is good."""
        now_ms = self.now_ms()
        if op is None or op.expires_ms - EXPIRY_MARGIN_MS < now_ms:
            return now_ms
        return op.expires_ms - LIFETIME_MS


def _check(call: Call, op: Op | None) -> None:
    if op is not None and retries.is_other(call, op.owner):
        raise _reused()


def _checked(call: Call, bought: Bought) -> Bought:
    if retries.is_other(call, bought.record.run):
        raise _reused()
    return bought


def _reused() -> ReusedKeyError:
    return ReusedKeyError("The Idempotency-Key was used with another body. Use a new key.")


def _still_running() -> StillRunningError:
    return StillRunningError(
        "The first attempt still runs. Send the same request again.",
        retry_after_seconds=AGAIN_SECONDS,
    )


def _said_before(op: Op) -> ContentRefusedError | GenerationFailedError:
    if op.code == ContentRefusedError.code:
        return ContentRefusedError("This prompt was refused. Change the prompt.")
    error = GenerationFailedError("This request failed before. Send it as a new one.")
    error.retryable = False
    return error
