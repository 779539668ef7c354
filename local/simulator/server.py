"""The HTTP server: sends answers with their delays, and breaks connections on purpose."""

import select
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from imagegen.providers.instances import Instance
from local.simulator.packing import packed
from local.simulator.routes import World
from local.simulator.studio import Studio, Takes
from local.simulator.wire import Answer, Ending, Request

LONGEST_HANG_SECONDS = 900
LOOK_SECONDS = 0.25
STREAMED = (Ending.SENT, Ending.CUT_DURING)


class EdgeServer(ThreadingHTTPServer):
    """A server with one thread per connection that can close all its connections at once."""

    request_queue_size = 1024
    allow_reuse_port = False
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: tuple[str, int], answer: Callable[[Request], Answer], *, verbose: bool
    ) -> None:
        self.answer = answer
        self.verbose = verbose
        self.stopping = Event()
        self._connections: set[Any] = set()
        self._lock = Lock()
        super().__init__(address, Edge)

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds."""
        super(ThreadingHTTPServer, self).server_bind()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection and serve it."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, unless the client only closed the connection."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """End the server and every connection."""
        self.stopping.set()
        self.shutdown()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Edge(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 300
    server: EdgeServer

    def serve(self) -> None:
        """Answer one request."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.answer(self._request(content))
        if answer.parts and not answer.packing and answer.ending in STREAMED:
            self._stream(answer)
        elif not self._wait(answer.delay_seconds or 0):
            self.close_connection = True
        elif answer.ending is Ending.SENT:
            self._send(answer)
        elif answer.ending is Ending.CUT_DURING:
            self._send(answer, share=0.5)
            self._cut()
        else:
            self._wait(LONGEST_HANG_SECONDS if answer.ending is Ending.HANG else 0)
            self._cut()

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_OPTIONS = serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log requests only if the server is verbose."""
        if self.server.verbose:
            super().log_message(format, *args)

    def _request(self, content: bytes) -> Request:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = headers.get("host") or "{}:{}".format(*self.server.server_address[:2])
        return Request(
            method=self.command,
            path=unquote(url.path),
            query=dict(parse_qsl(url.query)),
            headers=headers,
            content=content,
            origin=f"http://{host}",
        )

    def _send(self, answer: Answer, share: float = 1) -> None:
        content, labels = packed(answer.content, answer.packing)
        self.send_response(answer.status)
        if answer.media_type:
            self.send_header("Content-Type", answer.media_type)
        # Always the whole length: when only half follows, the client sees a broken transfer.
        self.send_header("Content-Length", str(len(content)))
        for name, value in {**answer.headers, **labels}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: int(len(content) * share)])

    def _stream(self, answer: Answer) -> None:
        """Send the parts one by one; a stream that is cut ends after half of them."""
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Transfer-Encoding", "chunked")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        is_whole = answer.ending is Ending.SENT
        parts = answer.parts if is_whole else answer.parts[: len(answer.parts) // 2]
        for part in parts:
            if not self._wait((answer.delay_seconds or 0) / len(answer.parts)):
                self.close_connection = True
                return
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        if is_whole:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _wait(self, seconds: float) -> bool:
        """Wait, and return whether the client is still connected after that."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.server.stopping.is_set() or self._has_left(min(left, LOOK_SECONDS)):
                return False
        return True

    def _has_left(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return False
        if self.connection.recv(1, socket.MSG_PEEK):
            self.server.stopping.wait(seconds)  # a pipelined request, which is read later
            return False
        return True


class Simulator:
    """A running simulator; as a context manager it stops at the end of the block."""

    def __init__(self, server: EdgeServer, world: World) -> None:
        self.world = world
        self._server = server
        self._thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        host, port = server.server_address[:2]
        self.url = f"http://{host!s}:{port}"

    @classmethod
    def start(
        cls,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        delay_scale: float = 0,
        varies: bool = False,
        verbose: bool = False,
        added: Sequence[Instance] | None = None,
    ) -> Self:
        """Return a running simulator; port 0 means any free port.

        If it varies, equal orders get different pictures, as from vendors; else equal bytes.
        ``added`` are instances in place of those of the operator's file.
        """
        world = World(Studio(delay_scale=delay_scale, takes=Takes() if varies else None))
        if added is not None:
            world = World(world.studio, added)
        simulator = cls(EdgeServer((host, port), world.answer, verbose=verbose), world)
        simulator._thread.start()
        return simulator

    def stop(self) -> None:
        """Stop the simulator and close all connections."""
        self._server.stop()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
