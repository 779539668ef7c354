"""OpenAI's one call: an offer and its confirmation together, once for every call of a client.

The SDKs try again by themselves, and a lost answer may have been paid for: a repetition meets its
first attempt by the quote id, which ``domain.retries`` makes of the call. It waits a little while
that one runs, takes over where it failed in a way that may pass, and answers with its image
otherwise.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from imagegen.domain import ids
from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    GoneError,
    ImagegenError,
    ReusedKeyError,
    StillRunningError,
    StoreUnavailableError,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger, Op, OpState, abandoned, may_reserve_op
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.records import ImageRecord, RecordStatus
from imagegen.domain.stores import ImageStore, LedgerStore, RecordStore
from imagegen.openai_api import retries
from imagegen.openai_api.calls import Call
from imagegen.openai_api.offers import offer_unseen
from imagegen.openai_api.retries import Places
from imagegen.usecases.estimator import Estimator
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.usecases.generate.replay import Made, Running, charged_if_unavailable
from imagegen.wire.images import EstimateRequest, GenerateRequest

ROUNDS = 16
"""So often another call may take a number first, or an attempt may fail while this one waits."""
POLL_SECONDS = 1.0
WAIT_MS = 25_000
"""A repetition waits no longer for the first attempt: each that waits keeps a run of Lambda's."""
ANSWER_MARGIN_MS = 5_000
"""Kept free before Lambda's timeout: to say that the first attempt still runs."""
EXPIRY_MARGIN_MS = 30_000
RECENT_RECORDS = 500
"""The most attempts that any user has on a day."""
AGAIN_SECONDS = 10
"""Waiting outside a run costs nothing; both repetitions of an SDK together then take a minute."""


@dataclass(frozen=True, slots=True)
class Bought:
    """An image that is stored and charged, now or by an earlier attempt of the same call."""

    ref: ImageRef
    record: ImageRecord
    ledger: Ledger
    repeated: bool = False
    """Another run made it: whoever was told its charge then is told the same one now."""


