"""The faults that are armed now, by provider and model: taken by calls until they are used up."""

from collections import defaultdict
from dataclasses import dataclass, replace
from threading import Lock

from local.simulator.faults import Fault


@dataclass(frozen=True, slots=True)
class Armed:
    """A fault that waits for calls."""

    fault: Fault
    delay_seconds: float = 0
    times: int | None = None
    """How many calls it still hits; ``None``: until it is disarmed."""
    model: str | None = None
    """Only this model; ``None``: all."""


class FaultBoard:
    """Which fault the next call of a provider meets. Safe under threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: dict[str, dict[str | None, Armed]] = defaultdict(dict)

    def arm(self, provider: str, armed: Armed) -> None:
        """Put ``armed`` in the place of what its provider and model had."""
        with self._lock:
            self._armed[provider][armed.model] = armed

    def disarm(self, provider: str, model: str | None = None) -> None:
        """Make one model healthy, or the whole provider."""
        with self._lock:
            if model is None:
                self._armed.pop(provider, None)
            else:
                self._armed[provider].pop(model, None)

    def clear(self) -> None:
        """Make everything healthy."""
        with self._lock:
            self._armed.clear()

    def take(self, provider: str, model: str) -> Armed | None:
        """Return what this call meets, and count it."""
        with self._lock:
            place = self._armed[provider]
            armed = place.get(model) or place.get(None)
            if armed and armed.times is not None:
                self._use(place, armed)
            return armed

    def peek(self, provider: str) -> Armed | None:
        """Return what a free call meets: it sees a dead provider and never uses a fault up."""
        with self._lock:
            armed = self._armed[provider].get(None)
            return armed if armed and armed.fault.everywhere else None

    def armed(self, provider: str) -> list[Armed]:
        """Return all that is armed at a provider."""
        with self._lock:
            return list(self._armed[provider].values())

    @staticmethod
    def _use(place: dict[str | None, Armed], armed: Armed) -> None:
        left = (armed.times or 1) - 1
        if left:
            place[armed.model] = replace(armed, times=left)
        else:
            del place[armed.model]
