"""CORS for the control API: the page that arms faults comes from another port of this machine."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from local.simulator.wire import Answer, Request

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def for_local_pages(request: Request, answer: Callable[[], Answer]) -> Answer:
    """Return the answer with CORS headers for pages of this machine, and answer preflights.

    Requests from any other page are refused, not only hidden from it. Otherwise any site that a
    developer visits could arm faults here.
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
