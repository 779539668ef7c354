"""Child processes that end with this process, and free ports."""

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
    """The local stack cannot start or continue; the message says what to do."""


def free_port(wanted: int = 0) -> int:
    """Return a free port on loopback; if ``wanted`` is not 0, exactly that port.

    Raises:
        LocalStackError: the wanted port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError as error:
            message = f"Port {wanted} is taken: stop the program that uses it, or set PORT=..."
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
    """Run a command until the block ends, then end it with all its children.

    Its errors go to ``log``. With ``subprocess.PIPE`` as ``stdin`` the caller can write to it;
    ``stdin`` is closed before the process is ended.
    """
    # It gets a session of its own, so that Ctrl-C reaches only us and we end all its children.
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
            with suppress(BrokenPipeError):  # It has already ended, with input unread.
                process.stdin.close()
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """End a process and all processes of its session."""
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        signal_session(process.pid, number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        break
    # Children that outlived the process are still in its session.
    signal_session(process.pid, signal.SIGKILL)
    if process.stdout:
        process.stdout.close()


def signal_session(leader: int, number: signal.Signals) -> None:
    """Send a signal to all remaining processes of the session that ``leader`` leads."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return


def wait_until_answering(
    url: str, process: subprocess.Popen[str], log: Path, seconds: float
) -> None:
    """Wait until ``url`` answers.

    Raises:
        LocalStackError: the process ended first, or the time is up; the message contains the end
            of the log.
    """
    deadline = time.monotonic() + seconds
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise LocalStackError(f"{process.args!r} does not answer:\n{tail(log)}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Return whether ``url`` answers, with any status."""
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
