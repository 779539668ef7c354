"""What the wire can do to an answer, for every adapter over a real connection."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from itertools import count
from threading import Thread
from typing import Any

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageProvider
from imagegen.providers import PROVIDERS, build_provider
from imagegen.providers.bounds import Clock
from imagegen.providers.http import JsonHttp
from tests.adapters.providers.adapters import (
    KEY,
    PATHS,
    PROMPT,
    build_adapter,
    order_for,
    texts_of,
)
from tests.adapters.providers.loopback import Loopback, Reply, ToolUse, Wire, json_reply
from tests.vendors import KEYED, credential, vendor

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"

pytestmark = pytest.mark.parametrize("name", PROVIDERS)


def failure(adapter: ImageProvider, name: str, *, timeout_seconds: float = 10) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        adapter.generate(order_for(name), timeout_seconds=timeout_seconds)
    shown = texts_of(caught.value)
    assert PROMPT not in shown
    assert KEY not in shown
    assert caught.value.__cause__ is None
    return caught.value


@contextmanager
def serving_plain_text() -> Iterator[int]:
    """Yield the port of a server that answers TLS with something else."""

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


def with_http(adapter: ImageProvider, edge: JsonHttp) -> ImageProvider:
    return replace(adapter, http=edge)  # type: ignore[type-var]


def with_clock(adapter: Any, name: str, clock: Clock) -> ImageProvider:
    """Return the adapter with a clock: its connection's, and its own where it has one."""
    own = {"clock": clock} if "clock" in {field.name for field in fields(adapter)} else {}
    changed: ImageProvider = replace(adapter, http=JsonHttp(name, clock=clock), **own)
    return changed


