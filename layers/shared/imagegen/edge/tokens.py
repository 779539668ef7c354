"""Who is asking: a bearer JWT by issuer, audience and pinned asymmetric algorithms.

Keys come from the one configured address and from nowhere a token names. Without an issuer the
functions refuse to serve: there is no open mode.
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
"""What ``typ`` may be: a logout, DPoP or security event token is no login (RFC 8725, 3.11)."""
UNUSED_HEADERS = frozenset({"crit", "b64", "zip", "enc", "cty"})
"""They would change what the parts mean; none is understood here."""
SCOPE_CLAIMS = ("scope", "scp", "roles", "permissions", "cognito:groups")
"""Where issuers put scopes: most, Entra, Entra for applications, Auth0, Cognito."""
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
    _keys: "dict[str, jwt.PyJWK]" = field(default_factory=dict)
    _fetched_ms: int = -MAX_AGE_MS
    _tried_ms: int = -REFRESH_MS

    def get(self, kid: str) -> "jwt.PyJWK | None":
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
        except (OSError, HTTPException, ValueError, KeyError, TypeError, RecursionError):
            return
        self._fetched_ms = self.now_ms()


@dataclass(frozen=True, slots=True)
class ScopeNames:
    """How the issuer spells our two scopes."""

    user: str = ""
    """What a token must hold to enter; empty lets in every user of the issuer."""
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
            UnauthorizedError: no token, or not one of this issuer for us that is valid now.
            ForbiddenError: a valid token without the scope that everybody needs.
            StoreUnavailableError: the issuer's keys cannot be fetched.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedError("Send a token: Authorization: Bearer <token>.")
        claims = self._claims(token.strip())
        subject = claims["sub"]
        if not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
            raise _refused()
        return User(user_id(self.issuer, subject), self._scopes(claims))

    def _claims(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise _refused()
        import jwt  # noqa: PLC0415 cryptography is for whoever brings a token

        try:
            header = _header(token)
            key = self.keys.get(header["kid"])
            if key is None or key.algorithm_name != header["alg"]:
                raise _refused()
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[header["alg"]],
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            raise _refused() from None
        self._check(claims)
        return claims

    def _check(self, claims: Mapping[str, Any]) -> None:
        """Return when the claims are an access token's for us, with times that are numbers."""
        kind = claims.get("token_use", "access")
        # Cognito's access tokens may have no aud: there, client_id says whom they are for.
        named = [claims.get("client_id")] if "token_use" in claims else []
        wanted = claims.get("aud", named)
        audiences = wanted if isinstance(wanted, list) else [wanted]
        ours = any(isinstance(one, str) and one in self.audiences for one in audiences)
        times = (claims[name] for name in ("exp", "iat", "nbf") if name in claims)
        if kind != "access" or not ours or not all(type(one) in (int, float) for one in times):
            raise _refused()

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
    """Return the verifier; ``audience`` may name several, by commas.

    Raises:
        ConfigurationError: no issuer or audience is set.
    """
    audiences = frozenset(filter(None, (one.strip() for one in audience.split(","))))
    if not issuer or not audiences or not scope_names.admin:
        raise ConfigurationError("Set the parameters JwtIssuer and JwtAudience: nobody may enter.")
    return TokenVerifier(issuer, audiences, Keys(fetch, now_ms), scope_names)


def user_id(issuer: str, subject: str) -> str:
    """Return the user's id, 32 hex digits: no subject is stored or logged."""
    return hashlib.sha256(f"{issuer}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _public_key(values: Any) -> "jwt.PyJWK | None":
    """Return a key that may verify signatures; symmetric and unknown ones are left out."""
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
    """Return the header of a token that can be read in one way only.

    Raises:
        UnauthorizedError: it asks for what we do not do, or is of another kind.
        ValueError: it is not three parts of plain base64url, or a name stands in it twice.
    """
    head, body, signature = token.split(".")
    header, _, _ = _json(head), _json(body), _bytes(signature)
    kind, kid = header.get("typ", "JWT"), header.get("kid")
    known = isinstance(kind, str) and kind.lower().removeprefix("application/") in KINDS
    if not known or not isinstance(kid, str) or header.get("alg") not in ALGORITHMS:
        raise _refused()
    if header.keys() & UNUSED_HEADERS:
        raise _refused()
    return header


def _json(part: str) -> dict[str, Any]:
    values = json.loads(
        _bytes(part).decode(), object_pairs_hook=_once, parse_constant=_no_such_number
    )
    if not isinstance(values, dict):
        raise ValueError("no object")  # noqa: TRY004 as every other fault of a token
    return values


def _bytes(part: str) -> bytes:
    """Return what a part says; a second spelling of the same bytes is refused (RFC 7515, 2)."""
    data = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != part:
        raise ValueError("another spelling")
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name stands there twice")
    return values


def _no_such_number(_: str) -> float:
    raise ValueError("no number in JSON")


def _words(edge_problem: Any) -> list[str]:
    words = edge_problem.split() if isinstance(edge_problem, str) else edge_problem
    return [one for one in words if isinstance(one, str)] if isinstance(words, list) else []


def _refused() -> UnauthorizedError:
    return UnauthorizedError("The token is not valid.")
