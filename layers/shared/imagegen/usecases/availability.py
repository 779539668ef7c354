"""Which models could be called now: key, flag and circuit, in this order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, State
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
        setups, circuits = self.setups(), self.guard.circuits()
        return {
            row.key: self._row(row, setups.get(row.provider), circuits)
            for row in self.catalog.models
        }

    def _row(
        self, row: Offering, setup: ProviderSetup | None, circuits: Mapping[str, Circuit]
    ) -> Availability:
        if setup is None or not setup.has_key:
            return Availability(Reason.NO_KEY)
        if not setup.enabled:
            return Availability(Reason.DISABLED)
        for name in (row.provider, model_circuit(row.provider, row.model)):
            circuit = circuits.get(name, Circuit())
            if self._is_open(circuit):
                return Availability(Reason.CIRCUIT, circuit.until_ms)
        return Availability()

    def _is_open(self, circuit: Circuit) -> bool:
        now_ms = self.guard.now_ms()
        if circuit.state is State.CLOSED:
            return breaker.should_open(circuit, self.guard.policy, now_ms=now_ms)
        # Once a probe is due the provider is offered again: a person's image is the probe.
        return not breaker.may_probe(circuit, now_ms=now_ms)
