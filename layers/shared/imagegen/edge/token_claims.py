"""What the claims of a verified token say of its user: the scopes and the team."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagegen.domain.callers import ADMIN, USER
from imagegen.domain.errors import ForbiddenError, UnauthorizedError
from imagegen.edge import token_hints

SCOPE_CLAIMS = ("scope", "scp", "roles", "permissions", "cognito:groups")
"""Where issuers put scopes: most issuers, Entra, Entra for applications, Auth0, Cognito."""
MAX_SUBJECT_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class ScopeNames:
    """The issuer's names for our two scopes, and for the claim with a user's team."""

    user: str = ""
    """The scope that every token needs; if empty, every user of the issuer is accepted."""
    admin: str = ADMIN
    team_claim: str = ""
    """Empty: there are no teams."""


def scopes_of(claims: Mapping[str, Any], names: ScopeNames) -> frozenset[str]:
    """Return our scopes in the claims.

    Raises:
        ForbiddenError: the scope is missing that every user needs.
    """
    words = {word for name in SCOPE_CLAIMS for word in _words(claims.get(name))}
    is_admin = names.admin in words
    if names.user and names.user not in words and not is_admin:
        raise ForbiddenError(f"The token lacks the scope {names.user!r}.")
    return frozenset({USER, ADMIN} if is_admin else {USER})


def team_of(claims: Mapping[str, Any], names: ScopeNames) -> str:
    """Return the user's team, empty without one; of several, the first one.

    Raises:
        UnauthorizedError: the claim is no name. Without its team, a request would escape the team's
            budget.
    """
    value = claims.get(names.team_claim) if names.team_claim else None
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > MAX_SUBJECT_CHARACTERS:
        raise invalid_token(token_hints.CLAIMS)
    return value


def invalid_token(hint: str) -> UnauthorizedError:
    """Return the error of a token that is not accepted; the hint is for the operator's log."""
    return UnauthorizedError("The token is not valid.", hint=hint)


def _words(claim: Any) -> list[str]:
    words = claim.split() if isinstance(claim, str) else claim
    return [one for one in words if isinstance(one, str)] if isinstance(words, list) else []
