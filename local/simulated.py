"""Runs the simulated providers in a process of their own."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.emulator import base_environment
from local.paths import ROOT
from local.processes import LocalStackError, running, tail


@dataclass(frozen=True, slots=True)
class Providers:
    """The running simulator."""

    url: str
    base_urls: Mapping[str, str]
    """Base URLs by provider."""


@contextmanager
def start(directory: Path, *, varies: bool) -> Iterator[Providers]:
    """Run the simulator until the block ends; if it varies, equal orders get different pictures.

    Raises:
        LocalStackError: it does not start.
    """
    log = directory / "simulator.log"
    command = [
        sys.executable,
        "-m",
        "local.simulator",
        "--port",
        "0",
        *(["--varies"] if varies else []),
    ]
    env = {**base_environment(directory), "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/shared'}"}
    with running(command, env=env, log=log, cwd=ROOT) as process:
        ready = process.stdout.readline() if process.stdout else ""
        if not ready:
            raise LocalStackError(f"The simulated providers did not start:\n{tail(log)}")
        bases: dict[str, str] = json.loads(ready)
        yield Providers(bases.pop("url"), bases)
