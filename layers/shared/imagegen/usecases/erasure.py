"""Erases what is kept of one user, except for the accounting; an interrupted erasure is resumed."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from imagegen.domain.erasures import STAYS, Erasure, ErasureStore, KeptStore
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import OpState
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.records import ImageRecord, Place, RecordStatus, as_deleted
from imagegen.domain.stores import Stores
from imagegen.domain.trail import Action, Change, TrailEntry, TrailStore
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.wire.usage import ErasureReport

KEPT, ASKED = "kept", "asked"
OWN = "self"
"""In the trail, the author of an erasure that the user asked for."""
STEP = 20
"""After how many images the place in the list is stored."""
MARGIN_MS = 20_000
"""How long before the end of the invocation no other image is begun."""
ANSWER_MS = 15_000
"""How long a request works on an erasure before it answers that it goes on."""
PENDING = 20


@dataclass(frozen=True, slots=True)
class Eraser:
    """Erases users."""

    stores: Stores
    kept: KeptStore
    erasures: ErasureStore
    trail: TrailStore
    reconciler: Reconciler
    now_ms: Callable[[], int]

    def erase_own(self, user: str, *, ends_ms: int) -> ErasureReport:
        """Erase a user by the user's own wish, as far as there is time; the schedule does the rest.

        Raises:
            StoreUnavailableError: it may be done in part. The schedule or another request ends it.
        """
        erasure = self.erasures.ask(Erasure(user, self.now_ms(), OWN))
        until_ms = min(ends_ms - MARGIN_MS, self.now_ms() + ANSWER_MS)
        finished = self.run(erasure, until_ms=until_ms)
        return ErasureReport(finished=finished, asked_at=erasure.asked_ms, stays=STAYS)

    def sweep(self, *, ends_ms: int) -> int:
        """Go on with the erasures that are not finished; return how many were finished.

        Raises:
            StoreUnavailableError: after all of them, if one could not go on.
        """
        finished, failed = 0, None
        for erasure in self.erasures.pending(limit=PENDING):
            if self.now_ms() >= ends_ms - MARGIN_MS:
                break
            try:
                finished += self.run(erasure, until_ms=ends_ms - MARGIN_MS)
            except Exception as error:  # noqa: BLE001 one user's fault must not keep the others
                failed = error
        if failed is not None:
            raise failed
        return finished

    def run(self, erasure: Erasure, *, until_ms: int) -> bool:
        """Erase until a time. Return whether nothing is left that must go.

        Every step may be done twice, by two runs at once as well.

        Raises:
            StoreUnavailableError: a store cannot be reached; the next run goes on.
        """
        user, asked_ms = erasure.user, erasure.asked_ms
        # Read before the list: an image whose hold has ended by now is in the list.
        running_ms = self._oldest_running_ms(user, asked_ms)
        # The place never passes an image that is still being made.
        listed_ms = asked_ms if running_ms is None else running_ms - 1
        if not self._list_is_done(erasure, listed_ms, until_ms):
            return False
        for ref in self.kept.prompts(user, until_ms=listed_ms):
            self._erase_without_record(ref)
            if self.now_ms() >= until_ms:
                return False
        self.kept.remove_others(user, until_ms=asked_ms)
        if running_ms is not None or not self.kept.remains(user, until_ms=asked_ms).is_nothing:
            return False
        self._finish(erasure)
        return True

    def _oldest_running_ms(self, user: str, asked_ms: int) -> int | None:
        """Return the time of issue, in ms, of the oldest quote whose image is being made.

        ``None`` if no image is being made of a quote issued up to ``asked_ms``.
        """
        ledger = self.reconciler.load(user)
        issued = (
            op.expires_ms - LIFETIME_MS for op in ledger.ops.values() if op.state is OpState.HELD
        )
        return min((one for one in issued if one <= asked_ms), default=None)

    def _list_is_done(self, erasure: Erasure, listed_ms: int, until_ms: int) -> bool:
        found = self.kept.records(erasure.user, erasure.done, until_ms=listed_ms)
        for number, record in enumerate(found, 1):
            self._erase(ImageRef(record.quote_id, erasure.user, record.issued_ms), record)
            is_late = self.now_ms() >= until_ms
            if is_late or number % STEP == 0:
                self.erasures.advance(erasure, Place(record.issued_ms, record.quote_id))
            if is_late:
                return False
        return True

    def _erase(self, ref: ImageRef, record: ImageRecord) -> None:
        """Remove an image in the order in which its owner's deletion does it, and old versions."""
        if record.status is RecordStatus.COMPLETE:
            erased = as_deleted(record, self.now_ms())
            # Without the mark a repetition of the request would make the image again.
            self.stores.images.mark_deleted(ref, erased)
        else:
            erased = replace(record, input_roles=(), parents=(), uploads=())
        self.stores.prompts.forget(ref)
        self.kept.remove_image(ref)
        if erased != record:
            self.stores.records.put(ref, erased)

    def _erase_without_record(self, ref: ImageRef) -> None:
        """Remove a prompt, and the image if it is stored although its record is gone."""
        if record := self.stores.images.find(ref):
            self._erase(ref, record)
        else:
            self.stores.prompts.forget(ref)

    def _finish(self, erasure: Erasure) -> None:
        # The entry comes first: what was erased is in the trail although a process dies here.
        change = Change(Action.USER_ERASED, erasure.user, ASKED, "erased")
        entry_id = f"erased-{erasure.user[:8]}-{erasure.asked_ms}"
        self.trail.add(TrailEntry(erasure.asked_ms, entry_id, erasure.who, change))
        self.erasures.finish(erasure)
