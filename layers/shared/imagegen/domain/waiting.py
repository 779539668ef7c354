"""The places in which repetitions of a request wait for its end: one place for each request.

A call that waits occupies an instance of the function, so equal calls must not wait without limit.
"""

from typing import Protocol


class WaitingPlaces(Protocol):
    """One place for each held request; the ledger store has them."""

    def wait(self, user: str, quote_id: str, *, until_ms: int, now_ms: int) -> bool:
        """Take the place until a time. Return ``False`` if it is taken, or if nothing is held.

        Raises:
            StoreUnavailableError: it may or may not have been taken.
        """
        ...
