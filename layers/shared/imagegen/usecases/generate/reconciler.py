"""Ends what a dead run left: charged if and only if its image is stored.

A hold whose lease is over belongs to a run that Lambda has killed. One oracle decides it, whether
the object exists, so it may be asked twice, by anybody and in any order.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from imagegen.domain.errors import LeaseLostError, StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Ledger, Op, abandoned
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.stores import LedgerSnapshot, Stores


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one pass ended."""

    settled: int = 0
    released: int = 0
    users: int = 0

    def plus(self, other: Self) -> Self:
        """Return both together."""
        return replace(
            self,
            settled=self.settled + other.settled,
            released=self.released + other.released,
            users=self.users + other.users,
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """One request that a dead run left, ended by whoever won it."""

    is_settled: bool
    """Its image was stored, so it is charged; else the hold was given back."""
    microusd: int
    """The charge, or the hold: as much as a provider may have billed for an image that is lost."""


def _ignore(_: Ended) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Settles or releases the holds of dead runs."""

    stores: Stores
    now_ms: Callable[[], int]
    on_ended: Callable[[Ended], None] = _ignore

    def sweep(self, *, limit: int) -> Reconciled:
        """Return what was ended over at most ``limit`` users. A second sweep writes nothing.

        Raises:
            StoreUnavailableError: at the end, when a user waits for the next sweep.
        """
        done, failed = Reconciled(), None
        for user in self.stores.ledgers.lapsed(now_ms=self.now_ms(), limit=limit):
            try:
                done = done.plus(self.reconcile(user, self.stores.ledgers.load(user)))
            except StoreUnavailableError as error:
                # One user's trouble must not keep the others' money held.
                failed = error
        if failed is not None:
            raise failed
        return done

    def load(self, user: str) -> Ledger:
        """Return the user's ledger as of now: holds of dead runs are ended first.

        Raises:
            StoreUnavailableError: it cannot be read, or one of these holds cannot be ended yet.
        """
        return self.current(user, self.stores.ledgers.load(user))

    def current(self, user: str, ledger: Ledger) -> Ledger:
        """Return the ledger without holds of dead runs: as it is, or read again once they ended.

        Raises:
            StoreUnavailableError: one of these holds cannot be ended yet.
        """
        if not abandoned(ledger, now_ms=self.now_ms()):
            return ledger
        self.reconcile(user, ledger)
        return self.stores.ledgers.load(user)

    def reconcile(self, user: str, ledger: Ledger) -> Reconciled:
        """Return what was ended of one user's holds.

        Raises:
            StoreUnavailableError: it waits for the next request or sweep.
        """
        done = Reconciled(users=1)
        for quote_id, op in abandoned(ledger, now_ms=self.now_ms()).items():
            done = done.plus(self._end(user, LedgerSnapshot(quote_id, ledger), op))
        self.stores.ledgers.forget_lease(user)
        return done

    def _end(self, user: str, snapshot: LedgerSnapshot, op: Op) -> Reconciled:
        ref = ImageRef(snapshot.quote_id, user, op.expires_ms - LIFETIME_MS)
        record = self.stores.images.find(ref)
        now_ms = self.now_ms()
        if record is None:
            code, retryable = LeaseLostError.code, LeaseLostError.retryable
            won = self.stores.ledgers.release(
                user, snapshot, code=code, retryable=retryable, now_ms=now_ms
            )
            return self._told(Ended(is_settled=False, microusd=op.price_microusd), won=won)
        charged = record.charged_microusd
        # The record first: what dies between the two is found again by its hold.
        self.stores.records.put(ref, record)
        won = self.stores.ledgers.settle(user, snapshot, charged_microusd=charged, now_ms=now_ms)
        return self._told(Ended(is_settled=True, microusd=charged), won=won)

    def _told(self, ended: Ended, *, won: bool) -> Reconciled:
        if not won:
            return Reconciled()
        self.on_ended(ended)
        return Reconciled(settled=int(ended.is_settled), released=int(not ended.is_settled))
