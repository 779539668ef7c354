"""Everybody who makes images, each in a process of its own, before the same provider."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import gateways, machine
from local.paths import ROOT
from local.processes import LOOPBACK, running, tail
from local.stack import LocalStack, write_description

SMALL_BYTES: Final = 10_000
LARGE_BYTES: Final = 1_500_000
OURS: Final = "this project's generate, stores instant"
WHOLE: Final = "this project's generate, MiniStack and moderation"
RAW: Final = "the provider alone (raw HTTP)"
SDK: Final = "LiteLLM SDK"
KINDS: Final = {
    RAW: "raw",
    "`requests`": "requests",
    "openai SDK": "openai",
    OURS: "ours",
    WHOLE: "ours_whole",
    SDK: "litellm",
    "LiteLLM Router": "router",
    "LiteLLM proxy": "http",
    "Portkey gateway": "portkey",
}


class CallerError(Exception):
    """A batch was not made; the message says why."""


@dataclass(slots=True)
class Caller:
    """A process that asks for images."""

    name: str
    process: subprocess.Popen[str]
    log: Path
    server: int | None = None
    """The gateway that it asks, whose memory is what counts."""
    said: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def ask(self, images: int, callers: int = 1) -> dict[str, Any]:
        """Return what a batch took.

        Raises:
            CallerError: an image failed.
        """
        if self.process.stdin is None or self.process.stdout is None:
            raise CallerError("no pipes")
        self.process.stdin.write(json.dumps({"images": images, "callers": callers}) + "\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = self.process.stdout.readline() if self.process.stdout else ""
        said: dict[str, Any] = json.loads(line) if line else {"error": tail(self.log)}
        if "error" in said:
            raise CallerError(f"{self.name}: {said['error']}")
        return said

    def wait_until_ready(self) -> None:
        """Return when it can be asked.

        Raises:
            CallerError: it cannot.
        """
        self._read()

    @property
    def memory_mb(self) -> float:
        """What makes the images holds: the gateway where there is one, else the caller."""
        return machine.resident_mb(self.server or self.process.pid)


@dataclass(slots=True)
class Contest:
    """Callers and providers of one run."""

    stack: LocalStack
    directory: Path
    ends: ExitStack
    callers: dict[str, Caller] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Who could not be started, and why."""

    def provider(self, size: int) -> str:
        """Start a provider of images of ``size`` bytes and return its address."""
        command = [sys.executable, str(ROOT / "bench" / "provider.py"), str(size)]
        log = self.directory / f"provider-{size}.log"
        env = gateways.quiet(self.directory)
        process = self.ends.enter_context(running(command, env=env, log=log))
        port = process.stdout.readline().strip() if process.stdout else ""
        return f"http://{LOOPBACK}:{port}/v1"

    def caller(self, name: str, address: str, *, group: Path | None = None) -> Caller:
        """Start a caller; it ends with the contest.

        Raises:
            CallerError: it does not start.
        """
        kind, server = KINDS[name], None
        if kind == "http":
            proxy = gateways.litellm_proxy(self.directory, address)
            address, server = self.ends.enter_context(proxy)
        if kind == "portkey":
            gateway, server = self.ends.enter_context(gateways.portkey_gateway(self.directory))
            address = f"{gateway},{address}"
        python = gateways.litellm() if kind in ("litellm", "router") else Path(sys.executable)
        log = self.directory / f"{kind}-{len(self.callers)}.log"
        command: list[str | Path] = [python, ROOT / "bench" / "caller.py", kind, address]
        process = self.ends.enter_context(
            running(command, env=self._environment(kind), log=log, cwd=ROOT, stdin=subprocess.PIPE)
        )
        machine.join(group, process.pid)
        caller = Caller(name, process, log, server)
        caller.wait_until_ready()
        return caller

    def start_all(self) -> None:
        """Start everybody before one provider; who does not start is named in ``missing``."""
        address = self.provider(SMALL_BYTES)
        for name in KINDS:
            try:
                caller = self.caller(name, address)
                # Whatever loads with the first image is loaded then.
                caller.ask(3)
            except Exception as error:  # noqa: BLE001 a peer that fails is reported as failing
                self.leave_out(name, error)
            else:
                self.callers[name] = caller

    def leave_out(self, name: str, error: Exception) -> None:
        """Go on without somebody who fails, and say so."""
        self.callers.pop(name, None)
        self.missing[name] = f"{type(error).__name__}: {error}"[:300]
        print(f"{name} is left out: {self.missing[name]}", file=sys.stderr)

    def _environment(self, kind: str) -> dict[str, str]:
        described = self.directory / "stack.json"
        if not described.is_file():
            write_description(self.stack.describe(), described)
        return {
            **gateways.quiet(self.directory),
            "PYTHONPATH": str(ROOT / "layers" / "shared"),
            "BENCH_STACK": str(described),
            "BENCH_KEY": gateways.MASTER_KEY if kind == "http" else gateways.KEY,
        }


@contextmanager
def contest(stack: LocalStack) -> Iterator[Contest]:
    """Yield a contest; all that it starts ends with the block."""
    with ExitStack() as ends:
        directory = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        yield Contest(stack, directory, ends)
