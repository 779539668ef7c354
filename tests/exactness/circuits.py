"""R9 to R11 and R13: the circuit over twenty instances, each with its own cache and clock.

Each call is that of another user, because failures count by users.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Failure, Policy, State
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.fleet import FleetState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer
from imagegen.guard import Guard, Transition
from tests.exactness.ground import Clock, Ground, Place, Skewed, all_at_once, child, receive
from tests.exactness.rows import Measured, Verdict
from tests.fakes.pictures import png

POLICY = Policy()
INSTANCES = 20
NAME, MODEL = "alpha", "a-model"
SKEW_MS = 2_000
OK = ImageAnswer(png())


@dataclass(slots=True)
class Fleeting:
    """Twenty guards over one table."""

    client: Any
    table: str
    skews_ms: tuple[int, ...] = (0,) * INSTANCES
    clock: Clock = field(default_factory=Clock)
    moves: list[Transition] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    """When the provider was really called, by the true clock."""
    guards: list[Guard] = field(init=False)
    store: DynamoCircuitStore = field(init=False)
    _numbers: int = 0
    _users: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.store = DynamoCircuitStore(self.client, self.table)
        self.guards = [self.guard(self.store, skew) for skew in self.skews_ms]

    def guard(self, store: Any, skew_ms: int = 0) -> Guard:
        """Return the guard of one more instance."""
        return Guard(store, POLICY, Skewed(self.clock, skew_ms), self._call_id, self.moves.append)

    def _call_id(self) -> str:
        with self._lock:
            self._numbers += 1
            return f"call-{self._numbers}"

    def _next_user(self) -> str:
        with self._lock:
            self._users += 1
            return f"{self._users:08x}"

    def call(
        self,
        guard: Guard,
        outcome: Outcome | None = None,
        *,
        during: Callable[[], object] = lambda: None,
    ) -> ProviderError | None:
        """Return the error that a call ended in, ``None`` for an image."""

        def ask() -> ImageAnswer:
            self.calls.append(self.clock())
            during()
            if outcome is not None:
                raise ProviderError(NAME, outcome, "told to")
            return OK

        try:
            guard.call(NAME, MODEL, ask, user=self._next_user())
        except ProviderError as error:
            return error
        return None

    def stored(self) -> Circuit:
        """Return the circuit as it stands."""
        return self.store.load().circuits.get(NAME, Circuit())

    def open_until(self, until_ms: int) -> Circuit:
        """Put the circuit at rest until then."""
        old = self.stored()
        new = breaker.opened(old, until_ms=until_ms, why="failures")
        assert self.store.swap(NAME, old, new)
        return new


def fleeting(ground: Ground, skews_ms: tuple[int, ...] = (0,) * INSTANCES) -> Fleeting:
    """Return a fleet that talks to its table without the SDK."""
    place = ground.place()
    return Fleeting(place.thin(), place.table, skews_ms)


def skews(ground: Ground, *parts: object) -> tuple[int, ...]:
    """Return a skew of at most two seconds for each instance; one clock is right."""
    dice = ground.random("skew", *parts)
    return (0, *(dice.randrange(-SKEW_MS, SKEW_MS + 1) for _ in range(INSTANCES - 1)))


# --- R9


def r9(ground: Ground) -> Measured:
    """Fail once on each instance: within the window, a millisecond beyond, at once, skewed."""
    verdict = Verdict()
    inside = _fail_in_turn(ground, (150_000,) * INSTANCES, (0,) * INSTANCES)
    verdict.demand(inside == 5, f"within 600.000 s it opened after {inside} failures")
    beyond = _fail_in_turn(ground, (150_000, 150_000, 150_000, 150_001) * 5, (0,) * INSTANCES)
    verdict.demand(beyond is None, f"over 600.001 s it opened after {beyond} failures")
    near = _fail_in_turn(ground, (149_000,) * INSTANCES, skews(ground, "near"))
    verdict.demand(near == 5, f"with skewed clocks it opened after {near} failures")
    far = _fail_in_turn(ground, (151_001,) * INSTANCES, skews(ground, "far"))
    verdict.demand(far is None, f"with skewed clocks and 604 s it opened after {far} failures")
    opened = [_fail_at_once(ground, verdict) for _ in range(10)]
    return verdict.measured(
        f"opens after failure {inside} in 600.000 s, never over 600.001 s (20 failures); skewed "
        f"±2 s the same at 596 and 604 s; 10 storms of {INSTANCES}: {sum(opened)} openings",
        inside=inside, beyond=beyond, storms=opened,
    )  # fmt: skip


def _fail_in_turn(
    ground: Ground, gaps_ms: tuple[int, ...], skews_ms: tuple[int, ...]
) -> int | None:
    """Return after how many failures the circuit opened, ``None`` when it never did."""
    fleet = fleeting(ground, skews_ms)
    for number, (guard, gap_ms) in enumerate(zip(fleet.guards, gaps_ms, strict=True), 1):
        fleet.call(guard, Outcome.UNAVAILABLE)
        if fleet.stored().state is State.OPEN:
            return number if len(fleet.calls) == number else -1
        fleet.clock.at_ms += gap_ms
    return None


def _fail_at_once(ground: Ground, verdict: Verdict) -> int:
    fleet = fleeting(ground)
    all_at_once(
        lambda guard: fleet.call(guard, Outcome.UNAVAILABLE), fleet.guards, threads=INSTANCES
    )
    circuit = fleet.stored()
    verdict.demand(circuit.state is State.OPEN, "a storm of failures left it closed")
    verdict.demand(circuit.generation == 1, f"a storm moved it {circuit.generation} times")
    return len(fleet.moves)


# --- R10

CALLERS = 100
ROUNDS = 100


def r10(ground: Ground) -> Measured:
    """Let a hundred callers come at the moment a probe is due, a hundred times."""
    verdict = Verdict()
    place = ground.place()
    fleet = Fleeting(place.thin(), place.table, skews(ground, "r10"))
    key_checks = list[int]()
    dice = ground.random("r10")
    for number in range(ROUNDS):
        until_ms = fleet.clock.at_ms + POLICY.open_ms
        fleet.open_until(until_ms)
        fleet.clock.at_ms = until_ms + dice.randrange(SKEW_MS)
        key_checks.append(_round(verdict, fleet, number))
        if verdict.wrong:
            # Each wrong round waits for callers that never come.
            break
    events = Counter((move.old, move.new) for move in fleet.moves)
    verdict.demand(set(key_checks) == {1}, f"{Counter(key_checks)} provider calls a round")
    elected = events[State.OPEN, State.HALF_OPEN]
    verdict.demand(elected == ROUNDS, f"{elected} elections were told")
    return verdict.measured(
        f"{ROUNDS} rounds, {CALLERS} callers on {INSTANCES} instances, skew ±2 s: "
        f"{sum(key_checks)} provider calls, at most {max(key_checks)} a round",
        calls=key_checks, rounds=ROUNDS,
    )  # fmt: skip


def _round(verdict: Verdict, fleet: Fleeting, number: int) -> int:
    """Return how many called the provider; the probe waits until everybody else is told no."""
    before, refused = len(fleet.calls), threading.Semaphore(0)
    outcome = (Outcome.UNAVAILABLE, None, Outcome.REFUSED)[number % 3]

    def wait() -> None:
        for _ in range(CALLERS - 1):
            if not refused.acquire(timeout=20):
                return

    def one(which: int) -> ProviderError | None:
        try:
            return fleet.call(fleet.guards[which % INSTANCES], outcome, during=wait)
        finally:
            refused.release()

    came = all_at_once(one, range(CALLERS), threads=CALLERS)
    told = [e for e in came if e is not None and e.outcome is Outcome.NOT_CALLED]
    verdict.demand(len(told) == CALLERS - 1, f"round {number}: {len(told)} were told no")
    verdict.demand(all(e.retry_after_seconds for e in told), "a refusal without Retry-After")
    return len(fleet.calls) - before


# --- R11

KILLS = 50


def probe_until_killed(connection: Connection, place: Place, now_ms: int) -> None:
    """Probe the provider in a process of its own, and hang in the call."""
    fleet = Fleeting(place.thin(), place.table, clock=Clock(now_ms))

    def hang() -> None:
        connection.send(os.getpid())
        threading.Event().wait()

    error = fleet.call(fleet.guards[0], during=hang)
    connection.send(-1 if error else 0)


def r11(ground: Ground) -> Measured:
    """Kill fifty probes; let fifty be refused, and fifty come to nothing."""
    verdict = Verdict()
    late = [_killed(ground, verdict) for _ in range(KILLS)]
    refused = _ended(ground, verdict, Outcome.REFUSED)
    nothing = _ended(ground, verdict, Outcome.NOT_CALLED)
    return verdict.measured(
        f"{KILLS} killed: next probe {max(late)} ms after the lease; {KILLS} refused: next call "
        f"after {max(refused)} ms; {KILLS} uncounted: next probe after {max(nothing)} ms",
        afterLeaseMs=max(late), afterRefusalMs=max(refused), afterNothingMs=max(nothing),
    )  # fmt: skip


def _killed(ground: Ground, verdict: Verdict) -> int:
    """Return how long after the lease the next probe went."""
    place = ground.place()
    fleet = Fleeting(place.thin(), place.table)
    fleet.open_until(fleet.clock())
    process, pipe = child(probe_until_killed, place, fleet.clock())
    verdict.demand(receive(pipe) > 0, "the probe did not go")
    process.kill()
    process.join()
    lease_ms = fleet.stored().until_ms
    fleet.clock.at_ms = lease_ms - 1
    early = fleet.call(fleet.guards[0])
    verdict.demand(early is not None, "a second probe went while the first may live")
    for after_ms in (0, 1_000):
        fleet.clock.at_ms = lease_ms + after_ms
        if fleet.call(fleet.guards[after_ms // 1_000 + 1]) is None:
            verdict.demand(fleet.stored().state is State.CLOSED, "a good probe did not close it")
            return after_ms
    verdict.demand(False, "stuck: no probe a second after the lease")  # noqa: FBT003
    return 10**9


def _ended(ground: Ground, verdict: Verdict, outcome: Outcome) -> list[int]:
    """Return how long after each probe's end the next request was let through, by true time."""
    place, waits = ground.place(), list[int]()
    for number in range(KILLS):
        fleet = Fleeting(place.thin(), place.table, skews(ground, outcome, number))
        fleet.clock.at_ms += number * 10 * POLICY.open_ms
        fleet.open_until(fleet.clock() - SKEW_MS)
        fleet.call(fleet.guards[number % INSTANCES], outcome)
        ended_ms = fleet.clock()
        for waited_ms in (0, 1_000, 2_000, 4_000, 10_000):
            fleet.clock.at_ms = ended_ms + waited_ms
            if fleet.call(fleet.guards[(number + 1) % INSTANCES]) is None:
                break
        waits.append(waited_ms)
        verdict.demand(waited_ms == 0, f"after {outcome} the next request waited {waited_ms} ms")
    return waits


