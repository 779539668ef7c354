"""Which models could be called now: key, flag and circuit, in this order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Policy, State
from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.selection import Availability, Reason
from imagegen.guard import Guard, model_circuit


@dataclass(frozen=True, slots=True)
class ProviderSetup:
    """What the operator set for a provider."""

    has_key: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class Switchboard:
    """Joins what the operator set with what the circuits say."""

    catalog: Catalog
    setups: Callable[[], Mapping[str, ProviderSetup]]
    guard: Guard

    def availability(self) -> dict[str, Availability]:
        """Return the state of every row, by key."""
        setups, resting = self.setups(), self._resting()
        return {
            row.key: _state(row, setups.get(row.provider), resting) for row in self.catalog.models
        }

    def _resting(self) -> dict[str, int]:
        """Return the circuits that let no call through, by name, with when they next will."""
        now_ms, policy = self.guard.now_ms(), self.guard.policy
        return {
            name: circuit.until_ms
            for name, circuit in self.guard.circuits().items()
            if _is_resting(circuit, policy, now_ms)
        }


def _state(row: Offering, setup: ProviderSetup | None, resting: Mapping[str, int]) -> Availability:
    if setup is None or not setup.has_key:
        return Availability(Reason.NO_KEY)
    if not setup.enabled:
        return Availability(Reason.DISABLED)
    names = (row.provider, model_circuit(row.provider, row.model)) if resting else ()
    until_ms = next((resting[name] for name in names if name in resting), None)
    return Availability() if until_ms is None else Availability(Reason.CIRCUIT, until_ms)


def _is_resting(circuit: Circuit, policy: Policy, now_ms: int) -> bool:
    if circuit.state is State.CLOSED:
        return breaker.should_open(circuit, policy, now_ms=now_ms)
    # Once a probe is due the provider is offered again: a person's image is the probe.
    return not breaker.may_probe(circuit, now_ms=now_ms)
