"""A token issuer on loopback, whose key is made at start; for local stacks and tests."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from local.processes import LOOPBACK

AUDIENCE: Final = "imagegen"
KEY_ID: Final = "local-1"
LIFETIME_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Issuer:
    """A running issuer."""

    url: str
    key: ec.EllipticCurvePrivateKey

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
        return jwt.encode(claims | changes, self.key, "ES256", headers={"kid": KEY_ID})

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
    """Serve the issuer's documents on a free port until the block ends."""
    key = ec.generate_private_key(ec.SECP256R1())
    server = DocumentServer((LOOPBACK, 0), Documents)
    url = f"http://{LOOPBACK}:{server.server_port}"
    server.documents = documents(url, key)  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Issuer(url, key)
    finally:
        server.shutdown()
        server.server_close()


def documents(url: str, key: ec.EllipticCurvePrivateKey) -> Mapping[str, Any]:
    """Return the issuer's public documents by path (OpenID Connect Discovery 1.0, RFC 7517)."""
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    keys = {"keys": [{**jwk, "kid": KEY_ID, "use": "sig", "alg": "ES256"}]}
    about = {"issuer": url, "jwks_uri": f"{url}/.well-known/jwks.json"}
    return {"/.well-known/jwks.json": keys, "/.well-known/openid-configuration": about}


class DocumentServer(ThreadingHTTPServer):
    """A server whose queue is long enough for a burst of new function instances."""

    request_queue_size = 1024


class Documents(BaseHTTPRequestHandler):
    """Serves the issuer's documents."""

    def do_GET(self) -> None:
        """Answer with a document."""
        document = self.server.documents.get(self.path)  # type: ignore[attr-defined]
        body = json.dumps(document).encode()
        self.send_response(404 if document is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Log nothing: the terminal is for the person's own commands."""
