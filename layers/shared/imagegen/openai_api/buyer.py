"""Buys an image in one call, as OpenAI's clients do: offer and confirmation, charged at most once.

OpenAI's SDKs retry by themselves, and an image whose answer was lost may have been charged.
``retries`` recognises a retry. It waits for an attempt that is still running, starts a new run if
the attempt failed for a temporary reason, and otherwise gets that attempt's result.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from imagegen.domain import ids
from imagegen.domain.days import utc_day
from imagegen.domain.errors import (
    ImagegenError,
    QuoteExpiredError,
    StillRunningError,
    StoreUnavailableError,
)
from imagegen.domain.ids import ImageRef
from imagegen.domain.image_sets import Look
from imagegen.domain.ledger import Ledger, Op, may_reserve_op
from imagegen.domain.ports import WaitingPlaces
from imagegen.domain.quote import LIFETIME_MS, Quote
from imagegen.domain.stores import LedgerStore
from imagegen.openai_api import retries
from imagegen.openai_api.offers import NamedOffers
from imagegen.openai_api.other_attempts import CallHolds, EarlierImages
from imagegen.openai_api.retries import Call
from imagegen.openai_api.unfinished import not_recognised, still_running
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.usecases.generate.replay import Replayer, not_charged
from imagegen.usecases.generate.run import Made, Run, Running
from imagegen.usecases.pricer import Issue
from imagegen.wire.estimates import EstimateRequest

ROUNDS = 16
"""The most rounds of one call. A further round is needed only if another call was faster or if an
attempt failed."""
REPLAY_POLL_SECONDS = 1.0
WAIT_MS = 25_000
"""The longest wait for an earlier attempt: a call that waits occupies an instance."""
ANSWER_MARGIN_MS = 5_000
"""The time before Lambda's timeout in which a call no longer waits: to answer that the earlier
attempt is still running."""
EXPIRY_MARGIN_MS = 30_000
"""A quote with less time left than this is issued anew."""


@dataclass(frozen=True, slots=True)
class _Order:
    """A call while it is answered."""

    request: EstimateRequest
    call: Call
    ends_ms: int
    """When Lambda ends this run."""
    until_ms: int
    """Until when the call may wait for another run."""
    secret: bytes = field(repr=False)
    """The key from which the quote ids of calls are derived."""
    most_bytes: int | None = None
    """The largest file that the answer can contain."""
    look: Look | None = None
    """The place in a set of images."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Buys the image of a call, at most once."""

    offers: NamedOffers
    generator: Generator
    earlier_images: EarlierImages
    replayer: Replayer
    reconciler: Reconciler
    ledgers: LedgerStore
    places: WaitingPlaces
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]
    pause: Callable[[float], None]
    random_bytes: Callable[[int], bytes]
    new_run_id: Callable[[], str]

    def buy(
        self,
        request: EstimateRequest,
        call: Call,
        *,
        ends_ms: int,
        most_bytes: int | None = None,
        look: Look | None = None,
    ) -> Made:
        """Return the image, made now or by an earlier attempt of the same call.

        Lambda ends this run at ``ends_ms``. With ``most_bytes``, only models are called whose file
        is likely no larger.

        Raises:
            ImagegenError: no model can be offered, or only others than the named one, which do not
                fit the request or cost much more.
            LimitError: a limit of the user is reached.
            ReusedKeyError: the idempotency key was used for another request.
            ContentRefusedError, GenerationFailedError: no image was made and nothing is charged.
            GoneError: the image was made and charged, and has been deleted.
            StillRunningError: an earlier attempt is still running. The same call, sent again, gets
                its result.
            StoreUnavailableError: a store cannot be reached; ``charged`` is true if the image is
                known to be charged.
        """
        until_ms = min(self.now_ms() + WAIT_MS, ends_ms - ANSWER_MARGIN_MS)
        secret = self.image_id_key()
        order = _Order(request, call, ends_ms, until_ms, secret, most_bytes, look)
        for _ in range(ROUNDS):
            made = self._round(order)
            if made is not None:
                return made
        raise still_running()

    def _round(self, order: _Order) -> Made | None:
        """Return the image, ``None`` if another round is needed."""
        call = order.call
        with self.earlier_images.stored_is_charged(call, order.secret):
            ledger = self._ledger(call.user)
        random = self.random_bytes(retries.RANDOM_BYTES)
        nonce = retries.derive_nonce(
            call, ledger.ops, order.secret, random=random, now_ms=self.now_ms()
        )
        quote_id = ids.quote_id(nonce)
        op = ledger.ops.get(quote_id)
        if op is not None:
            retries.check_body(call, op.owner)
        if not may_reserve_op(ledger, quote_id):
            return self._wait(order, quote_id, ledger)
        if op is None and (made := self.earlier_images.find(call, quote_id, ledger)):
            retries.check_body(call, made.record.run)
            return made
        return self._confirm(order, nonce, ledger)

    def _confirm(self, order: _Order, nonce: bytes, ledger: Ledger) -> Made | None:
        """Return the image of this run, ``None`` if another run of the same quote was first."""
        call, quote_id = order.call, ids.quote_id(nonce)
        run_id = retries.run_name(call, self.new_run_id())
        issue = Issue(nonce, self._issued_ms(ledger.ops.get(quote_id)))
        try:
            with not_charged():  # Ledger and earlier images were looked up.
                quote = self._quote(order, ledger, issue)
            reserve = partial(
                self.generator.reserve,
                *(quote, order.request.prompt),
                run_id=run_id,
                ends_ms=order.ends_ms,
                look=order.look,
            )
            holds = CallHolds(call, ledger, self.generator.holds, order.secret)
            result = holds.reserve(quote, reserve)
            if isinstance(result, Run):
                result = self.generator.run(result)
        except QuoteExpiredError:
            return None  # Midnight has passed since this round began: the next quote is of today.
        except ImagegenError as error:
            if error.replayed:
                return None
            if error.retryable and not self._may_retry(order, quote_id, ledger):
                error.retryable = False
            raise
        if isinstance(result, Made):
            retries.check_body(call, result.record.run)
        return self._wait_for_own_run(order, quote_id) if isinstance(result, Running) else result

    def _quote(self, order: _Order, ledger: Ledger, issue: Issue) -> Quote:
        return self.offers.quote(
            order.request, order.call.user, ledger=ledger, issue=issue, most_bytes=order.most_bytes
        )

    def _wait_for_own_run(self, order: _Order, quote_id: str) -> Made | None:
        """Return the image of a run whose end this call does not know yet.

        Raises:
            StillRunningError, StoreUnavailableError: not retryable if a repetition of this call
                would be a new call, which buys a second image.
        """
        try:
            ledger = self._ledger(order.call.user)
            return self._wait(order, quote_id, ledger, is_own_run=True)
        except (StillRunningError, StoreUnavailableError) as error:
            if order.call.is_recognised:
                raise
            raise not_recognised(error) from error

    def _wait(
        self, order: _Order, quote_id: str, ledger: Ledger, *, is_own_run: bool = False
    ) -> Made | None:
        """Return the image of the run with this quote, ``None`` if another round is needed.

        Of the repetitions of a call, one waits at a time; the others are answered at once.
        """
        ref, waits = ImageRef(quote_id, order.call.user, 0), is_own_run
        while op := ledger.ops.get(quote_id):
            retries.check_body(order.call, op.owner)
            if may_reserve_op(ledger, quote_id):
                return None
            if made := self._replay(order.call, ref, ledger):
                return made
            if self.now_ms() >= order.until_ms:
                raise still_running()
            waits = waits or self._takes_place(order, op, quote_id)
            if not waits:
                raise still_running()
            self.pause(REPLAY_POLL_SECONDS)
            ledger = self._ledger(order.call.user)
        # The run was pruned from the ledger. The next round looks for its image.
        return None

    def _takes_place(self, order: _Order, op: Op, quote_id: str) -> bool:
        """Return whether this call may wait for the end of a run, as the only one."""
        now_ms = self.now_ms()
        if op.waiter_until_ms > now_ms:
            return False
        try:
            return self.places.wait(
                order.call.user, quote_id, until_ms=order.until_ms, now_ms=now_ms
            )
        except StoreUnavailableError:
            return False

    def _replay(self, call: Call, ref: ImageRef, ledger: Ledger) -> Made | None:
        """Return the image of an earlier run, ``None`` if it is still being made."""
        result = self.replayer.result(ref, ledger)
        if not isinstance(result, Made):
            return None
        retries.check_body(call, result.record.run)
        return result

    def _may_retry(self, order: _Order, quote_id: str, ledger: Ledger) -> bool:
        """Return whether an SDK's retry of this call would belong to it, not to another call."""
        call = order.call
        with suppress(StoreUnavailableError):  # If it fails, the ledger read before is used.
            ledger = self.ledgers.load(call.user)
        return retries.may_retry(call, quote_id, ledger.ops, order.secret, now_ms=self.now_ms())

    def _ledger(self, user: str) -> Ledger:
        ledger = self.ledgers.load(user)
        try:
            return self.reconciler.current(user, ledger)
        except Exception:  # noqa: BLE001 one image that cannot be looked up stops no other call
            return self.ledgers.load(user)

    def _issued_ms(self, op: Op | None) -> int:
        """Return the time of issue of the quote: the first attempt's, until that quote expires.

        After midnight a new one is issued, so that it counts against the limits of today.
        """
        now_ms = self.now_ms()
        if op is None or op.expires_ms - EXPIRY_MARGIN_MS < now_ms:
            return now_ms
        issued_ms = op.expires_ms - LIFETIME_MS
        return issued_ms if utc_day(issued_ms) == utc_day(now_ms) else now_ms
