"""Who is asking: a bearer JWT by issuer, audience and pinned asymmetric algorithms.

Keys come from the one configured address and from nowhere a token names. Without an issuer the
functions refuse to serve: there is no open mode.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

import jwt

from imagegen.domain.errors import ConfigurationError, StoreUnavailableError, UnauthorizedError
from imagegen.domain.users import User

ALGORITHMS = ("RS256", "ES256", "EdDSA")
MAX_TOKEN_CHARACTERS = 8_192
MAX_SUBJECT_CHARACTERS = 255
LEEWAY_SECONDS = 30
REFRESH_MS = 60_000
"""An unknown key id fetches the keys again at most this often."""
FIRST_FETCH_MS = 1_000
"""Without any key they are fetched again at most this often: nobody can enter until then."""
MAX_AGE_MS = 3_600_000


@dataclass(slots=True)
class Keys:
    """The issuer's public keys, cached; old ones are kept while a fetch fails."""

    fetch: Callable[[], bytes]
    now_ms: Callable[[], int]
    _keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    _fetched_ms: int = -MAX_AGE_MS
    _tried_ms: int = -REFRESH_MS

    def get(self, kid: str) -> jwt.PyJWK | None:
        """Return a key by its id, ``None`` when the issuer has none such.

        Raises:
            StoreUnavailableError: there are no keys and they cannot be fetched.
        """
        old = self.now_ms() - self._fetched_ms >= MAX_AGE_MS
        pause_ms = REFRESH_MS if self._keys else FIRST_FETCH_MS
        if (old or kid not in self._keys) and self.now_ms() - self._tried_ms >= pause_ms:
            self._refresh()
        if not self._keys:
            raise StoreUnavailableError("The issuer's keys cannot be fetched. Try again.")
        return self._keys.get(kid)

    def _refresh(self) -> None:
        self._tried_ms = self.now_ms()
        try:
            found = json.loads(self.fetch())["keys"]
            self._keys = {one["kid"]: key for one in found if (key := _public_key(one))}
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            return
        self._fetched_ms = self.now_ms()


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Turns an Authorization header into a user."""

    issuer: str
    audience: str
    keys: Keys

    def verify(self, authorization: str | None) -> User:
        """Return the user of a bearer token.

        Raises:
            UnauthorizedError: no token, or not one of this issuer for us that is valid now.
            StoreUnavailableError: the issuer's keys cannot be fetched.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedError("Send a token: Authorization: Bearer <token>.")
        claims = self._claims(token.strip())
        subject = claims["sub"]
        if not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
            raise _refused()
        return User(user_id(self.issuer, subject), _scopes(claims))

    def _claims(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
            raise _refused()
        try:
            header = jwt.get_unverified_header(token)
            algorithm, kid = header.get("alg"), header.get("kid")
            if algorithm not in ALGORITHMS or not isinstance(kid, str) or "crit" in header:
                raise _refused()
            key = self.keys.get(kid)
            if key is None or key.algorithm_name != algorithm:
                raise _refused()
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            raise _refused() from None
        self._check_audience(claims)
        return claims

    def _check_audience(self, claims: Mapping[str, Any]) -> None:
        # Cognito's access tokens have no aud: client_id says whom they are for.
        wanted = claims.get("aud", claims.get("client_id"))
        audiences = wanted if isinstance(wanted, list) else [wanted]
        if self.audience not in audiences:
            raise _refused()


def build_verifier(
    issuer: str, audience: str, *, fetch: Callable[[], bytes], now_ms: Callable[[], int]
) -> TokenVerifier:
    """Return the verifier.

    Raises:
        ConfigurationError: no issuer or audience is set.
    """
    if not issuer or not audience:
        raise ConfigurationError("Set the parameters JwtIssuer and JwtAudience: nobody may enter.")
    return TokenVerifier(issuer, audience, Keys(fetch, now_ms))


def user_id(issuer: str, subject: str) -> str:
    """Return the user's id, 32 hex digits: no subject is stored or logged."""
    return hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()[:32]


def _public_key(values: Any) -> jwt.PyJWK | None:
    """Return a key that may verify signatures; symmetric and unknown ones are left out."""
    try:
        kid, use = values["kid"], values.get("use", "sig")
        if values["kty"] == "oct" or use != "sig" or not isinstance(kid, str):
            return None
        key = jwt.PyJWK(values)
    except (jwt.PyJWTError, KeyError, TypeError, AttributeError, ValueError):
        return None
    return key if key.algorithm_name in ALGORITHMS else None


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    said = claims.get("scope", claims.get("scp", ""))
    words = said.split() if isinstance(said, str) else said
    if not isinstance(words, list):
        return frozenset()
    return frozenset(word for word in words if isinstance(word, str))


def _refused() -> UnauthorizedError:
    return UnauthorizedError("The token is not valid.")
