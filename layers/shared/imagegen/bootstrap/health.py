"""The service of ``health``. Only key checks load the vendors' clients; reports do not."""

import os
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from imagegen.aws import clients
from imagegen.bootstrap.aws_world import AwsWorld
from imagegen.bootstrap.service import Service, prime
from imagegen.bootstrap.verifier import get_verifier
from imagegen.settings import ModerationSettings
from imagegen.usecases.health import HealthReporter
from imagegen.usecases.key_checks import KeyChecker

if TYPE_CHECKING:
    from imagegen.usecases.price_checks import PriceChecker


@dataclass(frozen=True)
class HealthService(Service):
    """Reports on the providers and checks their keys."""

    settings: ModerationSettings

    @cached_property
    def reporter(self) -> HealthReporter:
        """Reports which providers would be used now."""
        world, mode = self.world, self.settings.moderation
        return HealthReporter(
            world.catalog, self.switchboard, world.now_ms, mode, world.moderated_by
        )

    @cached_property
    def key_checker(self) -> KeyChecker:
        """Checks the providers' keys."""
        world = self.world
        return KeyChecker(
            world.catalog,
            self.switchboard.current_setups,
            world.get_provider,
            self.guard,
            world.circuits,
            world.now_ms,
        )

    @cached_property
    def price_checker(self) -> "PriceChecker":
        """Compares the catalog with the prices that vendors state."""
        # Imported here: only the daily check needs it.
        from imagegen.usecases.price_checks import PriceChecker  # noqa: PLC0415

        world = self.world
        return PriceChecker(
            world.catalog,
            self.switchboard.current_setups,
            world.get_provider,
            world.circuits,
            world.now_ms,
        )


@cache
def get_health_service() -> HealthService:
    """Return the service over AWS.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    settings = ModerationSettings.from_env(os.environ)
    return HealthService(AwsWorld(settings), settings)


# The token library is not loaded: neither the public summary nor a key check has a token.
prime(lambda: get_health_service().reporter, clients.ssm, get_verifier)
