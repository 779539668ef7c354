"""The faults that are armed now, by provider and model; calls meet them until they are used up."""

from collections import defaultdict
from dataclasses import dataclass, replace
from threading import Lock

from local.simulator.faults import Fault


@dataclass(frozen=True, slots=True)
class Armed:
    """A fault that the next calls meet."""

    fault: Fault
    delay_seconds: float = 0
    times: int | None = None
    """How many more calls meet it; ``None`` means until it is disarmed."""
    model: str | None = None
    """The only model whose calls meet it; ``None`` means all models."""


class FaultBoard:
    """Stores the armed faults and hands them to calls. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: dict[str, dict[str | None, Armed]] = defaultdict(dict)

    def arm(self, provider: str, armed: Armed) -> None:
        """Arm a fault; it replaces the fault of the same provider and model."""
        with self._lock:
            self._armed[provider][armed.model] = armed

    def disarm(self, provider: str, model: str | None = None) -> None:
        """Disarm the fault of one model, or all faults of the provider."""
        with self._lock:
            if model is None:
                self._armed.pop(provider, None)
            else:
                self._armed[provider].pop(model, None)

    def clear(self) -> None:
        """Disarm all faults."""
        with self._lock:
            self._armed.clear()

    def take(self, provider: str, model: str) -> Armed | None:
        """Return the fault that this call meets, and count the call."""
        with self._lock:
            place = self._armed[provider]
            armed = place.get(model) or place.get(None)
            if armed and armed.times is not None:
                self._use(place, armed)
            return armed

    def peek(self, provider: str) -> Armed | None:
        """Return the fault that a free call meets: only outages, and without counting the call."""
        with self._lock:
            armed = self._armed[provider].get(None)
            return armed if armed and armed.fault.everywhere else None

    def armed(self, provider: str) -> list[Armed]:
        """Return all faults that are armed at a provider."""
        with self._lock:
            return list(self._armed[provider].values())

    @staticmethod
    def _use(place: dict[str | None, Armed], armed: Armed) -> None:
        left = (armed.times or 1) - 1
        if left:
            place[armed.model] = replace(armed, times=left)
        else:
            del place[armed.model]
