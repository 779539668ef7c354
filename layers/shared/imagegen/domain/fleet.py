"""What all instances share about the providers, and where it is kept: circuits and checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from imagegen.domain.breaker import Circuit, Failure
from imagegen.domain.vendor_prices import PriceCheck


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What the last check of a provider's key found."""

    at_ms: int
    outcome: str
    """``valid`` or an ``Outcome``."""
    verdict: str = ""
    """The last ``outcome`` about the key itself: ``valid``, ``account``, or empty if none yet."""
    unlisted: tuple[str, ...] = ()
    """The catalog's models that are not in the provider's list."""
    last_days: Mapping[str, date] = field(default_factory=dict)
    """The last days that the provider announces, by model of the catalog."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether an operator has switched a provider off while the service runs."""

    is_on: bool
    at_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FleetState:
    """The state of the providers that all instances share."""

    circuits: Mapping[str, Circuit]
    """By name; a circuit that is missing here is closed and has generation 0."""
    key_checks: Mapping[str, KeyCheck]
    """By provider."""
    price_checks: Mapping[str, PriceCheck] = field(default_factory=dict)
    """By provider, for those whose vendors state prices."""
    switches: Mapping[str, Switch] = field(default_factory=dict)
    """By provider; one that is missing here was never switched."""
    is_known: bool = True
    """Whether it was read; if it could not be, no circuit and no check is in it."""

    def switched_off(self) -> set[str]:
        """Return the providers that an operator has switched off."""
        return {provider for provider, switch in self.switches.items() if not switch.is_on}


class CircuitStore(Protocol):
    """The circuits; of all ``swap`` calls for one generation, one succeeds."""

    def load(self) -> FleetState:
        """Return every stored circuit, and the last checks of each provider's key and prices.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def add_failure(self, name: str, generation: int, failure: Failure) -> Circuit | None:
        """Return the circuit with the failure added, or ``None`` if the generation has changed.

        Raises:
            StoreUnavailableError: it may or may not have been added.
        """
        ...

    def rest(self, name: str, generation: int, until_ms: int) -> None:
        """Let a closed circuit of this generation rest until then, unless it already rests longer.

        Raises:
            StoreUnavailableError: it may or may not rest.
        """
        ...

    def drop_failures(self, name: str, generation: int, failures: frozenset[Failure]) -> None:
        """Remove failures that are outside the window."""
        ...

    def swap(self, name: str, old: Circuit, new: Circuit) -> bool:
        """Replace ``old`` by ``new``. Return whether this caller did it.

        Raises:
            StoreUnavailableError: it may or may not have been replaced.
        """
        ...


class KeyCheckStore(Protocol):
    """Where the results of the key checks are stored."""

    def save(self, provider: str, key_check: KeyCheck) -> KeyCheck | None:
        """Store a key check. Return the one that it replaced, or ``None`` if it is the first.

        Of several instances, only one sees a change in what it replaced, and reports it.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...


class SwitchStore(Protocol):
    """Where the operators' switches are stored."""

    def save_switch(self, provider: str, switch: Switch) -> None:
        """Store a switch; the last one wins.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...
