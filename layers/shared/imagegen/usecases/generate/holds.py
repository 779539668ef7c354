"""Reserves what a confirmed request needs, and gives it back."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ledger import Hold, Ledger, Limits, abandoned, reserved
from imagegen.domain.quote import Quote
from imagegen.domain.stores import (
    Held,
    Known,
    LedgerSnapshot,
    LedgerStore,
    Refused,
    Reservation,
)
from imagegen.usecases.generate.reconciler import Reconciler

LEASE_MARGIN_MS = 30_000
"""How long a lease lasts beyond Lambda's timeout, after which the run is dead. Clocks of instances
differ by less than this."""
MAX_DEAD = 100
"""The most dead runs of one user before no further run starts. There are more only if images cannot
be looked up for a long time; the ledger entry must not grow meanwhile to DynamoDB's limit of
400 KB."""
SILENT_MS = 900
"""If the ledger took longer than this to fail, it is taken to be unreachable. The hold is then not
released at once, because the caller would wait as long again: it ends with its lease."""


@dataclass(frozen=True, slots=True)
class Holds:
    """Reserves the quote's ceiling, an hour slot and the counts, and enters the request.

    Everything is reserved, also at the levels above the user, or nothing.
    """

    ledgers: LedgerStore
    reconciler: Reconciler
    limits: Callable[[], Limits]
    now_ms: Callable[[], int]

    def reserve(self, quote: Quote, *, run_id: str, ends_ms: int) -> Reservation:
        """Return the hold of a run that Lambda ends at ``ends_ms``, or why there is none.

        Holds of the same user's dead runs are ended as well.

        Raises:
            StoreUnavailableError: the ledger cannot be reached and nothing is spent, or holds of
                dead runs cannot be ended.
        """
        hold = Hold(
            quote.quote_id,
            run_id,
            quote.day,
            quote.ceiling_microusd,
            quote.expires_ms,
            ends_ms + LEASE_MARGIN_MS,
            quote.slot,
            quote.wishes.partials,
        )
        first = self._reserve(quote.user, hold)
        ledger = first.ledger if isinstance(first, Refused) else first.snapshot.ledger
        dead = abandoned(ledger, now_ms=self.now_ms())
        if not dead:
            return first
        if _can_wait(first, hold, dead):
            # The answer matters more: the scheduled sweep ends what cannot be ended here.
            with suppress(Exception):
                self.reconciler.reconcile(quote.user, ledger)
            return first
        if isinstance(first, Held):
            self.release(quote.user, first.snapshot, StoreUnavailableError(""))
        self.reconciler.reconcile(quote.user, ledger)
        return self._reserve(quote.user, hold)

    def release(self, user: str, hold: LedgerSnapshot, error: ImagegenError) -> bool | None:
        """Give a hold back. Return whether it is given back, ``None`` if that is not known.

        If the ledger cannot be reached, the hold ends with its lease.
        """
        try:
            return self.ledgers.release(
                user, hold, code=error.code, retryable=error.retryable, now_ms=self.now_ms()
            )
        except StoreUnavailableError:
            return None

    def _reserve(self, user: str, hold: Hold) -> Reservation:
        now_ms, limits = self.now_ms(), self.limits()
        try:
            return self.ledgers.reserve(user, hold, limits, now_ms=now_ms)
        except StoreUnavailableError as error:
            if self.now_ms() - now_ms < SILENT_MS:
                # The write may have succeeded. No provider was called yet, so the hold is released.
                likely = reserved(Ledger(), hold, limits, now_ms=now_ms)
                # A level may have been asked, and count it later than it is given back.
                levels = frozenset(level.name for level in limits.levels)
                if self.release(user, LedgerSnapshot(hold.quote_id, likely, levels), error):
                    error.charged = False  # The hold was this run's own, and it is given back.
            raise


def _can_wait(first: Reservation, hold: Hold, dead: Collection[str]) -> bool:
    """Return whether the answer does not depend on the end of the holds of dead runs."""
    if isinstance(first, Held):
        return len(dead) <= MAX_DEAD
    return isinstance(first, Known) and hold.quote_id not in dead
