"""The guard of every call to a provider: circuits admit the call, and its outcome is recorded.

The circuit store fails open: a breaker that cannot be read must not stop providers that work.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Effect, Failure, Policy, State
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.fleet import CircuitStore, FleetState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.permits import Permit, Result, failed

CACHE_MS = 2_000
USER_CHARACTERS = 8
"""Of a user's id in a stored failure: enough to tell the users of ten minutes apart."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one circuit's state, reported by the caller that made it."""

    name: str
    old: State
    new: State
    why: str


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
        """Return what all instances share about the providers, at most two seconds old."""
        started_ms = self.now_ms()
        if started_ms - self._seen_ms >= CACHE_MS:
            try:
                self._seen = self.store.load()
            except StoreUnavailableError:
                # Fails open by decision: without circuits, calls go on as if all were closed. What
                # an operator has switched off stays off.
                self._seen = FleetState({}, {}, switches=self._seen.switches, is_known=False)
            # The age counts from the start of the read: a slow answer is older than its arrival.
            self._seen_ms = started_ms
        return self._seen

    def blocked_until_ms(self, user: str = "") -> dict[str, int]:
        """Return the circuits that let no call of the user through now, by name.

        The values are the times in ms since 1970 at which each may let a call through again.
        """
        now_ms, tag = self.now_ms(), user[:USER_CHARACTERS]
        found = {
            name: breaker.blocked_until_ms(circuit, self.policy, tag, now_ms=now_ms)
            for name, circuit in self.circuits().items()
        }
        return {name: until_ms for name, until_ms in found.items() if until_ms is not None}

    def open_circuits(self) -> list[str]:
        """Return the names of the circuits that are open for every user."""
        now_ms, fleet = self.now_ms(), self.circuits()
        return [n for n, one in fleet.items() if breaker.is_open(one, self.policy, now_ms=now_ms)]

    def forget(self) -> None:
        """Let the next read go to the store, not to the cache."""
        self._seen_ms = -CACHE_MS

    def call[T](self, provider: str, model: str, send: Callable[[], T], *, user: str = "") -> T:
        """Return what ``send`` returns, if both circuits admit the call of this user.

        Raises:
            ProviderError: ``send`` raised it, or a circuit is open (``Outcome.NOT_CALLED``).
        """
        result = Result(self.new_call_id(), user[:USER_CHARACTERS])
        permits = self._admit(provider, model, result)
        try:
            answer = send()
        except ProviderError as error:
            self._record(permits, failed(result, error))
            raise
        except BaseException:
            # A bug or an interrupt shows nothing about the provider: the next user may probe.
            self._record(permits, result)
            raise
        self._record(permits, replace(result, effect=Effect.SUCCESS))
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

    def _admit(self, provider: str, model: str, result: Result) -> list[Permit]:
        names, permits = (provider, model_circuit(provider, model)), list[Permit]()
        # All of them are asked first: a call that one circuit stops does not probe the other.
        for name in names:
            if self._blocked_until_ms(name, result.user) is not None:
                self._open_if_due(name)
                raise self._not_called(provider, name, result.user)
        for name in names:
            permit = self._permit(name, result)
            if permit is None:
                self._give_back(permits)
                raise self._not_called(provider, name, result.user)
            permits.append(permit)
        return permits

    def _give_back(self, permits: list[Permit]) -> None:
        """Let the next call probe: this one sends nothing, because another circuit stops it."""
        for permit in permits:
            if permit.is_probe:
                self._swap(permit.name, permit.circuit, breaker.given_back(permit.circuit))

    def _blocked_until_ms(self, name: str, user: str) -> int | None:
        circuit, now_ms = self.circuits().get(name, Circuit()), self.now_ms()
        return breaker.blocked_until_ms(circuit, self.policy, user, now_ms=now_ms)

    def _open_if_due(self, name: str) -> None:
        """Open a circuit that should be open but is not.

        The instance that counted its last failure may have ended before it could open the circuit.
        """
        circuit = self.circuits().get(name, Circuit())
        if breaker.should_open(circuit, self.policy, now_ms=self.now_ms()):
            self._swap(name, circuit, self._opened(circuit, "failures"))

    def _permit(self, name: str, result: Result) -> Permit | None:
        circuit, now_ms = self.circuits().get(name, Circuit()), self.now_ms()
        user, owner = result.user, result.call_id
        if breaker.blocked_until_ms(circuit, self.policy, user, now_ms=now_ms) is not None:
            return None
        if circuit.state is State.CLOSED:
            return Permit(name, circuit, is_probe=False)
        probing = breaker.probing(circuit, self.policy, owner=owner, now_ms=now_ms, user=user)
        return Permit(name, probing, is_probe=True) if self._swap(name, circuit, probing) else None

    def _not_called(self, provider: str, name: str, user: str) -> ProviderError:
        until_ms, now_ms = self._blocked_until_ms(name, user), self.now_ms()
        wait = max(1, -(-((until_ms or now_ms) - now_ms) // 1000))
        message = f"The circuit of {name!r} lets no call through now."
        return ProviderError(provider, Outcome.NOT_CALLED, message, retry_after_seconds=wait)

    def _record(self, permits: list[Permit], result: Result) -> None:
        effects = (breaker.for_provider(result.effect), breaker.for_model(result.effect))
        for permit, effect in zip(permits, effects, strict=True):
            if effect in (Effect.SUCCESS, Effect.NONE) and not permit.is_probe:
                continue
            own = replace(result, effect=effect)
            if permit.is_probe:
                self._end_probe(permit, own)
            elif effect in (Effect.TRIP, Effect.TRIP_MODEL):
                self._swap(permit.name, permit.circuit, self._opened_by(permit.circuit, own))
            elif effect is Effect.REST:
                self._rest(permit, own)
            elif effect is Effect.FAILURE:
                self._count(permit, own)

    def _end_probe(self, permit: Permit, result: Result) -> None:
        old, now_ms = permit.circuit, self.now_ms()
        match result.effect:
            case Effect.SUCCESS:
                new = breaker.closed(old)
            case Effect.NONE:
                new = breaker.wasted(old, now_ms=now_ms)
            case Effect.FAILURE:
                new = breaker.failed_again(old, self.policy, now_ms=now_ms, why=result.why)
            case _:
                new = self._opened_by(old, result)
        self._swap(permit.name, old, new)

    def _rest(self, permit: Permit, result: Result) -> None:
        until_ms = self._rest_until_ms(result)
        self.forget()
        # Fails open by decision: a rest that is not stored costs one more call.
        with suppress(StoreUnavailableError):
            self.store.rest(permit.name, permit.circuit.generation, until_ms)

    def _rest_until_ms(self, result: Result) -> int:
        seconds = result.retry_after_seconds
        return breaker.rest_until_ms(self.policy, seconds, now_ms=self.now_ms())

    def _count(self, permit: Permit, result: Result) -> None:
        now_ms = self.now_ms()
        failure = Failure(now_ms, result.call_id, result.user)
        try:
            circuit = self.store.add_failure(permit.name, permit.circuit.generation, failure)
            if circuit is None:
                return  # The generation has changed: this result is out of date.
            if breaker.should_open(circuit, self.policy, now_ms=now_ms):
                self._swap(permit.name, circuit, self._opened(circuit, result.why))
            elif len(circuit.failures) >= breaker.KEPT_FAILURES:
                old = breaker.stale(circuit.failures, self.policy, now_ms=now_ms)
                self.store.drop_failures(permit.name, circuit.generation, old)
        except StoreUnavailableError:
            return  # Fails open by decision: an uncounted failure is better than a failed request.

    def _opened(self, circuit: Circuit, why: str) -> Circuit:
        until_ms = self.now_ms() + self.policy.open_ms
        return breaker.opened(circuit, until_ms=until_ms, why=why)

    def _opened_by(self, circuit: Circuit, result: Result) -> Circuit:
        until_ms = self.now_ms() + self.policy.open_ms
        if result.effect is Effect.TRIP_MODEL:
            until_ms = self.now_ms() + self.policy.gone_ms
        elif result.effect is Effect.REST:
            until_ms = self._rest_until_ms(result)
        return breaker.opened(circuit, until_ms=until_ms, why=result.why)

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
