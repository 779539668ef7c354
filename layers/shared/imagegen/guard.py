"""The only place where circuits meet calls: admit, call, record.

The circuit store fails open: a breaker that cannot be read must not stop a service that works.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from imagegen.domain import breaker
from imagegen.domain.breaker import EFFECTS, Circuit, Effect, Failure, Policy, State
from imagegen.domain.errors import ProviderError, StoreUnavailableError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.stores import CircuitStore, FleetState

CACHE_MS = 2_000


@dataclass(frozen=True, slots=True)
class Transition:
    """One move of one circuit, told by the caller that won it."""

    name: str
    old: State
    new: State
    why: str


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to call, given by one circuit."""

    name: str
    circuit: Circuit
    is_probe: bool


def model_circuit(provider: str, model: str) -> str:
    """Return the name of the circuit of one model."""
    return f"{provider}/{model}"


def _ignore(_: Transition) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Guard:
    """Admits calls by the circuits of provider and model, and records what came of them."""

    store: CircuitStore
    policy: Policy
    now_ms: Callable[[], int]
    new_call_id: Callable[[], str]
    on_transition: Callable[[Transition], None] = _ignore
    _seen: FleetState = field(default_factory=lambda: FleetState({}, {}))
    _seen_ms: int = -CACHE_MS

    def circuits(self) -> Mapping[str, Circuit]:
        """Return every circuit that is not as new, at most two seconds old."""
        return self.fleet().circuits

    def fleet(self) -> FleetState:
        """Return circuits and last probes, at most two seconds old."""
        asked_ms = self.now_ms()
        if asked_ms - self._seen_ms >= CACHE_MS:
            try:
                self._seen = self.store.load()
            except StoreUnavailableError:
                # Open by decision: without circuits, calls go on as if all were closed.
                self._seen = FleetState({}, {})
            # As old as the question: a slow answer tells of a time before it came.
            self._seen_ms = asked_ms
        return self._seen

    def forget(self) -> None:
        """Read circuits and probes anew the next time."""
        self._seen_ms = -CACHE_MS

    def call[T](self, provider: str, model: str, ask: Callable[[], T]) -> T:
        """Return what ``ask`` returns, if the circuits let it.

        Raises:
            ProviderError: what ``ask`` raised, or ``Outcome.NOT_CALLED``.
        """
        call_id = self.new_call_id()
        permits = self._admit(provider, model, call_id)
        try:
            answer = ask()
        except ProviderError as error:
            self._record(permits, call_id, EFFECTS[error.outcome], error.outcome)
            raise
        except BaseException:
            # A bug or an interrupt says nothing about the provider: a probe is given back.
            self._record(permits, call_id, Effect.NONE, Outcome.NOT_CALLED)
            raise
        self._record(permits, call_id, Effect.SUCCESS, None)
        return answer

    def trip(self, provider: str, why: str) -> None:
        """Open a provider's circuit without waiting for failures: its key was refused."""
        circuit = self.circuits().get(provider, Circuit())
        if circuit.state is State.CLOSED:
            self._swap(provider, circuit, self._opened(circuit, why))

    def extend_open(self, provider: str, why: str) -> None:
        """Let an open circuit rest its whole time from now: its key is still refused.

        No user's image is spent on finding that out. It is no move: nobody is told.
        """
        circuit = self.circuits().get(provider, Circuit())
        if circuit.state is State.OPEN:
            self._put(provider, circuit, self._opened(circuit, why))

    def _admit(self, provider: str, model: str, call_id: str) -> list[Permit]:
        permits: list[Permit] = []
        for name in (provider, model_circuit(provider, model)):
            one = self._permit(name, call_id)
            if one is None:
                self._record(permits, call_id, Effect.NONE, Outcome.NOT_CALLED)
                raise self._not_called(provider, name)
            permits.append(one)
        return permits

    def _permit(self, name: str, call_id: str) -> Permit | None:
        circuit, now_ms = self.circuits().get(name, Circuit()), self.now_ms()
        if breaker.should_open(circuit, self.policy, now_ms=now_ms):
            # Whoever counted the last failure died before opening: any reader heals it.
            self._swap(name, circuit, self._opened(circuit, "failures"))
            return None
        if circuit.state is State.CLOSED:
            return Permit(name, circuit, is_probe=False)
        if not breaker.may_probe(circuit, now_ms=now_ms):
            return None
        probing = breaker.probing(circuit, self.policy, owner=call_id, now_ms=now_ms)
        return Permit(name, probing, is_probe=True) if self._swap(name, circuit, probing) else None

    def _not_called(self, provider: str, name: str) -> ProviderError:
        until_ms = self.circuits().get(name, Circuit()).until_ms
        wait = max(1, -(-(until_ms - self.now_ms()) // 1000))
        message = f"The circuit of {name!r} is open."
        return ProviderError(provider, Outcome.NOT_CALLED, message, retry_after_seconds=wait)

    def _record(
        self, permits: list[Permit], call_id: str, effect: Effect, outcome: Outcome | None
    ) -> None:
        why = outcome or "success"
        for one, own in zip(permits, (_for_provider(effect), _for_model(effect)), strict=False):
            if one.is_probe:
                self._end_probe(one, own, why)
            elif own in (Effect.TRIP, Effect.TRIP_MODEL):
                self._swap(one.name, one.circuit, self._opened(one.circuit, why, effect=own))
            elif own is Effect.FAILURE:
                self._count(one, call_id, why)

    def _end_probe(self, one: Permit, effect: Effect, why: str) -> None:
        if effect is Effect.SUCCESS:
            new = breaker.closed(one.circuit)
        elif effect is Effect.NONE:
            new = breaker.given_back(one.circuit)
        else:
            new = self._opened(one.circuit, why, effect=effect)
        self._swap(one.name, one.circuit, new)

    def _count(self, one: Permit, call_id: str, why: str) -> None:
        now_ms = self.now_ms()
        failure = Failure(now_ms, call_id)
        try:
            circuit = self.store.add_failure(one.name, one.circuit.generation, failure)
            if circuit is None:
                return  # Another generation: this result is about the past.
            if breaker.should_open(circuit, self.policy, now_ms=now_ms):
                self._swap(one.name, circuit, self._opened(circuit, why))
            elif len(circuit.failures) >= breaker.KEPT_FAILURES:
                old = breaker.stale(circuit.failures, self.policy, now_ms=now_ms)
                self.store.drop_failures(one.name, circuit.generation, old)
        except StoreUnavailableError:
            return  # Open by decision: an uncounted failure is better than a failed request.

    def _opened(self, circuit: Circuit, why: str, *, effect: Effect = Effect.FAILURE) -> Circuit:
        gone = effect is Effect.TRIP_MODEL
        rest_ms = self.policy.gone_ms if gone else self.policy.open_ms
        return breaker.opened(circuit, until_ms=self.now_ms() + rest_ms, why=why)

    def _swap(self, name: str, old: Circuit, new: Circuit) -> bool:
        won = self._put(name, old, new)
        if won:
            self.on_transition(Transition(name, old.state, new.state, new.why))
        return won

    def _put(self, name: str, old: Circuit, new: Circuit) -> bool:
        # Won or lost, what was seen is no longer so.
        self.forget()
        try:
            return self.store.swap(name, old, new)
        except StoreUnavailableError:
            return False


def _for_provider(effect: Effect) -> Effect:
    """A model that is gone is told by a provider that works."""
    return Effect.SUCCESS if effect is Effect.TRIP_MODEL else effect


def _for_model(effect: Effect) -> Effect:
    """A provider's failure says nothing about the one model."""
    return effect if effect in (Effect.SUCCESS, Effect.TRIP_MODEL) else Effect.NONE
