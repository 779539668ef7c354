"""The guard of every call to a provider: circuits admit the call, and its outcome is recorded.

The circuit store fails open: a breaker that cannot be read must not stop providers that work.
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
    """One change of one circuit's state, reported by the caller that made it."""

    name: str
    old: State
    new: State
    why: str


@dataclass(frozen=True, slots=True)
class Permit:
    """One circuit's permission for a call."""

    name: str
    circuit: Circuit
    is_probe: bool


def model_circuit(provider: str, model: str) -> str:
    """Return the name of the circuit of one model."""
    return f"{provider}/{model}"


def _ignore(_: Transition) -> None:
    """Do nothing with a transition."""


@dataclass(slots=True)
class Guard:
    """Admits calls by the circuits of provider and model, and records their outcomes."""

    store: CircuitStore
    policy: Policy
    now_ms: Callable[[], int]
    new_call_id: Callable[[], str]
    on_transition: Callable[[Transition], None] = _ignore
    _seen: FleetState = field(default_factory=lambda: FleetState({}, {}))
    _seen_ms: int = -CACHE_MS

    def circuits(self) -> Mapping[str, Circuit]:
        """Return the stored circuits, at most two seconds old; one that is missing is closed."""
        return self.fleet().circuits

    def fleet(self) -> FleetState:
        """Return circuits and last key checks, at most two seconds old."""
        started_ms = self.now_ms()
        if started_ms - self._seen_ms >= CACHE_MS:
            try:
                self._seen = self.store.load()
            except StoreUnavailableError:
                # Fails open by decision: without circuits, calls go on as if all were closed.
                self._seen = FleetState({}, {})
            # The age counts from the start of the read: a slow answer is older than its arrival.
            self._seen_ms = started_ms
        return self._seen

    def blocked_until_ms(self) -> dict[str, int]:
        """Return the circuits that let no call through now, by name.

        The values are the times in ms since 1970 at which each may let a call through again.
        """
        now_ms = self.now_ms()
        return {
            name: circuit.until_ms
            for name, circuit in self.circuits().items()
            if breaker.blocks_calls(circuit, self.policy, now_ms=now_ms)
        }

    def forget(self) -> None:
        """Let the next read go to the store, not to the cache."""
        self._seen_ms = -CACHE_MS

    def call[T](self, provider: str, model: str, send: Callable[[], T]) -> T:
        """Return what ``send`` returns, if both circuits admit the call.

        Raises:
            ProviderError: ``send`` raised it, or a circuit is open (``Outcome.NOT_CALLED``).
        """
        call_id = self.new_call_id()
        permits = self._admit(provider, model, call_id)
        try:
            answer = send()
        except ProviderError as error:
            self._record(permits, call_id, EFFECTS[error.outcome], error.outcome)
            raise
        except BaseException:
            # A bug or an interrupt shows nothing about the provider: a probe is given back.
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
        """Keep an open circuit open for its whole time from now: its key is still refused.

        Otherwise a user's request would be the probe that finds this out. The state does not
        change, so no transition is reported.
        """
        circuit = self.circuits().get(provider, Circuit())
        if circuit.state is State.OPEN:
            self._put(provider, circuit, self._opened(circuit, why))

    def _admit(self, provider: str, model: str, call_id: str) -> list[Permit]:
        permits: list[Permit] = []
        for name in (provider, model_circuit(provider, model)):
            permit = self._permit(name, call_id)
            if permit is None:
                self._record(permits, call_id, Effect.NONE, Outcome.NOT_CALLED)
                raise self._not_called(provider, name)
            permits.append(permit)
        return permits

    def _permit(self, name: str, call_id: str) -> Permit | None:
        circuit, now_ms = self.circuits().get(name, Circuit()), self.now_ms()
        if breaker.should_open(circuit, self.policy, now_ms=now_ms):
            # The instance that counted the last failure died before it opened the circuit, so the
            # next caller opens it.
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
        for permit, own in zip(permits, (_for_provider(effect), _for_model(effect)), strict=False):
            if permit.is_probe:
                self._end_probe(permit, own, why)
            elif own in (Effect.TRIP, Effect.TRIP_MODEL):
                opened = self._opened(permit.circuit, why, effect=own)
                self._swap(permit.name, permit.circuit, opened)
            elif own is Effect.FAILURE:
                self._count(permit, call_id, why)

    def _end_probe(self, permit: Permit, effect: Effect, why: str) -> None:
        if effect is Effect.SUCCESS:
            new = breaker.closed(permit.circuit)
        elif effect is Effect.NONE:
            new = breaker.given_back(permit.circuit)
        else:
            new = self._opened(permit.circuit, why, effect=effect)
        self._swap(permit.name, permit.circuit, new)

    def _count(self, permit: Permit, call_id: str, why: str) -> None:
        now_ms = self.now_ms()
        failure = Failure(now_ms, call_id)
        try:
            circuit = self.store.add_failure(permit.name, permit.circuit.generation, failure)
            if circuit is None:
                return  # The generation has changed: this result is out of date.
            if breaker.should_open(circuit, self.policy, now_ms=now_ms):
                self._swap(permit.name, circuit, self._opened(circuit, why))
            elif len(circuit.failures) >= breaker.KEPT_FAILURES:
                old = breaker.stale(circuit.failures, self.policy, now_ms=now_ms)
                self.store.drop_failures(permit.name, circuit.generation, old)
        except StoreUnavailableError:
            return  # Fails open by decision: an uncounted failure is better than a failed request.

    def _opened(self, circuit: Circuit, why: str, *, effect: Effect = Effect.FAILURE) -> Circuit:
        is_gone = effect is Effect.TRIP_MODEL
        open_ms = self.policy.gone_ms if is_gone else self.policy.open_ms
        return breaker.opened(circuit, until_ms=self.now_ms() + open_ms, why=why)

    def _swap(self, name: str, old: Circuit, new: Circuit) -> bool:
        won = self._put(name, old, new)
        if won:
            self.on_transition(Transition(name, old.state, new.state, new.why))
        return won

    def _put(self, name: str, old: Circuit, new: Circuit) -> bool:
        # Whether this swap wins or loses, the cached circuit is out of date.
        self.forget()
        try:
            return self.store.swap(name, old, new)
        except StoreUnavailableError:
            return False


def _for_provider(effect: Effect) -> Effect:
    """Return the effect on the provider: one that reports a missing model works."""
    return Effect.SUCCESS if effect is Effect.TRIP_MODEL else effect


def _for_model(effect: Effect) -> Effect:
    """Return the effect on the model: a failure of its provider shows nothing about it."""
    return effect if effect in (Effect.SUCCESS, Effect.TRIP_MODEL) else Effect.NONE
