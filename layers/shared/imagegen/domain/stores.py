"""The stores that the use cases need, as protocols for the AWS stores and the test fakes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from imagegen.domain.errors import LimitError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Hold, Ledger, Limits, Op
from imagegen.domain.records import ImageRecord, Place, RecordPage

if TYPE_CHECKING:
    # Functions without a gallery do not load it.
    from imagegen.domain.gallery import PromptStore

    # Only the runs of the background load it.
    from imagegen.domain.takeovers import Takeover


@dataclass(frozen=True, slots=True)
class LedgerSnapshot:
    """One request in a ledger as last read: a settle or a release starts from it."""

    quote_id: str
    ledger: Ledger
    unsure: frozenset[str] = frozenset()
    """Levels at which a write that counts the hold may still arrive, after it is given back."""

    @property
    def op(self) -> Op:
        """The request."""
        return self.ledger.ops[self.quote_id]


@dataclass(frozen=True, slots=True)
class Held:
    """The request is new, and everything that it needs is held."""

    snapshot: LedgerSnapshot


@dataclass(frozen=True, slots=True)
class Known:
    """The request was made before; its entry has its state."""

    snapshot: LedgerSnapshot


@dataclass(frozen=True, slots=True)
class Refused:
    """A limit stopped the request; nothing changed."""

    limit: LimitError
    ledger: Ledger


type Reservation = Held | Known | Refused


class LedgerStore(Protocol):
    """The users' ledgers; every change is one atomic write of one user's entry."""

    def load(self, user: str) -> Ledger:
        """Return the user's ledger; it is empty if there is no entry.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def reserve(self, user: str, hold: Hold, limits: Limits, *, now_ms: int) -> Reservation:
        """Hold money, slot, counts and the request together, or nothing.

        Raises:
            StoreUnavailableError: it may or may not have been held.
        """
        ...

    def take(self, user: str, takeover: "Takeover", *, now_ms: int) -> LedgerSnapshot | None:
        """Return the hold as this run's own, ``None`` if it may not be taken over any more.

        Sent twice by the same run, it returns the same hold.

        Raises:
            StoreUnavailableError: it may or may not have been taken.
        """
        ...

    def settle(
        self, user: str, snapshot: LedgerSnapshot, *, charged_microusd: int, now_ms: int
    ) -> bool:
        """Lower the hold to the charge. Return whether the request is settled now.

        It also counts as settled if it is no longer in the ledger: it ended, and was pruned.

        Raises:
            StoreUnavailableError: it may or may not have been settled.
        """
        ...

    def release(
        self,
        user: str,
        snapshot: LedgerSnapshot,
        *,
        code: str,
        retryable: bool,
        is_attempt: bool = True,
        now_ms: int,
    ) -> bool:
        """Give the hold back. Return whether this run's hold is given back now.

        ``is_attempt`` is false of a hold that a level refused, or that gave way to another attempt
        of its call: it does not count as an attempt.

        Raises:
            StoreUnavailableError: it may or may not have been released.
        """
        ...

    def lapsed(self, *, now_ms: int, limit: int) -> Iterable[str]:
        """Yield users who may have a hold of a dead run, the oldest first.

        Raises:
            StoreUnavailableError: after the users that were found, if a part cannot be read.
        """
        ...

    def forget_lease(self, user: str) -> bool:
        """Remove a user without any hold from the list of ``lapsed``. Return whether it changed.

        Raises:
            StoreUnavailableError: it may or may not have been changed; the next sweep tries again.
        """
        ...

    def defer_lease(self, user: str, *, now_ms: int) -> bool:
        """Move a user to the end of that list. It returns and raises as ``forget_lease`` does."""
        ...


class ImageStore(Protocol):
    """The finished images. An image is charged if and only if it is stored here."""

    def put(self, ref: ImageRef, content: bytes, record: ImageRecord) -> bool:
        """Store an image with its record. Return ``False`` if an image is already stored.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def find(self, ref: ImageRef) -> ImageRecord | None:
        """Return the record stored with an image, or ``None`` if there is no image.

        Of an image that its owner deleted, the record that ``mark_deleted`` stored is returned.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def mark_deleted(self, ref: ImageRef, record: ImageRecord) -> None:
        """Store that an image is deleted, with its record; the first mark stays.

        The image itself is removed afterwards, by ``delete``. From then on ``find`` returns this
        record, so that the image is charged and never made again.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def delete(self, ref: ImageRef) -> None:
        """Remove an image's bytes; without an image, nothing happens.

        Raises:
            StoreUnavailableError: they may or may not have been removed.
        """
        ...

    def link(self, ref: ImageRef, *, for_head: bool = False) -> str | None:
        """Return a URL that opens the image for 15 minutes, by GET or HEAD; ``None`` without one.

        Raises:
            StoreUnavailableError: it is not known whether there is one.
        """
        ...


class ImageContent(Protocol):
    """The bytes of finished images, for routes that put them into their answer, and for inputs."""

    def read(self, ref: ImageRef, *, limit_bytes: int) -> bytes | None:
        """Return an image's bytes, or ``None`` if it does not exist or exceeds the limit.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...


class RecordStore(Protocol):
    """One record per confirmed request, whether it made an image or failed: a user's usage."""

    def put(self, ref: ImageRef, record: ImageRecord) -> bool:
        """Store the record; return ``False`` if another one stays.

        The record of a failure never replaces that of an image, and only a deletion's record
        replaces that of a deleted image.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def withdraw(self, ref: ImageRef, record: ImageRecord) -> None:
        """Replace the record of an image that could not be charged by that of a failure.

        Raises:
            StoreUnavailableError: it may or may not have been replaced.
        """
        ...

    def page(self, user: str, after: Place | None, *, since_ms: int, limit: int) -> RecordPage:
        """Return records of the user's images that are not deleted, the newest first.

        The list begins after a place and ends with quotes issued at ``since_ms``. A page may have
        fewer than ``limit`` records although the list goes on.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def get(self, ref: ImageRef) -> ImageRecord | None:
        """Return the record, or ``None`` if there is none.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def recent(self, user: str, *, limit: int, since_ms: int = 0) -> list[ImageRecord]:
        """Return the newest records of quotes issued since a time, the newest first.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores that hold the state of images."""

    ledgers: LedgerStore
    images: ImageStore
    records: RecordStore
    prompts: "PromptStore"
