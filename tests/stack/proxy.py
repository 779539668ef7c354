"""A proxy between a function and the emulator that can act when a certain request comes by."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit


class Watch:
    """When to act, and how: ``matches`` sees method, path and body of each request.

    ``act`` is told the proxy's URL, by which whoever uses it can be known. With ``refusal``, the
    status and the name of an AWS error, that is the answer instead of none.
    """

    def __init__(
        self,
        matches: Callable[[str, str, bytes], bool],
        act: Callable[[str], None],
        *,
        after: bool,
        refusal: tuple[int, str] | None = None,
    ) -> None:
        self.matches = matches
        self.act = act
        self.after = after
        self.refusal = refusal
        self.hits = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        server: Any = self.server
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        watch: Watch = server.watch
        hit = watch.matches(self.command, self.path, body)
        watch.hits += hit
        if hit and not watch.after:
            self._end(watch)
            return
        status, headers, content = self._ask(body)
        if hit:
            self._end(watch)
            return
        self._send(status, headers, content)

    def _send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        server: Any = self.server
        headers = {n: v for n, v in self.headers.items() if n.lower() != "expect"} | server.added
        # Closed also if the emulator does not answer, because the function's process was killed.
        with closing(http.client.HTTPConnection(server.upstream, timeout=300)) as upstream:
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def _end(self, watch: Watch) -> None:
        """Act, and answer nothing, or with the refusal."""
        server: Any = self.server
        watch.act(f"http://127.0.0.1:{server.server_port}")
        if watch.refusal is not None:
            status, name = watch.refusal
            body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{name}"}).encode()
            self._send(status, [("Content-Type", "application/x-amz-json-1.0")], body)
            return
        self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Let the body come: boto3 waits for this before it sends one to S3."""
        return super().handle_expect_100()

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _forward  # noqa: N815 names of the base class

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def watching(
    upstream_url: str, watch: Watch, added: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Serve the proxy, which adds these headers, until the block ends; gives its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.upstream = urlsplit(upstream_url).netloc  # type: ignore[attr-defined]
    server.watch = watch  # type: ignore[attr-defined]
    server.added = dict(added)  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
