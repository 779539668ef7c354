"""Authentication: a bearer JWT, checked for issuer, audience and fixed asymmetric algorithms.

Keys are fetched from the one configured URL, never from a URL in a token. Without an issuer the
functions refuse every request: there is no open mode.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from imagegen.domain.errors import (
    ConfigurationError,
    ForbiddenError,
    StoreUnavailableError,
    UnauthorizedError,
)
from imagegen.domain.users import ADMIN, USER, User

if TYPE_CHECKING:
    import jwt

ALGORITHMS = ("RS256", "ES256", "EdDSA")
KINDS = frozenset({"jwt", "at+jwt"})
"""The values allowed for ``typ``: logout, DPoP and security event tokens are not accepted.

RFC 8725, 3.11.
"""
UNUSED_HEADERS = frozenset({"crit", "b64", "zip", "enc", "cty"})
"""Headers that change how a token must be read. None is supported, so each is refused."""
SCOPE_CLAIMS = ("scope", "scp", "roles", "permissions", "cognito:groups")
"""Where issuers put scopes: most issuers, Entra, Entra for applications, Auth0, Cognito."""
MAX_TOKEN_CHARACTERS = 8_192
MAX_SUBJECT_CHARACTERS = 255
LEEWAY_SECONDS = 30
REFRESH_MS = 60_000
"""The least time between two fetches of the keys because of an unknown key id."""
FIRST_FETCH_MS = 1_000
"""The same while there are no keys: it is shorter, as no user can be let in until then."""
MAX_AGE_MS = 3_600_000


@dataclass(slots=True)
class Keys:
    """The issuer's public keys, cached; old ones are kept while a fetch fails."""

    fetch: Callable[[], bytes]
    now_ms: Callable[[], int]
    _keys: "dict[str, jwt.PyJWK]" = field(default_factory=dict)
    _fetched_ms: int = -MAX_AGE_MS
    _tried_ms: int = -REFRESH_MS

    def get(self, kid: str) -> "jwt.PyJWK | None":
        """Return a key by its id, or ``None`` if the issuer has no such key.

        Raises:
            StoreUnavailableError: there are no keys and they cannot be fetched.
        """
        expired = self.now_ms() - self._fetched_ms >= MAX_AGE_MS
        pause_ms = REFRESH_MS if self._keys else FIRST_FETCH_MS
        if (expired or kid not in self._keys) and self.now_ms() - self._tried_ms >= pause_ms:
            self._refresh()
        if not self._keys:
            raise StoreUnavailableError("The issuer's keys cannot be fetched. Try again.")
        return self._keys.get(kid)

    def _refresh(self) -> None:
        self._tried_ms = self.now_ms()
        try:
            found = json.loads(self.fetch())["keys"]
            self._keys = {one["kid"]: key for one in found if (key := _public_key(one))}
        except (OSError, HTTPException, ValueError, KeyError, TypeError, RecursionError):
            return
        self._fetched_ms = self.now_ms()


@dataclass(frozen=True, slots=True)
class ScopeNames:
    """The issuer's names for our two scopes."""

    user: str = ""
    """The scope that every token needs; if empty, every user of the issuer is accepted."""
    admin: str = ADMIN


