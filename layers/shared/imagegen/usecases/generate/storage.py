"""Stores an image that was made, then charges it. Every stored image is charged.

The order is: prompt, image, record, hold. A hold ends only after the image has its record, so that
no stored image is missing from its owner's list: if a run dies before, the reconciler finds the
hold, writes the record and settles. The prompt comes first, so that none is written after its image
could have been deleted.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from imagegen.domain.errors import (
    ImageDeletedError,
    ImagegenError,
    LeaseLostError,
    StoreUnavailableError,
)
from imagegen.domain.gallery import kept_until_ms
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import OpState, settled
from imagegen.domain.records import (
    ImageRecord,
    RecordStatus,
    image_deleted,
    with_lost_image,
    with_team,
)
from imagegen.domain.stores import Stores
from imagegen.usecases.generate.run import JobRun, Made, Run, Running

PUT_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)
"""The pauses between the attempts to store an image that the provider has already billed. Most
outages of S3 are short."""
SETTLE_TRIES = 2
SETTLE_PAUSE_SECONDS = 0.5
"""The pause before record and hold are tried once more, if a store did not answer."""
PUT_ROUNDS = 3
"""How often an image is stored again if another one was stored and deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class ImageKeeper:
    """Stores the image of a run and settles its hold."""

    stores: Stores
    now_ms: Callable[[], int]
    pause: Callable[[float], None]
    on_finished: Callable[[ImageRecord], None]
    keeps_prompts: bool = True
    retention_days: int = 365
    """How long images are kept, and their prompts with them."""

    def keep(self, run: Run | JobRun, content: bytes, record: ImageRecord) -> Made | Running:
        """Return the stored and charged image, or ``Running`` if the reconciler must decide.

        Raises:
            LeaseLostError: the run took too long; the image is not stored and not charged.
            ImageDeletedError: it was stored and charged, and its owner has deleted it already.
            StoreUnavailableError: the hold was lost, and the stored image cannot be deleted now.
        """
        if self.now_ms() >= run.ends_ms:
            raise _too_late()
        self._keep_prompt(run, record)
        try:
            record = self._stored(run, content, record)
        except StoreUnavailableError as error:
            # The image may be stored or not: the reconciler looks and charges accordingly.
            self.on_finished(_lost(record, error))
            return Running(run.hold.op.started_ms, charged=None)
        is_recorded, is_settled = self._end(run, record)
        if is_settled is False:
            return self._give_up(run, record)
        self.on_finished(record)
        if record.deleted_ms or is_recorded is False:
            raise self._deleted(run.ref)
        # The image is stored, so it is charged: by now, or later by a replay or the reconciler.
        ledger = settled(run.hold.ledger, run.ref.quote_id, record.charged_microusd)
        is_replay = record.run not in ("", run.hold.op.owner)
        return Made(run.ref, record, ledger, is_replay)

    def record_failure(self, run: Run, record: ImageRecord) -> None:
        """Write the record of a run without an image, unless there is a record of its image."""
        with suppress(StoreUnavailableError):
            self.stores.records.put(run.ref, record)
        self.on_finished(record)

    def _stored(self, run: Run | JobRun, content: bytes, record: ImageRecord) -> ImageRecord:
        """Return the record of the stored image: this one, or that of an earlier run's image.

        Raises:
            StoreUnavailableError: this image may be stored or not.
        """
        for _ in range(PUT_ROUNDS):
            if self._put(run, content, record):
                return record
            # An earlier run of this quote has stored its image, so that one is charged. If it is
            # not there any more, it was deleted in between, and nothing may be charged for it.
            if earlier := self.stores.images.find(run.ref):
                return with_team(earlier, record.team)
        raise StoreUnavailableError("The image store contradicts itself. Try again.")

    def _give_up(self, run: Run | JobRun, record: ImageRecord) -> Running:
        """Delete the image if the ledger shows that its hold was released.

        Otherwise another run of the quote holds it, and finds the stored image.

        Raises:
            LeaseLostError: the hold was released, and the image is deleted.
            StoreUnavailableError: the image cannot be deleted now. The same quote, sent again,
                finds it, and it is charged then.
        """
        try:
            ledger = self.stores.ledgers.load(run.ref.user)
            op = ledger.ops.get(run.ref.quote_id)
            if op is None or op.state is not OpState.RELEASED:
                return Running(run.hold.op.started_ms, charged=None)
            # The record is withdrawn first: nobody may read there that the image is charged.
            self.stores.records.withdraw(run.ref, _lost(record, _too_late()))
            self.stores.images.delete(run.ref)
            self.stores.prompts.forget(run.ref)
        except StoreUnavailableError as error:
            self.on_finished(_lost(record, error))
            raise
        raise _too_late()

    def _keep_prompt(self, run: Run | JobRun, record: ImageRecord) -> None:
        """Keep the user's words as long as the image; an image matters more than its words."""
        if self.keeps_prompts and run.words is not None:
            until_ms = kept_until_ms(record.created_ms, self.retention_days)
            with suppress(StoreUnavailableError):
                self.stores.prompts.put(run.ref, run.words, until_ms=until_ms)

    def _end(self, run: Run | JobRun, record: ImageRecord) -> tuple[bool | None, bool | None]:
        """Write the record, then settle the hold.

        Return whether the record is written (``False``: the image was deleted meanwhile) and
        whether the hold is settled. ``None`` if a store cannot be reached: the hold then remains,
        and the reconciler finds it.
        """
        is_recorded = is_settled = None
        for tried in range(SETTLE_TRIES):
            if tried:
                self.pause(SETTLE_PAUSE_SECONDS)
            if is_recorded is None:
                is_recorded = self._write_record(run, record)
            if is_recorded is not None:
                is_settled = self._settle(run, record)
            if is_settled is not None:
                break
        return is_recorded, is_settled

    def _write_record(self, run: Run | JobRun, record: ImageRecord) -> bool | None:
        try:
            return self.stores.records.put(run.ref, record)
        except StoreUnavailableError:
            return None

    def _deleted(self, ref: ImageRef) -> ImageDeletedError:
        """Remove what this run stored after its owner had deleted the image; return the error."""
        with suppress(StoreUnavailableError):
            self.stores.images.delete(ref)
            self.stores.prompts.forget(ref)
        return image_deleted()

    def _put(self, run: Run | JobRun, content: bytes, record: ImageRecord) -> bool:
        """Store the image; return ``False`` if the quote already has a stored image.

        A repeated put is safe: only the first put of a quote is stored.
        """
        for pause_seconds in PUT_PAUSES_SECONDS:
            try:
                return self.stores.images.put(run.ref, content, record)
            except StoreUnavailableError:
                self.pause(pause_seconds)
                if self.now_ms() >= run.ends_ms:
                    raise
        return self.stores.images.put(run.ref, content, record)

    def _settle(self, run: Run | JobRun, record: ImageRecord) -> bool | None:
        """Return whether the hold is settled, ``None`` if the ledger cannot be reached."""
        charged = record.charged_microusd
        try:
            return self.stores.ledgers.settle(
                run.ref.user, run.hold, charged_microusd=charged, now_ms=self.now_ms()
            )
        except StoreUnavailableError:
            return None


def _too_late() -> LeaseLostError:
    return LeaseLostError("The request took too long and was given up. Try again.")


def _lost(record: ImageRecord, error: ImagegenError) -> ImageRecord:
    """Return the record of an image that the provider billed and that may not be stored."""
    return replace(
        with_lost_image(record, record.charged_microusd),
        status=RecordStatus.FAILED,
        charged_microusd=0,
        code=error.code,
        retryable=error.retryable,
    )
