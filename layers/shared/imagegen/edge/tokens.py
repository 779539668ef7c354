"""Authentication: a bearer JWT, checked for issuer, audience and fixed asymmetric algorithms.

Keys are fetched from the one configured URL, never from a URL in a token. Without an issuer the
functions refuse every request: there is no open mode.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from imagegen.domain.callers import User
from imagegen.domain.errors import ConfigurationError, UnauthorizedError
from imagegen.edge import token_hints
from imagegen.edge.token_claims import (
    MAX_SUBJECT_CHARACTERS,
    ScopeNames,
    invalid_token,
    scopes_of,
    team_of,
)
from imagegen.edge.token_keys import ALGORITHMS, Keys

USUAL_ALGORITHMS = "RS256,ES256,EdDSA"
KINDS = frozenset({"jwt", "at+jwt"})
"""The values allowed for ``typ``: logout, DPoP and security event tokens are not accepted.

RFC 8725, 3.11.
"""
UNUSED_HEADERS = frozenset({"crit", "b64", "zip", "enc", "cty"})
"""Headers that change how a token must be read. None is supported, so each is refused."""
MAX_JWT_CHARACTERS = 32_768
"""Entra lists up to 200 groups in a token, which then has about 13,000 characters, and more with
roles and claims of its own: https://learn.microsoft.com/entra/identity-platform/optional-claims"""
LEEWAY_SECONDS = 30


OUR_NAMES = ScopeNames()


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Turns an Authorization header into a user."""

    issuer: str
    audiences: frozenset[str]
    keys: Keys
    scope_names: ScopeNames = OUR_NAMES
    algorithms: tuple[str, ...] = tuple(USUAL_ALGORITHMS.split(","))

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
            raise invalid_token(token_hints.CLAIMS)
        names = self.scope_names
        return User(user_id(self.issuer, subject), scopes_of(claims, names), team_of(claims, names))

    def _claims(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAX_JWT_CHARACTERS:
            raise invalid_token(token_hints.OVERLONG)
        try:
            header, claims = _parts(token)
        except (ValueError, TypeError, RecursionError):
            raise invalid_token(token_hints.UNREADABLE) from None
        self._check_header(header)
        self._verify(token, header, claims)
        self._check(claims)
        return claims

    def _check_header(self, header: Mapping[str, Any]) -> None:
        """Raise unless the token is of a kind that is read here, by a configured algorithm."""
        algorithm, kind = header.get("alg"), header.get("typ", "JWT")
        if not isinstance(algorithm, str) or algorithm not in self.algorithms:
            known = isinstance(algorithm, str) and algorithm
            hint = token_hints.algorithm_hint(known, self.algorithms, ALGORITHMS)
            raise invalid_token(hint)
        is_known = isinstance(kind, str) and kind.lower().removeprefix("application/") in KINDS
        is_named = "kid" not in header or isinstance(header["kid"], str)
        if not is_known or not is_named or header.keys() & UNUSED_HEADERS:
            raise invalid_token(token_hints.HEADER)

    def _verify(self, token: str, header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
        """Raise unless a key of the issuer has signed the token, and it is valid now."""
        kid, algorithm = header.get("kid"), header["alg"]
        keys = self.keys.get(kid, algorithm)
        is_signed = any(self._is_signed_by(one.jwk.key, token, algorithm) for one in keys)
        # A key without an id cannot be missed by its id: the issuer may have another one by now.
        is_nameless = any(one.kid is None or kid is None for one in keys)
        if not is_signed and is_nameless and self.keys.renew():
            keys = self.keys.get(kid, algorithm)
            is_signed = any(self._is_signed_by(one.jwk.key, token, algorithm) for one in keys)
        if not is_signed:
            is_ours = claims.get("iss") == self.issuer
            other = token_hints.issuer_hint(claims.get("iss"), self.issuer)
            ours = token_hints.SIGNATURE if keys else token_hints.NO_KEY
            raise invalid_token(ours if is_ours else other)

    def _is_signed_by(self, key: Any, token: str, algorithm: str) -> bool:
        """Return whether a key has signed the token.

        Raises:
            UnauthorizedError: it has, and the token is of another issuer or not valid now.
        """
        import jwt  # noqa: PLC0415 cryptography is loaded only to check a token

        try:
            jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
            )
        except jwt.InvalidIssuerError:
            given = _parts(token)[1].get("iss")
            raise invalid_token(token_hints.issuer_hint(given, self.issuer)) from None
        except jwt.ExpiredSignatureError:
            raise invalid_token(token_hints.EXPIRED) from None
        except jwt.ImmatureSignatureError:
            raise invalid_token(token_hints.NOT_YET) from None
        except (jwt.InvalidSignatureError, jwt.InvalidKeyError):
            return False
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            raise invalid_token(token_hints.CLAIMS) from None
        return True

    def _check(self, claims: Mapping[str, Any]) -> None:
        """Raise unless the claims are of an access token for us and its times are numbers."""
        if claims.get("token_use", "access") != "access":
            raise invalid_token(token_hints.NO_ACCESS)
        # Cognito's access tokens may have no aud: their audience is in client_id.
        clients = [claims.get("client_id")] if "token_use" in claims else []
        wanted = claims.get("aud", clients)
        audiences = wanted if isinstance(wanted, list) else [wanted]
        if not any(isinstance(one, str) and one in self.audiences for one in audiences):
            raise invalid_token(token_hints.audience_hint(claims, self.audiences))
        times = (claims[name] for name in ("exp", "iat", "nbf") if name in claims)
        if not all(type(one) in (int, float) for one in times):
            raise invalid_token(token_hints.CLAIMS)


def build_verifier(
    issuer: str,
    audience: str,
    *,
    fetch: Callable[[], bytes],
    now_ms: Callable[[], int],
    scope_names: ScopeNames = OUR_NAMES,
    algorithms: str = USUAL_ALGORITHMS,
) -> TokenVerifier:
    """Return the verifier; ``audience`` and ``algorithms`` may be several, separated by commas.

    Raises:
        ConfigurationError: the issuer, the audience or the admin scope is not set, or an algorithm
            is symmetric or unknown.
    """
    audiences, allowed = _listed(audience), _listed(algorithms)
    if not issuer or not audiences or not scope_names.admin:
        raise ConfigurationError("Set JwtIssuer and JwtAudience: no user can sign in.")
    if not allowed or not ALGORITHMS.keys() >= set(allowed):
        raise ConfigurationError(f"JwtAlgorithms may contain only {', '.join(ALGORITHMS)}.")
    keys = Keys(fetch, now_ms)
    return TokenVerifier(issuer, frozenset(audiences), keys, scope_names, allowed)


def user_id(issuer: str, subject: str) -> str:
    """Return the user's id, 32 hex digits of a hash: the subject itself is not stored or logged."""
    return hashlib.sha256(f"{issuer}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (one.strip() for one in text.split(",")))))


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims of a token that has only one possible reading.

    Raises:
        ValueError: the token is not three parts of plain base64url, or has a name twice.
    """
    head, body, signature = token.split(".")
    header, claims, _ = _json(head), _json(body), _bytes(signature)
    return header, claims


def _json(part: str) -> dict[str, Any]:
    values = json.loads(
        _bytes(part).decode(), object_pairs_hook=_unique_names, parse_constant=_refuse_constant
    )
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 as every other fault of a token
    return values


def _bytes(part: str) -> bytes:
    """Return a part's bytes; a second spelling of the same bytes is refused (RFC 7515, 2)."""
    data = base64.urlsafe_b64decode(f"{part}==")
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
