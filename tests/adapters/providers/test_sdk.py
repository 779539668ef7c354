"""What each phase of a request with the openai client may take: what its deadline leaves."""

from contextlib import closing
from typing import Any

import httpx2

from imagegen.providers.sdk import BoundedTransport
from tests.adapters.providers.loopback import Loopback, Reply

SECONDS = 10.0
WHOLE = Reply(200, {"Content-Type": "image/png"}, bytes(1_000_000))
"""More than one read returns."""


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_the_time_that_the_head_took_is_missing_to_the_body(server: Loopback) -> None:
    clock = Clock()
    server.replies(WHOLE)
    limits: dict[str, Any] = dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)
    request = httpx2.Request("GET", f"{server.origin}/", extensions={"timeout": limits})
    with closing(BoundedTransport(clock, 2_000_000)) as transport:
        response = transport.handle_request(request)
        assert limits["read"] == SECONDS
        clock.seconds += 4
        pieces = response.iter_raw()
        next(pieces)
        assert limits["read"] == SECONDS - 4
        response.close()
