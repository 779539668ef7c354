"""The circuit breaker of a provider or a model: it only computes, the store makes changes atomic.

Five failures within ten minutes, counted over all instances, open a circuit. Ten minutes later one
call of the whole fleet probes the provider: success closes the circuit, failure opens it again.
Every change of state raises the generation, and a result of an older generation changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from imagegen.domain.outcomes import Outcome

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
    TRIP = "trip"
    TRIP_MODEL = "trip_model"
    NONE = "none"


EFFECTS: dict[Outcome, Effect] = {
    Outcome.UNAVAILABLE: Effect.FAILURE,
    Outcome.UNKNOWN: Effect.FAILURE,
    Outcome.RATE_LIMITED: Effect.FAILURE,
    Outcome.ACCOUNT: Effect.TRIP,
    Outcome.MODEL_GONE: Effect.TRIP_MODEL,
    # The provider answered in time, so it works.
    Outcome.REFUSED: Effect.SUCCESS,
    Outcome.BAD_PARAMETER: Effect.SUCCESS,
    Outcome.NOT_CALLED: Effect.NONE,
}
"""The table in docs/how-it-works.md, Fallback, third column."""


@dataclass(frozen=True, slots=True)
class Policy:
    """When a circuit opens and for how long."""

    threshold: int = 5
    window_ms: int = 600_000
    open_ms: int = 600_000
    gone_ms: int = 3_600_000
    """A retired model seldom returns; one probe an hour is enough to find a mistaken report."""
    probe_ms: int = 135_000
    """The lease of a probe: the provider's timeout plus 15 s. After it, another call may probe."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call; the id makes recording it twice harmless."""

    at_ms: int
    call_id: str


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit, as stored; every change of state raises ``generation`` by one."""

    state: State = State.CLOSED
    generation: int = 0
    failures: frozenset[Failure] = frozenset()
    until_ms: int = 0
    """Open: when a call may probe. Half open: when the probe's lease ends."""
    owner: str = ""
    """Half open: the id of the call that probes."""
    why: str = ""
    """What opened the circuit: an outcome, or ``failures``."""


def recent(circuit: Circuit, policy: Policy, *, now_ms: int) -> frozenset[Failure]:
    """Return the failures in the window; one exactly as old as the window is still in it."""
    return frozenset(f for f in circuit.failures if f.at_ms >= now_ms - policy.window_ms)


def should_open(circuit: Circuit, policy: Policy, *, now_ms: int) -> bool:
    """Return whether a closed circuit has too many failures in the window."""
    enough = len(recent(circuit, policy, now_ms=now_ms)) >= policy.threshold
    return circuit.state is State.CLOSED and enough


def may_probe(circuit: Circuit, *, now_ms: int) -> bool:
    """Return whether one call may probe: the circuit was open long enough, or a probe died."""
    return circuit.state is not State.CLOSED and now_ms >= circuit.until_ms


def blocks_calls(circuit: Circuit, policy: Policy, *, now_ms: int) -> bool:
    """Return whether the circuit lets no call through now.

    When a probe is due, it blocks nothing: the next user's image is the probe.
    """
    if circuit.state is State.CLOSED:
        return should_open(circuit, policy, now_ms=now_ms)
    return not may_probe(circuit, now_ms=now_ms)


def opened(circuit: Circuit, *, until_ms: int, why: str) -> Circuit:
    """Return the circuit open until ``until_ms``."""
    return Circuit(State.OPEN, circuit.generation + 1, until_ms=until_ms, why=why)


def probing(circuit: Circuit, policy: Policy, *, owner: str, now_ms: int) -> Circuit:
    """Return the circuit half open, while the call ``owner`` probes the provider."""
    # until_ms is now a lease: if the probe dies with its Lambda, another may follow by then.
    until_ms = now_ms + policy.probe_ms
    return Circuit(
        State.HALF_OPEN, circuit.generation + 1, until_ms=until_ms, owner=owner, why=circuit.why
    )


def closed(circuit: Circuit) -> Circuit:
    """Return the circuit closed: it admits every call."""
    return Circuit(State.CLOSED, circuit.generation + 1)


def given_back(circuit: Circuit) -> Circuit:
    """Return the circuit open after a probe without a result: the next call may probe at once."""
    # 0 is in the past on every clock, also on that of an instance whose clock is behind.
    return opened(circuit, until_ms=0, why=circuit.why)


def stale(failures: Iterable[Failure], policy: Policy, *, now_ms: int) -> frozenset[Failure]:
    """Return the failures outside the window."""
    return frozenset(f for f in failures if f.at_ms < now_ms - policy.window_ms)
