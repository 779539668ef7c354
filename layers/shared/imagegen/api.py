"""HTTP at the edge: who may enter, how big a body may be, and every error as a problem.

Every route needs a token unless a handler names it as open: a route that is added and forgotten
is closed. The body's size and the token are looked at before anything is parsed.
"""

import base64
import json
from collections.abc import Callable, Mapping
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

from imagegen.domain import errors
from imagegen.domain.errors import ImagegenError
from imagegen.domain.models import EdgeModel
from imagegen.domain.reports import Problem
from imagegen.domain.users import User, Verifier
from imagegen.logs import logger, silence_others

MAX_BODY_BYTES = 256 * 1024
MAX_ERRORS_SAID = 20
TOKEN_HEADER = "x-imagegen-token"  # noqa: S105 a name
PROBLEM_TYPE = "https://github.com/imagegen/imagegen#errors"
JSON, PROBLEM_JSON = "application/json", "application/problem+json"

STATUS: dict[type[ImagegenError], HTTPStatus] = {
    errors.InvalidRequestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnauthorizedError: HTTPStatus.UNAUTHORIZED,
    errors.ForbiddenError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.GoneError: HTTPStatus.GONE,
    errors.QuoteExpiredError: HTTPStatus.GONE,
    errors.QuoteMismatchError: HTTPStatus.CONFLICT,
    errors.QuoteError: HTTPStatus.BAD_REQUEST,
    errors.LimitError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ContentRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NoProviderError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ModerationUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.LeaseLostError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ConfigurationError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.GenerationFailedError: HTTPStatus.BAD_GATEWAY,
    errors.ProviderError: HTTPStatus.BAD_GATEWAY,
    ImagegenError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

type Event = dict[str, Any]


def build_api() -> LambdaFunctionUrlResolver:
    """Return a resolver that validates both ways and maps our errors by ``STATUS``."""
    silence_others()
    # An answer of ours that breaks its own model is our bug (500), not the caller's (422).
    api = LambdaFunctionUrlResolver(
        enable_validation=True, response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR
    )
    api.exception_handler(ImagegenError)(problem_of)
    api.exception_handler(RequestValidationError)(_invalid)
    api.exception_handler(ResponseValidationError)(_broken)
    api.not_found(_no_route)
    return api


def serve(
    api: LambdaFunctionUrlResolver,
    event: Event,
    context: LambdaContext,
    *,
    verifier: Callable[[], Verifier],
    is_open: Callable[[str, str], bool] = lambda _method, _path: False,
) -> dict[str, Any]:
    """Return the function URL's answer to one event.

    ``is_open`` says of a method and a path whether it may be called without a token.
    """
    try:
        if _body_bytes(event) > MAX_BODY_BYTES:
            return _as_event(_too_large())
        user = _user(event, verifier(), is_open)
        if fault := _unreadable(event):
            return _as_event(fault)
        api.append_context(user=user)  # type: ignore[no-untyped-call]
        answer: dict[str, Any] = api.resolve(event, context)
    except ImagegenError as error:
        return _as_event(problem_of(error))
    except Exception as error:  # noqa: BLE001 the last one: a caller gets a problem, whatever it is
        # The text of an exception may hold a prompt; its type and place do not.
        logger.error("unexpected error", kind=type(error).__name__, place=_place(error))
        return _as_event(problem_of(ImagegenError("An unexpected error. It is in the logs.")))
    return answer


def user_of(api: LambdaFunctionUrlResolver) -> User:
    """Return who is asking.

    Raises:
        UnauthorizedError: nobody, on a route that is open.
    """
    user = api.context.get("user")
    if not isinstance(user, User):
        raise errors.UnauthorizedError("Send a token: Authorization: Bearer <token>.")
    return user


def asks_admin(api: LambdaFunctionUrlResolver) -> bool:
    """Return whether an admin is asking; on an open route it may be nobody."""
    user = api.context.get("user")
    return isinstance(user, User) and user.is_admin


def json_response(model: EdgeModel, *, status: int = 200, **headers: str) -> Response[str]:
    """Return a model as an answer with its own status or headers."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Response(
        status,
        JSON,
        model.model_dump_json(by_alias=True),
        headers={"Cache-Control": "no-store", **named},
    )


def described(description: str, model: type[EdgeModel]) -> OpenAPIResponse:
    """Return how the OpenAPI document tells an answer that a handler writes itself."""
    return {"description": description, "content": {JSON: {"model": model}}}


def problem_of(error: ImagegenError) -> Response[str]:
    """Return an error as RFC 9457 wants it, by the nearest class in ``STATUS``."""
    status = next(STATUS[kind] for kind in type(error).mro() if kind in STATUS)
    logger.warning("request refused", code=error.code, status=int(status))
    return _problem(
        status,
        error.code,
        str(error),
        charged=error.charged,
        retryable=error.retryable,
        retry_after_seconds=error.retry_after_seconds,
    )


def _problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    charged: bool = False,
    retryable: bool = False,
    retry_after_seconds: int | None = None,
    invalid: list[dict[str, Any]] | None = None,
) -> Response[str]:
    body = Problem(
        type=PROBLEM_TYPE,
        title=status.phrase,
        status=status,
        code=code,
        detail=detail,
        charged=charged,
        retryable=retryable,
        retry_after_seconds=retry_after_seconds,
        errors=invalid,
    )
    headers: dict[str, str | list[str]] = {"Cache-Control": "no-store"}
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    text = body.model_dump_json(by_alias=True, exclude_none=True)
    return Response(int(status), PROBLEM_JSON, text, headers=headers)


def _invalid(error: RequestValidationError) -> Response[str]:
    """Return what is wrong with a request, and where; never what was sent."""
    found = [
        {"field": ".".join(map(str, one["loc"])), "type": one["type"], "message": one["msg"]}
        for one in error.errors()
    ]
    if any(one["type"] == "json_invalid" for one in found):
        return _not_json()
    found = found[:MAX_ERRORS_SAID]
    said = "; ".join(f"{one['field']}: {one['message']}" for one in found)
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", said, invalid=found)


def _broken(_: ResponseValidationError) -> Response[str]:
    """Return that an answer of ours broke its own model; the error's text would quote it."""
    return problem_of(ImagegenError("An answer was not as it should be. It is in the logs."))


def _not_json() -> Response[str]:
    return _problem(HTTPStatus.BAD_REQUEST, "invalid_json", "The body is not JSON.")


def _unreadable(event: Event) -> Response[str] | None:
    """Return what is wrong with a body before it is looked into, ``None`` where nothing is."""
    kind = event.get("headers", {}).get("content-type", "").partition(";")[0].strip().lower()
    if event["requestContext"]["http"]["method"] != "GET" and kind not in ("", JSON):
        detail = f"Send the body as {JSON}."
        return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    return None if _is_json(event) else _not_json()


def _is_json(event: Event) -> bool:
    """Return whether the body is JSON or absent: Powertools turns some broken ones into a 500."""
    body = event.get("body") or "null"
    try:
        json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except (ValueError, RecursionError):  # not text, not JSON, numbers or nesting without end
        return False
    return True


def _no_route(_: NoRouteError) -> Response[str]:
    return _problem(HTTPStatus.NOT_FOUND, "not_found", "There is no such route.")


def _too_large() -> Response[str]:
    detail = f"A body may have {MAX_BODY_BYTES} bytes."
    return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)


