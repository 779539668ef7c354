"""Holding what a confirmed request needs, and giving it back."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ledger import Hold, Ledger, Limits, abandoned, reserved
from imagegen.domain.ports import Held, LedgerStore, Refused, Reservation, Seen
from imagegen.domain.quote import Quote
from imagegen.usecases.reconciler import Reconciler

LEASE_MARGIN_MS = 30_000
"""After Lambda's timeout the run is dead; clocks differ by less than this."""


@dataclass(frozen=True, slots=True)
class Reserver:
    """Holds a quote's ceiling, an hour slot, the counts and the request itself, or nothing."""

    ledgers: LedgerStore
    reconciler: Reconciler
    limits: Limits
    now_ms: Callable[[], int]
    new_run_id: Callable[[], str]

    def reserve(self, quote: Quote, *, ends_ms: int) -> Reservation:
        """Return the hold of a run that Lambda ends at ``ends_ms``, or why there is none.

        Holds of dead runs of the same user are ended on the way.

        Raises:
            StoreUnavailableError: the ledger cannot be reached; nothing is spent.
        """
        hold = Hold(
            quote.quote_id,
            self.new_run_id(),
            quote.day,
            quote.ceiling_microusd,
            quote.expires_ms,
            ends_ms + LEASE_MARGIN_MS,
            quote.slot,
        )
        first = self._reserve(quote.user, hold)
        ledger = first.ledger if isinstance(first, Refused) else first.seen.ledger
        if not abandoned(ledger, now_ms=self.now_ms()):
            return first
        if isinstance(first, Held):
            # The image comes first: whatever fails here waits for the schedule.
            with suppress(Exception):
                self.reconciler.reconcile(quote.user, ledger)
            return first
        self.reconciler.reconcile(quote.user, ledger)
        return self._reserve(quote.user, hold)

    def release(self, user: str, seen: Seen, error: ImagegenError) -> None:
        """Give a hold back; if the ledger cannot be reached, it ends with its lease."""
        with suppress(StoreUnavailableError):
            self.ledgers.release(
                user, seen, code=error.code, retryable=error.retryable, now_ms=self.now_ms()
            )

    def _reserve(self, user: str, hold: Hold) -> Reservation:
        try:
            return self.ledgers.reserve(user, hold, self.limits, now_ms=self.now_ms())
        except StoreUnavailableError as error:
            # It may have been held without an answer; no provider was asked, so give it back.
            likely = reserved(Ledger(), hold, self.limits, now_ms=self.now_ms())
            self.release(user, Seen(hold.quote_id, likely), error)
            raise
