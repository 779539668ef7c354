"""The trials of an open circuit: one user's prompts never keep it open for others for long.

While a circuit is open, one call at a time may try the provider, and only an image closes the
circuit. A trial that ends without an image may be the fault of its prompt. So its user has to wait
before another trial, longer after each one, while other users may try at once. A trial that fails
is evidence of one user only: the circuit stays open for a minute, twice as long for each further
user, and for its full time only after as many users failed as open a closed circuit.
"""

from dataclasses import dataclass, replace

PAUSE_MS = 60_000
"""The user's wait after the first trial without an image, and the circuit's rest after the first
that failed."""
LONGEST_PAUSE_MS = 3_600_000
"""Longer than ten users' trials take together, so that ten cannot take turns for ever."""
KEPT_TRIALS = 30
"""Only the last ones are stored: the item stays small whatever the number of users."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One call that tried the provider of an open circuit, and made no image."""

    at_ms: int
    """When it ended; while it runs, when its lease ends."""
    call_id: str
    user: str
    """The start of the user's id, never empty: a call without a user leaves no trial."""
    failed: bool = False
    """Whether it counts as the provider's failure, not only as this request's."""


type Trials = frozenset[Trial]


def begun(trials: Trials, trial: Trial) -> Trials:
    """Return the trials with one that begins; of too many, the oldest are forgotten."""
    last = sorted(trials, key=lambda one: (one.at_ms, one.call_id))[-KEPT_TRIALS + 1 :]
    return frozenset({*last, trial} if trial.user else last)


def ended(trials: Trials, call_id: str, *, now_ms: int, failed: bool) -> Trials:
    """Return the trials after this one ended without an image."""
    return frozenset(
        replace(one, at_ms=now_ms, failed=failed) if one.call_id == call_id else one
        for one in trials
    )


def without(trials: Trials, call_id: str) -> Trials:
    """Return the trials without one that shows nothing about its user."""
    return frozenset(one for one in trials if one.call_id != call_id)


def barred_until_ms(trials: Trials, user: str) -> int:
    """Return until when a user may not try again; 0 if the user has not tried."""
    last_ms = max((one.at_ms for one in trials if one.user == user), default=None)
    if last_ms is None:
        return 0
    earlier = sum(one.at_ms <= last_ms for one in trials) - 1
    return last_ms + _doubled(earlier, LONGEST_PAUSE_MS)


def failed_users(trials: Trials) -> int:
    """Return how many users' trials failed."""
    return len({one.user for one in trials if one.failed})


def rest_after_ms(users: int, open_ms: int) -> int:
    """Return how long the circuit rests when the trials of so many users, at least one, failed."""
    return _doubled(users - 1, open_ms)


def _doubled(times: int, most_ms: int) -> int:
    return min(PAUSE_MS << times, most_ms)
