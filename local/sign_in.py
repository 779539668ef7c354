"""Signing in at the local issuer: OpenID Connect's code flow with PKCE, for three demo people.

It checks what a real issuer checks, and forgets everything when the stack ends. Nobody has a
password. Rules: RFC 6749, RFC 7636 (PKCE), RFC 9207 (``iss``), OpenID Connect Core.
"""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode

CLIENT_ID: Final = "imagegen-page"
CODE_SECONDS: Final = 60
ACCESS_SECONDS: Final = 15 * 60
SCOPES: Final = ("openid", "profile", "offline_access")


@dataclass(frozen=True, slots=True)
class Demo:
    """A person whom the issuer offers on its page."""

    subject: str
    name: str
    scope: str = "user"
    about: str = "makes images"


PEOPLE: Final = (
    Demo("alice", "Alice"),
    Demo("bob", "Bob"),
    Demo("admin", "Olivia", "user admin", "operates the service"),
)


class SignInRefusedError(ValueError):
    """A request of the page is refused; the text is OAuth's code of the error."""


@dataclass(frozen=True, slots=True)
class Request:
    """A sign-in that a page has asked for."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    scopes: frozenset[str]
    silent: bool = False

    def answer(self, **parameters: str) -> str:
        """Return the address that the browser is sent back to."""
        return f"{self.redirect_uri}?{urlencode({**parameters, 'state': self.state})}"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person has allowed a page."""

    person: Demo
    request: Request
    ends_at: float = 0.0


@dataclass(slots=True)
class SignIns:
    """Every code, refresh token and browser session of a local issuer."""

    issuer: str
    sign: Callable[[Mapping[str, Any]], str]
    """Returns a JWT with the claims, signed with the issuer's key."""
    access_token: Callable[[Demo], str]
    now: Callable[[], float] = time.time
    pages: set[str] = field(default_factory=set)
    """The addresses that a browser may be sent back to, exactly."""
    _codes: dict[str, Grant] = field(default_factory=dict)
    _refreshes: dict[str, tuple[str, Grant]] = field(default_factory=dict)
    _used: dict[str, str] = field(default_factory=dict)
    _browsers: dict[str, Demo] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def asked(self, query: Mapping[str, str]) -> Request:
        """Return the request of an authorization address.

        Raises:
            SignInRefusedError: client or address are not registered, so nobody is sent anywhere.
        """
        address = query.get("redirect_uri", "")
        if query.get("client_id") != CLIENT_ID or address not in self.pages:
            raise SignInRefusedError("unauthorized_client")
        scopes = frozenset(query.get("scope", "").split())
        return Request(
            address,
            query.get("state", ""),
            query.get("nonce", ""),
            query.get("code_challenge", ""),
            scopes,
            query.get("prompt") == "none",
        )

    def fault(self, query: Mapping[str, str], request: Request) -> str:
        """Return OAuth's code of what is wrong with a request, ``""`` if nothing is."""
        if query.get("response_type") != "code":
            return "unsupported_response_type"
        if not request.challenge or query.get("code_challenge_method") != "S256":
            return "invalid_request"
        is_known = "openid" in request.scopes and request.scopes <= set(SCOPES)
        return "" if is_known else "invalid_scope"

    def refusal(self, request: Request, error: str) -> str:
        """Return the address that takes an error to the page."""
        return request.answer(error=error, iss=self.issuer)

    def allowed(self, request: Request, person: Demo) -> str:
        """Return the address that takes a code for a person to the page."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = Grant(person, request, self.now() + CODE_SECONDS)
        return request.answer(code=code, iss=self.issuer)

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return the token endpoint's answer.

        Raises:
            SignInRefusedError: the form is not one that gets tokens.
        """
        if form.get("client_id") != CLIENT_ID:
            raise SignInRefusedError("invalid_client")
        with self._lock:
            match form.get("grant_type"):
                case "authorization_code":
                    return self._issued(self._redeemed(form), secrets.token_hex(8))
                case "refresh_token":
                    family, grant = self._renewed(form.get("refresh_token", ""))
                    return self._issued(grant, family)
                case _:
                    raise SignInRefusedError("unsupported_grant_type")

    def _redeemed(self, form: Mapping[str, str]) -> Grant:
        # A wrong verifier, too, uses up the code.
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.ends_at < self.now():
            raise SignInRefusedError("invalid_grant")
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        is_proved = hmac.compare_digest(challenge, grant.request.challenge)
        if not is_proved or form.get("redirect_uri") != grant.request.redirect_uri:
            raise SignInRefusedError("invalid_grant")
        return grant

    def _renewed(self, token: str) -> tuple[str, Grant]:
        if token in self._used:
            # Somebody else has it: whoever used it first loses the session, too.
            self._end(self._used[token])
        if token not in self._refreshes:
            raise SignInRefusedError("invalid_grant")
        family, grant = self._refreshes.pop(token)
        self._used[token] = family
        return family, replace(grant, request=replace(grant.request, nonce=""))

    def _issued(self, grant: Grant, family: str) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "access_token": self.access_token(grant.person),
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "id_token": self._id_token(grant),
        }
        if "offline_access" in grant.request.scopes:
            answer["refresh_token"] = secrets.token_urlsafe(32)
            self._refreshes[answer["refresh_token"]] = family, grant
        return answer

    def _id_token(self, grant: Grant) -> str:
        now = int(self.now())
        times = {"iat": now, "exp": now + ACCESS_SECONDS}
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "sub": grant.person.subject}
        nonce = {"nonce": grant.request.nonce} if grant.request.nonce else {}
        return self.sign({**claims, "name": grant.person.name, **times, **nonce})

    def revoke(self, token: str) -> None:
        """End the session of a refresh token (RFC 7009)."""
        with self._lock:
            if token in self._refreshes:
                self._end(self._refreshes[token][0])

    def _end(self, family: str) -> None:
        self._refreshes = {
            token: held for token, held in self._refreshes.items() if held[0] != family
        }

    def remember(self, person: Demo) -> str:
        """Return the cookie of a browser in which a person has signed in."""
        cookie = secrets.token_urlsafe(32)
        self._browsers[cookie] = person
        return cookie

    def remembered(self, cookie: str) -> Demo | None:
        """Return the person of a browser."""
        return self._browsers.get(cookie)

    def forget(self, cookie: str) -> None:
        """End a browser's session."""
        self._browsers.pop(cookie, None)
