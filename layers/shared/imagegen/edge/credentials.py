"""The user of a request, by its credential: a person's token, or a key for programs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from imagegen.domain import errors
from imagegen.domain.callers import ADMIN, CHAT, ESTIMATE, IMAGES, KEY_PREFIX, User
from imagegen.domain.errors import ImagegenError
from imagegen.wire.headers import KEY_HEADERS, ON_BEHALF_OF, USER_TOKEN

if TYPE_CHECKING:
    from imagegen.edge.requests import Access

KEY_SCOPES: Mapping[str, str] = {
    "/estimate": ESTIMATE,
    "/mcp": ESTIMATE,
    "/models": ESTIMATE,
    "/tools": ESTIMATE,
    "/usage": ESTIMATE,
    "/v1/models": ESTIMATE,
    "/generate-image": IMAGES,
    "/images": IMAGES,
    "/inputs": IMAGES,
    "/v1/images": IMAGES,
    "/chat": CHAT,
    "/admin": ADMIN,
    "/health-check": ADMIN,
}
"""The scope that a key needs, by path, also for the paths below it. Any other path accepts none."""


def user_of(event: Mapping[str, Any], access: "Access") -> User | None:
    """Return the user of a request; on an open route there may be none.

    Raises:
        UnauthorizedError, ForbiddenError: the credential does not allow the request.
        StoreUnavailableError: it cannot be checked now.
        ConfigurationError: no issuer is set, so it cannot be checked at all.
    """
    http, headers = event["requestContext"]["http"], event["headers"]
    needed = key_scope(event["rawPath"])
    if access.is_open(http["method"], event["rawPath"]):
        return _user_if_valid(headers, access, needed)
    return _user(headers, access, needed, credential(headers))


def key_scope(path: str) -> str | None:
    """Return the scope that a key needs for a path, ``None`` if the path accepts no key."""
    while path and path not in KEY_SCOPES:
        path = path.rpartition("/")[0]
    return KEY_SCOPES.get(path)


def credential(headers: Mapping[str, str]) -> str | None:
    """Return the value that contains the caller's token or key, ``None`` without any.

    With AuthType AWS_IAM, Authorization contains the signature of the system that calls. The token
    of its user is then in a header of its own.

    Raises:
        UnauthorizedError: there are two, and it is not clear which one is meant.
    """
    given, own = headers.get("authorization"), headers.get(USER_TOKEN)
    signed = given is not None and given.startswith("AWS4-")
    if own is not None and given is not None and not signed:
        raise errors.UnauthorizedError(f"Send one token: Authorization or {USER_TOKEN}.")
    sent = [] if given is None or signed else [given]
    sent += [] if own is None else [f"Bearer {own}"]
    # Any other value of such a header is passed over: it is not for this service.
    keys = [headers.get(name, "").strip() for name in KEY_HEADERS]
    sent += [f"Bearer {key}" for key in keys if key.startswith(KEY_PREFIX)]
    # Some clients send one key in two headers.
    if len(set(sent)) > 1:
        raise errors.UnauthorizedError(
            f"Send one key or token, not several ({', '.join(_named())})."
        )
    return sent[0] if sent else None


def _named() -> tuple[str, ...]:
    return ("Authorization", USER_TOKEN, *KEY_HEADERS)


def _user_if_valid(headers: Mapping[str, str], access: "Access", needed: str | None) -> User | None:
    """Return the user of an open route; there, an invalid credential counts as none."""
    try:
        given = credential(headers)
        return None if given is None else _user(headers, access, needed, given)
    except ImagegenError:
        return None


def _user(
    headers: Mapping[str, str], access: "Access", needed: str | None, given: str | None
) -> User:
    person = headers.get(ON_BEHALF_OF)
    scheme, _, text = (given or "").partition(" ")
    is_key = scheme.lower() == "bearer" and text.strip().startswith(KEY_PREFIX)
    if not is_key or access.keys is None:
        if person is not None:
            raise errors.ForbiddenError(
                f"Only a key for programs may name a person: {ON_BEHALF_OF}."
            )
        return access.verifier().verify(given)
    if person is not None and "origin" in headers:
        # A browser adds Origin. A key in a page is everybody's key.
        raise errors.ForbiddenError(f"A web page may not name a person: {ON_BEHALF_OF}.")
    return access.keys().verify(text.strip(), needed=needed, person=person)
