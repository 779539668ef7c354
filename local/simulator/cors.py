"""The control API for pages of this machine: the page's switches are a script from another port."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from local.simulator.wire import Answer, Request

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def for_local_pages(request: Request, answer: Callable[[], Answer]) -> Answer:
    """Return a control answer that a page of this machine may read, and a preflight's answer.

    A page from anywhere else is told nothing, and what it may not read it may not order either: any
    site that a developer visits could break providers here.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return answer()
    if urlsplit(origin).hostname not in LOOPBACK:
        return Answer(403, b"", "text/plain")
    if request.method == "OPTIONS":
        headers = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "content-type",
            "Access-Control-Max-Age": "600",
        }
        return Answer(204, b"", "text/plain", headers={**_readable(origin), **headers})
    given = answer()
    return replace(given, headers={**given.headers, **_readable(origin)})


def _readable(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
