"""The part that the services of all functions share: the guard and the availability of models."""

from dataclasses import dataclass
from functools import cached_property

from imagegen.bootstrap.world import World
from imagegen.domain.breaker import Policy
from imagegen.domain.catalog import Catalog
from imagegen.guard import Guard
from imagegen.settings import Settings
from imagegen.usecases.availability import Switchboard

PROBE_MARGIN_MS = 15_000


def policy_for(catalog: Catalog) -> Policy:
    """Return the policy whose lease of a probe lasts longer than any call of the catalog."""
    longest_seconds = max(row.call_seconds for row in catalog.models)
    return Policy(probe_ms=longest_seconds * 1000 + PROBE_MARGIN_MS)


@dataclass(frozen=True)
class Service:
    """The use cases of one function over one world; each is built when it is first used."""

    world: World
    settings: Settings

    @cached_property
    def guard(self) -> Guard:
        """Calls providers through their circuits; it has this instance's cache of them."""
        world = self.world
        return Guard(
            world.circuits,
            policy_for(world.catalog),
            world.now_ms,
            world.new_id,
            world.observer.circuit_moved,
        )

    @cached_property
    def switchboard(self) -> Switchboard:
        """Finds which models can be called now."""
        return Switchboard(self.world.catalog, self.world.setups, self.guard)
