"""A clock that stands still until it is told to move."""

from dataclasses import dataclass

NOON_MS = 1_795_348_800_000
"""2026-11-22T12:00:00Z."""


@dataclass(slots=True)
class Clock:
    """Milliseconds since 1970; called, it says what time it is."""

    at_ms: int = NOON_MS

    def __call__(self) -> int:
        """Return the time."""
        return self.at_ms

    def advance(self, ms: int) -> None:
        """Let time pass."""
        self.at_ms += ms
