"""Confirmed requests, images, usage and OpenAI's routes; background runs; the reconciler."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagegen.bootstrap.generate import GenerateService, get_generate_service
from imagegen.bootstrap.generate_tasks import TASKS, run_task
from imagegen.bootstrap.verifier import access_for
from imagegen.edge.api import (
    build_api,
    caller_of,
    current_user,
    get_dependency,
    json_response,
    response_schema,
    serve,
    viewer_id,
)
from imagegen.edge.events import applied_preference, task_of
from imagegen.edge.media_types import wants_json
from imagegen.edge.requests import check_query
from imagegen.logs import logger
from imagegen.openai_api.answer_models import (
    EDITS,
    GENERATIONS,
    ImagesAnswer,
    ListedModel,
    ModelList,
)
from imagegen.openai_api.models import ImagesRequest
from imagegen.usecases.generate.run import Running
from imagegen.wire.gallery import GalleryPage, GalleryQuery
from imagegen.wire.headers import PREFER
from imagegen.wire.images import GenerateRequest, ImagesInProgress, ImagesMade, ImageStatus
from imagegen.wire.usage import ErasureReport, NewOwnLimits, OwnLimits, Usage

WAIT = {"retry_after": "2"}
"""The header of an answer while an image is being made, in seconds."""
IMAGE_CACHE_SECONDS = 600
"""Shorter than the lifetime of the URL that the answer redirects to."""
MODELS = "/v1/models"
STORED = {200: response_schema("The images, stored and charged.", ImagesAnswer)}

api = build_api()


def full_service() -> GenerateService:
    """Return the service with the limits of people."""
    return get_dependency(api, get_generate_service)


def service_of_caller() -> GenerateService:
    """Return the service with the limits of the caller: a program, or a person with a team."""
    return full_service().under(caller_of(api))


Service = Annotated[GenerateService, Depends(service_of_caller)]


@api.post(
    "/generate-image",
    operation_id="generateImage",
    tags=["images"],
    responses={
        200: response_schema(
            "The image, stored and charged; of several quotes, each image.", ImagesMade
        ),
        202: response_schema("It is being made: send the same request again.", ImagesInProgress),
    },
)
def generate(request: GenerateRequest, service: Service) -> Response[str]:
    """Return the images that the quotes promised, or, while they are being made, their state."""
    ends_ms, user = _ends_ms(service), current_user(api).id
    applied = applied_preference(api.current_event.headers.get(PREFER, ""))
    if request.quotes:
        return _set_response(request, service, ends_ms, applied)
    if applied:
        confirmed = service.background.start(request, user)
    else:
        confirmed = service.generator.generate(request, user, ends_ms=ends_ms)
    quote, result = confirmed.quote, confirmed.result
    if isinstance(result, Running):
        location = f"{_base_url(service)}/images/{quote.image_id}"
        answer = service.presenter.in_progress(quote, result)
        return json_response(answer, status=202, location=location, **WAIT, **applied)
    return json_response(service.presenter.image(quote, result, request.prompt, _base_url(service)))


def _set_response(
    request: GenerateRequest, service: GenerateService, ends_ms: int, applied: Mapping[str, str]
) -> Response[str]:
    """Return the state of each image; an error if none is stored or being made."""
    user = current_user(api).id
    if applied:
        confirmed = service.background.start_set(request, user)
    else:
        confirmed = service.set_generator.generate(request, user, ends_ms=ends_ms)
    answer = service.set_presenter.answer(confirmed, request.prompt, _base_url(service))
    if answer.is_running:
        return json_response(answer, status=202, **WAIT, **applied)
    return json_response(answer)


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
    """Return the address of the image's bytes, or its state to a client that accepts only JSON."""
    if wants_json(api.current_event.headers.get("accept", "")):
        status = service.finder.status(image_id, _base_url(service), viewer_id(api))
        return json_response(status, vary="Accept")
    is_head: bool = api.context.get("is_head", False)
    headers = {
        "Location": service.finder.location(image_id, for_head=is_head),
        "Cache-Control": "no-store" if is_head else f"private, max-age={IMAGE_CACHE_SECONDS}",
        # The same URL also answers with JSON: a browser must not reuse this answer for that.
        "Vary": "Accept",
        "Referrer-Policy": "no-referrer",
    }
    return Response(302, "text/plain", "", headers=headers)