OUR_NAMES = ScopeNames()


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Turns an Authorization header into a user."""

    issuer: str
    audiences: frozenset[str]
    keys: Keys
    scope_names: ScopeNames = OUR_NAMES

    def verify(self, authorization: str | None) -> User:
        """Return the user of a bearer token.

        Raises:
            UnauthorizedError: there is no token, or it is not a token of this issuer for this
                service that is valid now.
            ForbiddenError: the token is valid and lacks the scope that every user needs.
            StoreUnavailableError: the issuer's keys cannot be fetched.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedError("Send a token: Authorization: Bearer <token>.")
        claims = self._claims(token.strip())
        subject = claims["sub"]
        if not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
            raise _invalid_token()
        return User(user_id(self.issuer, subject), self._scopes(claims))

    def _claims(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise _invalid_token()
        import jwt  # noqa: PLC0415 cryptography is loaded only to check a token

        try:
            header = _header(token)
            key = self.keys.get(header["kid"])
            if key is None or key.algorithm_name != header["alg"]:
                raise _invalid_token()
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[header["alg"]],
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            raise _invalid_token() from None
        self._check(claims)
        return claims

    def _check(self, claims: Mapping[str, Any]) -> None:
        """Raise unless the claims are of an access token for us and its times are numbers."""
        kind = claims.get("token_use", "access")
        # Cognito's access tokens may have no aud: their audience is in client_id.
        clients = [claims.get("client_id")] if "token_use" in claims else []
        wanted = claims.get("aud", clients)
        audiences = wanted if isinstance(wanted, list) else [wanted]
        ours = any(isinstance(one, str) and one in self.audiences for one in audiences)
        times = (claims[name] for name in ("exp", "iat", "nbf") if name in claims)
        if kind != "access" or not ours or not all(type(one) in (int, float) for one in times):
            raise _invalid_token()

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[str]:
        words = {word for name in SCOPE_CLAIMS for word in _words(claims.get(name))}
        is_admin = self.scope_names.admin in words
        if self.scope_names.user and self.scope_names.user not in words and not is_admin:
            raise ForbiddenError(f"The token lacks the scope {self.scope_names.user!r}.")
        return frozenset({USER, ADMIN} if is_admin else {USER})


def build_verifier(
    issuer: str,
    audience: str,
    *,
    fetch: Callable[[], bytes],
    now_ms: Callable[[], int],
    scope_names: ScopeNames = OUR_NAMES,
) -> TokenVerifier:
    """Return the verifier; ``audience`` may have several values, separated by commas.

    Raises:
        ConfigurationError: the issuer, the audience or the admin scope is not set.
    """
    audiences = frozenset(filter(None, (one.strip() for one in audience.split(","))))
    if not issuer or not audiences or not scope_names.admin:
        raise ConfigurationError("Set JwtIssuer and JwtAudience: no user can sign in.")
    return TokenVerifier(issuer, audiences, Keys(fetch, now_ms), scope_names)


def user_id(issuer: str, subject: str) -> str:
    """Return the user's id, 32 hex digits of a hash: the subject itself is not stored or logged."""
    return hashlib.sha256(f"{issuer}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _public_key(values: Any) -> "jwt.PyJWK | None":
    """Return a key that may verify signatures, or ``None`` if it is symmetric or unsupported."""
    import jwt  # noqa: PLC0415 as above

    try:
        kid, use = values["kid"], values.get("use", "sig")
        if values["kty"] == "oct" or use != "sig" or not isinstance(kid, str):
            return None
        key = jwt.PyJWK(values)
    except (jwt.PyJWTError, KeyError, TypeError, AttributeError, ValueError):
        return None
    return key if key.algorithm_name in ALGORITHMS else None


def _header(token: str) -> dict[str, Any]:
    """Return the header of a token that has only one possible reading.

    Raises:
        UnauthorizedError: the token needs something unsupported, or is of another kind.
        ValueError: the token is not three parts of plain base64url, or has a name twice.
    """
    head, body, signature = token.split(".")
    header, _, _ = _json(head), _json(body), _bytes(signature)
    kind, kid = header.get("typ", "JWT"), header.get("kid")
    known = isinstance(kind, str) and kind.lower().removeprefix("application/") in KINDS
    if not known or not isinstance(kid, str) or header.get("alg") not in ALGORITHMS:
        raise _invalid_token()
    if header.keys() & UNUSED_HEADERS:
        raise _invalid_token()
    return header


def _json(part: str) -> dict[str, Any]:
    values = json.loads(
        _bytes(part).decode(), object_pairs_hook=_unique_names, parse_constant=_refuse_constant
    )
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 as every other fault of a token
    return values


def _bytes(part: str) -> bytes:
    """Return a part's bytes; a second spelling of the same bytes is refused (RFC 7515, 2)."""
    data = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise ValueError("another spelling")
    return data


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name is used twice")
    return values


def _refuse_constant(_: str) -> float:
    raise ValueError("not a number in JSON")


def _words(claim: Any) -> list[str]:
    words = claim.split() if isinstance(claim, str) else claim
    return [one for one in words if isinstance(one, str)] if isinstance(words, list) else []


def _invalid_token() -> UnauthorizedError:
    return UnauthorizedError("The token is not valid.")
