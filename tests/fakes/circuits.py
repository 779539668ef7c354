"""The circuits of the fleet in memory: one winner per generation, as in the table."""

import threading
from dataclasses import dataclass, field, replace

from imagegen.domain.breaker import Circuit, Failure, State
from imagegen.domain.fleet import FleetState, KeyCheck, Switch
from imagegen.domain.vendor_prices import PriceCheck


@dataclass(slots=True)
class MemoryCircuitStore:
    """``CircuitStore``, and the stores of checks, in dictionaries."""

    circuits: dict[str, Circuit] = field(default_factory=dict)
    key_checks: dict[str, KeyCheck] = field(default_factory=dict)
    price_checks: dict[str, PriceCheck] = field(default_factory=dict)
    switches: dict[str, Switch] = field(default_factory=dict)
    writes: int = 0
    loads: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self) -> FleetState:
        with self._lock:
            self.loads += 1
            checks = (dict(self.key_checks), dict(self.price_checks))
            return FleetState(dict(self.circuits), *checks, dict(self.switches))

    def add_failure(self, name: str, generation: int, failure: Failure) -> Circuit | None:
        with self._lock:
            circuit = self.circuits.get(name, Circuit())
            if circuit.state is not State.CLOSED or circuit.generation not in (0, generation):
                return None
            added = replace(circuit, failures=circuit.failures | {failure})
            self._put(name, added)
            return added

    def rest(self, name: str, generation: int, until_ms: int) -> None:
        with self._lock:
            circuit = self.circuits.get(name, Circuit())
            if circuit.state is not State.CLOSED or circuit.generation not in (0, generation):
                return
            if circuit.until_ms < until_ms:
                self._put(name, replace(circuit, until_ms=until_ms))

    def drop_failures(self, name: str, generation: int, failures: frozenset[Failure]) -> None:
        with self._lock:
            circuit = self.circuits.get(name, Circuit())
            if failures and circuit.generation in (0, generation):
                self._put(name, replace(circuit, failures=circuit.failures - failures))

    def swap(self, name: str, old: Circuit, new: Circuit) -> bool:
        with self._lock:
            circuit = self.circuits.get(name, Circuit())
            if circuit.generation != old.generation:
                return bool(new.owner) and circuit == new
            self._put(name, replace(new, failures=frozenset()))
            return True

    def save(self, provider: str, key_check: KeyCheck) -> KeyCheck | None:
        with self._lock:
            before = self.key_checks.get(provider)
            self.key_checks[provider] = key_check
            self.writes += 1
            return before

    def save_prices(self, provider: str, price_check: PriceCheck) -> None:
        with self._lock:
            self.price_checks[provider] = price_check
            self.writes += 1

    def save_switch(self, provider: str, switch: Switch) -> None:
        with self._lock:
            self.switches[provider] = switch
            self.writes += 1

    def _put(self, name: str, circuit: Circuit) -> None:
        self.circuits[name] = circuit
        self.writes += 1
