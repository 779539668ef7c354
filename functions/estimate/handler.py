"""Prices, models, the tool's definition and MCP. Nothing is written or spent here.

What the view of MCP confirms is sent on to ``POST /generate-image``, with the person's token.
"""

import json
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

from imagegen.bootstrap.estimate import EstimateService, get_estimate_service
from imagegen.bootstrap.verifier import access_for, get_settings
from imagegen.edge.api import (
    build_api,
    caller_of,
    current_user,
    get_dependency,
    json_response_schema,
    json_text_response,
    serve,
)
from imagegen.edge.problems import foreign_origin
from imagegen.edge.requests import Event, raw_body
from imagegen.logs import logger
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.headers import JSON
from imagegen.wire.inputs import UploadOrder, UploadTicket
from imagegen.wire.model_list import Models
from imagegen.wire.problems import Problem
from imagegen.wire.values import EdgeModel


class ToolQuery(EdgeModel):
    """The requested format of the definition."""

    format: Literal["openai", "anthropic", "gemini", "mcp"] = Field(
        description="The API that it is for: openai, anthropic, gemini or mcp."
    )


MCP = "/mcp"

api = build_api()


def full_service() -> EstimateService:
    """Return the service with the limits of people."""
    return get_dependency(api, get_estimate_service)


def service_of_caller() -> EstimateService:
    """Return the service with the limits of the caller: a program, or a person with a team."""
    return full_service().under(caller_of(api))


Service = Annotated[EstimateService, Depends(service_of_caller)]


@api.post("/estimate", operation_id="estimateImage", tags=["images"])
def estimate(request: EstimateRequest, service: Service) -> Estimate:
    """Return the priced offer."""
    return service.estimator.estimate(request, current_user(api).id)


@api.post("/inputs", operation_id="createUpload", tags=["images"])
def create_upload(order: UploadOrder, service: Service) -> UploadTicket:
    """Return the ticket with which a picture can be stored, once, as an input."""
    return service.uploader.ticket(order, current_user(api).id)


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
        partial(service.relay, api.current_event.headers),
        service.image_origins,
    )
    answer = reply(raw_body(api.current_event.raw_event), api.current_event.headers, toolbox)
    headers = {"Cache-Control": "no-store"}
    if answer.session:
        headers["Mcp-Session-Id"] = answer.session
    return Response(answer.status, JSON, answer.body, headers=headers)


@api.get("/.well-known/oauth-protected-resource", include_in_schema=False)
def protected_resource(service: Service) -> Response[str]:
    """Return the document that names the issuer of this function's tokens (RFC 9728)."""
    return _metadata(service, "")


@api.get("/.well-known/oauth-protected-resource/mcp", include_in_schema=False)
def protected_mcp(service: Service) -> Response[str]:
    """Return the same document about the route of the Model Context Protocol."""
    return _metadata(service, MCP)


@api.get("/openapi.json", include_in_schema=False)
def openapi(service: Service) -> Response[str]:
    """Return the OpenAPI document of this deployment: every function's URL is its own."""
    # As above: only tools that read the document load it.
    from imagegen.edge.openapi import served_document  # noqa: PLC0415

    own = _base_url(service, api.current_event.raw_event)
    urls = {"estimate": own, **service.settings.other_urls}
    return json_text_response(served_document(urls, own="estimate"), max_age_seconds=300)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event."""
    return serve(api, event, context, access=ACCESS)


def _is_open(method: str, path: str) -> bool:
    """Return whether it is a document that clients read before they have a token."""
    return method == "GET" and (path == "/openapi.json" or path.startswith("/.well-known/"))


def _origin_fault(event: Event) -> Problem | None:
    """Return the problem of a call of MCP by a web page that may not call, or ``None``."""
    origin = event["headers"].get("origin", "")
    if event["rawPath"] != MCP or not origin:
        return None
    # As above: only web pages that call MCP load it.
    from imagegen.mcp.authorization import may_call  # noqa: PLC0415

    service = full_service()
    allowed = service.settings.origins
    return None if may_call(origin, allowed, _base_url(service, event)) else foreign_origin()


def _metadata_url(event: Event) -> str:
    """Return the address of the document for hosts of MCP; empty for other routes."""
    if event["rawPath"] != MCP:
        return ""
    from imagegen.mcp.authorization import metadata_url  # noqa: PLC0415 as above

    service = full_service()
    return metadata_url(_base_url(service, event), MCP)


def _metadata(service: EstimateService, path: str) -> Response[str]:
    from imagegen.mcp.authorization import resource_metadata  # noqa: PLC0415 as above

    settings = get_settings()
    scopes = [settings.jwt_user_scope] if settings.jwt_user_scope else []
    base_url = _base_url(service, api.current_event.raw_event)
    found = resource_metadata(base_url, path, issuer=settings.jwt_issuer, scopes=scopes)
    return json_text_response(json.dumps(found), max_age_seconds=300)


def _base_url(service: EstimateService, event: Event) -> str:
    context = event["requestContext"]
    return service.settings.public_url(context["domainName"], context["domainPrefix"])


ACCESS = replace(
    access_for(full_service),
    is_open=_is_open,
    own_json=(MCP,),
    fault=_origin_fault,
    metadata_url=_metadata_url,
)
