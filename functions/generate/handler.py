"""The confirmed request, the images and the usage; on a schedule, the reconciler."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.utilities.typing import LambdaContext

from imagegen.bootstrap.estimate import get_lister
from imagegen.bootstrap.generate import (
    get_finder,
    get_generator,
    get_presenter,
    get_reconciler,
    get_usage_reader,
)
from imagegen.bootstrap.openai_api import get_buyer, get_openai_presenter
from imagegen.bootstrap.shared import get_clock, get_settings, get_verifier
from imagegen.edge.api import build_api, described, json_response, serve, user_of
from imagegen.logs import logger
from imagegen.openai_api.answers import OpenAiPresenter
from imagegen.openai_api.buyer import Buyer
from imagegen.openai_api.calls import call_of
from imagegen.openai_api.models import (
    ImagesAnswer,
    ImagesRequest,
    ModelList,
    body_of,
    wish_of,
)
from imagegen.usecases.generate.answers import in_progress
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.replay import Running
from imagegen.usecases.model_list import ModelLister
from imagegen.usecases.status import ImageFinder
from imagegen.usecases.usage import UsageReader
from imagegen.wire.headers import MAX_COST
from imagegen.wire.images import GeneratedImage, GenerateRequest, ImageInProgress, ImageStatus
from imagegen.wire.reports import Usage

SWEEP_USERS = 100
RETRY_AFTER_SECONDS = "2"
IMAGE_CACHE_SECONDS = 600
"""Shorter than the address it leads to lives."""

api = build_api()


@api.post(
    "/generate-image",
    operation_id="generateImage",
    tags=["images"],
    responses={
        200: described("The image, stored and charged.", GeneratedImage),
        202: described("It is being made: ask again.", ImageInProgress),
    },
)
def generate(
    request: GenerateRequest,
    generator: Annotated[Generator, Depends(get_generator)],
    clock: Annotated[Callable[[], int], Depends(get_clock)],
) -> Response[str]:
    """Return the image that the quote promised, or that it is being made."""
    # Sampled before anything is read: the lease and every timeout hang on it.
    ends_ms = clock() + api.lambda_context.get_remaining_time_in_millis()
    came = generator.generate(request, user_of(api).id, ends_ms=ends_ms)
    if isinstance(came, Running):
        return json_response(in_progress(came), status=202, retry_after=RETRY_AFTER_SECONDS)
    return json_response(get_presenter().image(came, request.prompt, _base_url()))


@api.get(
    "/images/<image_id>",
    operation_id="getImage",
    tags=["images"],
    responses={
        200: described("Where it stands, asked for as JSON.", ImageStatus),
        302: {"description": "The image's bytes are at Location for a quarter of an hour."},
    },
)
def image(image_id: str, finder: Annotated[ImageFinder, Depends(get_finder)]) -> Response[str]:
    """Return where the bytes are, or as JSON where the image stands."""
    if "application/json" in api.current_event.headers.get("accept", ""):
        return json_response(finder.status(image_id, _base_url()))
    headers = {
        "Location": finder.location(image_id),
        "Cache-Control": f"private, max-age={IMAGE_CACHE_SECONDS}",
        # The same address answers as JSON: a browser that holds this must not take it for that.
        "Vary": "Accept",
        "Referrer-Policy": "no-referrer",
    }
    return Response(302, "text/plain", "", headers=headers)


@api.post(
    "/v1/images/generations",
    operation_id="createImage",
    tags=["openai"],
    responses={200: described("The image, stored and charged.", ImagesAnswer)},
)
def create_image(
    request: ImagesRequest,
    buyer: Annotated[Buyer, Depends(get_buyer)],
    presenter: Annotated[OpenAiPresenter, Depends(get_openai_presenter)],
    clock: Annotated[Callable[[], int], Depends(get_clock)],
) -> Response[str]:
    """Return an image to a client of OpenAI's: offer and confirmation in one call."""
    ends_ms = clock() + api.lambda_context.get_remaining_time_in_millis()
    headers = api.current_event.headers
    call = call_of(headers, body_of(request), user_of(api).id)
    wish = wish_of(request, buyer.estimator.catalog, headers.get(MAX_COST))
    bought = buyer.buy(wish, call, ends_ms=ends_ms)
    return json_response(presenter.image(bought, request, _base_url()))


@api.get("/v1/models", operation_id="listModelsForOpenai", tags=["openai"])
def openai_models(
    lister: Annotated[ModelLister, Depends(get_lister)],
    presenter: Annotated[OpenAiPresenter, Depends(get_openai_presenter)],
) -> ModelList:
    """Return what ``model`` may say now."""
    return presenter.models(lister.models())


@api.get("/usage", operation_id="getUsage", tags=["usage"])
def usage(reader: Annotated[UsageReader, Depends(get_usage_reader)]) -> Usage:
    """Return what the user spent and may still spend."""
    return reader.usage(user_of(api).id)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the function URL's answer to one event, or what a scheduled sweep ended."""
    if event.get("task") == "reconcile":
        done = asdict(get_reconciler().sweep(limit=SWEEP_USERS))
        logger.info("reconciled", **done)
        return done
    return serve(api, event, context, verifier=get_verifier, is_open=_is_open)


def _base_url() -> str:
    http = api.current_event.request_context
    return get_settings().public_url(http.domain_name, http.domain_prefix)


def _is_open(method: str, path: str) -> bool:
    """Images are open to whoever has the id: an ``<img>`` cannot send a token."""
    return method == "GET" and path.startswith("/images/")
