"""A token issuer on loopback, whose key is made at start; for local stacks and tests."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from local.processes import LOOPBACK
from local.sign_in import ACCESS_SECONDS, SCOPES, Demo, SignIns
from local.sign_in_pages import IssuerPages, IssuerServer

AUDIENCE: Final = "imagegen"
KEY_ID: Final = "local-1"
LIFETIME_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Issuer:
    """A running issuer."""

    url: str
    key: ec.EllipticCurvePrivateKey
    pages: set[str] = field(default_factory=set)
    """The addresses of pages whose people may sign in here."""

    def token(self, user: str, scope: str = "user", **changes: Any) -> str:
        """Return a token that is valid for a day; ``changes`` replaces claims, for bad tokens."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": user,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME_SECONDS,
            "scope": scope,
        }
        return self.signed(claims | changes)

    def signed(self, claims: Mapping[str, Any]) -> str:
        """Return a JWT with the claims."""
        return jwt.encode(dict(claims), self.key, "ES256", headers={"kid": KEY_ID})

    def demo_token(self, person: Demo) -> str:
        """Return the access token of a person who has signed in."""
        return self.token(person.subject, person.scope, exp=int(time.time()) + ACCESS_SECONDS)

    def pem(self) -> str:
        """Return the signing key as PEM, for scripts that make tokens of other users."""
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, *form).decode()

    @classmethod
    def from_pem(cls, url: str, pem: str) -> Self:
        """Return the issuer at ``url`` whose signing key is ``pem``."""
        key = serialization.load_pem_private_key(pem.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"An issuer's key must be an EC key, not {type(key).__name__!r}")
        return cls(url, key)


@contextmanager
def start() -> Iterator[Issuer]:
    """Serve the issuer on a free port until the block ends."""
    key = ec.generate_private_key(ec.SECP256R1())
    server = IssuerServer((LOOPBACK, 0), IssuerPages)
    issuer = Issuer(f"http://{LOOPBACK}:{server.server_port}", key)
    server.documents = documents(issuer.url, key)
    server.sign_ins = SignIns(issuer.url, issuer.signed, issuer.demo_token, pages=issuer.pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()


def documents(url: str, key: ec.EllipticCurvePrivateKey) -> Mapping[str, Any]:
    """Return the issuer's public documents by path (OpenID Connect Discovery 1.0, RFC 7517)."""
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    keys = {"keys": [{**jwk, "kid": KEY_ID, "use": "sig", "alg": "ES256"}]}
    about = {
        "issuer": url,
        "jwks_uri": f"{url}/.well-known/jwks.json",
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "revocation_endpoint": f"{url}/revoke",
        "end_session_endpoint": f"{url}/logout",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": True,
    }
    return {"/.well-known/jwks.json": keys, "/.well-known/openid-configuration": about}
