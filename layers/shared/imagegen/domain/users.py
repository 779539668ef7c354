"""The authenticated user of a request, and the check of a token."""

from dataclasses import dataclass
from typing import Protocol

USER, ADMIN = "user", "admin"
"""The two scopes."""


@dataclass(frozen=True, slots=True)
class User:
    """The authenticated user of a request."""

    id: str
    """32 hex digits, always the same for one issuer and subject."""
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
            UnauthorizedError: there is no token, or it is not valid.
            ForbiddenError: the token is valid and lacks the scope.
            StoreUnavailableError: the token cannot be checked now.
        """
        ...
