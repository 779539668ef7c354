"""What the error of an LLM's endpoint means, and what of it may be shown."""

from typing import Any

import pytest

from imagegen.domain.outcomes import Outcome
from imagegen.llm.llm_faults import ADVICE, RefusedRequestError, advise, error_in, status_fault


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"code": "two words", "type": "server_error"}}, "server_error"),
        ({"error": {"code": "server_error", "type": "other"}}, "server_error"),
        ({"error": {"message": "m", "type": "error"}}, None),
        ({"error": {"message": "m", "code": "None"}}, None),
    ],
)
def test_the_code_that_is_shown_is_the_first_that_is_one_word(body: Any, code: str | None) -> None:
    error = error_in(body)
    assert error is not None
    assert error.provider_code == code
    assert status_fault(500, body).provider_code == code


@pytest.mark.parametrize(
    "body",
    [
        {"object": "error", "message": "m"},
        {"type": "error", "message": "m"},
        {"code": "x", "message": "m"},
        {"base_resp": {"status_code": 1, "status_msg": "m"}},
    ],
)
def test_an_error_without_the_word_at_its_usual_place_is_one(body: Any) -> None:
    error = error_in(body)
    assert error is not None
    assert error.outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize(
    "body",
    [
        {"message": "m"},
        {"code": 0},
        {"code": "x", "message": "m", "choices": []},
        {"code": "x", "message": "m", "usage": {}},
        {"base_resp": {"status_code": 0, "status_msg": "success"}},
        {"base_resp": {}},
        [],
        [7],
    ],
)
def test_what_is_no_error_is_not_read_as_one(body: Any) -> None:
    assert error_in(body) is None


def test_the_reason_of_an_error_may_be_inside_another_one() -> None:
    inner = {"code": "ResponsibleAIPolicyViolation"}
    error = status_fault(400, {"error": {"code": "400", "innererror": inner}})
    assert error.outcome is Outcome.REFUSED


def test_a_refused_request_keeps_its_wait_without_the_words_of_the_endpoint() -> None:
    error = status_fault(400, {"error": {"message": "stream"}}, retry_after_seconds=7)
    assert isinstance(error, RefusedRequestError)
    shown = error.without_answer()
    assert not isinstance(shown, RefusedRequestError)
    assert (shown.outcome, shown.http_status) == (Outcome.BAD_PARAMETER, 400)
    assert shown.retry_after_seconds == 7


def test_a_code_of_the_request_does_not_hide_an_outage() -> None:
    error = status_fault(503, {"error": {"type": "invalid_request_error"}})
    assert error.outcome is Outcome.UNAVAILABLE


UNEXPECTED = "Unexpected endpoint or method. (POST /chat/completions)"


@pytest.mark.parametrize(
    ("base_url", "is_advised"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.0.0.1:8000/", True),
        ("https://ai.example.com/api", True),
        ("https://v1.example.com/", True),
        ("http://127.0.0.1:8000/v1", False),
        ("https://ai.example.com/v1beta/openai/", False),
        ("https://ai.example.com/openai/v1", False),
    ],
)
@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("body", [{"detail": "Not Found"}, "404 page not found", {}])
def test_an_address_without_its_version_is_named(
    base_url: str,
    is_advised: bool,  # noqa: FBT001
    status: int,
    body: Any,
) -> None:
    error = advise(status_fault(status, body), base_url)
    assert str(error).endswith(ADVICE) == is_advised
    if isinstance(error, RefusedRequestError):
        assert str(error.without_answer()) == str(error)


def test_what_another_address_would_not_mend_is_not_blamed_on_it() -> None:
    for error in (
        status_fault(401, {}),
        status_fault(500, {}),
        status_fault(404, {"error": {"code": "model_not_found"}}),
    ):
        assert ADVICE not in str(advise(error, "http://127.0.0.1:8000"))


def test_a_missing_route_may_be_told_with_a_success() -> None:
    for body in ({"error": UNEXPECTED}, {"error": {"message": UNEXPECTED}}):
        error = error_in(body)
        assert error is not None
        assert error.http_status == 404
        assert ADVICE in str(advise(error, "http://127.0.0.1:1234"))
    other = error_in({"error": "overloaded"})
    assert other is not None
    assert other.http_status is None
