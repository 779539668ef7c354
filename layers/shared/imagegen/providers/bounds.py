"""Bounds of reading an answer: a deadline for all of it, and a size.

The timeouts of ``requests``, ``urllib3`` and ``httpx2`` start again with every byte, so a slow
sender can exceed them. The deadline here is checked between chunks, and a timer ends a silent read.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer
from typing import Self

from imagegen.providers.packing import unpacked

type Clock = Callable[[], float]
"""Seconds on a clock that never goes back."""

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0


class DeadlineError(Exception):
    """The answer was not complete at the deadline."""


class TooLargeError(Exception):
    """The answer is longer than the limit."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time on ``clock``."""

    at_seconds: float
    clock: Clock

    @classmethod
    def after(cls, timeout_seconds: float, clock: Clock) -> Self:
        """Return the deadline ``timeout_seconds`` from now."""
        return cls(clock() + timeout_seconds, clock)

    def remaining_seconds(self) -> float:
        """Return the seconds left, at least 0.001: zero would mean no timeout."""
        return max(0.001, self.at_seconds - self.clock())

    def is_over(self) -> bool:
        """Return whether the deadline has passed."""
        return self.clock() >= self.at_seconds


@contextmanager
def shutdown_at(deadline: Deadline, shutdown: Callable[[], object]) -> Iterator[None]:
    """Call ``shutdown`` from another thread when the deadline passes inside the block."""
    timer = Timer(deadline.remaining_seconds(), _call_quietly, [shutdown])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def limited_chunks(
    chunks: Iterable[bytes], deadline: Deadline, *, max_bytes: int
) -> Iterator[bytes]:
    """Yield the chunks as they arrive.

    Raises:
        DeadlineError: the deadline passed. It is also checked after the last chunk, because the
            shutdown at the deadline looks like the end of the body.
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


def read_unpacked(
    chunks: Iterable[bytes], packed_as: str, deadline: Deadline, *, max_bytes: int
) -> bytes:
    """Return a whole body, unpacked. ``packed_as`` is its Content-Encoding.

    Raises:
        DeadlineError, TooLargeError: as ``limited_chunks``, for the packed and the unpacked bytes.
        UnpackError: the packing is damaged or not supported.
    """
    packed = limited_chunks(chunks, deadline, max_bytes=max_bytes)
    plain = unpacked(packed, packed_as)
    return b"".join(limited_chunks(plain, deadline, max_bytes=max_bytes))


def _call_quietly(shutdown: Callable[[], object]) -> None:
    # The read may have just ended: its socket is then closed, or back in the pool.
    with suppress(OSError, RuntimeError, ValueError):
        shutdown()
