"""Which models can be called now. The provider's key, its flag and the circuits decide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

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
    requires_marks: bool = False
    """Whether only models are offered whose files have a mark of origin."""

    def availability(self, user: str = "") -> dict[str, Availability]:
        """Return whether each row of the catalog can be called for the user now, by row key.

        The first reason against it is reported: no mark of origin although one is required, no key,
        switched off, then a circuit that lets no call of this user through.
        """
        setups, blocked = self.setups(), self.guard.blocked_until_ms(user)
        unmarked = Availability(Reason.MARKS)
        return {
            row.key: unmarked
            if self.requires_marks and not row.marks
            else _state(row, setups.get(row.provider), blocked)
            for row in self.catalog.models
        }

    def availability_on(self, day: date) -> dict[str, Availability]:
        """Return the same with the rows that are shut down on a day: that reason comes first."""
        states = self.availability()
        retired = Availability(Reason.RETIRED)
        gone = {row.key: retired for row in self.catalog.models if row.is_retired(day)}
        return states | gone


def _state(row: Offering, setup: ProviderSetup | None, blocked: Mapping[str, int]) -> Availability:
    if setup is None or not setup.has_key:
        return Availability(Reason.NO_KEY)
    if not setup.enabled:
        return Availability(Reason.DISABLED)
    names = (row.provider, model_circuit(row.provider, row.model)) if blocked else ()
    until_ms = next((blocked[name] for name in names if name in blocked), None)
    return Availability() if until_ms is None else Availability(Reason.CIRCUIT, until_ms)
