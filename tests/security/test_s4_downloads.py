"""S4: no provider's URL leads into a network. The cases are the downloader's own suite."""

from collections.abc import Iterator
from typing import Any

import pytest
from urllib3 import BaseHTTPResponse, HTTPConnectionPool

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.providers.addresses import is_public
from imagegen.providers.download import Downloader
from tests.adapters.providers.loopback import Reply, ToolUse, Wire, image_reply, serving
from tests.adapters.providers.test_download import (
    BASE_URL,
    GOOD_URL,
    HOSTILE,
    LOCATIONS,
    NAMES,
    World,
)
from tests.security.board import Board

CAP_BYTES = 1_000_000


@pytest.fixture
def world() -> Iterator[World]:
    with serving() as server:
        server.replies(image_reply())
        yield World(server)


def test_no_hostile_url_and_no_redirect_connects_inside(world: World, board: Board) -> None:
    taken = []
    for url in HOSTILE:
        for base_url in (BASE_URL, f"http://127.0.0.1:{world.server.port}/v1"):
            with pytest.raises(ProviderError) as caught:
                world.downloader(base_url=base_url).fetch(url, timeout_seconds=10)
            taken += [] if caught.value.outcome is Outcome.UNAVAILABLE else [url]
    direct = list(world.reached)
    for url in LOCATIONS:
        world.server.replies(Reply(302, {"Location": url}), Reply(404))
        with pytest.raises(ProviderError):
            world.downloader().fetch(GOOD_URL, timeout_seconds=10)
    inside = [address for address in world.reached if not is_public(address)]
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    world.server.replies(image_reply())
    moving = Downloader("replicate", BASE_URL, lambda _h, _p: answers.pop(0), world.connect)
    moving.fetch(GOOD_URL, timeout_seconds=10)
    rebound = world.reached[-1]
    board.show(
        "S4a",
        ">= 60 hostile URLs and redirects: no connection to an address that is not public",
        f"{len(HOSTILE)} URLs ({len(NAMES)} by name) on 2 stacks: {len(direct)} connections; "
        f"{len(LOCATIONS)} redirects: {len(inside)} inside; a name that moves: {rebound}",
        passes=len(HOSTILE) >= 60 and not (taken or direct or inside) and is_public(rebound),
    )


def test_an_endless_body_is_left_at_the_cap(world: World, board: Board) -> None:
    answers: list[BaseHTTPResponse] = []

    def script(_asked: ToolUse, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
        while not wire.is_over.is_set():
            wire.send(bytes(65_536))

    class Watched(HTTPConnectionPool):
        def urlopen(self, *args: Any, **kwargs: Any) -> BaseHTTPResponse:
            answers.append(super().urlopen(*args, **kwargs))
            return answers[-1]

    world.server.script = script
    downloader = Downloader(
        "replicate",
        BASE_URL,
        world.resolve,
        lambda _target: Watched("127.0.0.1", world.server.port),
        max_bytes=CAP_BYTES,
    )
    with pytest.raises(ProviderError):
        downloader.fetch(GOOD_URL, timeout_seconds=10)
    read = answers[0].tell()
    board.show(
        "S4b",
        "an endless body: bytes read <= the cap + 64 KB",
        f"cap {CAP_BYTES}, read {read}",
        passes=CAP_BYTES < read <= CAP_BYTES + 65_536,
    )
