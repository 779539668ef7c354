"""Actors that move one store call at a time, in whatever order a test wants.

Each actor is a thread that only runs while it is told to: it stops before every call it makes to
the world, and the test decides who goes next and what becomes of the call.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.exactness.wire import Fate

WAIT_SECONDS = 30


@dataclass(slots=True, eq=False)
class Actor:
    """One piece of work, stopped before each of its calls."""

    work: Callable[[], object]
    at: str = ""
    """The call it stands before; empty once it is done."""
    came: object = None
    failed: BaseException | None = None
    _fate: Fate = Fate.DONE
    _go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _stopped: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def start(self) -> None:
        """Run up to the first call."""
        threading.Thread(target=self._run, daemon=True).start()
        self._wait()

    @property
    def is_done(self) -> bool:
        return not self.at

    def step(self, fate: Fate = Fate.DONE) -> None:
        """Let the call happen so, and run up to the next one."""
        self._fate = fate
        self._go.release()
        self._wait()

    def stop_at(self, call: str) -> Fate:
        """Stand before a call until the test says what becomes of it."""
        self.at = call
        self._stopped.release()
        self._go.acquire()
        return self._fate

    def _wait(self) -> None:
        if not self._stopped.acquire(timeout=WAIT_SECONDS):
            raise TimeoutError("an actor neither stopped nor ended")

    def _run(self) -> None:
        _here.actor = self
        try:
            self.came = self.work()
        except BaseException as error:  # noqa: BLE001 a death is an end, too
            self.failed = error
        self.at = ""
        self._stopped.release()


_here = threading.local()


def stop_at(call: str) -> Fate:
    """Stop the actor that this thread is; a thread that is none goes on."""
    actor: Actor | None = getattr(_here, "actor", None)
    return actor.stop_at(call) if actor else Fate.DONE