# --- R13

STEP_MS = 20
"""50 requests a second."""
SECONDS = 4


@dataclass(slots=True)
class SlowStore:
    """A store whose reads take a while: the answer is from the beginning of it."""

    store: DynamoCircuitStore
    clock: Clock
    takes_ms: int

    def load(self) -> FleetState:
        came = self.store.load()
        self.clock.at_ms += self.takes_ms
        return came

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def r13(ground: Ground) -> Measured:
    """Trip at t0 under 20 warm caches at 50 requests a second each, also with slow reads."""
    verdict = Verdict()
    quick = _calls_after_trip(ground, 0)
    slow = _calls_after_trip(ground, 400)
    for name, (late, last) in {"quick": quick, "slow": slow}.items():
        verdict.demand(
            late == 0, f"{name} reads: {late} calls later than 2.0 s, the last {last} ms"
        )
    return verdict.measured(
        f"{quick[0]} calls after t0 + 2.0 s (last at {quick[1]} ms); reads of 400 ms: {slow[0]} "
        f"(last at {slow[1]} ms)",
        lateCalls=quick[0], lateCallsWithSlowReads=slow[0],
    )  # fmt: skip


def _calls_after_trip(ground: Ground, takes_ms: int) -> tuple[int, int]:
    """Return how many calls went later than 2 s after the trip, and when the last one did."""
    late, last = 0, 0
    for number in range(INSTANCES if takes_ms else 1):
        fleet = fleeting(ground)
        store = SlowStore(fleet.store, fleet.clock, takes_ms)
        crew = [fleet.guard(store) for _ in range(1 if takes_ms else INSTANCES)]
        trip_ms = fleet.clock() + takes_ms // 2
        for which, guard in enumerate(crew):
            # Warm: each read at another moment of the two seconds before the trip.
            fleet.clock.at_ms = trip_ms - (which + number) * 100
            _read_while(fleet, guard, trip_ms, takes_ms)
        _trip(fleet, trip_ms)
        fleet.clock.at_ms = max(fleet.clock(), trip_ms)
        fleet.calls.clear()
        while fleet.clock() < trip_ms + SECONDS * 1_000:
            for guard in crew:
                fleet.call(guard)
            fleet.clock.at_ms += STEP_MS
        late += sum(at - trip_ms > 2_000 for at in fleet.calls)
        last = max([last, *(at - trip_ms for at in fleet.calls)])
    return late, last


def _read_while(fleet: Fleeting, guard: Guard, trip_ms: int, takes_ms: int) -> None:
    """Fill a guard's cache; a slow read begins before the trip and ends after it."""
    if takes_ms:
        fleet.clock.at_ms = trip_ms - takes_ms // 2
    guard.circuits()


def _trip(fleet: Fleeting, at_ms: int) -> None:
    for number in range(POLICY.threshold):
        fleet.store.add_failure(NAME, 0, Failure(at_ms, f"f{number}"))
    old = fleet.stored()
    new = breaker.opened(old, until_ms=at_ms + POLICY.open_ms, why="failures")
    assert fleet.store.swap(NAME, old, new)
