"""Which models can be called now. The provider's key, its flag and the circuits decide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Policy, State
from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.selection import Availability, Reason
from imagegen.guard import Guard, model_circuit


@dataclass(frozen=True, slots=True)
class ProviderSetup:
    """What the operator has set for a provider."""

    has_key: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class Switchboard:
    """Combines what the operator has set with the state of the circuits."""

    catalog: Catalog
    setups: Callable[[], Mapping[str, ProviderSetup]]
    guard: Guard

    def availability(self) -> dict[str, Availability]:
        """Return whether each row of the catalog can be called now, by row key.

        The first reason against it is reported: no key, then switched off, then an open circuit.
        """
        setups, blocked = self.setups(), self._blocked_until_ms()
        return {
            row.key: _state(row, setups.get(row.provider), blocked) for row in self.catalog.models
        }

    def _blocked_until_ms(self) -> dict[str, int]:
        """Return the circuits that let no call through now, by name.

        The values are the times in ms since 1970 at which each may let a call through again.
        """
        now_ms, policy = self.guard.now_ms(), self.guard.policy
        return {
            name: circuit.until_ms
            for name, circuit in self.guard.circuits().items()
            if _blocks_calls(circuit, policy, now_ms)
        }


def _state(row: Offering, setup: ProviderSetup | None, blocked: Mapping[str, int]) -> Availability:
    if setup is None or not setup.has_key:
        return Availability(Reason.NO_KEY)
    if not setup.enabled:
        return Availability(Reason.DISABLED)
    names = (row.provider, model_circuit(row.provider, row.model)) if blocked else ()
    until_ms = next((blocked[name] for name in names if name in blocked), None)
    return Availability() if until_ms is None else Availability(Reason.CIRCUIT, until_ms)


def _blocks_calls(circuit: Circuit, policy: Policy, now_ms: int) -> bool:
    if circuit.state is State.CLOSED:
        return breaker.should_open(circuit, policy, now_ms=now_ms)
    # When a probe is due, the provider is offered again: the next user's image is the probe.
    return not breaker.may_probe(circuit, now_ms=now_ms)
