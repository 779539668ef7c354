"""What the page must have to sign people in at the token issuer (OpenID Connect): no secret.

Standard library only, as the rest of the page's function.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from imagegen.places import is_on_loopback

SCOPES = "openid profile"


@dataclass(frozen=True, slots=True)
class SignIn:
    """The issuer, and what the page sends to it."""

    issuer: str
    client_id: str
    scopes: str = SCOPES
    audience: str = ""
    """The API that the access token is for, at issuers that ask for it (Auth0)."""
    hosts: tuple[str, ...] = ()
    """Other origins at which the issuer answers."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self | None:
        """Return the settings, or ``None`` without a client id or an issuer.

        Raises:
            ValueError: an address is neither https nor on loopback; tokens would be readable.
        """
        found = cls(
            issuer=environ.get("JWT_ISSUER", ""),
            client_id=environ.get("SIGN_IN_CLIENT_ID", ""),
            scopes=environ.get("SIGN_IN_SCOPES") or SCOPES,
            audience=environ.get("SIGN_IN_AUDIENCE", ""),
            hosts=tuple(environ.get("SIGN_IN_HOSTS", "").split()),
        )
        if not found.issuer or not found.client_id:
            return None
        for address in (found.issuer, *found.hosts):
            if urlsplit(address).scheme != "https" and not is_on_loopback(address):
                raise ValueError(f"Signing in needs https: {address!r}")
        return found

    def config(self) -> dict[str, str]:
        """Return the part of ``config.json``."""
        return {
            "issuer": self.issuer,
            "clientId": self.client_id,
            "scopes": self.scopes,
            "audience": self.audience,
        }

    def origins(self) -> list[str]:
        """Return the origins that the page calls to get tokens, for its Content-Security-Policy."""
        found = (urlsplit(one) for one in (self.issuer, *self.hosts))
        return [f"{one.scheme}://{one.netloc}" for one in found]
