"""HTTP at the edge of every function: routes, access, the size of bodies, and the format of errors.

Every route needs a token unless a handler declares it open, so that a new route is closed by
default. The body's size, the route and the token are checked before anything is parsed.
"""

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from types import UnionType
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.lambda_function_url import LambdaFunctionUrlResolver
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from imagegen.domain import errors
from imagegen.domain.callers import User
from imagegen.domain.errors import ImagegenError
from imagegen.domain.ids import log_name
from imagegen.edge import openai_problems, problems
from imagegen.edge.events import NEEDED, came_through_front, is_under_v1, url_event
from imagegen.edge.problems import edge_problem, to_problem
from imagegen.edge.requests import Access, Event, check_request
from imagegen.edge.streams import Stream
from imagegen.logs import logger, place_of, silence_others
from imagegen.wire.headers import JSON
from imagegen.wire.problems import Problem


def build_api() -> LambdaFunctionUrlResolver:
    """Return a resolver that validates requests and answers, and turns our errors into problems."""
    silence_others()
    # An answer that does not fit its own model is our bug (500), not the caller's (422).
    api = LambdaFunctionUrlResolver(
        enable_validation=True, response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR
    )

    def path() -> str:
        raw: str = api.current_event.raw_event["rawPath"]
        return raw

    def on_invalid_request(error: RequestValidationError) -> Response[str]:
        return _response_for_path(problems.invalid_request(list(error.errors())), path())

    def on_media_type(_: RequestUnsupportedContentType) -> Response[str]:
        return _response_for_path(problems.unsupported_media_type(), path())

    def on_error(error: ImagegenError) -> Response[str]:
        return error_response(error, path())

    def on_invalid_answer(_: ResponseValidationError) -> Response[str]:
        # The error's own text is not used: it contains parts of the answer.
        return on_error(ImagegenError("The answer was invalid. The error is in the logs."))

    api.exception_handler(ImagegenError)(on_error)
    api.exception_handler(RequestValidationError)(on_invalid_request)
    api.exception_handler(RequestUnsupportedContentType)(on_media_type)
    api.exception_handler(ResponseValidationError)(on_invalid_answer)
    api.not_found(lambda _: _response_for_path(problems.no_route(path()), path()))
    return api


def serve(
    api: LambdaFunctionUrlResolver, event: object, context: LambdaContext, *, access: Access
) -> dict[str, Any]:
    """Return the function URL's answer to one event.

    HEAD is answered like GET, without the body.
    """
    request = url_event(event)
    if request is None:
        return _as_event(problems.problem_response(problems.unsupported_event(NEEDED)))
    path, http = request["rawPath"], request["requestContext"]["http"]
    is_head = http["method"] == "HEAD"
    if is_head and "GET" in _methods(api, path):
        http["method"] = "GET"
    api.append_context(is_head=is_head)  # type: ignore[no-untyped-call]
    answer = _answer(api, request, context, access=access)
    if is_under_v1(path):
        answer.setdefault("headers", {})["x-request-id"] = context.aws_request_id
    return {**answer, "body": "", "isBase64Encoded": False} if is_head else answer


def _answer(
    api: LambdaFunctionUrlResolver, event: Event, context: LambdaContext, *, access: Access
) -> dict[str, Any]:
    path: str = event["rawPath"]
    try:
        _check_origin(event, access.origin_digests())
        if refused := _no_route(api, event):
            return _as_event(refused)
        user, fault = check_request(event, access)
        if user is not None:
            name_in_logs(user.id, access.name_key)
            if user.program is not None:
                logger.append_keys(key_id=user.program.key.id)
        if fault is not None:
            return _as_event(_response_for_path(fault, path))
        stream = Stream()
        api.append_context(user=user, stream=stream)  # type: ignore[no-untyped-call]
        answer: dict[str, Any] = stream.into(api.resolve(event, context), context)
    except ImagegenError as error:
        answer = _as_event(error_response(error, path, access.metadata_url(event)))
    except Exception as error:  # noqa: BLE001 the last resort: the caller always gets a problem
        # The text of an exception may contain a prompt; its type and place do not.
        logger.error("unexpected error", kind=type(error).__name__, place=place_of(error))
        unexpected = ImagegenError("An unexpected error. It is in the logs.")
        answer = _as_event(error_response(unexpected, path))
    return answer


def _no_route(api: LambdaFunctionUrlResolver, event: Event) -> Response[str] | None:
    """Return the 404 or 405 of a request that has no route, ``None`` if it has one.

    This needs no token: the OpenAPI document, which is public, lists all routes.
    """
    path, method = event["rawPath"], event["requestContext"]["http"]["method"]
    methods = _methods(api, path)
    if not methods:
        return _response_for_path(problems.no_route(path), path)
    return None if method in methods else _not_allowed(sorted(methods), path)


