"""Buys the n images of one call: n independent promises, each bought at most once.

Each image has its own quote, hold, fallback, settlement and replay, so whatever dies or fails, each
is charged if and only if it is stored. A repetition of the call gets the same images.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from imagegen.domain import ids
from imagegen.domain.errors import AboveMaxCostError, ImagegenError, StillRunningError
from imagegen.domain.ledger import Ledger
from imagegen.domain.money import label_text
from imagegen.domain.stores import LedgerStore
from imagegen.openai_api import retries
from imagegen.openai_api.buyer import Buyer
from imagegen.openai_api.earlier_images import EarlierImages
from imagegen.openai_api.retries import Call
from imagegen.usecases.generate.run import Made
from imagegen.wire.images import EstimateRequest

type Task = Callable[[], "Made | ImagegenError"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The images that a call asks for."""

    request: EstimateRequest
    count: int = 1
    most_bytes: int | None = None
    """The largest file of one image that the answer can contain."""

    @property
    def each(self) -> EstimateRequest:
        """The request for one of the images: ``max_cost`` is for all of them."""
        if self.request.max_cost is None or self.count == 1:
            return self.request
        return self.request.model_copy(update={"max_cost": self.request.max_cost // self.count})


@dataclass(frozen=True, slots=True)
class Bought:
    """The images of a call that are stored and charged, and why others are not."""

    made: tuple[Made, ...]
    failed: tuple[tuple[int, ImagegenError], ...] = ()


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
        elif made := self.earlier_images.find(call, quote_id, ledger):
            # A settled request has no run in the ledger.
            retries.check_body(call, made.record.run)


@dataclass(frozen=True, slots=True)
class SetBuyer:
    """Buys one or more images in one call."""

    buyer: Buyer
    calls: SetCalls
    run_at_once: Callable[[Sequence[Task]], list[Made | ImagegenError]]
    on_unexpected: Callable[[Exception], None]

    def buy(self, wanted: Wanted, call: Call, *, ends_ms: int) -> Bought:
        """Return the images that are stored, at least one. Lambda ends this run at ``ends_ms``.

        Raises:
            ImagegenError: as ``Buyer.buy``, if no image is stored. With ``StillRunningError`` some
                may be (``charged``): the same call, sent again, gets all of them.
        """
        buy = partial(self.buyer.buy, wanted.each, ends_ms=ends_ms, most_bytes=wanted.most_bytes)
        if wanted.count == 1:
            return Bought((buy(call),))
        calls = self.calls.divide(call, wanted.count)
        results = self.run_at_once([partial(self._one, partial(buy, one)) for one in calls])
        made = tuple(one for one in results if isinstance(one, Made))
        failed = [(i, one) for i, one in enumerate(results) if isinstance(one, ImagegenError)]
        if error := _to_raise(made, [one for _, one in failed], call):
            raise _about_share(error, wanted)
        return Bought(made, tuple(failed))

    def _one(self, buy: Callable[[], Made]) -> Made | ImagegenError:
        try:
            return buy()
        except ImagegenError as error:
            return error
        except Exception as error:  # noqa: BLE001 the other images are stored and must be answered
            self.on_unexpected(error)
            return ImagegenError("An unexpected error. It is in the logs.")


def _about_share(error: ImagegenError, wanted: Wanted) -> ImagegenError:
    """Return the error; one about the price says that the maximum was divided."""
    most = wanted.each.max_cost
    if most is None or not isinstance(error, AboveMaxCostError):
        return error
    share = f"Of x-max-cost, each of the {wanted.count} images may cost {label_text(most)}."
    return AboveMaxCostError(f"{error} {share}")


def _to_raise(
    made: tuple[Made, ...], errors: list[ImagegenError], call: Call
) -> ImagegenError | None:
    """Return the error that answers the whole call, ``None`` if images answer it."""
    running = next((one for one in errors if isinstance(one, StillRunningError)), None)
    if made and (running is None or not call.is_recognised):
        return None
    if running is not None:
        running.charged = True if made else running.charged
        return running
    # What is charged, or may be, is said before what is not.
    certainty = {True: 2, None: 1, False: 0}
    return max(errors, key=lambda one: (certainty[one.charged], one.retryable))
