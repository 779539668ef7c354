"""A web server on loopback that answers as told and keeps what it was asked."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.pictures import png

PNG = png()


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def to_bytes(self) -> bytes:
        given = {name.lower() for name in self.headers}
        lines = [f"HTTP/1.1 {self.status} Answer"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if not given & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join((*lines, "", "")).encode("latin-1") + self.body


def json_reply(status: int, body: object, headers: Mapping[str, str] | None = None) -> Reply:
    """Return JSON, ``None`` as no body at all and a string as it stands."""
    if body is None:
        content = b""
    else:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Reply(status, {"Content-Type": "application/json", **(headers or {})}, content)


def image_reply(content: bytes = PNG, media_type: str = "image/png") -> Reply:
    return Reply(200, {"Content-Type": media_type}, content)


type Script = Callable[[ToolUse, "Wire"], Reply | None]
"""Returns the reply, or ``None`` when it dealt with the wire itself."""


@dataclass(frozen=True, slots=True)
class Wire:
    """The connection, for scripts that break it."""

    connection: socket.socket
    is_over: threading.Event

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def drip(self, content: bytes) -> None:
        """Send bytes one at a time until the client is gone or the test is over."""
        for byte in content:
            self.send(bytes([byte]))
            if self.is_over.wait(0.01):
                return

    def hold(self) -> None:
        """Say nothing until the test is over."""
        self.is_over.wait(30)


@dataclass(slots=True)
class Loopback:
    """The server; ``script`` may be replaced at any time."""

    listener: socket.socket
    script: Script = lambda _asked, _wire: Reply(500)
    asked: list[ToolUse] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def replies(self, *replies: Reply) -> None:
        """Answer with these in turn, the last one for ever."""
        queue = list(replies)
        self.script = lambda _asked, _wire: queue.pop(0) if len(queue) > 1 else queue[0]

    def take(self, connection: socket.socket) -> None:
        threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                asked = read_request(connection)
                if asked is None:
                    return
                self.asked.append(asked)
                wire = Wire(connection, self.is_over)
                reply = self.script(asked, wire)
                if reply is not None:
                    wire.send(reply.to_bytes())
            except OSError:
                return


def read_request(connection: socket.socket) -> ToolUse | None:
    """Return the request, or ``None`` when none came."""
    content = b""
    while b"\r\n\r\n" not in content:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        content += chunk
    head, _, body = content.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return ToolUse(method, path, headers, body)


@dataclass(slots=True)
class Port:
    """A port that stays open while servers come and go at it, one after another.

    A client of boto3 is built once for each address, and that takes longer than most tests.
    """

    listener: socket.socket
    server: Loopback

    @contextmanager
    def serving(self) -> Iterator[Loopback]:
        """Yield a server that was never asked anything, until the block ends."""
        self.server = Loopback(self.listener)
        try:
            yield self.server
        finally:
            self.server.is_over.set()

    def listen(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.server.take(connection)


@contextmanager
def open_port() -> Iterator[Port]:
    """Yield a port until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = Port(listener, Loopback(listener))
    thread = threading.Thread(target=port.listen, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@contextmanager
def serving() -> Iterator[Loopback]:
    """Yield a server at a port of its own until the block ends."""
    with open_port() as port, port.serving() as server:
        yield server
