"""Answers that are sent while they are made, in MiniStack; its own interpreter runs this file.

MiniStack runs a Python function in a worker that returns once. A function with an exec wrapper is
run here as on AWS: as a process that takes its events from the Lambda Runtime API. If its URL
streams, each piece of an answer goes on as it comes; the function is not told that a client left.
"""

import asyncio
import base64
import hashlib
import io
import json
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import StreamingResponse
from ministack.services import lambda_svc

WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
END_OF_HEAD = bytes(8)
BREAK = b""
"""What a chunk never is: here the answer breaks off."""
LAYERS = Path(tempfile.mkdtemp(prefix="layers-"))
ONE_AT_A_TIME = threading.Lock()
BOOTSTRAP = """#!/bin/sh
export IMAGEGEN_LAYER={layer} _HANDLER={handler}
export AWS_ENDPOINT_URL="http://127.0.0.1:$GATEWAY_PORT"
exec sh {layer}/{wrapper} {python} bootstrap.py
"""


class Sink:
    """Passes the pieces of one answer from the function's thread to the server's loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.head: asyncio.Future[dict[str, Any]] = self.loop.create_future()
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    def begin(self, head: dict[str, Any]) -> None:
        """Pass on the status and the headers."""
        self.loop.call_soon_threadsafe(self.head.set_result, head)

    def put(self, piece: bytes | None) -> None:
        """Pass on a piece; ``None`` is the end."""
        self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)

    def break_off(self, _run: object) -> None:
        """End the answer of a run that has ended; this comes too late unless it was killed."""
        self.pieces.put_nowait(BREAK)

    async def run(self, send: Callable[[dict[str, Any]], Any], _receive: object) -> None:
        """Send the pieces to the client as they come; an answer that breaks off gets no end."""
        while piece := await self.pieces.get():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if piece is None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


SINK: ContextVar[Sink | None] = ContextVar("sink", default=None)


class WrappedWorker(lambda_runtime.ProvidedWorker):  # type: ignore[misc]
    """A Python function that its exec wrapper starts."""

    _drain_stderr_bounded = lambda_runtime.Worker._drain_stderr_bounded

    def __init__(self, name: str, config: dict[str, Any], code: bytes) -> None:
        super().__init__(name, config, with_bootstrap(code, config))
        self.sink: Sink | None = None

    def invoke(self, event: Any, request_id: str, **rest: Any) -> Any:
        """Run one event; the request that waits for it gets the pieces."""
        self.sink = SINK.get()
        return super().invoke(event, request_id, **rest)

    def _build_handler_class(self, generation: int, pending: Any) -> Any:
        worker, whole = self, super()._build_handler_class(generation, pending)

        class Handler(whole):  # type: ignore[misc, valid-type]
            def do_POST(self) -> None:  # noqa: N802
                if self.headers.get("Lambda-Runtime-Function-Response-Mode") != "streaming":
                    super().do_POST()
                    return
                answer = receive(chunks(self.rfile), worker.sink)
                request_id = self.path.split("/")[-2]
                worker._record_result(generation, request_id, "response", answer)
                self._respond(202)

        return Handler


def with_bootstrap(code: bytes, config: dict[str, Any]) -> bytes:
    """Return a function's code with the command that its wrapper is given."""
    layer = unpacked(lambda_svc._resolve_layer_zip(config["Layers"][0]))
    wrapper = config["Environment"]["Variables"][WRAPPER].removeprefix("/opt/")
    script = BOOTSTRAP.format(
        layer=layer, wrapper=wrapper, python=sys.executable, handler=config["Handler"]
    )
    made = io.BytesIO(code)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("bootstrap", script)
    return made.getvalue()


def unpacked(layer: bytes) -> Path:
    """Return the folder of a layer, which stands for ``/opt``; each layer is unpacked once."""
    folder = LAYERS / hashlib.sha256(layer).hexdigest()
    with ONE_AT_A_TIME:
        if not folder.exists():
            with zipfile.ZipFile(io.BytesIO(layer)) as archive:
                archive.extractall(folder)
    return folder


def chunks(body: Any) -> Iterator[bytes]:
    """Yield the chunks of a chunked body as they arrive, and read its trailers."""
    while size := int(body.readline(), 16):
        yield body.read(size)
        body.readline()
    while body.readline().strip():
        pass


def receive(sent: Iterator[bytes], sink: Sink | None) -> dict[str, Any]:
    """Pass the pieces on, and return the whole answer, as a direct call gets it."""
    head, _, first = next(sent).partition(END_OF_HEAD)
    answer = json.loads(head)
    body = [first]
    if sink:
        sink.begin(answer)
    for piece in sent:
        body.append(piece)
        if sink:
            sink.put(piece)
    if sink:
        sink.put(None)
    return {**answer, **as_text(b"".join(body))}


def as_text(body: bytes) -> dict[str, Any]:
    """Return a body as the fields of a function's answer."""
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def is_wrapped(config: dict[str, Any]) -> bool:
    """Return whether a function is started through a wrapper."""
    return bool(config.get("Environment", {}).get("Variables", {}).get(WRAPPER))


class_for = lambda_runtime._worker_class_for
execute_warm = lambda_svc._execute_function_warm
answer_url = lambda_svc.handle_function_url_request


def worker_class_for(config: dict[str, Any]) -> Any:
    """Return the kind of worker that runs a function."""
    return WrappedWorker if is_wrapped(config) else class_for(config)


def execute(function: dict[str, Any], event: Any, request_id: str) -> Any:
    """Run a function; one with a wrapper over the Runtime API."""
    if is_wrapped(function.get("config") or function):
        return lambda_svc._execute_function_provided_warm(function, event, request_id)
    return execute_warm(function, event, request_id)


async def handle_url(
    url_id: str, method: str, path: str, headers: Any, *rest: Any, **more: Any
) -> Any:
    """Answer a request at a function's URL, in pieces if the function answers so."""
    resolved = more.get("resolved") or lambda_svc.resolve_function_url(url_id)
    if resolved is None or resolved[4].get("InvokeMode") != "RESPONSE_STREAM":
        return await answer_url(url_id, method, path, headers, *rest, **more)
    sink = Sink()
    SINK.set(sink)
    whole = asyncio.create_task(answer_url(url_id, method, path, headers, *rest, **more))
    whole.add_done_callback(sink.break_off)
    await asyncio.wait((whole, sink.head), return_when=asyncio.FIRST_COMPLETED)
    if not sink.head.done():
        return await whole
    head = sink.head.result()
    sent = {**head["headers"], **lambda_svc._function_url_cors_headers(resolved[4], headers)}
    return head["statusCode"], sent, StreamingResponse(sink.run)


def install() -> None:
    """Make MiniStack run functions with a wrapper as they are run on AWS."""
    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute
    lambda_svc.handle_function_url_request = handle_url
