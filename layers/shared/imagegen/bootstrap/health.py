"""The service of ``health``. Only key checks load the vendors' clients; reports do not."""

from dataclasses import dataclass
from functools import cache, cached_property

from imagegen.aws import clients
from imagegen.bootstrap.aws_world import AwsWorld
from imagegen.bootstrap.service import Service, prime
from imagegen.bootstrap.verifier import get_settings, get_verifier
from imagegen.usecases.health import HealthReporter
from imagegen.usecases.key_checks import KeyChecker


@dataclass(frozen=True)
class HealthService(Service):
    """Reports on the providers and checks their keys."""

    @cached_property
    def reporter(self) -> HealthReporter:
        """Reports which providers would be used now."""
        return HealthReporter(self.world.catalog, self.switchboard, self.world.now_ms)

    @cached_property
    def key_checker(self) -> KeyChecker:
        """Checks the providers' keys."""
        world = self.world
        return KeyChecker(
            world.catalog,
            world.setups,
            world.get_provider,
            self.guard,
            world.circuits,
            world.now_ms,
        )


@cache
def get_health_service() -> HealthService:
    """Return the service over AWS.

    Raises:
        pydantic.ValidationError: names every variable that is missing or wrong.
    """
    return HealthService(AwsWorld(get_settings()), get_settings())


# The token library is not loaded: neither the public summary nor a key check has a token.
prime(lambda: get_health_service().reporter, clients.ssm, get_verifier)
