"""Checks before a request is handled: its size, its token, and whether its body is JSON."""

import base64
import json
from collections.abc import Callable, Container, Mapping
from http import HTTPStatus
from typing import Any

from imagegen.domain import errors
from imagegen.domain.errors import ImagegenError
from imagegen.domain.users import User, Verifier
from imagegen.edge.problems import edge_problem, invalid_json
from imagegen.wire.headers import JSON, USER_TOKEN
from imagegen.wire.reports import Problem

MAX_BODY_BYTES = 256 * 1024

FORM = "multipart/"

type Event = dict[str, Any]


def check_request(
    event: Event,
    verifier: Callable[[], Verifier],
    is_open: Callable[[str, str], bool],
    own_json: Container[str],
) -> tuple[User | None, Problem | None]:
    """Return the user, and the problem of the request; either may be ``None``.

    Without a problem the request may be parsed. There is no user if the body is too large, or if
    the route is open and the request has no valid token.

    Raises:
        UnauthorizedError, ForbiddenError: the token does not allow the request.
        StoreUnavailableError: the token cannot be checked now.
    """
    if fault := _too_large(event):
        return None, fault
    return _user(event, verifier(), is_open), _body_problem(event, own_json)


def raw_body(event: Event) -> bytes:
    """Return a body's bytes, or empty bytes if it cannot be decoded."""
    try:
        return _bytes(event)
    except ValueError:
        return b""


def _body_problem(event: Event, own_json: Container[str]) -> Problem | None:
    """Return the problem of a body's type or JSON, or ``None`` if it may be parsed."""
    kind = event.get("headers", {}).get("content-type", "").partition(";")[0].strip().lower()
    if event["requestContext"]["http"]["method"] != "GET" and kind not in ("", JSON):
        what = ", not as a form: files cannot be sent" if kind.startswith(FORM) else ""
        detail = f"Send the body as {JSON}{what}."
        return edge_problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    is_valid = event["rawPath"] in own_json or _is_json(event)
    return None if is_valid else invalid_json()


def _is_json(event: Event) -> bool:
    """Return whether the body is JSON or absent: Powertools answers some invalid JSON with a 500.

    JSON is UTF-8 without a byte order mark: https://www.rfc-editor.org/rfc/rfc8259#section-8.1.
    Python also reads other encodings, on which Powertools would fail later.
    """
    try:
        json.loads(_bytes(event).decode() or "null")
    except (ValueError, RecursionError):  # not UTF-8, not JSON, numbers or nesting without end
        return False
    return True


def _bytes(event: Event) -> bytes:
    """Return a body's bytes.

    Raises:
        ValueError: the body is not base64, or its text cannot be encoded as UTF-8.
    """
    body: str = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def _too_large(event: Event) -> Problem | None:
    if _body_bytes(event) <= MAX_BODY_BYTES:
        return None
    detail = f"The body may be at most {MAX_BODY_BYTES} bytes."
    return edge_problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)


def _user(event: Event, verifier: Verifier, is_open: Callable[[str, str], bool]) -> User | None:
    http = event["requestContext"]["http"]
    headers = event.get("headers", {})
    if is_open(http["method"], event["rawPath"]):
        return _user_if_valid(verifier, headers)
    return verifier.verify(_authorization(headers))


def _user_if_valid(verifier: Verifier, headers: Mapping[str, str]) -> User | None:
    """Return the user of an open route; there, an invalid token counts as no token."""
    try:
        authorization = _authorization(headers)
        return None if authorization is None else verifier.verify(authorization)
    except ImagegenError:
        return None


def _authorization(headers: Mapping[str, str]) -> str | None:
    """Return the header value that contains the user's token, or ``None`` without a token.

    With AuthType AWS_IAM, Authorization contains the signature of the system that calls. The token
    of its user is then in a header of its own.

    Raises:
        UnauthorizedError: there are two tokens, and it is not clear which one is meant.
    """
    given, own = headers.get("authorization"), headers.get(USER_TOKEN)
    signed = given is not None and given.startswith("AWS4-")
    if own is None:
        return None if signed else given
    if given is not None and not signed:
        raise errors.UnauthorizedError(f"Send one token: Authorization or {USER_TOKEN}.")
    return f"Bearer {own}"


def _body_bytes(event: Event) -> int:
    body: str = event.get("body") or ""
    return (
        len(body) * 3 // 4
        if event.get("isBase64Encoded")
        else len(body.encode("utf-8", "surrogatepass"))
    )
