"""Errors as answers: RFC 9457 for our own routes.

An answer repeats nothing that the caller sent, and no text of a library's exception.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from imagegen.domain import errors
from imagegen.domain.call_errors import LlmError, ProviderError
from imagegen.domain.errors import ImagegenError
from imagegen.wire.headers import JSON
from imagegen.wire.problems import Problem

MAX_LISTED_ERRORS = 20
PROBLEM_TYPE = "https://github.com/imagegen/imagegen#errors"
PROBLEM_JSON = "application/problem+json"
FREE_ROUTES = (
    "/estimate",
    "/inputs",
    "/models",
    "/tools/",
    "/chat",
    "/usage",
    "/admin/",
    "/health-check/",
    "/v1/models",
    "/openapi.json",
    "/.well-known/",
)
"""The routes that take neither a quote nor a key nor an image's id: no image can be charged there.

On every other route ``charged`` is ``null`` until it has been looked up."""
FREE_PATHS = ("/images", "/me", "/me/limits")
"""The same, for paths below which there are routes of another kind."""

_EDITS_HINT = "Pictures are changed by POST /v1/images/edits."
NEAREST_ROUTE = {
    "/v1/images/edit": _EDITS_HINT,
    "/v1/images/variations": (
        f"Variations are not made. {_EDITS_HINT} The prompt can ask for a variation."
    ),
    "/v1/images/generation": "Images are made by POST /v1/images/generations.",
}
"""What the 404 of a path that clients may call says of the route that they need."""

_JSON_TERMS = (
    (re.compile(r"a valid (?:tuple|list)\b"), "an array"),
    (
        re.compile(r"a valid dictionary(?: or (?:object to extract|instance of) [\w ]+)?"),
        "an object",
    ),
    (re.compile(r"\b(?:Tuple|List)\b"), "Array"),
    (re.compile(r" after validation"), ""),
    (re.compile(r"^Value error, "), ""),
    (
        re.compile(r".*, unable to parse raw data as a unicode string"),
        "contains half of a character, a surrogate without its pair; leave it out",
    ),
)
"""What pydantic's messages say in words of Python."""

STATUS: dict[type[ImagegenError], HTTPStatus] = {
    errors.InvalidRequestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnauthorizedError: HTTPStatus.UNAUTHORIZED,
    errors.ForbiddenError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.GoneError: HTTPStatus.GONE,
    errors.InputGoneError: HTTPStatus.GONE,
    errors.QuoteExpiredError: HTTPStatus.GONE,
    errors.QuoteMismatchError: HTTPStatus.CONFLICT,
    errors.QuoteError: HTTPStatus.BAD_REQUEST,
    errors.LimitError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ContentRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NoProviderError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ModerationUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.LeaseLostError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StillRunningError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ConfigurationError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.GenerationFailedError: HTTPStatus.BAD_GATEWAY,
    LlmError: HTTPStatus.BAD_GATEWAY,
    ProviderError: HTTPStatus.BAD_GATEWAY,
    ImagegenError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def to_problem(error: ImagegenError) -> Problem:
    """Return the problem that a caller gets for an error; ``STATUS`` has its nearest class."""
    status = next(STATUS[kind] for kind in type(error).mro() if kind in STATUS)
    invalid = None
    if error.param is not None:
        invalid = [{"field": error.param, "type": error.code, "message": str(error)}]
    return Problem(
        type=PROBLEM_TYPE,
        title=status.phrase,
        status=status,
        code=error.code,
        detail=str(error),
        charged=error.charged,
        retryable=error.retryable,
        retry_after_seconds=error.retry_after_seconds,
        errors=invalid,
    )


def on_route(problem: Problem, path: str) -> Problem:
    """Return the problem as a route answers it: not charged, if it is a route that cannot charge.

    Elsewhere an earlier request with the same quote, key or id may have been charged.
    """
    is_free = path.startswith(FREE_ROUTES) or path in FREE_PATHS
    if problem.charged is None and is_free:
        return problem.model_copy(update={"charged": False})
    return problem


def edge_problem(
    status: HTTPStatus, code: str, detail: str, *, invalid: list[dict[str, Any]] | None = None
) -> Problem:
    """Return a problem that the edge finds before it handles the request.

    Whether an earlier request was charged has not been looked up.
    """
    return Problem(
        type=PROBLEM_TYPE,
        title=status.phrase,
        status=status,
        code=code,
        detail=detail,
        charged=None,
        retryable=False,
        errors=invalid,
    )


def invalid_request(found: list[Mapping[str, Any]]) -> Problem:
    """Return the problem of a request that fails validation: each fault and its field.

    It never repeats what was sent.
    """
    if any(one["type"] == "json_invalid" for one in found):
        return invalid_json()
    faults = [
        {"field": _field(one["loc"]), "type": one["type"], "message": _in_json_terms(one["msg"])}
        for one in _causes(found)[:MAX_LISTED_ERRORS]
    ]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in faults)
    return edge_problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, invalid=faults)


