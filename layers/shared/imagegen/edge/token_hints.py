"""Why a token is not accepted, in words for the operator's log; the caller does not get them.

Hints are fixed sentences: nothing of a token is in them. The claims of a token that no key of the
issuer verifies may be forged. A hint that is based on them is a guess, so there is one only where a
wrong guess does no harm.
"""

from collections.abc import Collection, Mapping
from typing import Any

NO_KEY = "No key of the issuer fits the token's key id and algorithm: compare JwtJwksUrl and iss."
SIGNATURE = "The signature does not verify with the issuer's key."
EXPIRED = "The token has expired."
NOT_YET = "The token is not valid yet: its nbf or iat is in the future."
UNREADABLE = "The value is not a JWT that has only one reading."
OVERLONG = "The token is longer than the service reads."
CLAIMS = "A claim that must be there is missing or of another type: exp, iat, iss, sub."
HEADER = "The token's header needs something unsupported, or it is no access token (typ)."
NO_ACCESS = "token_use is not access: send the access token, not the ID or refresh token."
NO_AUDIENCE = "The token has no aud; without token_use, its client_id does not count."
_SYMMETRIC = "The token has a symmetric algorithm or none (HS256, none), which is never accepted."
_V1 = (
    "The token is Entra's version 1 (iss https://sts.windows.net/...) and JwtIssuer is version 2: "
    "set requestedAccessTokenVersion to 2 in the application's manifest, or name the v1 issuer."
)
_V2 = (
    "The token is Entra's version 2 (iss .../v2.0) and JwtIssuer is another version: JwtIssuer "
    "must be https://login.microsoftonline.com/<tenant id>/v2.0."
)
_ENTRA_V1 = (
    "https://sts.windows.net/",
    "https://sts.microsoftonline.",
    "https://sts.chinacloudapi.cn/",
)
_ENTRA = ("https://login.microsoftonline.", "https://login.partner.microsoftonline.cn/")
"""Of the public cloud, of the US government's, and of the one in China."""


def algorithm_hint(algorithm: object, configured: Collection[str], known: Collection[str]) -> str:
    """Return the hint about an algorithm that is not accepted; only a known one is named in it."""
    if algorithm in known:
        return (
            f"The token's algorithm {algorithm} is not in JwtAlgorithms ({', '.join(configured)})."
        )
    return _SYMMETRIC


def issuer_hint(given: object, configured: str) -> str:
    """Return how a token's issuer differs from the configured one."""
    if not isinstance(given, str):
        return "The token's iss is not a text."
    if given.rstrip("/") == configured.rstrip("/"):
        return "The token's iss and JwtIssuer differ only in the slash at the end."
    if given.lower() == configured.lower():
        return "The token's iss and JwtIssuer differ only in capital letters."
    if _bare(given) == _bare(configured):
        return "The token's iss and JwtIssuer differ only in http and https, or one has neither."
    if given.replace("/auth/realms/", "/realms/") == configured.replace(
        "/auth/realms/", "/realms/"
    ):
        return "The token's iss and JwtIssuer differ only in /auth, which older Keycloaks have."
    if given.startswith(_ENTRA_V1) and configured.startswith(_ENTRA):
        return _V1
    if given.startswith(_ENTRA) and configured.startswith((*_ENTRA_V1, *_ENTRA)):
        same_version = given.endswith("/v2.0") == configured.rstrip("/").endswith("/v2.0")
        return "The token is of another Entra tenant than JwtIssuer." if same_version else _V2
    return "The token is of another issuer than JwtIssuer."


def _bare(issuer: str) -> str:
    """Return an issuer without http:// or https://, and without a slash at the end."""
    return issuer.removeprefix("http://").removeprefix("https://").rstrip("/")


def audience_hint(claims: Mapping[str, Any], configured: Collection[str]) -> str:
    """Return how a token's audience differs from the configured ones."""
    given = claims.get("aud")
    audiences = [one for one in (given if isinstance(given, list) else [given]) if one]
    texts = {one for one in audiences if isinstance(one, str)}
    if not texts:
        return NO_AUDIENCE
    if {one.rstrip("/") for one in texts} & {one.rstrip("/") for one in configured}:
        return "The token's aud and JwtAudience differ only in the slash at the end."
    if {one.removeprefix("api://") for one in texts} & {
        one.removeprefix("api://") for one in configured
    }:
        return "The token's aud and JwtAudience differ only in api:// at the beginning."
    if {one.lower() for one in texts} & {one.lower() for one in configured}:
        return "The token's aud and JwtAudience differ only in capital letters."
    if "00000003-0000-0000-c000-000000000000" in texts:
        return "The token is for Microsoft Graph: request it with a scope of this application."
    return "The token is for another audience than JwtAudience."
