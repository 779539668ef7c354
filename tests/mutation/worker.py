"""Runs the tests on each mutant of one module, in a fork of a process that has all else loaded.

Run in a copy of the tree; says what became of each mutant, one JSON line each.
"""

import argparse
import gc
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import _hypothesis_pytestplugin  # type: ignore[import-untyped] # noqa: F401 loaded once for all
import hypothesis
import jwt  # noqa: F401 loaded once for all forks
import pydantic  # noqa: F401 loaded once for all forks
import pytest
import requests  # noqa: F401 loaded once for all forks

from tests.adapters.aws import selfcheck, world
from tests.mutation.mutants import mutants
from tests.mutation.targets import TARGETS, Target

PROFILE = "mutation"
GRACE_SECONDS = 15.0
KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"


def main() -> int:
    """Return 0 when every mutant was tried."""
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--only", type=Path, help="a JSON list of the mutants to try")
    arguments = parser.parse_args()
    target = next(one for one in TARGETS if one.module == arguments.module)
    only = set(json.loads(arguments.only.read_text())) if arguments.only else None
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # Always the same examples, and a failure is enough: it need not be made small.
    hypothesis.settings.register_profile(
        PROFILE,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        report_multiple_bugs=False,
    )
    with tempfile.TemporaryDirectory(prefix="mutation-") as name, _world(target, Path(name)):
        return _try_all(target, only)


@contextmanager
def _world(target: Target, directory: Path) -> Iterator[None]:
    """Run one emulator for all mutants of a store; each gets tables of its own."""
    if not target.on_aws:
        yield
        return
    with world.running_aws(directory) as aws:
        wrong = selfcheck.what_is_wrong(aws)
        if wrong:
            raise RuntimeError(wrong)

        @contextmanager
        def shared(directory: Path) -> Iterator[world.Aws]:
            dynamodb: Any = world.build_client("dynamodb", aws.endpoint)
            s3: Any = world.build_client("s3", aws.endpoint)
            names = count(1_000_000 + os.getpid() * 1_000)
            yield world.Aws(aws.endpoint, dynamodb, s3, names)

        world.running_aws = shared
        selfcheck.what_is_wrong = lambda aws: ""
        yield


def _try_all(target: Target, only: set[str] | None) -> int:
    file = Path(target.path)
    source = file.read_bytes()
    began = time.monotonic()
    if _outcome(target, 600) != SURVIVED:
        raise RuntimeError(f"{target.module}: its tests are red without any change")
    limit = 3 * (time.monotonic() - began) + GRACE_SECONDS
    gc.freeze()
    # A stale copy of the module must not be taken for the changed one.
    for cached in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
        cached.unlink()
    sys.dont_write_bytecode = True
    for mutant in mutants(source, expressions=target.on_aws):
        if only is not None and mutant.name not in only:
            continue
        file.write_bytes(mutant.applied(source))
        began = time.monotonic()
        came = _outcome(target, limit)
        seconds = round(time.monotonic() - began, 2)
        line = {"name": mutant.name, "line": mutant.line, "came": came, "seconds": seconds}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    file.write_bytes(source)
    return 0


def _outcome(target: Target, limit_seconds: float) -> str:
    """Return what the tests say about the tree as it is now."""
    options = ["-q", "-x", "-p", "no:cacheprovider", "--tb=no"]
    # Hypothesis is loaded once, for all forks; no other plugin is wanted.
    options += ["-p", "_hypothesis_pytestplugin"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    chosen = [f"--hypothesis-profile={PROFILE}", *(["-k", "not memory"] if target.on_aws else [])]
    status = _forked(lambda: pytest.main([*options, *chosen, *target.tests]), limit_seconds)
    if status is None:
        return TIMEOUT
    # Without the change they were green, so whatever else they end with is its doing.
    return KILLED if status else SURVIVED


def _forked(work: Callable[[], int], limit_seconds: float) -> int | None:
    """Return the exit status of a child process, ``None`` when its time was over."""
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os._exit(int(work()))
    end = time.monotonic() + limit_seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


if __name__ == "__main__":
    sys.exit(main())
