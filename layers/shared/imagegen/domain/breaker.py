"""The circuit breaker of a provider or a model: it only computes, the store makes changes atomic.

Failures of five users within ten minutes, counted over all instances, open a circuit. Ten minutes
later one call of the whole fleet probes the provider: an image closes the circuit, a failure opens
it again, and anything else lets the next call probe. Every change of state raises the generation,
and a result of an older generation changes nothing.

One user never opens a circuit for others, and never keeps it open: five failures of one user keep
away this user's calls alone, and ``trials`` has the rules for a user whose probes make no image.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from imagegen.domain import trials
from imagegen.domain.outcomes import Outcome
from imagegen.domain.trials import Trial, Trials

KEPT_FAILURES = 10
"""When the stored set has this many failures, those outside the window are removed."""


class State(StrEnum):
    """The states of a circuit, named as in Powertools."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Effect(StrEnum):
    """What an outcome does to the circuit of its provider."""

    SUCCESS = "success"
    FAILURE = "failure"
    REST = "rest"
    TRIP = "trip"
    TRIP_MODEL = "trip_model"
    NONE = "none"


EFFECTS: dict[Outcome, Effect] = {
    Outcome.UNAVAILABLE: Effect.FAILURE,
    Outcome.UNKNOWN: Effect.FAILURE,
    # Without a Retry-After it counts as a failure.
    Outcome.RATE_LIMITED: Effect.REST,
    Outcome.ACCOUNT: Effect.TRIP,
    Outcome.MODEL_GONE: Effect.TRIP_MODEL,
    # What one request causes shows nothing about the provider: only an image closes a circuit.
    Outcome.REFUSED: Effect.NONE,
    Outcome.BLOCKED: Effect.NONE,
    Outcome.NO_IMAGE: Effect.NONE,
    Outcome.BAD_PARAMETER: Effect.NONE,
    Outcome.NOT_CALLED: Effect.NONE,
}
"""The table in docs/how-it-works.md, Fallback, third column."""


def for_provider(effect: Effect) -> Effect:
    """Return the effect on the provider: a missing model shows nothing about the others."""
    return Effect.NONE if effect is Effect.TRIP_MODEL else effect


def for_model(effect: Effect) -> Effect:
    """Return the effect on the model: a failure of its provider shows nothing about it."""
    return effect if effect in (Effect.SUCCESS, Effect.TRIP_MODEL) else Effect.NONE


@dataclass(frozen=True, slots=True)
class Policy:
    """When a circuit opens and for how long."""

    threshold: int = 5
    """How many users with a failure in the window open the circuit. As many failures of one user
    stop only this user's calls."""
    window_ms: int = 600_000
    open_ms: int = 600_000
    gone_ms: int = 3_600_000
    """A retired model seldom returns; one probe an hour is enough to find a mistaken report."""
    rest_ms: int = 60_000
    """The longest rest after a 429; the vendors' rate limits are per minute."""
    probe_ms: int = 135_000
    """The lease of a probe: the provider's timeout plus 15 s. After it, another call may probe."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call; the id makes recording it twice harmless."""

    at_ms: int
    call_id: str
    user: str = ""
    """The start of the user's id. If it is empty, the failure counts as that of one more user."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit, as stored; every change of state raises ``generation`` by one."""

    state: State = State.CLOSED
    generation: int = 0
    failures: frozenset[Failure] = frozenset()
    until_ms: int = 0
    """Open: when a call may probe. Half open: when the probe's lease ends. Closed: until when the
    provider rests after a 429, which needs no probe."""
    owner: str = ""
    """Half open: the id of the call that probes."""
    why: str = ""
    """What opened the circuit: an outcome, or ``failures``."""
    trials: Trials = frozenset()
    """Open and half open: the probes since it opened, none of which made an image."""


def recent(circuit: Circuit, policy: Policy, *, now_ms: int) -> frozenset[Failure]:
    """Return the failures in the window; one exactly as old as the window is still in it."""
    return frozenset(f for f in circuit.failures if f.at_ms >= now_ms - policy.window_ms)


def should_open(circuit: Circuit, policy: Policy, *, now_ms: int) -> bool:
    """Return whether too many users have a failure in the window of a closed circuit."""
    users = {one.user or one.call_id for one in recent(circuit, policy, now_ms=now_ms)}
    return circuit.state is State.CLOSED and len(users) >= policy.threshold


def kept_away_until_ms(circuit: Circuit, policy: Policy, user: str, *, now_ms: int) -> int:
    """Return until when this user's own failures keep the user's calls away; 0 if they do not."""
    failures = recent(circuit, policy, now_ms=now_ms)
    times = sorted(one.at_ms for one in failures if user and one.user == user)
    if len(times) < policy.threshold:
        return 0
    # A failure exactly as old as the window is still in it.
    return times[-policy.threshold] + policy.window_ms + 1