@api.get(
    "/images",
    operation_id="listImages",
    tags=["images"],
    responses={200: response_schema("A part of the user's own images.", GalleryPage)},
)
def images(query: Annotated[GalleryQuery, Query()], service: Service) -> Response[str]:
    """Return a part of the user's own images."""
    check_query(api.current_event.raw_event, GalleryQuery.model_fields)
    return json_response(service.gallery.page(query, current_user(api).id, _base_url(service)))


@api.delete(
    "/images/<image_id>",
    operation_id="deleteImage",
    tags=["images"],
    responses={204: {"description": "The image is deleted; its charge stays."}},
)
def delete_image(image_id: str, service: Service) -> Response[str]:
    """Delete an image of the user."""
    service.gallery.delete(image_id, current_user(api).id)
    return Response(204, "text/plain", "", headers={"Cache-Control": "no-store"})


@api.post(GENERATIONS, operation_id="createImage", tags=["openai"], responses=STORED)
def create_image(request: ImagesRequest, service: Service) -> Response[str]:
    """Return images to an OpenAI client: offer and confirmation in one call."""
    return _openai_response(service, service.openai.images.answer, request)


@api.post(EDITS, operation_id="editImage", tags=["openai"], responses=STORED)
def edit_image(service: Service) -> Response[str]:
    """Return changed pictures to an OpenAI client: offer and confirmation in one call."""
    edit = service.openai.edit_of(api.current_event.raw_event, _base_url(service))
    return _openai_response(service, service.openai.edits.answer, edit)


@api.get(MODELS, operation_id="listModelsForOpenai", tags=["openai"])
def openai_models(service: Service) -> ModelList:
    """Return the values that ``model`` may have now."""
    return service.openai.listing.all(service.lister.models())


@api.get(f"{MODELS}/<model_id>", operation_id="getModelForOpenai", tags=["openai"])
def openai_model(model_id: str, service: Service) -> ListedModel:
    """Return one value that ``model`` may have now."""
    # A client may have encoded the slash of a model's id.
    return service.openai.listing.one(service.lister.models(), unquote(model_id))


@api.get(f"{MODELS}/.+/.+", include_in_schema=False)
def openai_model_with_slashes(service: Service) -> ListedModel:
    """Return a model whose id contains slashes, one or more."""
    model_id = api.current_event.path.removeprefix(f"{MODELS}/")
    return service.openai.listing.one(service.lister.models(), unquote(model_id))


@api.get("/usage", operation_id="getUsage", tags=["usage"])
def usage(service: Service) -> Usage:
    """Return what the user has spent and may still spend."""
    return service.usage_reader.usage(current_user(api).id)


@api.post("/me/limits", operation_id="setOwnLimits", tags=["usage"])
def own_limits(request: NewOwnLimits, service: Service) -> OwnLimits:
    """Set lower limits of one's own; return them."""
    return service.usage_reader.set_own_limits(current_user(api).id, request)


@api.delete("/me", operation_id="eraseMe", tags=["usage"])
def erase_me(service: Service) -> ErasureReport:
    """Erase what is kept of the user, except for the accounting."""
    # Imported here: few users want to be erased.
    from imagegen.bootstrap.erasing import build_eraser  # noqa: PLC0415

    return build_eraser(service).erase_own(current_user(api).id, ends_ms=_ends_ms(service))


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event, or the counts of a scheduled sweep."""
    if (task := task_of(event)) in TASKS:
        service = full_service()
        ends_ms = service.world.now_ms() + context.get_remaining_time_in_millis()
        return run_task(task, event, service, ends_ms=ends_ms)
    return serve(api, event, context, access=ACCESS)


def _openai_response(
    service: GenerateService, answer_to: Callable[..., ImagesAnswer], request: object
) -> Response[str]:
    answer = answer_to(
        *(request, api.current_event.headers, current_user(api).id),
        ends_ms=_ends_ms(service),
        arrived_ms=api.current_event["requestContext"].get("timeEpoch"),
        base_url=_base_url(service),
    )
    return json_response(answer, status=200, **answer.receipt_headers())


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


ACCESS = replace(access_for(full_service), is_open=_is_open, with_pictures=(EDITS,))