def _user(event: Event, verifier: Verifier, is_open: Callable[[str, str], bool]) -> User | None:
    http = event["requestContext"]["http"]
    headers = event.get("headers", {})
    if is_open(http["method"], event["rawPath"]):
        return _user_if_valid(verifier, headers)
    return verifier.verify(_authorization(headers))


def _user_if_valid(verifier: Verifier, headers: Mapping[str, str]) -> User | None:
    """Return the user of an open route; a bad token there is like none."""
    try:
        authorization = _authorization(headers)
        return None if authorization is None else verifier.verify(authorization)
    except ImagegenError:
        return None


def _authorization(headers: Mapping[str, str]) -> str | None:
    """Return the header that carries the user's token.

    Where callers sign (AuthType AWS_IAM), Authorization is their signature, which says which system
    calls; who its user is still says the token, in a header of its own.

    Raises:
        UnauthorizedError: there are two tokens, and no telling which is meant.
    """
    given, own = headers.get("authorization"), headers.get(TOKEN_HEADER)
    signed = given is not None and given.startswith("AWS4-")
    if own is None:
        return None if signed else given
    if given is not None and not signed:
        raise errors.UnauthorizedError(f"Send one token: Authorization or {TOKEN_HEADER}.")
    return f"Bearer {own}"


def _body_bytes(event: Event) -> int:
    body: str = event.get("body") or ""
    return len(body) * 3 // 4 if event.get("isBase64Encoded") else len(body.encode())


def _as_event(response: Response[str]) -> dict[str, Any]:
    headers = {name: str(value) for name, value in response.headers.items()}
    return {
        "statusCode": int(response.status_code),
        "headers": {"Content-Type": response.content_type, **headers},
        "body": response.body,
        "isBase64Encoded": False,
    }


def _place(error: BaseException) -> str:
    trace, place = error.__traceback__, ""
    while trace:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_qualname}"
        trace = trace.tb_next
    return place
