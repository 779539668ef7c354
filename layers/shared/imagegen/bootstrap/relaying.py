"""Sends a person's confirmed request from one of our functions to another, over HTTP."""

import urllib.request
from collections.abc import Mapping
from urllib.error import HTTPError

from imagegen.bootstrap.verifier import get_opener

MAX_BYTES = 1_000_000


def post(
    url: str, body: str, headers: Mapping[str, str], *, timeout_seconds: float
) -> tuple[int, bytes]:
    """Return status and body of the answer; no redirect is followed and nothing is sent twice.

    Raises:
        OSError, http.client.HTTPException: no answer came in time.
    """
    # Our own function's address: https, or plain HTTP on loopback.
    request = urllib.request.Request(  # noqa: S310
        url, body.encode(), {**headers, "Content-Type": "application/json"}, method="POST"
    )
    try:
        with get_opener().open(request, timeout=timeout_seconds) as answer:
            return answer.status, answer.read(MAX_BYTES)
    except HTTPError as error:
        with error:
            return error.code, error.read(MAX_BYTES)
