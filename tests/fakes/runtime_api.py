"""Lambda's Runtime API on loopback, as a runtime client meets it."""

import json
import queue
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIX = "/2018-06-01/runtime"
NEVER = str(10**13)
URL_EVENT = {"requestContext": {"http": {"method": "POST", "path": "/chat"}}, "rawPath": "/chat"}


@dataclass
class Sent:
    """One call that a runtime client made."""

    path: str
    headers: Mapping[str, str]
    pieces: "queue.SimpleQueue[bytes | None]" = field(default_factory=queue.SimpleQueue)
    """The chunks of the body as they came; ``None`` is the end."""
    trailers: dict[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """Wait for the end of the body and return all of it."""
        return b"".join(iter(self.pieces.get, None))

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body())


class FakeRuntimeApi:
    """Hands out events, and keeps what is sent back."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[tuple[Any, Mapping[str, str]]] = queue.SimpleQueue()
        self.sent: queue.SimpleQueue[Sent] = queue.SimpleQueue()
        self.status = 202
        self.address = ""
        self.cuts = False
        """Whether the connection is lost while a stream is sent."""

    def put(self, event: Any, **headers: str) -> None:
        """Add an event; names of headers are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.events.put((event, named))

    def next_sent(self) -> Sent:
        """Wait for the next call and return it, perhaps before its body is complete."""
        return self.sent.get(timeout=10)


@contextmanager
def runtime_api() -> Iterator[FakeRuntimeApi]:
    """Run the API until the block ends."""
    fake = FakeRuntimeApi()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            event, headers = fake.events.get()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "one")
            for name, value in {"Lambda-Runtime-Deadline-Ms": NEVER, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(event).encode())

        def do_POST(self) -> None:
            sent = Sent(self.path.removeprefix(PREFIX), dict(self.headers))
            fake.sent.put(sent)
            if self.headers.get("Transfer-Encoding") == "chunked":
                if fake.cuts:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                self._chunks(sent)
            else:
                sent.pieces.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(fake.status)
            self.end_headers()
            sent.pieces.put(None)

        def _chunks(self, sent: Sent) -> None:
            while size := int(self.rfile.readline(), 16):
                sent.pieces.put(self.rfile.read(size))
                self.rfile.readline()
            while line := self.rfile.readline().strip():
                name, _, value = line.decode().partition(": ")
                sent.trailers[name] = value

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.address = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
