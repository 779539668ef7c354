"""The circuit of a provider or a model: arithmetic only, the store makes each move atomic.

Five failures within ten minutes, counted over every instance, open it; ten minutes later one
caller in the whole fleet tries; success closes, failure reopens. Every move raises the generation,
and a result that comes from an older generation moves nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from imagegen.domain.outcomes import Outcome

KEPT_FAILURES = 10
"""More entries than this in the stored set are pruned of those outside the window."""


class State(StrEnum):
    """In Powertools' vocabulary."""

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
    # It answered in time: the provider works.
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
    """A retired model seldom comes back; one probe an hour finds out, should it be a slip."""
    probe_ms: int = 135_000
    """The lease of a probe: the provider's timeout and 15 s. A probe that dies frees it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call; the id makes recording it twice harmless."""

    at_ms: int
    call_id: str


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit, as stored; every move raises ``generation`` by one."""

    state: State = State.CLOSED
    generation: int = 0
    failures: frozenset[Failure] = frozenset()
    until_ms: int = 0
    """Open: when a probe may go. Half open: when the probe's lease ends."""
    owner: str = ""
    """Half open: the call that probes."""
    why: str = ""


def recent(circuit: Circuit, policy: Policy, *, now_ms: int) -> frozenset[Failure]:
    """Return the failures still in the window, whose far edge belongs to it."""
    return frozenset(f for f in circuit.failures if f.at_ms >= now_ms - policy.window_ms)


def should_open(circuit: Circuit, policy: Policy, *, now_ms: int) -> bool:
    """Return whether the failures still in the window are too many."""
    enough = len(recent(circuit, policy, now_ms=now_ms)) >= policy.threshold
    return circuit.state is State.CLOSED and enough


def may_probe(circuit: Circuit, *, now_ms: int) -> bool:
    """Return whether it is time for one caller to try: rested, or the last probe died."""
    return circuit.state is not State.CLOSED and now_ms >= circuit.until_ms


def opened(circuit: Circuit, *, until_ms: int, why: str) -> Circuit:
    """Return the circuit at rest until then."""
    return Circuit(State.OPEN, circuit.generation + 1, until_ms=until_ms, why=why)


def probing(circuit: Circuit, policy: Policy, *, owner: str, now_ms: int) -> Circuit:
    """Return the circuit while ``owner`` tries the provider."""
    # until_ms is now a lease: a probe that dies with its Lambda frees the circuit by itself.
    until_ms = now_ms + policy.probe_ms
    return Circuit(
        State.HALF_OPEN, circuit.generation + 1, until_ms=until_ms, owner=owner, why=circuit.why
    )


def closed(circuit: Circuit) -> Circuit:
    """Return the circuit that lets every call through."""
    return Circuit(State.CLOSED, circuit.generation + 1)


def given_back(circuit: Circuit) -> Circuit:
    """Return the circuit whose probe came to nothing: the next caller may probe at once."""
    # The past on every clock: an instance that is behind need not wait for this one's time.
    return opened(circuit, until_ms=0, why=circuit.why)


def stale(failures: Iterable[Failure], policy: Policy, *, now_ms: int) -> frozenset[Failure]:
    """Return the failures outside the window."""
    return frozenset(f for f in failures if f.at_ms < now_ms - policy.window_ms)
