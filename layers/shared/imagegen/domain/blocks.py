"""Users whom the operator has switched off: where that is stored. The ledger has the rule."""

from typing import Protocol


class BlockStore(Protocol):
    """Blocks users, and lets them in again."""

    def set_blocked(self, user: str, *, blocked: bool) -> None:
        """Block a user, or let the user in again. A second time changes nothing.

        Raises:
            StoreUnavailableError: it may or may not have been changed.
        """
        ...
