"""Starts functions in MiniStack as copies of one prepared process; MiniStack's interpreter runs it.

A new instance spends most of its start on loading packages, and the tests start hundreds. So one
process for each layer loads what does not depend on the environment, and is copied for each new
instance. The handler, and all that reads variables, is loaded in the copy, as in a fresh process.

``/proc/<pid>/environ`` of a copy has the variables of the prepared process. Its own are in the file
``environ`` beside the folder in which it works.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

LAYERS = "_LAMBDA_LAYERS_DIRS"
WORKER = "_worker.py"
LONGEST_ORDER = 1 << 20
PACKAGES = ("boto3", "botocore.handlers", "cryptography.x509", "jwt", "pydantic", "urllib3")
POWERTOOLS = "aws_lambda_powertools"
POWERTOOLS_PARTS = ("logging", "metrics", "event_handler.lambda_function_url")
ROOMS = ("domain", "wire", "usecases")
"""Of our own package: none of their modules reads the environment, a clock or a random source."""
START: Any = subprocess.Popen


class Copy:
    """A running copy, with what MiniStack uses of a ``Popen``."""

    def __init__(self, pid: int, pipes: Sequence[int]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = os.fdopen(pipes[0], "w", buffering=1)
        self.stdout = os.fdopen(pipes[1])
        self.stderr = os.fdopen(pipes[2])
        self._end = _opened(pid)
        """Can be read once the process has ended; ``None`` if it had ended at once."""

    def __del__(self) -> None:
        if self._end is not None:
            os.close(self._end)

    def poll(self) -> int | None:
        """Return ``None`` while it runs, and 0 afterwards: its real status is not known."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(WORKER, timeout or 0)
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.poll() is None and self._end is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._end, number)

    def _ended(self, seconds: float | None) -> int | None:
        if self._end is None or _is_ready(self._end, seconds):
            self.returncode = 0
        return self.returncode


class Prepared:
    """The process of one layer that is copied."""

    def __init__(self, layer: Path) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = START([sys.executable, "-P", __file__, str(layer)], stdin=its)
        self._channel = ours
        self._one_at_a_time = threading.Lock()

    def copy(self, order: Mapping[str, Any]) -> Copy:
        """Return a new copy that runs a worker."""
        inner, outer = zip(os.pipe(), os.pipe()[::-1], os.pipe()[::-1], strict=True)
        with self._one_at_a_time:
            socket.send_fds(self._channel, [json.dumps(order).encode()], inner)
            pid = int(self._channel.recv(32))
        for number in inner:
            os.close(number)
        return Copy(pid, outer)

    def end(self) -> None:
        """End the process; its copies go on."""
        self._channel.close()
        self._process.wait()


PREPARED: dict[Path, Prepared] = {}
PREPARING = threading.Lock()


def start(command: Sequence[str], **options: Any) -> Any:
    """Return a running process: a copy for a worker with a layer, else as ``Popen`` does it."""
    env = options.get("env") or {}
    if Path(command[-1]).name != WORKER or not env.get(LAYERS):
        return START(command, **options)
    layer = Path(env[LAYERS].split(os.pathsep)[0]).resolve()
    with PREPARING:
        if layer not in PREPARED:
            PREPARED[layer] = Prepared(layer)
    lines = (f"{name}={value}".encode() for name, value in env.items())
    Path(command[-1]).with_name("environ").write_bytes(b"\0".join(lines))
    return PREPARED[layer].copy({"worker": command[-1], "cwd": options["cwd"], "env": env})


def is_possible() -> bool:
    """Return whether this system has what copies need: Linux has it."""
    return hasattr(os, "pidfd_open") and hasattr(socket, "SOCK_SEQPACKET")


def serve(channel: socket.socket, layer: Path) -> None:
    """Copy this process for each order, until the channel ends."""
    prepare(layer)
    # The system removes copies that have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, pipes, _, _ = socket.recv_fds(channel, LONGEST_ORDER, 3)
        if not order:
            return
        pid = os.fork()
        if not pid:
            run(json.loads(order), pipes)
        for number in pipes:
            os.close(number)
        channel.send(str(pid).encode())


def prepare(layer: Path) -> None:
    """Load what every function needs and what does not depend on the environment."""
    path = str(layer / "python")
    sys.path.insert(0, path)
    names = [f"{POWERTOOLS}.{part}" for part in POWERTOOLS_PARTS]
    rooms = Path(path, "imagegen")
    for room in ROOMS:
        found = sorted(rooms.glob(f"{room}/**/*.py"))
        parts = (one.relative_to(path).with_suffix("").parts for one in found)
        names += [".".join(part).removesuffix(".__init__") for part in parts]
    for name in (*PACKAGES, *names):
        # A package that the layer lacks is missed by the handler that needs it.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.path.remove(path)
    gc.collect()
    gc.freeze()


def run(order: Mapping[str, Any], pipes: Sequence[int]) -> NoReturn:
    """Become the worker; it ends with its script."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, pipe in enumerate(pipes):
            os.dup2(pipe, number)
            os.close(pipe)
        os.environ.clear()
        os.environ.update(order["env"])
        time.tzset()
        os.chdir(order["cwd"])
        sys.argv = [order["worker"]]
        sys.path.insert(0, str(Path(order["worker"]).parent))
        runpy.run_path(order["worker"], run_name="__main__")
        status = 0
    except BaseException:  # noqa: BLE001 the copy must not go on with the loop of the original
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _is_ready(number: int, seconds: float | None) -> bool:
    """Return whether a file can be read within the time; ``None`` is for ever."""
    waiting = select.poll()
    waiting.register(number, select.POLLIN)
    return bool(waiting.poll(None if seconds is None else seconds * 1000))


def _opened(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


if __name__ == "__main__":
    serve(socket.socket(fileno=0), Path(sys.argv[1]))