def _methods(api: LambdaFunctionUrlResolver, path: str) -> set[str]:
    """Return the methods that a path supports; none if there is no such path."""
    # The resolver has no public list of its routes.
    routes = (*api._static_routes, *api._dynamic_routes)  # noqa: SLF001
    found = {route.method for route in routes if route.rule.match(path)}
    return found | {"HEAD"} if "GET" in found else found


def _not_allowed(methods: list[str], path: str) -> Response[str]:
    names = ", ".join(methods)
    detail = f"This path supports only {names}."
    problem = edge_problem(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    answer = _response_for_path(problem, path)
    answer.headers["Allow"] = names
    return answer


def name_in_logs(user: str, name_key: Callable[[], bytes] | None) -> None:
    """Add the user's name to the lines of this invocation, unless the key cannot be read now."""
    if name_key is None:
        return
    with suppress(ImagegenError):
        logger.append_keys(user=log_name(user, name_key()))


def _check_origin(event: Event, digests: str) -> None:
    if not came_through_front(event.get("headers", {}), digests):
        raise errors.ForbiddenError("Send this request to the service's public address.")


def get_dependency[T](api: LambdaFunctionUrlResolver, build: Callable[[], T]) -> T:
    """Return what ``Depends(build)`` would inject, for events that are not HTTP requests."""
    found: Callable[[], T] = api.dependency_overrides.get(build, build)
    return found()


def current_user(api: LambdaFunctionUrlResolver) -> User:
    """Return the user of the request.

    Raises:
        UnauthorizedError: the route is open and the request has no valid token.
    """
    if (user := caller_of(api)) is None:
        raise errors.UnauthorizedError("Send a token: Authorization: Bearer <token>.")
    return user


def caller_of(api: LambdaFunctionUrlResolver) -> User | None:
    """Return the user of the request; ``None`` on an open route without a valid token."""
    user = api.context.get("user")
    return user if isinstance(user, User) else None


def viewer_id(api: LambdaFunctionUrlResolver) -> str:
    """Return the user's id of a request on an open route; empty if it has no valid token."""
    user = caller_of(api)
    return user.id if user else ""


def is_admin_request(api: LambdaFunctionUrlResolver) -> bool:
    """Return whether the user of the request is an admin; on an open route there may be none."""
    user = caller_of(api)
    return user is not None and user.is_admin


def json_response(model: BaseModel, *, status: int = 200, **headers: str) -> Response[str]:
    """Return a model as a JSON answer, with a status and further headers."""
    extra = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Response(
        status,
        JSON,
        model.model_dump_json(by_alias=True),
        headers={"Cache-Control": "no-store", **extra},
    )


def json_text_response(text: str, *, max_age_seconds: int) -> Response[str]:
    """Return JSON that is the same for every caller, as an answer that may be cached."""
    headers: dict[str, str | list[str]] = {"Cache-Control": f"public, max-age={max_age_seconds}"}
    return Response(200, JSON, text, headers=headers)


def response_schema(description: str, model: type[BaseModel] | UnionType) -> OpenAPIResponse:
    """Return the OpenAPI description of an answer that a handler builds from a model itself."""
    return {"description": description, "content": {JSON: {"model": model}}}


def json_response_schema(description: str) -> OpenAPIResponse:
    """Return the OpenAPI description of an answer that may be any JSON object."""
    return {"description": description, "content": {JSON: {"schema": {"type": "object"}}}}


def error_response(error: ImagegenError, path: str = "", metadata_url: str = "") -> Response[str]:
    """Return the answer to an error, in the format of this path's routes; log its code.

    ``metadata_url`` is the address of the path's RFC 9728 document, for callers without a token.
    """
    problem = to_problem(error)
    logger.warning("request refused", code=problem.code, status=problem.status, hint=error.hint)
    if problem.status == HTTPStatus.UNAUTHORIZED and metadata_url:
        problem = problem.model_copy(update={"resource_metadata": metadata_url})
    return _response_for_path(problem, path)


def _response_for_path(problem: Problem, path: str) -> Response[str]:
    problem = problems.on_route(problem, path)
    if is_under_v1(path):
        return openai_problems.openai_problem_response(problem)
    return problems.problem_response(problem)


def _as_event(response: Response[str]) -> dict[str, Any]:
    headers = {name: str(value) for name, value in response.headers.items()}
    return {
        "statusCode": int(response.status_code),
        "headers": {"Content-Type": response.content_type, **headers},
        "body": response.body,
        "isBase64Encoded": False,
    }
