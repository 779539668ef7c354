"""The events of function URLs in one spelling, and what their path and their headers say.

Standard library only: the page needs no more.

Format: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

NEEDED = (
    "This function answers requests to its function URL (payload format 2.0). Send an event with "
    "rawPath, requestContext.http.method, headers and body; the folder events/ has one for each "
    "case. Events of API Gateway's REST APIs (format 1.0), of a load balancer and the console's "
    "test events have another form."
)

MAKE_IMAGES = "makeImages"
"""The task of images that are made in an invocation of their own: ``wire.run_events``."""
_HTTP_NAMES = frozenset({"version", "rawPath", "requestContext", "headers", "body"})
_SLASHES = re.compile(r"/{2,}")
V1_PREFIX = "/v1/"
V1_ROOT = V1_PREFIX.rstrip("/")
ORIGIN_HEADER = "x-imagegen-origin"
"""CloudFront sends it with a secret value (edge.yaml). The functions have only its digest."""
RESPOND_ASYNC = "respond-async"
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_NAME_AND_VALUE = re.compile(r"\s*([^\s=;]+)\s*(?:=\s*([^;]*))?")


def url_event(event: object) -> dict[str, Any] | None:
    """Return a copy of a function URL's event in one spelling, ``None`` for any other event.

    Doubled slashes and one at the end of the path are left out, names of headers are in lower case,
    and what a hand-written event may lack has its default.
    """
    if not isinstance(event, dict):
        return None
    path, body, context = event.get("rawPath"), event.get("body"), _dict(event, "requestContext")
    http = _dict(context, "http")
    if not isinstance(path, str) or not isinstance(body, str | None):
        return None
    if not isinstance(http.get("method"), str):
        return None
    headers = _headers(event.get("headers"))
    host = headers.get("host", "")
    names = {"domainName": host, "domainPrefix": host.partition(".")[0], "stage": "$default"}
    return {
        "rawQueryString": "",
        **event,
        "rawPath": plain_path(path),
        "headers": headers,
        "requestContext": {**names, **context, "http": {**http, "path": plain_path(path)}},
    }


def task_of(event: object) -> str | None:
    """Return the task that a schedule or this service asks for, ``None`` for any other event.

    A request to the function URL is never a task, whatever it contains: Lambda puts its parts below
    names of its own.
    """
    if not isinstance(event, dict) or not _HTTP_NAMES.isdisjoint(event):
        return None
    task = event.get("task")
    return task if isinstance(task, str) else None


def plain_path(path: str) -> str:
    """Return a path without doubled slashes and without one at its end: ``//a//b/`` is ``/a/b``."""
    plain = _SLASHES.sub("/", path)
    return plain.removesuffix("/") or plain


def is_under_v1(path: str) -> bool:
    """Return whether OpenAI's clients call this path."""
    return path == V1_ROOT or path.startswith(V1_PREFIX)


def came_through_front(headers: Mapping[str, str], digests: str) -> bool:
    """Return whether a request has a header value with one of the SHA-256 digests.

    Without digests, every request is accepted. While the secret is changed, there are two of them.
    """
    if not digests:
        return True
    sent = hashlib.sha256(headers.get(ORIGIN_HEADER, "").encode(errors="replace")).hexdigest()
    return any(hmac.compare_digest(sent, one) for one in digests.split(","))


def applied_preference(prefer: str) -> dict[str, str]:
    """Return the header of an answer before the image; empty unless the client prefers that."""
    return {"preference_applied": RESPOND_ASYNC} if prefer and prefers_async(prefer) else {}


def prefers_async(prefer: str) -> bool:
    """Return whether a client would rather be answered before its image is made (RFC 7240, 2).

    https://www.rfc-editor.org/rfc/rfc7240#section-2
    The case of names does not matter, and an empty value is the same as no value. If a preference
    is there twice, the first one counts. ``respond-async`` with a value is another preference, and
    unknown preferences are ignored.
    """
    for preference in _PREFERENCE.findall(prefer):
        found = _NAME_AND_VALUE.match(preference)
        if found and found[1].lower() == RESPOND_ASYNC:
            return (found[2] or "").strip() in ("", '""')
    return False


def _headers(given: object) -> dict[str, str]:
    if not isinstance(given, Mapping):
        return {}
    return {str(name).lower(): str(one) for name, one in given.items() if one is not None}


def _dict(values: dict[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}
