"""Reserving what a confirmed request needs, and giving it back."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ledger import Hold, Ledger, Limits, abandoned, reserved
from imagegen.domain.quote import Quote
from imagegen.domain.stores import Held, LedgerSnapshot, LedgerStore, Refused, Reservation
from imagegen.usecases.generate.reconciler import Reconciler

LEASE_MARGIN_MS = 30_000
"""After Lambda's timeout the run is dead; clocks differ by less than this."""
MAX_DEAD = 100
"""More dead runs of one user can only mean that images cannot be looked up: no further run starts,
or the entry would grow for as long as that lasts (DynamoDB's limit is 400 KB)."""
SILENT_MS = 900
"""A ledger that took longer to fail does not answer: a second request would only make the caller
wait as long again. The lease ends what the first one may have held."""


@dataclass(frozen=True, slots=True)
class Holds:
    """Reserves a quote's ceiling, an hour slot, the counts and the request itself, or nothing."""

    ledgers: LedgerStore
    reconciler: Reconciler
    limits: Limits
    now_ms: Callable[[], int]

    def reserve(self, quote: Quote, *, run_id: str, ends_ms: int) -> Reservation:
        """Return the hold of a run that Lambda ends at ``ends_ms``, or why there is none.

        Holds of dead runs of the same user are ended on the way.

        Raises:
            StoreUnavailableError: the ledger cannot be reached; nothing is spent.
        """
        hold = Hold(
            quote.quote_id,
            run_id,
            quote.day,
            quote.ceiling_microusd,
            quote.expires_ms,
            ends_ms + LEASE_MARGIN_MS,
            quote.slot,
        )
        first = self._reserve(quote.user, hold)
        ledger = first.ledger if isinstance(first, Refused) else first.snapshot.ledger
        dead = abandoned(ledger, now_ms=self.now_ms())
        if not dead:
            return first
        if isinstance(first, Held) and len(dead) <= MAX_DEAD:
            # The image comes first: a hold that cannot be ended here waits for the schedule.
            with suppress(Exception):
                self.reconciler.reconcile(quote.user, ledger)
            return first
        if isinstance(first, Held):
            self.release(quote.user, first.snapshot, StoreUnavailableError(""))
        self.reconciler.reconcile(quote.user, ledger)
        return self._reserve(quote.user, hold)

    def release(self, user: str, hold: LedgerSnapshot, error: ImagegenError) -> None:
        """Give a hold back; if the ledger cannot be reached, the hold ends with its lease."""
        with suppress(StoreUnavailableError):
            self.ledgers.release(
                user, hold, code=error.code, retryable=error.retryable, now_ms=self.now_ms()
            )

    def _reserve(self, user: str, hold: Hold) -> Reservation:
        now_ms = self.now_ms()
        try:
            return self.ledgers.reserve(user, hold, self.limits, now_ms=now_ms)
        except StoreUnavailableError as error:
            if self.now_ms() - now_ms < SILENT_MS:
                # The write may have succeeded; no provider was called yet: give it back.
                likely = reserved(Ledger(), hold, self.limits, now_ms=now_ms)
                self.release(user, LedgerSnapshot(hold.quote_id, likely), error)
            raise
