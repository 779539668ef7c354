"""Shows why providers are not called, switches them off and on, and resets circuits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from imagegen.domain import breaker
from imagegen.domain.breaker import Circuit, Policy, State
from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import ParameterError, StoreUnavailableError
from imagegen.domain.fleet import CircuitStore, FleetState, Switch, SwitchStore
from imagegen.domain.trail import Action, Change
from imagegen.guard import Transition, model_circuit
from imagegen.usecases.admin.trail import Trail
from imagegen.usecases.availability import ProviderSetup
from imagegen.wire.admin import AdminCircuit, AdminProvider, AdminProviders, SwitchState

TRIES = 5
"""Each loses only to another change of the same circuit in the same moment."""
RESET = "reset"
ON, OFF = "on", "off"


class ProviderStore(CircuitStore, SwitchStore, Protocol):
    """The circuits and the switches."""


@dataclass(frozen=True, slots=True)
class ProviderControl:
    """Acts on the providers of one stack."""

    catalog: Catalog
    setups: Callable[[], Mapping[str, ProviderSetup]]
    store: ProviderStore
    policy: Policy
    trail: Trail
    now_ms: Callable[[], int]
    on_transition: Callable[[Transition], None]

    def overview(self) -> AdminProviders:
        """Return every provider with its switch, and every circuit that is not simply closed.

        Raises:
            StoreUnavailableError: the circuits cannot be read.
        """
        fleet, setups = self.store.load(), self.setups()
        return AdminProviders(
            providers=tuple(
                self._provider(name, setups.get(name), fleet) for name in self.catalog.providers
            ),
            circuits=tuple(
                self._circuit(name, one)
                for name, one in sorted(fleet.circuits.items())
                if self._has_state(one)
            ),
        )

    def switch(self, provider: str, who: str, *, is_on: bool, reason: str) -> AdminProviders:
        """Switch a provider off or on for all users; return the overview after it.

        It is live within seconds, also for quotes that were given out before.

        Raises:
            ParameterError: the catalog has no such provider.
            StoreUnavailableError: it may or may not have been switched. Send it again.
        """
        if provider not in self.catalog.providers:
            raise _unknown("provider", self.catalog.providers)
        was_off = provider in self.store.load().switched_off()
        if was_off is is_on:
            old, new = (OFF, ON) if is_on else (ON, OFF)
            change = Change(Action.PROVIDER_SWITCHED, provider, old, new, reason)
            self.trail.record(who, change)
            self.store.save_switch(provider, Switch(is_on, self.now_ms(), reason))
        return self.overview()

    def reset(self, name: str, who: str, *, reason: str) -> AdminProviders:
        """Close a circuit and forget its failures; return the overview after it.

        Raises:
            ParameterError: the catalog has no such provider or model.
            StoreUnavailableError: it may or may not have been closed. Send it again.
        """
        models = {model_circuit(row.provider, row.model) for row in self.catalog.models}
        if name not in {*self.catalog.providers, *models, *self.store.load().circuits}:
            raise _unknown("circuit", self.catalog.providers)
        is_recorded = False
        for _ in range(TRIES):
            circuit = self.store.load().circuits.get(name, Circuit())
            if not self._has_state(circuit):
                return self.overview()
            if not is_recorded:
                old, new = circuit.state.value, State.CLOSED.value
                self.trail.record(who, Change(Action.CIRCUIT_RESET, name, old, new, reason))
                is_recorded = True
            if self.store.swap(name, circuit, breaker.closed(circuit)):
                self.on_transition(Transition(name, circuit.state, State.CLOSED, RESET))
                return self.overview()
        raise StoreUnavailableError("The circuit changes all the time. Send it again.")

    def _has_state(self, circuit: Circuit) -> bool:
        """Return whether a circuit differs from one that nothing has happened to."""
        now_ms = self.now_ms()
        is_resting = circuit.until_ms > now_ms
        failures = breaker.recent(circuit, self.policy, now_ms=now_ms)
        return circuit.state is not State.CLOSED or is_resting or bool(failures)

    def _provider(self, name: str, setup: ProviderSetup | None, fleet: FleetState) -> AdminProvider:
        switch, checked = fleet.switches.get(name), fleet.key_checks.get(name)
        is_allowed = setup is not None and setup.enabled
        return AdminProvider(
            provider=name,
            has_key=setup is not None and setup.has_key,
            enabled=is_allowed and name not in fleet.switched_off(),
            flag=is_allowed,
            switch=_state(switch) if switch else None,
            circuit=self._circuit(name, fleet.circuits.get(name, Circuit())),
            last_key_check=checked.outcome if checked else None,
        )

    def _circuit(self, name: str, circuit: Circuit) -> AdminCircuit:
        now_ms = self.now_ms()
        failures = breaker.recent(circuit, self.policy, now_ms=now_ms)
        return AdminCircuit(
            circuit=name,
            state=circuit.state.value,
            why=circuit.why or None,
            failures=len(failures),
            users=len({one.user or one.call_id for one in failures}),
            retry_at=circuit.until_ms if circuit.until_ms > now_ms else None,
        )


def _state(switch: Switch) -> SwitchState:
    return SwitchState(on=switch.is_on, at=switch.at_ms, reason=switch.reason)


def _unknown(field: str, providers: tuple[str, ...]) -> ParameterError:
    names = ", ".join(providers)
    return ParameterError(field, f"There is no such {field}. The providers are {names}.")
