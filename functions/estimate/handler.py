"""What an image would cost, and what can be asked for; nothing is written or spent here."""

from functools import partial
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

from imagegen.bootstrap.estimate import get_estimator, get_lister, get_status_reader
from imagegen.bootstrap.shared import get_verifier
from imagegen.edge.api import build_api, json_described, not_allowed, serve, user_of
from imagegen.edge.requests import raw_body
from imagegen.logs import logger
from imagegen.usecases.estimator import Estimator
from imagegen.usecases.model_list import ModelLister
from imagegen.usecases.tracing import LedgerStatusReader
from imagegen.wire.headers import JSON
from imagegen.wire.images import EdgeModel, Estimate, EstimateRequest
from imagegen.wire.reports import Models


class ToolQuery(EdgeModel):
    """Which definition is asked for."""

    format: Literal["openai", "anthropic", "gemini", "mcp"] = Field(
        description="Whose words it is in: openai, anthropic, gemini or mcp."
    )


MCP = "/mcp"

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


@api.get("/tools/generate_image", operation_id="getToolDefinition", tags=["chat"])
def tool(query: Annotated[ToolQuery, Query()]) -> dict[str, Any]:
    """Return the tool's definition, as one entry of an LLM interface's list of tools."""
    # Asked for once by a developer: a cold start that prices does not pay for it.
    from imagegen.chat.tool import tool_definition  # noqa: PLC0415

    return tool_definition(query.format)


@api.post(
    MCP,
    operation_id="callMcp",
    tags=["mcp"],
    responses={
        200: json_described("The answer to a JSON-RPC request."),
        202: {"description": "A notification was taken."},
    },
)
def mcp(
    estimator: Annotated[Estimator, Depends(get_estimator)],
    lister: Annotated[ModelLister, Depends(get_lister)],
    status_reader: Annotated[LedgerStatusReader, Depends(get_status_reader)],
) -> Response[str]:
    """Return the answer to one message of the Model Context Protocol."""
    # As above: only those who speak it pay for it.
    from imagegen.mcp.server import reply  # noqa: PLC0415
    from imagegen.mcp.tools import Toolbox  # noqa: PLC0415

    offer = partial(estimator.estimate, user=user_of(api).id)
    toolbox = Toolbox(offer, status_reader.status, lister.models)
    said = reply(raw_body(api.current_event.raw_event), api.current_event.headers, toolbox)
    return Response(said.status, JSON, said.body, headers={"Cache-Control": "no-store"})


@api.route(MCP, method=["GET", "DELETE"], include_in_schema=False)
def no_stream() -> Response[str]:
    """Return that there are no streams and no sessions to end."""
    return not_allowed("POST")


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event."""
    return serve(api, event, context, verifier=get_verifier, own_json=(MCP,))
