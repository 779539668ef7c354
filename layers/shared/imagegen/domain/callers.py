"""Who calls: a person with a token or a program with a key, their scopes, and what checks them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from imagegen.domain.keys import Program  # only requests with a key load it

USER, ADMIN = "user", "admin"
"""The two scopes of people. A key for programs has scopes of its own, and may have ``ADMIN``."""
ESTIMATE, IMAGES, CHAT, PEOPLE = "estimate", "images", "chat", "people"
"""The scopes of keys: prices; also images; the chat; and the right to act for a named person."""
KEY_PREFIX = "ik_"
"""The first characters of every key for programs."""


@dataclass(frozen=True, slots=True)
class User:
    """The authenticated user of a request: a person, or a program."""

    id: str
    """32 hex digits, always the same for one issuer and subject, or for one key."""
    scopes: frozenset[str]
    team: str = ""
    """The name of the user's team, whose budget counts as well; empty without one."""
    program: "Program | None" = None
    """The program that calls, for itself or for the person of ``id``."""

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
