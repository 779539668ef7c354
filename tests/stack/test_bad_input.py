"""Every bad input gets the right 4xx as a problem, and costs nothing."""

from typing import Any

import pytest

from tests.stack.driver import Answer, Driver, Person

ESTIMATES: list[tuple[Any, int, str]] = [
    ({"prompt": ""}, 422, "invalid_request"),
    ({"prompt": "  \n "}, 422, "invalid_request"),
    ({"prompt": "x" * 40_000}, 422, "invalid_request"),
    ({}, 422, "invalid_request"),
    ({"prompt": "A cat", "size": "huge"}, 422, "invalid_request"),
    ({"prompt": "A cat", "size": "333x333"}, 422, "unsupported_size"),
    ({"prompt": "A cat", "price": "0.00"}, 422, "invalid_request"),
    ({"prompt": "A cat", "quality": "best"}, 422, "invalid_request"),
    ({"prompt": "A cat", "maxCost": "free"}, 422, "invalid_request"),
    ({"prompt": "A cat", "maxCost": "0.0001"}, 422, "above_max_cost"),
    ({"prompt": "A cat", "provider": "acme"}, 422, "invalid_request"),
    ({"prompt": "A cat", "model": "dall-e-3"}, 422, "model_retired"),
    ({"prompt": "A cat", "model": "acme-1"}, 422, "model_not_found"),
    ({"prompt": 7}, 422, "invalid_request"),
    (["prompt"], 422, "invalid_request"),
    ("{prompt: A cat", 400, "invalid_json"),
    ("", 422, "invalid_request"),
    ("x" * 300_000, 413, "body_too_large"),
]


def is_problem(answer: Answer, status: int, code: str, *, charged: bool | None = False) -> None:
    assert (answer.status, answer.json["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["charged"] is charged
    for name in ("type", "title", "detail", "retryable"):
        assert name in answer.json


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


@pytest.mark.parametrize(("body", "status", "code"), ESTIMATES, ids=lambda v: str(v)[:40])
def test_a_bad_estimate_says_what_is_wrong(
    stack: Driver, person: Person, body: Any, status: int, code: str
) -> None:
    answer = person.call("POST", f"{stack.urls['estimateUrl']}/estimate", body)
    is_problem(answer, status, code)


def test_a_retired_model_says_when_it_ended_and_what_replaces_it(person: Person) -> None:
    detail = person.estimate(model="dall-e-3").json["detail"]
    assert "2026-05-12" in detail
    assert "gpt-image-2.5-flare" in detail


def test_a_quote_for_another_prompt_is_refused(person: Person) -> None:
    offer = person.estimate().json
    is_problem(person.confirm({**offer, "prompt": "Another"}), 409, "quote_mismatch", charged=None)


def test_a_used_quote_with_another_prompt_is_refused(person: Person) -> None:
    offer = person.estimate().json
    assert person.confirm(offer).status == 200
    is_problem(person.confirm({**offer, "prompt": "Another"}), 409, "quote_mismatch", charged=None)
    assert person.usage()["images"] == 1


def test_a_quote_of_another_user_is_refused(stack: Driver, person: Person) -> None:
    offer = person.estimate().json
    is_problem(stack.person().confirm(offer), 400, "quote_invalid", charged=None)


def test_a_changed_quote_is_refused(person: Person) -> None:
    offer = person.estimate().json
    quote = offer["quote"]
    for changed in (quote[:-1] + ("A" if quote[-1] != "A" else "B"), quote + "A", "q1.k1.e30.AA"):
        is_problem(person.confirm({**offer, "quote": changed}), 400, "quote_invalid", charged=None)


def test_an_expired_quote_is_refused_and_a_used_one_still_answers(
    stack: Driver, person: Person
) -> None:
    used, unused = person.estimate().json, person.estimate().json
    made = person.confirm(used).json
    with stack.configured("generate", CLOCK_OFFSET_SECONDS="601"):
        is_problem(person.confirm(unused), 410, "quote_expired")
        again = person.confirm(used)
    assert (again.status, again.json["id"]) == (200, made["id"])
    assert person.usage()["images"] == 1


def test_an_unknown_image_is_not_found(person: Person) -> None:
    for image_id in ("a" * 64, "nope", "7" * 64):
        is_problem(person.status(image_id), 404, "not_found")


def test_an_unknown_route_is_not_found(stack: Driver, person: Person) -> None:
    is_problem(person.call("GET", f"{stack.urls['estimateUrl']}/admin"), 404, "not_found")


def test_without_a_token_nobody_enters(stack: Driver) -> None:
    nobody = Person(stack, "nobody")
    is_problem(nobody.estimate(), 401, "unauthorized")
    answer = nobody.call("GET", f"{stack.urls['generateUrl']}/usage", Authorization="")
    is_problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
