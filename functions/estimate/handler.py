"""Prices, models, the tool's definition and MCP. Nothing is written or spent here."""

from functools import partial
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

from imagegen.bootstrap.estimate import EstimateService, get_estimate_service
from imagegen.bootstrap.verifier import get_verifier
from imagegen.edge.api import build_api, current_user, json_response_schema, not_allowed, serve
from imagegen.edge.requests import raw_body
from imagegen.logs import logger
from imagegen.wire.headers import JSON
from imagegen.wire.images import EdgeModel, Estimate, EstimateRequest
from imagegen.wire.reports import Models


class ToolQuery(EdgeModel):
    """The requested format of the definition."""

    format: Literal["openai", "anthropic", "gemini", "mcp"] = Field(
        description="The API that it is for: openai, anthropic, gemini or mcp."
    )


Service = Annotated[EstimateService, Depends(get_estimate_service)]

MCP = "/mcp"

api = build_api()


@api.post("/estimate", operation_id="estimateImage", tags=["images"])
def estimate(request: EstimateRequest, service: Service) -> Estimate:
    """Return the priced offer."""
    return service.estimator.estimate(request, current_user(api).id)


@api.get("/models", operation_id="listModels", tags=["catalog"])
def models(service: Service) -> Models:
    """Return the catalog as it is offered now."""
    return service.lister.models()


@api.get("/tools/generate_image", operation_id="getToolDefinition", tags=["chat"])
def tool(query: Annotated[ToolQuery, Query()], service: Service) -> dict[str, Any]:
    """Return the tool's definition, as one entry of an LLM interface's list of tools."""
    # Only developers request it: a cold start for an estimate must not load it.
    from imagegen.chat.tool import tool_definition  # noqa: PLC0415

    return tool_definition(query.format, service.world.catalog.providers)


@api.post(
    MCP,
    operation_id="callMcp",
    tags=["mcp"],
    responses={
        200: json_response_schema("The answer to a JSON-RPC request."),
        202: {"description": "A notification was accepted."},
    },
)
def mcp(service: Service) -> Response[str]:
    """Return the answer to one message of the Model Context Protocol."""
    # As above: only MCP requests load it.
    from imagegen.mcp.server import reply  # noqa: PLC0415
    from imagegen.mcp.tools import Toolbox  # noqa: PLC0415

    offer = partial(service.estimator.estimate, user=current_user(api).id)
    toolbox = Toolbox(
        offer,
        service.status_reader.status,
        service.lister.models,
        service.world.catalog.providers,
        service.page_url,
    )
    answer = reply(raw_body(api.current_event.raw_event), api.current_event.headers, toolbox)
    return Response(answer.status, JSON, answer.body, headers={"Cache-Control": "no-store"})


@api.route(MCP, method=["GET", "DELETE"], include_in_schema=False)
def no_stream() -> Response[str]:
    """Return the error that says that MCP here has no streams and no sessions."""
    return not_allowed("POST")


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event."""
    return serve(api, event, context, verifier=get_verifier, own_json=(MCP,))
