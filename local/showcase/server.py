"""Serves the page of states on loopback, and a small host for MCP Apps where a stack runs."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from imagegen.site.files import MEDIA_TYPES, File, read_files
from local.paths import ROOT
from local.processes import LOOPBACK
from local.showcase.fixtures import states
from local.showcase.inspector import McpHost
from local.simulator.art.painter import Hand
from local.simulator.art.pictures import picture_of
from local.simulator.art.reading import read_scene

HERE: Final = Path(__file__).parent
STATIC: Final = ROOT / "functions" / "page" / "static"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'"
)
PROMPT: Final = "A red fox asleep in fresh snow, morning light through birches"
SIZE: Final = (1024, 1024)
MOST_BYTES: Final = 65_536
PAGES: Final = {"/": "states.html", "/inspector": "inspector.html"}


@dataclass(frozen=True, slots=True)
class Found:
    """One answer."""

    media_type: str
    content: bytes
    policy: str = POLICY


class ShowcaseServer(ThreadingHTTPServer):
    """The server, and the stack that its inspector calls."""

    host: McpHost | None = None


@contextmanager
def showcase(host: McpHost | None = None) -> Iterator[str]:
    """Serve the pages until the block ends; the value is their address, with a slash."""
    server = ShowcaseServer((LOOPBACK, 0), Showcase)
    server.host = host
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class Showcase(BaseHTTPRequestHandler):
    """Answers with a page, the states of now, a picture, a file of the elements, or a view."""

    server: ShowcaseServer

    def do_GET(self) -> None:
        """Answer with a file, or with the stack's view."""
        path = self.path.partition("?")[0]
        host = self.server.host
        if path == "/view" and host:
            html, policy = host.view()
            self._send(Found(MEDIA_TYPES[".html"], html.encode(), policy))
        else:
            self._send(answered(path))

    def do_POST(self) -> None:
        """Pass a call of the inspector on to the stack, as its demo person."""
        length = int(self.headers.get("Content-Length") or 0)
        # The inspector alone: a page of another origin must not act as the person.
        ours = f"http://{LOOPBACK}:{self.server.server_port}"
        host = self.server.host
        if self.path != "/rpc" or not host or length > MOST_BYTES or self._origin() != ours:
            self._send(None)
            return
        asked: dict[str, Any] = json.loads(self.rfile.read(length))
        answer = host.call(asked["method"], asked["params"])
        self._send(Found(MEDIA_TYPES[".json"], json.dumps(answer).encode()))

    def _origin(self) -> str:
        return self.headers.get("Origin") or ""

    def _send(self, found: Found | None) -> None:
        self.send_response(200 if found else 404)
        if found:
            self.send_header("Content-Type", found.media_type)
            self.send_header("Content-Security-Policy", found.policy)
        self.send_header("Content-Length", str(len(found.content) if found else 0))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(found.content if found else b"")

    def log_message(self, *_: object) -> None:
        """Print nothing: the terminal is the stack's."""


def answered(path: str) -> Found | None:
    """Return what there is at a path without a stack, ``None`` if there is nothing."""
    if path == "/states.json":
        return Found(MEDIA_TYPES[".json"], json.dumps(states(datetime.now(UTC))).encode())
    if path.startswith("/pictures/"):
        return Found("image/png", picture())
    own = HERE / PAGES.get(path, path.removeprefix("/"))
    if own.parent == HERE and own.suffix in MEDIA_TYPES and own.is_file():
        return Found(MEDIA_TYPES[own.suffix], own.read_bytes())
    file = elements().get(path)
    return Found(file.media_type, file.content) if file else None


@cache
def elements() -> dict[str, File]:
    """Return the files of the page as they are sent, by their path."""
    return read_files(STATIC)


@cache
def picture() -> bytes:
    """Return the picture that every state has."""
    out = io.BytesIO()
    picture_of(read_scene(PROMPT), SIZE, Hand("showcase", 2)).save(out, "PNG")
    return out.getvalue()
