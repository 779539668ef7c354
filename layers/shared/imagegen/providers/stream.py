"""Bytes off a wire under a total deadline and a cap.

The timeouts of ``requests``, ``urllib3`` and ``httpx2`` start anew with every byte, so that a slow
drip outlives them: the deadline here is looked at between chunks, and a timer ends a silent read.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer
from typing import Self

type Clock = Callable[[], float]
"""Seconds on a clock that never goes back."""

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0


class DeadlineError(Exception):
    """The answer was not whole at the deadline."""


class TooLargeError(Exception):
    """The answer is longer than the cap."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on ``clock``."""

    at_seconds: float
    clock: Clock

    @classmethod
    def after(cls, timeout_seconds: float, clock: Clock) -> Self:
        """Return the moment ``timeout_seconds`` from now."""
        return cls(clock() + timeout_seconds, clock)

    def remaining_seconds(self) -> float:
        """Return the time left, never below a millisecond: a zero would mean no timeout."""
        return max(0.001, self.at_seconds - self.clock())

    def is_over(self) -> bool:
        """Return whether the moment has passed."""
        return self.clock() >= self.at_seconds


@contextmanager
def cutting(deadline: Deadline, cut: Callable[[], object]) -> Iterator[None]:
    """Call ``cut`` from another thread when the deadline passes inside the block."""
    timer = Timer(deadline.remaining_seconds(), _quietly, [cut])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def capped(chunks: Iterable[bytes], deadline: Deadline, *, max_bytes: int) -> Iterator[bytes]:
    """Yield the chunks as they come.

    Raises:
        DeadlineError: the deadline passed; also after the last chunk, for it may be a cut.
        TooLargeError: there are more than ``max_bytes``.
    """
    total_bytes = 0
    for chunk in chunks:
        total_bytes += len(chunk)
        if total_bytes > max_bytes:
            raise TooLargeError
        if deadline.is_over():
            raise DeadlineError
        yield chunk
    if deadline.is_over():
        raise DeadlineError


def _quietly(cut: Callable[[], object]) -> None:
    # The read may have ended a moment ago: its socket is then closed, or back in the pool.
    with suppress(OSError, RuntimeError, ValueError):
        cut()