def test_a_refused_connection_sent_nothing(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    base_url = f"http://127.0.0.1:{port}{PATHS[name]}"
    adapter = build_provider(name, credential=credential(name, KEY), base_url=base_url)
    assert failure(adapter, name).outcome is Outcome.UNAVAILABLE


def test_a_name_that_does_not_resolve_sent_nothing(name: str) -> None:
    base_url = f"http://{'x' * 64}.invalid{PATHS[name]}"
    adapter = build_provider(name, credential=credential(name, KEY), base_url=base_url)
    assert failure(adapter, name).outcome is Outcome.UNAVAILABLE


def test_a_failed_tls_handshake_sent_nothing(name: str) -> None:
    with serving_plain_text() as port:
        base_url = f"https://127.0.0.1:{port}{PATHS[name]}"
        adapter = build_provider(name, credential=credential(name, KEY), base_url=base_url)
        assert failure(adapter, name).outcome is Outcome.UNAVAILABLE


def test_a_connection_closed_before_a_byte_is_unknown(name: str, server: Loopback) -> None:
    server.script = lambda _asked, _wire: None
    assert failure(build_adapter(name, server), name).outcome is Outcome.UNKNOWN
    assert len(server.asked) == 1


def test_a_connection_reset_before_a_byte_is_unknown(name: str, server: Loopback) -> None:
    server.script = lambda _asked, wire: wire.reset()
    assert failure(build_adapter(name, server), name).outcome is Outcome.UNKNOWN


def test_a_cut_in_the_head_is_unknown(name: str, server: Loopback) -> None:
    server.script = lambda _asked, wire: wire.send(b"HTTP/1.1 20")
    assert failure(build_adapter(name, server), name).outcome is Outcome.UNKNOWN


def test_a_cut_in_the_body_is_unknown(name: str, server: Loopback) -> None:
    server.script = lambda _asked, wire: wire.send(HEAD + b'{"data": [')
    assert failure(build_adapter(name, server), name).outcome is Outcome.UNKNOWN
    assert len(server.asked) == 1


def test_a_cut_in_a_chunked_body_is_unknown(name: str, server: Loopback) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.script = lambda _asked, wire: wire.send(head + b"1000\r\n{")
    assert failure(build_adapter(name, server), name).outcome is Outcome.UNKNOWN


def test_silence_until_the_deadline_is_unknown(name: str, server: Loopback) -> None:
    server.script = lambda _asked, wire: wire.hold()
    error = failure(build_adapter(name, server), name, timeout_seconds=0.3)
    assert error.outcome is Outcome.UNKNOWN


def test_a_body_that_stops_is_cut_at_the_deadline(name: str, server: Loopback) -> None:
    def script(_asked: ToolUse, wire: Wire) -> None:
        wire.send(HEAD + b"{")
        wire.hold()

    server.script = script
    error = failure(build_adapter(name, server), name, timeout_seconds=0.3)
    assert error.outcome is Outcome.UNKNOWN


def test_a_body_that_drips_is_cut_at_the_deadline(name: str, server: Loopback) -> None:
    def script(_asked: ToolUse, wire: Wire) -> None:
        wire.send(HEAD)
        wire.drip(b" " * 100_000)

    server.script = script
    error = failure(build_adapter(name, server), name, timeout_seconds=0.5)
    assert error.outcome is Outcome.UNKNOWN


def test_the_deadline_is_the_clocks_that_was_given(name: str, server: Loopback) -> None:
    """Nine seconds go by at every look at the clock, and not one in the world."""
    server.replies(json_reply(200, {"status": "starting", "id": "p1"}))
    ticks = count(0, 9)
    adapter = with_clock(build_adapter(name, server), name, lambda: float(next(ticks)))
    error = failure(adapter, name, timeout_seconds=60)
    assert error.outcome in {Outcome.UNKNOWN, Outcome.NO_IMAGE}


def test_a_body_over_the_cap_is_no_image(name: str, server: Loopback) -> None:
    """An image that is too large is the doing of one request."""
    server.replies(Reply(200, {"Content-Type": "application/json"}, b'"' + b"x" * 4096 + b'"'))
    edge = JsonHttp(name, max_bytes=1024)
    error = failure(with_http(build_adapter(name, server), edge), name)
    assert error.outcome is Outcome.NO_IMAGE


def test_of_an_error_whose_body_is_over_the_cap_the_status_is_used(
    name: str, server: Loopback
) -> None:
    server.replies(Reply(500, {}, b"x" * 4096))
    edge = JsonHttp(name, max_bytes=1024)
    error = failure(with_http(build_adapter(name, server), edge), name)
    assert (error.outcome, error.http_status) == (Outcome.UNAVAILABLE, 500)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(name: str, status: int, server: Loopback) -> None:
    server.replies(Reply(status, {"Location": f"{server.origin}/elsewhere"}))
    assert failure(build_adapter(name, server), name).outcome is Outcome.BLOCKED
    assert len(server.asked) == 1


def test_broken_packing_is_no_answer(name: str, server: Loopback) -> None:
    server.replies(Reply(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b no gzip"))
    assert failure(build_adapter(name, server), name).outcome is Outcome.UNAVAILABLE


def test_deeply_nested_json_is_no_image(name: str, server: Loopback) -> None:
    server.replies(Reply(200, {}, b"[" * 500_000))
    assert failure(build_adapter(name, server), name).outcome is Outcome.NO_IMAGE


@pytest.mark.parametrize("key", ["", "  ", "two\nlines", "schlüssel", "sk-\u2022-dot"])
def test_a_key_no_header_can_carry_is_a_bad_key(name: str, key: str, server: Loopback) -> None:
    if name not in KEYED:
        return  # It has no key; test_bedrock.py has a role without credentials.
    adapter = build_adapter(name, server, key=key)
    assert failure(adapter, name).outcome is Outcome.ACCOUNT
    assert server.asked == []


def test_a_key_with_a_line_end_behind_it_is_sent_without(name: str, server: Loopback) -> None:
    if name not in KEYED:
        return
    server.replies(Reply(500))
    failure(build_adapter(name, server, key=KEY + "\n"), name)
    assert server.asked[0].headers.items() >= vendor(name).auth(KEY).items()


def test_no_request_asks_twice_or_keeps_its_connection(name: str, server: Loopback) -> None:
    server.replies(json_reply(503, None, {"Retry-After": "0"}))
    failure(build_adapter(name, server), name)
    (asked,) = server.asked
    assert asked.headers["connection"] == "close"
    assert asked.headers["accept-encoding"] == "identity"


def test_a_server_that_keeps_the_connection_open_is_met_anew(name: str, server: Loopback) -> None:
    """A reused connection may be dead, and its loss would look like a lost answer."""
    adapter = build_adapter(name, server)

    def script(_asked: ToolUse, wire: Wire) -> None:
        wire.send(Reply(503).to_bytes())
        wire.hold()

    server.script = script
    assert failure(adapter, name).http_status == 503
    assert failure(adapter, name).http_status == 503
    assert len(server.asked) == 2


def test_proxies_and_netrc_of_the_environment_are_not_read(
    name: str, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    server.replies(Reply(503))
    assert failure(build_adapter(name, server), name).http_status == 503
