"""What an image would cost, and what can be asked for; nothing is written or spent here."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagegen.api import build_api, serve, user_of
from imagegen.bootstrap.estimate import get_estimator, get_lister
from imagegen.bootstrap.shared import get_verifier
from imagegen.domain.models import Estimate, EstimateRequest
from imagegen.domain.reports import Models
from imagegen.logs import logger
from imagegen.usecases.estimator import Estimator
from imagegen.usecases.listing import ModelLister

api = build_api()


@api.post("/estimate", operation_id="estimateImage", tags=["images"])
def estimate(
    request: EstimateRequest, estimator: Annotated[Estimator, Depends(get_estimator)]
) -> Estimate:
    """Return the priced offer."""
    return estimator.estimate(request, user_of(api).id)


@api.get("/models", operation_id="listModels", tags=["catalog"])
def models(lister: Annotated[ModelLister, Depends(get_lister)]) -> Models:
    """Return the catalog as it is offered now."""
    return lister.models()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event."""
    return serve(api, event, context, verifier=get_verifier)
