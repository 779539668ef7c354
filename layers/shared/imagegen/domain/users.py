"""Who is asking."""

from dataclasses import dataclass
from typing import Protocol

USER, ADMIN = "user", "admin"
"""The two scopes."""


@dataclass(frozen=True, slots=True)
class User:
    """Who is asking."""

    id: str
    """32 hex digits, stable for issuer and subject."""
    scopes: frozenset[str]

    @property
    def is_admin(self) -> bool:
        """Whether details for operators may be shown."""
        return ADMIN in self.scopes


class Verifier(Protocol):
    """Turns an Authorization header into a user."""

    def verify(self, authorization: str | None) -> User:
        """Return the user of a bearer token.

        Raises:
            UnauthorizedError: no token, or not one that lets anybody in.
            StoreUnavailableError: there is no telling.
        """
        ...
