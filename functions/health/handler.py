"""The state of the providers; on schedules, the checks of their keys and of their prices."""

from dataclasses import replace
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagegen.bootstrap.health import HealthService, get_health_service
from imagegen.bootstrap.verifier import access_for
from imagegen.edge.api import build_api, get_dependency, is_admin_request, serve
from imagegen.edge.events import task_of
from imagegen.logs import logger
from imagegen.usecases.health import public_summary
from imagegen.wire.health import Health

PATH = "/health-check/image-providers"

api = build_api()


@api.get(PATH, operation_id="getProviderHealth", tags=["operations"])
def health(service: Annotated[HealthService, Depends(get_health_service)]) -> Health:
    """Return every provider's state; for an admin, with the last errors' codes."""
    report = service.reporter.report()
    return report if is_admin_request(api) else public_summary(report)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event, or the outcomes of a scheduled check."""
    if task_of(event) == "probe":
        service = _service()
        results = service.key_checker.check()
        service.world.observer.keys_checked(results)
        return dict(results.outcomes)
    if task_of(event) == "prices":
        service = _service()
        checked = service.price_checker.check()
        service.world.observer.prices_checked(checked)
        return dict(checked.outcomes)
    return serve(api, event, context, access=ACCESS)


def _is_open(method: str, path: str) -> bool:
    """Return whether it is the health summary: it is open, as it has no secrets or user data."""
    return method == "GET" and path == PATH


def _service() -> HealthService:
    return get_dependency(api, get_health_service)


ACCESS = replace(access_for(_service), is_open=_is_open)
