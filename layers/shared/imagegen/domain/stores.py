"""What the use cases keep and where, as protocols: the AWS stores and the fakes fit them alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from imagegen.domain.breaker import Circuit, Failure
from imagegen.domain.errors import LimitError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Hold, Ledger, Limits, Op
from imagegen.domain.records import ImageRecord


@dataclass(frozen=True, slots=True)
class LedgerSnapshot:
    """One request in a ledger as it was last seen: what a settle or release starts from."""

    quote_id: str
    ledger: Ledger

    @property
    def op(self) -> Op:
        """The request."""
        return self.ledger.ops[self.quote_id]


@dataclass(frozen=True, slots=True)
class Held:
    """The request is new and everything it needs is held."""

    snapshot: LedgerSnapshot


@dataclass(frozen=True, slots=True)
class Known:
    """The request was made before; its entry says where it stands."""

    snapshot: LedgerSnapshot


@dataclass(frozen=True, slots=True)
class Refused:
    """A limit stopped it; nothing changed."""

    limit: LimitError
    ledger: Ledger


type Reservation = Held | Known | Refused


class LedgerStore(Protocol):
    """The users' ledgers; every method is one atomic move of one entry."""

    def load(self, user: str) -> Ledger:
        """Return the user's ledger; one without an entry is empty.

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

    def settle(
        self, user: str, snapshot: LedgerSnapshot, *, charged_microusd: int, now_ms: int
    ) -> bool:
        """Lower the hold to the charge. Return whether the request is settled now.

        Raises:
            StoreUnavailableError: it may or may not have been settled.
        """
        ...

    def release(
        self, user: str, snapshot: LedgerSnapshot, *, code: str, retryable: bool, now_ms: int
    ) -> bool:
        """Give the hold back. Return whether this run's hold is given back now.

        Raises:
            StoreUnavailableError: it may or may not have been released.
        """
        ...

    def lapsed(self, *, now_ms: int, limit: int) -> list[str]:
        """Return users who may have a hold of a dead run, the oldest first.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def forget_lease(self, user: str) -> bool:
        """Take a user without any hold off the list of ``lapsed``. Return whether it was there.

        Raises:
            StoreUnavailableError: the next sweep tries again.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What the last check of a provider's key found."""

    at_ms: int
    outcome: str
    """``valid`` or an ``Outcome``."""
    verdict: str = ""
    """The last ``outcome`` that said something of the key: ``valid``, ``account``, or none yet."""
    unlisted: tuple[str, ...] = ()
    """The catalog's models that are not in the provider's list."""
    last_days: Mapping[str, date] = field(default_factory=dict)
    """The last days that the provider announces for models of the catalog."""


@dataclass(frozen=True, slots=True)
class FleetState:
    """What every instance knows of the providers."""

    circuits: Mapping[str, Circuit]
    """By name; one that is absent is closed, generation 0."""
    key_checks: Mapping[str, KeyCheck]
    """By provider."""


class CircuitStore(Protocol):
    """The circuits; ``swap`` has one winner per generation."""

    def load(self) -> FleetState:
        """Return every stored circuit and the last probes.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def add_failure(self, name: str, generation: int, failure: Failure) -> Circuit | None:
        """Return the circuit with the failure added, ``None`` if that generation is over.

        Raises:
            StoreUnavailableError: it may or may not have been added.
        """
        ...

    def drop_failures(self, name: str, generation: int, failures: frozenset[Failure]) -> None:
        """Forget failures outside the window."""
        ...

    def swap(self, name: str, old: Circuit, new: Circuit) -> bool:
        """Put ``new`` in the place of ``old``. Return whether this caller won.

        Raises:
            StoreUnavailableError: it may or may not have been put.
        """
        ...


class KeyCheckStore(Protocol):
    """Where the health probe leaves what it found."""

    def save(self, provider: str, probe: KeyCheck) -> KeyCheck | None:
        """Store what a probe found. Return what it took the place of: a change has one teller.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...


class ImageStore(Protocol):
    """The finished images. An image that is here is charged; one that is not is not."""

    def put(self, ref: ImageRef, content: bytes, record: ImageRecord) -> bool:
        """Store an image with its record. Return ``False`` when one is there already.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def find(self, ref: ImageRef) -> ImageRecord | None:
        """Return the record stored with an image, ``None`` when there is no image.

        Raises:
            StoreUnavailableError: there is no telling.
        """
        ...

    def delete(self, ref: ImageRef) -> None:
        """Remove an image that could not be charged."""
        ...

    def link(self, ref: ImageRef) -> str | None:
        """Return a fresh address that opens the image for a quarter of an hour, if it is there.

        Raises:
            StoreUnavailableError: there is no telling.
        """
        ...


class ImageContent(Protocol):
    """The bytes of finished images, for those who hand them on themselves."""

    def read(self, ref: ImageRef, *, limit_bytes: int) -> bytes | None:
        """Return an image's bytes, ``None`` where there are none or more than the limit.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...


class RecordStore(Protocol):
    """One record per image made or failed: the usage of a user."""

    def put(self, ref: ImageRef, record: ImageRecord) -> None:
        """Store the record; one of an image is never replaced by one of a failure.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def get(self, ref: ImageRef) -> ImageRecord | None:
        """Return the record, ``None`` without one.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def recent(self, user: str, *, limit: int) -> list[ImageRecord]:
        """Return the user's newest records, the newest first.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the state of images is kept."""

    ledgers: LedgerStore
    images: ImageStore
    records: RecordStore
