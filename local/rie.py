"""Runs a built function with Lambda's own runtime client in the runtime interface emulator (RIE).

It shows what MiniStack cannot: a dependency that the layer lacks (only the layer is on the path),
the kill at the timeout, the size limit. The emulator is a part of the aws-sam-cli wheel.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from threading import Lock
from typing import Any, Final

from local.paths import BUILD, ROOT
from local.processes import LOOPBACK, free_port, running, wait_until_answering
from local.sam import host_architecture

BINARIES: Final = ROOT / ".tools/sam/lib/python3.13/site-packages/samcli/local/rapid"
CLIENT: Final = ("awslambdaric", "simplejson", "snapshot_restore_py")
LAYER: Final = BUILD / "SharedLayer" / "python"
START_SECONDS: Final = 60.0

# Runs isolated and without site-packages, so that only this path can be imported from.
BOOT: Final = """\
import runpy, sys
sys.path[:0] = {path!r}
sys.argv = ["awslambdaric", "handler.lambda_handler"]
runpy.run_module("awslambdaric", run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Function:
    """A function in the emulator. Like a Lambda environment, it handles one event at a time."""

    url: str
    lock: Lock
    pid: int
    """Of the emulator; the function's process is its child from the first event on."""

    def invoke(self, event: Mapping[str, Any], seconds: float = 60) -> Any:
        """Return the answer; if the function fails, the answer contains ``errorType``."""
        body = json.dumps(event).encode()
        # A second event at the same time would crash the emulator.
        with self.lock, urllib.request.urlopen(self.url, body, timeout=seconds) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def start(name: str, variables: Mapping[str, str], seconds: int = 60) -> Iterator[Function]:
    """Run the function ``name``, built for this machine, until the block ends.

    Raises:
        LocalStackError: the emulator does not start.
    """
    resource = f"{name.capitalize()}Function"
    with tempfile.TemporaryDirectory(prefix="rie-") as scratch:
        directory = Path(scratch)
        client = directory / "runtime"
        link_runtime_client(client)
        boot = BOOT.format(path=[str(BUILD / resource), str(LAYER), str(client)])
        port = free_port()
        command = [*emulator(port), sys.executable, "-I", "-S", "-c", boot]
        env = {**environment(name, seconds), **variables}
        log = directory / "rie.log"
        with running(command, env=env, log=log, cwd=BUILD / resource) as process:
            wait_until_answering(f"http://{LOOPBACK}:{port}", process, log, START_SECONDS)
            path = "2015-03-31/functions/function/invocations"
            yield Function(f"http://{LOOPBACK}:{port}/{path}", Lock(), process.pid)


def emulator(port: int) -> list[str | Path]:
    """Return the emulator's command line; each running emulator needs its own second address."""
    binary = BINARIES / f"aws-lambda-rie-{host_architecture()}"
    here = ["--runtime-interface-emulator-address", f"{LOOPBACK}:{port}"]
    inside = ["--runtime-api-address", f"{LOOPBACK}:{free_port()}"]
    return [binary, "--log-level", "error", *here, *inside]


def environment(name: str, seconds: int) -> dict[str, str]:
    """Return the environment variables that Lambda sets and the emulator does not."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds),
        "LAMBDA_TASK_ROOT": str(BUILD / f"{name.capitalize()}Function"),
    }


def link_runtime_client(target: Path) -> None:
    """Link only the runtime client into a folder, like Lambda's /var/runtime."""
    target.mkdir()
    for distribution in CLIENT:
        tops = {path.parts[0]: path for path in files(distribution) or []}
        for top, path in tops.items():
            source = Path(str(path.locate())).parents[len(path.parts) - 1] / top
            if top != ".." and not top.endswith(".dist-info") and not (target / top).exists():
                (target / top).symlink_to(source)


def import_alone(name: str) -> subprocess.CompletedProcess[str]:
    """Import a built handler with only its folder and the layer on the path."""
    path = [str(BUILD / f"{name.capitalize()}Function"), str(LAYER)]
    code = f"import sys; sys.path[:0] = {path!r}; import handler; handler.lambda_handler"
    command = [sys.executable, "-I", "-S", "-B", "-c", code]
    return subprocess.run(
        command, env=environment(name, 10), capture_output=True, text=True, check=False
    )
