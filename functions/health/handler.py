"""Which providers would be used now; on a schedule, the probe of their keys."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagegen.bootstrap.health import HealthService, get_health_service
from imagegen.bootstrap.verifier import get_verifier
from imagegen.edge.api import asks_admin, build_api, injected, serve
from imagegen.logs import logger
from imagegen.usecases.health import public_summary
from imagegen.wire.reports import Health

PATH = "/health-check/image-providers"

api = build_api()


@api.get(PATH, operation_id="getProviderHealth", tags=["operations"])
def health(service: Annotated[HealthService, Depends(get_health_service)]) -> Health:
    """Return every provider's state; an admin learns the last errors' codes, too."""
    report = service.reporter.report()
    return report if asks_admin(api) else public_summary(report)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event, or what a scheduled probe found."""
    if event.get("task") == "probe":
        service = injected(api, get_health_service)
        results = service.key_checker.check()
        service.world.observer.keys_checked(results)
        return dict(results.outcomes)
    return serve(api, event, context, verifier=get_verifier, is_open=_is_open)


def _is_open(method: str, path: str) -> bool:
    """The summary holds no secret and no user data."""
    return method == "GET" and path == PATH