def invalid_json() -> Problem:
    """Return the problem of a body that is not JSON."""
    return edge_problem(HTTPStatus.BAD_REQUEST, "invalid_json", "The body is not JSON.")


def no_route(path: str = "") -> Problem:
    """Return the problem of a path that has no route. Nothing can be charged there."""
    detail = f"There is no such route. {NEAREST_ROUTE.get(path, '')}".strip()
    problem = edge_problem(HTTPStatus.NOT_FOUND, "not_found", detail)
    return problem.model_copy(update={"charged": False})


def unsupported_media_type(detail: str = f"Send the body as {JSON}.") -> Problem:
    """Return the problem of a body whose type is not JSON in UTF-8."""
    return edge_problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)


def foreign_origin() -> Problem:
    """Return the problem of a web page whose origin may not call."""
    detail = "Pages of this origin may not call: the operator lists origins in AllowedOrigins."
    return edge_problem(HTTPStatus.FORBIDDEN, "forbidden_origin", detail)


def not_utf_8() -> Problem:
    """Return the problem of a body whose bytes were replaced on the way, as they are not UTF-8."""
    detail = "The body is not JSON in UTF-8: it has bytes that are not UTF-8."
    return edge_problem(HTTPStatus.BAD_REQUEST, "invalid_json", detail)


def not_an_object() -> Problem:
    """Return the problem of a body that is JSON, but not an object: a list, a text, a number."""
    message = "Send one JSON object."
    invalid = [{"field": "body", "type": "dict_type", "message": message}]
    detail = f"body: {message}"
    return edge_problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, invalid=invalid)


def unsupported_event(detail: str) -> Problem:
    """Return the problem of an event that is not a request to a function URL."""
    return edge_problem(HTTPStatus.BAD_REQUEST, "unsupported_event", detail)


def problem_response(problem: Problem) -> Response[str]:
    """Return the answer to a problem in the format of RFC 9457."""
    text = problem.model_dump_json(by_alias=True)
    return Response(problem.status, PROBLEM_JSON, text, headers=problem_headers(problem))


def problem_headers(problem: Problem) -> dict[str, str | list[str]]:
    """Return the headers of the answer to a problem, in either format."""
    headers: dict[str, str | list[str]] = {"Cache-Control": "no-store"}
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _challenge(problem)
    return headers


def _challenge(problem: Problem) -> str:
    """Return how to authenticate; MCP's clients read from it where to sign in (RFC 9728, 5.1)."""
    url = problem.resource_metadata
    return f'Bearer resource_metadata="{url}"' if url else "Bearer"


def _causes(found: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the faults without those of arrays that lack only the items which are faulty."""

    def has_faulty_item(array: Mapping[str, Any]) -> bool:
        depth = len(array["loc"])
        return any(len(one["loc"]) > depth and one["loc"][:depth] == array["loc"] for one in found)

    return [one for one in found if one["type"] != "too_short" or not has_faulty_item(one)]


def _in_json_terms(message: str) -> str:
    """Return a validator's message in words of JSON instead of Python's."""
    for pattern, term in _JSON_TERMS:
        message = pattern.sub(term, message)
    return message


def _field(location: tuple[int | str, ...]) -> str:
    """Return a field's name with its place, such as ``body.size``.

    Powertools names a query's model twice, by its place and by the handler's argument.
    """
    doubled = len(location) > 2 and location[0] == location[1] == "query"
    return ".".join(map(str, location[1:] if doubled else location))