def may_probe(circuit: Circuit, *, now_ms: int) -> bool:
    """Return whether one call may probe: the circuit was open long enough, or a probe died."""
    return circuit.state is not State.CLOSED and now_ms >= circuit.until_ms


def is_open(circuit: Circuit, policy: Policy, *, now_ms: int) -> bool:
    """Return whether the circuit is open for everyone; a rest after a 429 is not an open circuit.

    When a probe is due, it blocks nothing: the next user's image is the probe.
    """
    if circuit.state is State.CLOSED:
        return should_open(circuit, policy, now_ms=now_ms)
    return not may_probe(circuit, now_ms=now_ms)


def blocked_until_ms(
    circuit: Circuit, policy: Policy, user: str = "", *, now_ms: int
) -> int | None:
    """Return until when the circuit lets no call of the user through, ``None`` if it lets one."""
    barred_ms = trials.barred_until_ms(circuit.trials, user)
    if is_open(circuit, policy, now_ms=now_ms):
        return max(circuit.until_ms, barred_ms)
    own_ms = kept_away_until_ms(circuit, policy, user, now_ms=now_ms)
    until_ms = max(circuit.until_ms, own_ms, barred_ms)
    return until_ms if until_ms > now_ms else None


def rest_until_ms(policy: Policy, retry_after_seconds: int, *, now_ms: int) -> int:
    """Return until when a provider rests after a 429."""
    return now_ms + min(retry_after_seconds * 1000, policy.rest_ms)


def opened(circuit: Circuit, *, until_ms: int, why: str) -> Circuit:
    """Return the circuit open until ``until_ms``.

    What opened it says nothing about the user of the probe, if there was one.
    """
    left = trials.without(circuit.trials, circuit.owner)
    return Circuit(State.OPEN, circuit.generation + 1, until_ms=until_ms, why=why, trials=left)


def probing(
    circuit: Circuit, policy: Policy, *, owner: str, now_ms: int, user: str = ""
) -> Circuit:
    """Return the circuit half open, while the call ``owner`` of a user probes the provider."""
    # until_ms is now a lease: if the probe dies with its Lambda, another may follow by then.
    until_ms = now_ms + policy.probe_ms
    return Circuit(
        State.HALF_OPEN,
        circuit.generation + 1,
        until_ms=until_ms,
        owner=owner,
        why=circuit.why,
        # Also a probe that dies is a trial: its end is never reported.
        trials=trials.begun(circuit.trials, Trial(until_ms, owner, user)),
    )


def failed_again(circuit: Circuit, policy: Policy, *, now_ms: int, why: str) -> Circuit:
    """Return the circuit open after a probe that failed.

    It rests its whole time only if the probes of as many users failed as open a closed circuit.
    A probe without a user counts as those of as many users.
    """
    tried = trials.ended(circuit.trials, circuit.owner, now_ms=now_ms, failed=True)
    users = trials.failed_users(tried)
    is_of_a_user = any(one.call_id == circuit.owner for one in tried)
    if not is_of_a_user or users >= policy.threshold:
        return Circuit(
            State.OPEN, circuit.generation + 1, until_ms=now_ms + policy.open_ms, why=why
        )
    until_ms = now_ms + trials.rest_after_ms(users, policy.open_ms)
    return Circuit(State.OPEN, circuit.generation + 1, until_ms=until_ms, why=why, trials=tried)


def closed(circuit: Circuit) -> Circuit:
    """Return the circuit closed: it admits every call."""
    return Circuit(State.CLOSED, circuit.generation + 1)


def given_back(circuit: Circuit) -> Circuit:
    """Return the circuit open after a probe that sent nothing: the next call may probe at once."""
    # 0 is in the past on every clock, also on that of an instance whose clock is behind.
    return opened(circuit, until_ms=0, why=circuit.why)


def wasted(circuit: Circuit, *, now_ms: int) -> Circuit:
    """Return the circuit open after a probe without an image or a failure: others may probe."""
    tried = trials.ended(circuit.trials, circuit.owner, now_ms=now_ms, failed=False)
    return Circuit(State.OPEN, circuit.generation + 1, until_ms=0, why=circuit.why, trials=tried)


def stale(failures: Iterable[Failure], policy: Policy, *, now_ms: int) -> frozenset[Failure]:
    """Return the failures outside the window."""
    return frozenset(f for f in failures if f.at_ms < now_ms - policy.window_ms)
