"""Which providers would be used now; on a schedule, the probe of their keys."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagegen.bootstrap.health import get_key_checker, get_reporter, log_key_checks
from imagegen.bootstrap.shared import get_verifier
from imagegen.edge.api import asks_admin, build_api, serve
from imagegen.logs import logger
from imagegen.usecases.health import HealthReporter, summary_of
from imagegen.wire.reports import Health

PATH = "/health-check/image-providers"

api = build_api()


@api.get(PATH, operation_id="getProviderHealth", tags=["operations"])
def health(reporter: Annotated[HealthReporter, Depends(get_reporter)]) -> Health:
    """Return every provider's state; an admin learns the last errors' codes, too."""
    report = reporter.report()
    return report if asks_admin(api) else summary_of(report)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event, or what a scheduled probe found."""
    if event.get("task") == "probe":
        probed = get_key_checker().probe()
        log_key_checks(probed)
        return dict(probed.outcomes)
    return serve(api, event, context, verifier=get_verifier, is_open=_is_open)


def _is_open(method: str, path: str) -> bool:
    """The summary holds no secret and no user data."""
    return method == "GET" and path == PATH
