"""A proxy in front of DynamoDB or S3 that loses, delays and refuses requests, at random by a seed.

    python -m local.faults --upstream http://127.0.0.1:4566 --port 4600 --seed 7

``POST /_faults`` with ``{"rates": {"drop_before": 0.1, ...}}`` sets each fault's share of the
requests; ``GET /_faults`` returns how many requests each fault hit. Standard library only.
"""

import argparse
import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from local.paths import ROOT
from local.processes import LOOPBACK, free_port, running, wait_until_answering

CONTROL: Final = "/_faults"
START_SECONDS: Final = 60.0
HANG_SECONDS: Final = 60.0


class Fault(StrEnum):
    """What may happen to a request."""

    DROP_BEFORE = "drop_before"
    """The request never arrives; the connection breaks."""
    DROP_AFTER = "drop_after"
    """The request is carried out and its answer is lost."""
    DELAY = "delay"
    HANG = "hang"
    """The request never arrives, and the connection stays open without an answer."""
    THROTTLED = "throttled"
    PROVISIONED = "provisioned"
    CONFLICT = "conflict"
    """Another transaction is in progress on the item; the SDK does not retry this error."""
    ERROR = "error"


_DYNAMO: Final = {
    Fault.THROTTLED: (400, "ThrottlingException"),
    Fault.PROVISIONED: (400, "ProvisionedThroughputExceededException"),
    Fault.CONFLICT: (400, "TransactionConflictException"),
    Fault.ERROR: (500, "InternalServerError"),
}
_S3: Final = {
    Fault.THROTTLED: (503, "SlowDown"),
    Fault.PROVISIONED: (503, "SlowDown"),
    Fault.CONFLICT: (409, "ConditionalRequestConflict"),
    Fault.ERROR: (500, "InternalError"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One request or answer: the first line, the headers as received, the body."""

    first: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, an empty text if it is missing."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def encoded(self) -> bytes:
        """Return the bytes to send."""
        lines = [self.first, *(f"{key}: {value}" for key, value in self.headers)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


@dataclass(slots=True)
class FaultProxy:
    """Forwards requests, and applies faults to some of them."""

    upstream: str
    seed: int
    rates: Mapping[Fault, float] = field(default_factory=dict)
    delay_ms: int = 200
    done: Counter[str] = field(default_factory=Counter)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    async def serve(self, port: int) -> None:
        """Serve until cancelled."""
        server = await asyncio.start_server(self._connection, LOOPBACK, port, limit=2**20)
        async with server:
            await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = _Upstream(self.upstream)
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            while message := await _read(reader, writer):
                answer = await self._answer(message, upstream)
                if answer is None:
                    break
                writer.write(answer.encoded())
                await writer.drain()
        upstream.close()
        # No answer is sent: the client sees a broken connection.
        writer.transport.abort()

    async def _answer(self, message: Message, upstream: "_Upstream") -> Message | None:
        method, path, _ = message.first.split(" ", 2)
        if path == CONTROL:
            return self._control(method, message.body)
        fault = self._pick()
        self.done[fault or "forwarded"] += 1
        if fault is Fault.DROP_BEFORE:
            return None
        if fault is Fault.HANG:
            await asyncio.sleep(HANG_SECONDS)
            return None
        if fault in _DYNAMO:
            return _refusal(message, fault)
        if fault is Fault.DELAY:
            await asyncio.sleep(self.delay_ms / 1000)
        answer = await upstream.forward(message, head=method == "HEAD")
        return None if fault is Fault.DROP_AFTER else answer

    def _pick(self) -> Fault | None:
        number = self._random.random()
        for fault, rate in self.rates.items():
            if number < rate:
                return fault
            number -= rate
        return None

    def _control(self, method: str, body: bytes) -> Message:
        if method == "POST":
            wanted = json.loads(body)
            self.rates = {Fault(name): rate for name, rate in wanted["rates"].items()}
            self.delay_ms = wanted.get("delayMs", self.delay_ms)
        return _message(200, json.dumps(self.done).encode(), "application/json")


@dataclass(slots=True)
class _Upstream:
    """One connection to the service behind the proxy, opened when it is first needed."""

    url: str
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def forward(self, message: Message, *, head: bool) -> Message:
        """Return the answer; a connection that the service has closed is opened again."""
        for _ in range(2):
            reader, writer = await self._streams()
            writer.write(message.encoded())
            await writer.drain()
            if answer := await _read(reader, None, head=head):
                return answer
            self.close()
        raise ConnectionError

    async def _streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            parts = urlsplit(self.url)
            self._reader, self._writer = await asyncio.open_connection(
                parts.hostname, parts.port, limit=2**20
            )
        return self._reader, self._writer

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _read(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None, *, head: bool = False
) -> Message | None:
    """Return the next message, ``None`` if the other side has closed the connection."""
    try:
        top = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = top.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    pairs = [(key, value.strip()) for key, _, value in (line.partition(":") for line in lines)]
    message = Message(first, pairs, b"")
    if writer is not None and message.header("expect"):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        pairs = [(key, value) for key, value in pairs if key.lower() != "expect"]
    if head:
        return message
    if message.header("transfer-encoding").lower() == "chunked":
        body = await _chunks(reader)
        kept = [(k, v) for k, v in pairs if k.lower() != "transfer-encoding"]
        return Message(first, [*kept, ("content-length", str(len(body)))], body)
    return Message(
        first, pairs, await reader.readexactly(int(message.header("content-length") or 0))
    )


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(parts)


def _refusal(message: Message, fault: Fault) -> Message:
    text = "injected by local.faults"
    if message.header("x-amz-target"):
        status, name = _DYNAMO[fault]
        kind = f"com.amazonaws.dynamodb.v20120810#{name}"
        body = json.dumps({"__type": kind, "message": text}).encode()
        return _message(status, body, "application/x-amz-json-1.0")
    status, name = _S3[fault]
    xml = f"<Error><Code>{name}</Code><Message>{text}</Message></Error>"
    body = b"" if message.first.startswith("HEAD") else xml.encode()
    return _message(status, body, "application/xml")


def _message(status: int, body: bytes, media_type: str) -> Message:
    headers = [("Content-Type", media_type), ("Content-Length", str(len(body)))]
    return Message(f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", headers, body)


@contextmanager
def start(upstream: str, directory: Path, *, python: str, seed: int) -> Iterator[str]:
    """Run a proxy in a process of its own until the block ends, and yield its URL."""
    port = free_port()
    log = directory / f"faults-{port}.log"
    command = [python, "-m", "local.faults", "--upstream", upstream]
    command += ["--port", str(port), "--seed", str(seed)]
    with running(command, env={"PATH": ""}, log=log, cwd=ROOT) as process:
        url = f"http://{LOOPBACK}:{port}"
        wait_until_answering(url + CONTROL, process, log, START_SECONDS)
        yield url


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(KeyboardInterrupt):
        asyncio.run(FaultProxy(arguments.upstream, arguments.seed).serve(arguments.port))


if __name__ == "__main__":
    main()
