"""Child processes that end when we do, and ports nobody else has."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
GRACE_SECONDS: Final = 5.0


class LocalStackError(Exception):
    """The local stack cannot start or go on; the message says what to do."""


def free_port(wanted: int = 0) -> int:
    """Return a free port on loopback, the wanted one if there is one.

    Raises:
        LocalStackError: the wanted port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError as error:
            message = f"Port {wanted} is taken: stop what uses it, or name another (PORT=...)"
            raise LocalStackError(message) from error
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log: Path,
    cwd: Path | None = None,
    stdin: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the block ends, with all that it starts; its output goes to ``log``.

    ``stdin`` is ``subprocess.PIPE`` for one that is talked to; it hears its end first.
    """
    # A session of its own: Ctrl-C reaches us alone, and we end its children with it.
    with log.open("a") as errors:
        process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.stdin:
            with suppress(BrokenPipeError):  # It is gone already, and left a line unread.
                process.stdin.close()
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """End a process and the session it leads."""
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        signal_session(process.pid, number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        break
    # What outlived its leader is still in the leader's session.
    signal_session(process.pid, signal.SIGKILL)
    if process.stdout:
        process.stdout.close()


def signal_session(leader: int, number: signal.Signals) -> None:
    """Signal the session that ``leader`` leads, if anything of it is left."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return


def wait_until_answering(
    url: str, process: subprocess.Popen[str], log: Path, seconds: float
) -> None:
    """Return when ``url`` answers.

    Raises:
        LocalStackError: the process ended first, or the time is up; with the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise LocalStackError(f"{process.args!r} does not answer:\n{tail(log)}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Return whether anything answers at ``url``."""
    try:
        with urllib.request.urlopen(url, timeout=1):  # noqa: S310  our own loopback address
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