@dataclass(frozen=True, slots=True)
class _Order:
    """A call while it is served."""

    wish: EstimateRequest
    call: Call
    ends_ms: int
    """Lambda ends this run then."""
    until_ms: int
    """So long it may wait for another run."""


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
            StoreUnavailableError: a store cannot be reached; ``charged`` tells what is known.
        """
        until_ms = min(self.now_ms() + WAIT_MS, ends_ms - ANSWER_MARGIN_MS)
        order = _Order(wish, call, ends_ms, until_ms)
        for _ in range(ROUNDS):
            bought = self._round(order)
            if bought is not None:
                return bought
        raise _still_running()

    def _round(self, order: _Order) -> Bought | None:
        """Return the image, ``None`` where the next look at the ledger decides."""
        call = order.call
        ledger = self._ledger(call.user)
        nonce = retries.nonce_of(call, ledger.ops, self.image_id_key(), now_ms=self.now_ms())
        quote_id = ids.quote_id(nonce)
        op = ledger.ops.get(quote_id)
        _check(call, op)
        if not may_reserve_op(ledger, quote_id):
            return self._meet(order, quote_id, ledger)
        if op is None and call.is_again and (stored := self._from_before(call, quote_id, ledger)):
            return stored
        return self._spend(order, nonce, ledger)

    def _spend(self, order: _Order, nonce: bytes, ledger: Ledger) -> Bought | None:
        """Return the image of this very run, or of another that came first and is to be met."""
        call, run = order.call, retries.run_name(order.call, self.new_run_id())
        try:
            came = self._run(order, nonce, ledger, run)
        except ImagegenError as error:
            if error.replayed:
                # Another run took the number and came to this: to be met, or not this call's.
                return None
            if error.retryable and not self._may_repeat(call, ids.quote_id(nonce), ledger):
                error.retryable = False
            raise
        if isinstance(came, Made):
            repeated = came.record.run != run
            bought = _checked(call, Bought(came.ref, came.record, came.ledger, repeated))
            return None if call.is_first and repeated else bought
        return self._met_running(order, ids.quote_id(nonce), run)

    def _run(self, order: _Order, nonce: bytes, ledger: Ledger, run: str) -> Made | Running:
        issued_ms = self._issued(ledger.ops.get(ids.quote_id(nonce)))
        estimator = replace(self.estimator, nonce=lambda: nonce, now_ms=lambda: issued_ms)
        offer = offer_unseen(estimator, order.wish, order.call.user, ledger)
        reserver = replace(self.generator.reserver, new_run_id=lambda: run)
        request = GenerateRequest(quote=offer.quote, prompt=order.wish.prompt)
        generator = replace(self.generator, reserver=reserver)
        return generator.generate(request, order.call.user, ends_ms=order.ends_ms)

    def _may_repeat(self, call: Call, quote_id: str, ledger: Ledger) -> bool:
        """Return whether an SDK that tries this call again meets this call, and not another."""
        with suppress(StoreUnavailableError):  # What was known before is the best there is.
            ledger = self.ledgers.load(call.user)
        secret = self.image_id_key()
        return retries.may_repeat(call, quote_id, ledger.ops, secret, now_ms=self.now_ms())

    def _met_running(self, order: _Order, quote_id: str, run: str) -> Bought | None:
        ledger = self._ledger(order.call.user)
        op = ledger.ops.get(quote_id)
        if order.call.is_first and (op is None or op.owner != run):
            # Another first call with the same body took the number: this one takes the next.
            return None
        _check(order.call, op)
        return self._meet(order, quote_id, ledger)

    def _meet(self, order: _Order, quote_id: str, ledger: Ledger) -> Bought | None:
        """Return what the run with this quote comes to, ``None`` where it may be tried again."""
        while (op := ledger.ops.get(quote_id)) and op.state is OpState.HELD:
            if self.now_ms() >= order.until_ms:
                raise _still_running()
            self.pause(POLL_SECONDS)
            ledger = self._ledger(order.call.user)
        if op is None:
            # It ended, and was forgotten: whether in an image, the next round looks.
            return None
        if op.state is OpState.RELEASED:
            if op.retryable:
                return None
            raise _said_before(op)
        with charged_if_unavailable():
            bought = self._stored(order.call, quote_id, ledger)
        if bought is None:
            raise GoneError("The image of this request was made, charged and deleted since.")
        return bought

    def _from_before(self, call: Call, quote_id: str, ledger: Ledger) -> Bought | None:
        """Return the image of an attempt that the ledger has forgotten, if there was one."""
        if call.key is not None:
            return self._by_key(call, quote_id, ledger)
        places = Places.of(call, self.image_id_key(), now_ms=self.now_ms())
        for record in self._made(call.user):
            if places.find(record.quote_id):
                with charged_if_unavailable():
                    return self._stored(call, record.quote_id, ledger)
        return None

    def _by_key(self, call: Call, quote_id: str, ledger: Ledger) -> Bought | None:
        try:
            return self._stored(call, quote_id, ledger)
        except StoreUnavailableError as error:
            with suppress(StoreUnavailableError):  # Then nothing says that it is charged.
                error.charged = any(one.quote_id == quote_id for one in self._made(call.user))
            raise

    def _made(self, user: str) -> list[ImageRecord]:
        found = self.records.recent(user, limit=RECENT_RECORDS)
        return [record for record in found if record.status is RecordStatus.COMPLETE]

    def _stored(self, call: Call, quote_id: str, ledger: Ledger) -> Bought | None:
        # An image lies under its user and quote; when it was issued says its own record.
        record = self.images.find(ImageRef(quote_id, call.user, 0))
        if record is None:
            return None
        ref = ImageRef(quote_id, call.user, record.issued_ms)
        return _checked(call, Bought(ref, record, ledger, repeated=True))

    def _ledger(self, user: str) -> Ledger:
        ledger = self.ledgers.load(user)
        if not abandoned(ledger, now_ms=self.now_ms()):
            return ledger
        # The image comes first: one hold that cannot be looked into must not stop the others.
        with suppress(Exception):
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
        "The first attempt still runs. Asked again, the same request meets it.",
        retry_after_seconds=AGAIN_SECONDS,
    )


def _said_before(op: Op) -> ContentRefusedError | GenerationFailedError:
    if op.code == ContentRefusedError.code:
        return ContentRefusedError("This prompt was refused. Change the prompt.")
    error = GenerationFailedError("This request failed before. Send it as a new one.")
    error.retryable = False
    return error
