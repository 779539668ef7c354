"""What checks the callers of a function, and the HTTP client that fetches the issuer's keys."""

import os
import urllib.request
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imagegen.bootstrap.aws_world import now_ms
from imagegen.bootstrap.service import Service
from imagegen.domain.errors import ConfigurationError
from imagegen.edge.requests import Access
from imagegen.edge.token_claims import ScopeNames
from imagegen.edge.tokens import TokenVerifier, build_verifier
from imagegen.places import LOOPBACK
from imagegen.settings import Settings

if TYPE_CHECKING:
    from imagegen.domain.keys import KeyVerifier

JWKS_SECONDS = 2.0
MAX_JWKS_BYTES = 262_144


@cache
def get_settings() -> Settings:
    """Return the settings that all functions have in common.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    return Settings.from_env(os.environ)


def get_origin_digests() -> str:
    """Return the digests that show that a call came through the public address.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    return get_settings().origin_digests


@cache
def get_verifier() -> TokenVerifier:
    """Return the verifier of tokens.

    Raises:
        ConfigurationError: no issuer is set, so no token can be verified.
    """
    settings = get_settings()
    url = settings.jwt_jwks_url or f"{settings.jwt_issuer.rstrip('/')}/.well-known/jwks.json"
    return build_verifier(
        settings.jwt_issuer,
        settings.jwt_audience,
        fetch=partial(_fetch, url),
        now_ms=partial(now_ms, settings),
        scope_names=ScopeNames(
            settings.jwt_user_scope, settings.jwt_admin_scope, settings.jwt_team_claim
        ),
        algorithms=settings.jwt_algorithms,
    )


def access_for(service: Callable[[], Service]) -> Access:
    """Return what the routes of a function need: a token, or a key that has the route's scope.

    No route is open until the function says which.
    """

    def name_key() -> bytes:
        return service().world.image_id_key()

    def keys() -> "KeyVerifier":
        return service().key_verifier

    return Access(get_verifier, get_origin_digests, name_key=name_key, keys=keys)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, so that keys are read from the configured URL only."""

    def redirect_request(self, *_: object) -> None:
        """Return ``None``: urllib then raises an error for the redirect."""


@cache
def get_opener() -> urllib.request.OpenerDirector:
    """Return the HTTP client for the issuer's keys.

    It is cached, because loading the system's certificates takes 40 ms.
    """
    # The empty ProxyHandler ignores proxies that the environment sets.
    return urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))


def load_tokens() -> None:
    """Import the library that verifies tokens."""
    import_module("jwt")


def _fetch(url: str) -> bytes:
    """Return the issuer's keys; plain HTTP is allowed for the loopback addresses only."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ConfigurationError("The issuer's keys must be fetched over https.")
    with get_opener().open(url, timeout=JWKS_SECONDS) as answer:
        content: bytes = answer.read(MAX_JWKS_BYTES)
    return content
