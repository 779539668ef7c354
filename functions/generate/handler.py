"""Confirmed requests, images, usage and OpenAI's routes; on a schedule, the reconciler."""

from dataclasses import asdict
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagegen.bootstrap.generate import GenerateService, get_generate_service
from imagegen.bootstrap.verifier import get_verifier
from imagegen.edge.api import (
    build_api,
    current_user,
    get_dependency,
    json_response,
    response_schema,
    serve,
)
from imagegen.edge.media_types import wants_json
from imagegen.edge.requests import Access
from imagegen.events import task_of
from imagegen.logs import logger
from imagegen.openai_api.calls import parse_call
from imagegen.openai_api.models import (
    ImagesAnswer,
    ImagesRequest,
    ModelList,
    canonical_body,
    to_estimate_request,
)
from imagegen.usecases.generate.run import Running
from imagegen.wire.headers import MAX_COST
from imagegen.wire.images import GeneratedImage, GenerateRequest, ImageInProgress, ImageStatus
from imagegen.wire.reports import Usage

Service = Annotated[GenerateService, Depends(get_generate_service)]

SWEEP_USERS = 100
RETRY_AFTER_SECONDS = "2"
IMAGE_CACHE_SECONDS = 600
"""Shorter than the lifetime of the URL that the answer redirects to."""

api = build_api()


@api.post(
    "/generate-image",
    operation_id="generateImage",
    tags=["images"],
    responses={
        200: response_schema("The image, stored and charged.", GeneratedImage),
        202: response_schema("It is being made: send the same request again.", ImageInProgress),
    },
)
def generate(request: GenerateRequest, service: Service) -> Response[str]:
    """Return the image that the quote promised, or, while it is being made, its state."""
    ends_ms = _ends_ms(service)
    confirmed = service.generator.generate(request, current_user(api).id, ends_ms=ends_ms)
    quote, result = confirmed.quote, confirmed.result
    if isinstance(result, Running):
        answer = service.presenter.in_progress(quote, result)
        return json_response(answer, status=202, retry_after=RETRY_AFTER_SECONDS)
    return json_response(service.presenter.image(quote, result, request.prompt, _base_url(service)))


@api.get(
    "/images/<image_id>",
    operation_id="getImage",
    tags=["images"],
    responses={
        200: response_schema("Its state, if JSON is requested.", ImageStatus),
        302: {"description": "The image's bytes are at Location for 15 minutes."},
    },
)
def image(image_id: str, service: Service) -> Response[str]:
    """Return where the image's bytes are, or its state to a client that accepts only JSON."""
    if wants_json(api.current_event.headers.get("accept", "")):
        return json_response(service.finder.status(image_id, _base_url(service)), vary="Accept")
    headers = {
        "Location": service.finder.location(image_id),
        "Cache-Control": f"private, max-age={IMAGE_CACHE_SECONDS}",
        # The same URL also answers with JSON: a browser must not reuse this answer for that.
        "Vary": "Accept",
        "Referrer-Policy": "no-referrer",
    }
    return Response(302, "text/plain", "", headers=headers)


@api.post(
    "/v1/images/generations",
    operation_id="createImage",
    tags=["openai"],
    responses={200: response_schema("The image, stored and charged.", ImagesAnswer)},
)
def create_image(request: ImagesRequest, service: Service) -> Response[str]:
    """Return an image to an OpenAI client: offer and confirmation in one call."""
    ends_ms = _ends_ms(service)
    headers = api.current_event.headers
    call = parse_call(headers, canonical_body(request), current_user(api).id)
    estimate_request = to_estimate_request(request, service.world.catalog, headers.get(MAX_COST))
    made = service.buyer.buy(estimate_request, call, ends_ms=ends_ms)
    return json_response(service.openai_presenter.image(made, request, _base_url(service)))


@api.get("/v1/models", operation_id="listModelsForOpenai", tags=["openai"])
def openai_models(
    service: Service,
) -> ModelList:
    """Return the values that ``model`` may have now."""
    return service.openai_presenter.models(service.lister.models())


@api.get("/usage", operation_id="getUsage", tags=["usage"])
def usage(service: Service) -> Usage:
    """Return what the user has spent and may still spend."""
    return service.usage_reader.usage(current_user(api).id)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event, or the counts of a scheduled sweep."""
    if task_of(event) == "reconcile":
        service = get_dependency(api, get_generate_service)
        done = asdict(service.reconciler.sweep(limit=SWEEP_USERS))
        logger.info("reconciled", **done)
        return done
    return serve(api, event, context, access=ACCESS)


def _ends_ms(service: GenerateService) -> int:
    """Return the end of this run in ms, which Lambda sets.

    It is read first, because the lease and every timeout depend on it.
    """
    return service.world.now_ms() + api.lambda_context.get_remaining_time_in_millis()


def _base_url(service: GenerateService) -> str:
    http = api.current_event.request_context
    return service.settings.public_url(http.domain_name, http.domain_prefix)


def _is_open(method: str, path: str) -> bool:
    """Return whether it is an image: those are open by id, as an ``<img>`` cannot send a token."""
    return method == "GET" and path.startswith("/images/")


ACCESS = Access(get_verifier, is_open=_is_open)
