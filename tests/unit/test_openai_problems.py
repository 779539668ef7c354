"""Problems in OpenAI's format: its words for them, and whether its SDKs try again."""

import json
from typing import Any

import pytest

from imagegen.edge.openai_problems import openai_problem_response
from imagegen.edge.problems import not_an_object
from imagegen.wire.problems import Problem


def problem(code: str = "a_code", status: int = 422, **more: Any) -> Problem:
    known: dict[str, Any] = {"type": "t", "title": "t", "detail": "No.", "charged": None}
    return Problem(**known | {"code": code, "status": status, "retryable": False} | more)


def told(one: Problem) -> tuple[int, dict[str, Any]]:
    answer = openai_problem_response(one)
    return answer.status_code, json.loads(answer.body or "")["error"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "invalid_request_error"),
        (409, "invalid_request_error"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (499, "invalid_request_error"),
        (500, "server_error"),
        (503, "server_error"),
    ],
)
def test_the_type_is_that_of_the_status(status: int, kind: str) -> None:
    assert told(problem(status=status))[1]["type"] == kind


@pytest.mark.parametrize(
    ("code", "status", "name", "param"),
    [
        ("invalid_request", 400, "invalid_request", None),
        ("unsupported_parameter", 400, "unsupported_parameter", None),
        ("unsupported_size", 400, "unsupported_size", "size"),
        ("above_max_cost", 400, "above_max_cost", "x-max-cost"),
        ("content_refused", 400, "moderation_blocked", "prompt"),
        ("model_not_found", 404, "model_not_found", "model"),
        ("model_retired", 404, "model_retired", "model"),
        ("idempotency_key_reused", 422, "idempotency_key_reused", "idempotency-key"),
        ("unauthorized", 422, "invalid_api_key", None),
        ("a_code", 422, "a_code", None),
    ],
)
def test_a_code_has_openais_status_name_and_parameter(
    code: str, status: int, name: str, param: str | None
) -> None:
    got, error = told(problem(code))
    assert (got, error["code"], error["param"]) == (status, name, param)


@pytest.mark.parametrize(
    ("field", "kind", "param", "code"),
    [
        ("body.steps", "extra_forbidden", "steps", "unknown_parameter"),
        ("body.stream", "unsupported_parameter", "stream", "unsupported_parameter"),
        ("body.images.0.file_id", "string_too_short", "images", "invalid_request"),
        ("n", "less_than_equal", "n", "invalid_request"),
        ("", "missing", None, "invalid_request"),
    ],
)
def test_of_several_faults_the_first_is_named_by_its_parameter(
    field: str, kind: str, param: str | None, code: str
) -> None:
    faults = [{"field": field, "type": kind, "message": "no"}]
    faults.append({"field": "body.other", "type": "missing", "message": "no"})
    error = told(problem("invalid_request", errors=faults))[1]
    assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize(
    ("is_retryable", "wait", "tries_again"),
    [
        (True, None, "true"),
        (True, 0, "true"),
        (True, 60, "true"),
        (True, 61, "false"),
        (False, None, "false"),
        (False, 5, "false"),
    ],
)
def test_an_sdk_tries_again_what_may_pass_within_a_minute(
    wait: int | None, tries_again: str, *, is_retryable: bool
) -> None:
    answer = openai_problem_response(
        problem(status=503, retryable=is_retryable, retry_after_seconds=wait)
    )
    assert answer.headers["x-should-retry"] == tries_again
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get("Retry-After") == (None if wait is None else str(wait))
    assert answer.content_type == "application/json"


@pytest.mark.parametrize("charged", [True, False, None])
def test_words_charge_and_another_try_are_those_of_the_problem(*, charged: bool | None) -> None:
    error = told(problem(detail="The reason.", charged=charged, retryable=True))[1]
    assert error["message"] == "The reason."
    assert error["imagegen"] == {"charged": charged, "retryable": True}


def test_a_body_that_is_no_object_is_the_fault_of_the_body() -> None:
    status, error = told(not_an_object())
    assert (status, error["param"]) == (400, "body")
