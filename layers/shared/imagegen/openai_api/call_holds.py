"""Holds the money for a call, unless another attempt of the same call has already done so.

Two attempts of a call without a key have different quote ids until one finds the other in the
ledger, so both may hold money. Each write of a hold returns the whole ledger, so the later attempt
sees the earlier one's hold. It releases its own before anything is bought, and returns the image of
the earlier attempt.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from imagegen.domain.errors import LimitError, StoreUnavailableError
from imagegen.domain.ledger import Ledger
from imagegen.domain.quote import Quote
from imagegen.openai_api import retries
from imagegen.openai_api.retries import JOINED, Call
from imagegen.usecases.generate.holds import Holds
from imagegen.usecases.generate.run import Made, Run, Running


@dataclass(frozen=True, slots=True)
class CallHolds:
    """Reserves for one call, whose user had the ledger ``seen`` when its quote was chosen."""

    call: Call
    seen: Ledger
    holds: Holds
    secret: bytes = field(repr=False)
    """The key from which the quote ids of calls are derived."""

    def reserve(
        self, quote: Quote, reserve: Callable[[], Run | Made | Running]
    ) -> Run | Made | Running | None:
        """Return what ``reserve`` returns, ``None`` if another attempt of the call was faster.

        Raises:
            ImagegenError: as ``reserve``.
            StoreUnavailableError: the hold cannot be given back; nothing is bought with it.
        """
        try:
            run = reserve()
        except LimitError:
            # The faster attempt may have taken the last place.
            with suppress(StoreUnavailableError):
                if self._is_late(quote, self.holds.ledgers.load(quote.user)):
                    return None
            raise
        if not isinstance(run, Run) or not self._is_late(quote, run.hold.ledger):
            return run
        self.holds.ledgers.release(
            quote.user,
            run.hold,
            code=JOINED,
            retryable=False,
            is_attempt=False,
            now_ms=self.holds.now_ms(),
        )
        return None

    def _is_late(self, quote: Quote, ledger: Ledger) -> bool:
        found = retries.faster_attempt(
            self.call, quote.quote_id, self.seen.ops, ledger.ops, self.secret
        )
        return found is not None
