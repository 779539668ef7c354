"""The trail: what operators changed, when, and from what to what. Entries are only added."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MOST_REASON_CHARACTERS = 500


class Action(StrEnum):
    """What an operator may change."""

    BUDGET_SET = "budget_set"
    CIRCUIT_RESET = "circuit_reset"
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
    KEY_ROTATED = "key_rotated"
    PROVIDER_SWITCHED = "provider_switched"
    USER_BLOCKED = "user_blocked"
    USER_ERASED = "user_erased"


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as an operator asks for it."""

    action: Action
    target: str
    """The circuit, the provider, the user, the level, or the key; a new key by its name."""
    old: str
    new: str
    reason: str = ""
    """The operator's own words."""


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """A change with its time and its author."""

    at_ms: int
    id: str
    """Tells entries of one millisecond apart."""
    who: str
    """``user:`` and the hash of an operator's token, or the ARN of a terminal's credentials."""
    change: Change

    @property
    def place(self) -> str:
        """The entry's place in the trail, as text that sorts by time."""
        return f"{self.at_ms:015d}.{self.id}"


@dataclass(frozen=True, slots=True)
class TrailPage:
    """A part of the trail, the newest entries first."""

    entries: tuple[TrailEntry, ...]
    rest: str | None
    """The place after which the trail goes on; ``None`` at its end."""


class TrailStore(Protocol):
    """Where the trail is kept. No method changes or removes an entry."""

    def add(self, entry: TrailEntry) -> None:
        """Store an entry. One that is stored already stays as it is.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def page(self, before: str | None, *, limit: int) -> TrailPage:
        """Return entries that are older than a place, the newest first.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...
