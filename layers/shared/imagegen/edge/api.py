"""HTTP at the edge of every function: access, the size of bodies, and the format of errors.

Every route needs a token unless a handler declares it open, so that a new route is closed by
default. The body's size and the token are checked before anything is parsed.
"""

from collections.abc import Callable, Collection, Container
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError
from aws_lambda_powertools.event_handler.lambda_function_url import LambdaFunctionUrlResolver
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestValidationError,
    ResponseValidationError,
)
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from imagegen.domain import errors
from imagegen.domain.errors import ImagegenError
from imagegen.domain.users import User, Verifier
from imagegen.edge import openai_problems, problems
from imagegen.edge.problems import edge_problem, to_problem
from imagegen.edge.requests import Event, check_request
from imagegen.logs import logger, place_of, silence_others
from imagegen.wire.headers import JSON
from imagegen.wire.reports import Problem

EVENTS = "text/event-stream"


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

    def on_no_route(_: NoRouteError) -> Response[str]:
        return _response_for_path(_no_route(), path())

    def on_error(error: ImagegenError) -> Response[str]:
        return error_response(error, path())

    def on_invalid_answer(_: ResponseValidationError) -> Response[str]:
        # The error's own text is not used: it contains parts of the answer.
        return on_error(ImagegenError("The answer was invalid. The error is in the logs."))

    api.exception_handler(ImagegenError)(on_error)
    api.exception_handler(RequestValidationError)(on_invalid_request)
    api.exception_handler(ResponseValidationError)(on_invalid_answer)
    api.not_found(on_no_route)
    return api


def serve(
    api: LambdaFunctionUrlResolver,
    event: Event,
    context: LambdaContext,
    *,
    verifier: Callable[[], Verifier],
    is_open: Callable[[str, str], bool] = lambda _method, _path: False,
    own_json: Container[str] = (),
    is_absent: Callable[[str], bool] = lambda _path: False,
) -> dict[str, Any]:
    """Return the function URL's answer to one event.

    ``is_open`` returns whether a method and path may be called without a token. ``own_json`` has
    the paths whose handlers answer a body that is not JSON themselves. ``is_absent`` returns
    whether a path has no route: it is answered at once, whatever its body is.
    """
    path: str = event["rawPath"]
    try:
        if is_absent(path):
            return _as_event(_response_for_path(_no_route(), path))
        user, fault = check_request(event, verifier, is_open, own_json)
        if fault is None:
            api.append_context(user=user)  # type: ignore[no-untyped-call]
            answer: dict[str, Any] = api.resolve(event, context)
        else:
            answer = _as_event(_response_for_path(fault, path))
    except ImagegenError as error:
        answer = _as_event(error_response(error, path))
    except Exception as error:  # noqa: BLE001 the last resort: the caller always gets a problem
        # The text of an exception may contain a prompt; its type and place do not.
        logger.error("unexpected error", kind=type(error).__name__, place=place_of(error))
        unexpected = ImagegenError("An unexpected error. It is in the logs.")
        answer = _as_event(error_response(unexpected, path))
    if path.startswith(openai_problems.PREFIX):
        answer.setdefault("headers", {})["x-request-id"] = context.aws_request_id
    return answer


def get_dependency[T](api: LambdaFunctionUrlResolver, build: Callable[[], T]) -> T:
    """Return what ``Depends(build)`` would inject, for events that are not HTTP requests."""
    found: Callable[[], T] = api.dependency_overrides.get(build, build)
    return found()


def current_user(api: LambdaFunctionUrlResolver) -> User:
    """Return the user of the request.

    Raises:
        UnauthorizedError: the route is open and the request has no valid token.
    """
    user = api.context.get("user")
    if not isinstance(user, User):
        raise errors.UnauthorizedError("Send a token: Authorization: Bearer <token>.")
    return user


def is_admin_request(api: LambdaFunctionUrlResolver) -> bool:
    """Return whether the user of the request is an admin; on an open route there may be none."""
    user = api.context.get("user")
    return isinstance(user, User) and user.is_admin


def json_response(model: BaseModel, *, status: int = 200, **headers: str) -> Response[str]:
    """Return a model as a JSON answer, with a status and further headers."""
    extra = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Response(
        status,
        JSON,
        model.model_dump_json(by_alias=True),
        headers={"Cache-Control": "no-store", **extra},
    )


def response_schema(description: str, model: type[BaseModel]) -> OpenAPIResponse:
    """Return the OpenAPI description of an answer that a handler builds from a model itself."""
    return {"description": description, "content": {JSON: {"model": model}}}


def json_response_schema(description: str) -> OpenAPIResponse:
    """Return the OpenAPI description of an answer that may be any JSON object."""
    return {"description": description, "content": {JSON: {"schema": {"type": "object"}}}}


def event_stream_schema(description: str, names: Collection[str]) -> OpenAPIResponse:
    """Return the OpenAPI description of a stream of server-sent events: that of one event."""
    data = {"type": "string", "description": "JSON"}
    properties = {"event": {"enum": list(names)}, "data": data}
    event = {"type": "object", "properties": properties, "required": list(properties)}
    return {"description": description, "content": {EVENTS: {"schema": event}}}


def events_response(stream: str) -> Response[str]:
    """Return the answer that contains a stream of server-sent events."""
    return Response(200, f"{EVENTS}; charset=utf-8", stream, headers={"Cache-Control": "no-store"})


def error_response(error: ImagegenError, path: str = "") -> Response[str]:
    """Return the answer to an error, in the format of this path's routes; log its code."""
    problem = to_problem(error)
    logger.warning("request refused", code=problem.code, status=problem.status)
    return _response_for_path(problem, path)


def not_allowed(methods: str) -> Response[str]:
    """Return the answer to a method that a path does not support."""
    detail = f"This path supports only {methods}."
    answer = problems.problem_response(
        edge_problem(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    )
    answer.headers["Allow"] = methods
    return answer


def _no_route() -> Problem:
    return edge_problem(HTTPStatus.NOT_FOUND, "not_found", "There is no such route.")


def _response_for_path(problem: Problem, path: str) -> Response[str]:
    if path.startswith(openai_problems.PREFIX):
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
