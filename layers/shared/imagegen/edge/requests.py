"""Checks before a request is handled: its size, its user, and whether its body is JSON."""

import base64
import json
from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from imagegen.domain import errors
from imagegen.domain.callers import User, Verifier
from imagegen.domain.text import REPLACED
from imagegen.edge.credentials import user_of
from imagegen.edge.media_types import is_form, is_json, is_utf_8
from imagegen.edge.problems import (
    edge_problem,
    invalid_json,
    not_an_object,
    not_utf_8,
    unsupported_media_type,
)
from imagegen.wire.headers import JSON
from imagegen.wire.problems import Problem

if TYPE_CHECKING:
    from imagegen.domain.keys import KeyVerifier  # only requests with a key load it

MAX_BODY_BYTES = 256 * 1024
MAX_PICTURES_TEXT = 6_000_000
"""The most characters in the event of a body with pictures, which are base64 there: 4.5 MB of them.
Lambda's own limit is 6 MB for the whole event.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
FORM = "multipart/"
WITHOUT_BODY = ("GET", "DELETE")
"""The methods whose routes read no body. Many clients name a type in these requests as well."""
type Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """What a function's routes need before they are called."""

    verifier: Callable[[], Verifier]
    origin_digests: Callable[[], str] = str
    """Which calls are accepted (``events.came_through_front``)."""
    is_open: Callable[[str, str], bool] = lambda _method, _path: False
    """Whether a method and path may be called without a token."""
    own_json: Container[str] = ()
    """The paths whose handlers answer a body that is not a JSON object themselves."""
    with_pictures: Container[str] = ()
    """The paths whose body may contain pictures: it may be larger, and a form."""
    fault: Callable[[Event], Problem | None] = lambda _event: None
    """The function's own reason to refuse a request before its token is checked."""
    metadata_url: Callable[[Event], str] = lambda _event: ""
    """The address of the document that names the issuer of a path's tokens (RFC 9728); or empty."""
    is_for_admins: bool = False
    """Whether every route needs the scope of operators."""
    name_key: Callable[[], bytes] | None = None
    """The key from which the user's name in the logs is derived."""
    keys: "Callable[[], KeyVerifier] | None" = None
    """What checks a key for programs; without it, none is accepted."""


def check_request(event: Event, access: Access) -> tuple[User | None, Problem | None]:
    """Return the user, and the problem of the request; either may be ``None``.

    Without a problem the request may be parsed. There is no user if the request is refused before
    its token is checked, or if the route is open and the request has no valid token.

    Raises:
        UnauthorizedError, ForbiddenError: the token or key does not allow the request.
        StoreUnavailableError: the token or key cannot be checked now.
        ConfigurationError: no issuer is set, so no token can be checked.
    """
    has_pictures = event["rawPath"] in access.with_pictures
    size_fault = _too_large_with_pictures(event) if has_pictures else too_large(event)
    if fault := size_fault or access.fault(event):
        return None, fault
    user = user_of(event, access)
    if access.is_for_admins and (user is None or not user.is_admin):
        raise errors.ForbiddenError("The token lacks the scope of operators.")
    if has_pictures and is_form(event["headers"].get("content-type", "")):
        return user, _encoding_problem(event["headers"])
    return user, _body_problem(event, access.own_json)


def check_query(event: Event, known: Collection[str]) -> None:
    """Raise unless the query has only known parameters: another one would be passed over.

    Raises:
        ParameterError: there is another parameter.
    """
    if set(event.get("queryStringParameters") or {}) - set(known):
        names = " and ".join(known)
        raise errors.ParameterError("query", f"The parameters of this address are {names}.")


def raw_body(event: Event) -> bytes:
    """Return a body's bytes, or empty bytes if it cannot be decoded."""
    try:
        return _bytes(event)
    except ValueError:
        return b""


def too_large(event: Event) -> Problem | None:
    """Return the problem of a body that is larger than any route reads, or ``None``."""
    if _body_bytes(event) <= MAX_BODY_BYTES:
        return None
    detail = f"The body may be at most {MAX_BODY_BYTES} bytes."
    return edge_problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)


def _body_problem(event: Event, own_json: Container[str]) -> Problem | None:
    """Return the problem of a body's type, encoding or JSON, or ``None`` if it may be parsed."""
    is_read = event["requestContext"]["http"]["method"] not in WITHOUT_BODY
    if is_read and (fault := _type_problem(event["headers"])):
        return fault
    if _has_replaced_bytes(event):
        return not_utf_8()
    if event["rawPath"] in own_json:
        return None
    try:
        text = _bytes(event).decode()
        # JSON is UTF-8 without a byte order mark: https://www.rfc-editor.org/rfc/rfc8259#section-8.1
        # Python also reads other encodings, on which Powertools would fail later.
        values = json.loads(text or "null")
    except (ValueError, RecursionError):  # not UTF-8, not JSON, numbers or nesting without end
        return invalid_json()
    has_fields = isinstance(values, dict) or not text or not is_read
    return None if has_fields else not_an_object()


def _type_problem(headers: dict[str, str]) -> Problem | None:
    """Return the problem of a body's content type; a good one is then written in one spelling."""
    given = headers.get("content-type", "")
    if not is_json(given):
        what = ", not as a form: files cannot be sent" if given.lower().startswith(FORM) else ""
        return unsupported_media_type(f"Send the body as {JSON}{what}.")
    if not is_utf_8(given):
        return unsupported_media_type(f"Send the body in UTF-8, as {JSON}; charset=utf-8.")
    if fault := _encoding_problem(headers):
        return fault
    if given:
        # Powertools compares it letter by letter.
        headers["content-type"] = JSON
    return None


def _encoding_problem(headers: Mapping[str, str]) -> Problem | None:
    if headers.get("content-encoding", "").strip().lower() in ("", "identity"):
        return None
    return unsupported_media_type("Send the body as it is, without Content-Encoding.")


def _too_large_with_pictures(event: Event) -> Problem | None:
    """Return the problem of a body that has more pictures than fit a call, or ``None``."""
    size = _text_bytes(event)
    if not event.get("isBase64Encoded") and is_form(event["headers"].get("content-type", "")):
        size = size * 4 // 3
    if size <= MAX_PICTURES_TEXT:
        return None
    detail = (
        "The pictures of one call may have 4.5 MB together. For larger ones use POST /inputs and "
        "`file_id`."
    )
    return edge_problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)


def _has_replaced_bytes(event: Event) -> bool:
    """Return whether a body contained bytes that are not UTF-8, which are replaced by now.

    A function URL passes JSON on as text, in which U+FFFD (three bytes) stands for what it could
    not decode. Where the client's length of the body is another one, the client did not send that.
    """
    body, length = event.get("body") or "", event["headers"].get("content-length", "")
    if REPLACED not in body or not length.isdecimal():
        return False
    return int(length[:20]) != _body_bytes(event)


def _bytes(event: Event) -> bytes:
    """Return a body's bytes.

    Raises:
        ValueError: the body is not base64, or its text cannot be encoded as UTF-8.
    """
    body: str = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def _body_bytes(event: Event) -> int:
    size = _text_bytes(event)
    return size * 3 // 4 if event.get("isBase64Encoded") else size


def _text_bytes(event: Event) -> int:
    """Return the size of a body as it is in the event: in base64, if it is encoded."""
    body: str = event.get("body") or ""
    return len(body.encode("utf-8", "surrogatepass"))
