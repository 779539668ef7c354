"""Errors of the routes under /v1, in OpenAI's format, with the header that steers its SDKs.

Format: https://platform.openai.com/docs/guides/error-codes. The SDKs choose their exception by the
HTTP status, and retry 408, 409, 429 and 5xx; the header ``x-should-retry`` overrules that.
"""

import json

from aws_lambda_powertools.event_handler import Response

from imagegen.edge.problems import problem_headers
from imagegen.wire.headers import IDEMPOTENCY_KEY, JSON, MAX_COST
from imagegen.wire.problems import Problem

LONGEST_WAIT_SECONDS = 60
"""With a longer wait, SDKs must not retry: their callers would only wait for the same answer."""

_STATUS = {
    "invalid_request": 400,
    "unsupported_parameter": 400,
    "unsupported_size": 400,
    "above_max_cost": 400,
    "content_refused": 400,
    "model_not_found": 404,
    "model_retired": 404,
}
_CODES = {"content_refused": "moderation_blocked", "unauthorized": "invalid_api_key"}
_FIELD_CODES = {
    "extra_forbidden": "unknown_parameter",
    "unsupported_parameter": "unsupported_parameter",
}
_PARAMS = {
    "unsupported_size": "size",
    "above_max_cost": MAX_COST,
    "content_refused": "prompt",
    "model_not_found": "model",
    "model_retired": "model",
    "idempotency_key_reused": IDEMPOTENCY_KEY,
}
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def openai_problem_response(problem: Problem) -> Response[str]:
    """Return the answer to a problem in the format that OpenAI's SDKs expect."""
    status = _STATUS.get(problem.code, problem.status)
    error = {
        "message": problem.detail,
        "type": _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error"),
        "param": _param(problem),
        "code": _code(problem),
        "imagegen": {"charged": problem.charged, "retryable": problem.retryable},
    }
    should_retry = problem.retryable and (problem.retry_after_seconds or 0) <= LONGEST_WAIT_SECONDS
    headers = {**problem_headers(problem), "x-should-retry": "true" if should_retry else "false"}
    return Response(status, JSON, json.dumps({"error": error}), headers=headers)


def _code(problem: Problem) -> str:
    if problem.errors:
        return _FIELD_CODES.get(problem.errors[0]["type"], problem.code)
    return _CODES.get(problem.code, problem.code)


def _param(problem: Problem) -> str | None:
    if problem.errors:
        field: str = problem.errors[0]["field"]
        return field.removeprefix("body.").partition(".")[0] or None
    return _PARAMS.get(problem.code)
