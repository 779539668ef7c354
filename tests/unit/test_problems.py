"""Problems of our own routes: what they list, and where it is known that nothing was charged."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from imagegen.edge import problems
from imagegen.edge.problems import invalid_request, no_route, on_route, problem_response
from imagegen.wire.problems import Problem

FREE = (
    *("/estimate", "/inputs", "/models", "/tools/image", "/chat", "/usage", "/admin/spending"),
    *("/health-check/providers", "/v1/models", "/v1/models/high", "/openapi.json"),
    *("/.well-known/oauth-protected-resource", "/images", "/me", "/me/limits"),
)
MAY_CHARGE = (
    "/generate-image",
    "/images/abc",
    "/v1/images/generations",
    "/v1/images/edits",
    "/mcp",
)


def a_fault(place: tuple[str | int, ...], kind: str = "missing") -> Mapping[str, Any]:
    return {"type": kind, "loc": place, "msg": "Required"}


@pytest.mark.parametrize("path", FREE)
def test_on_a_route_that_makes_no_image_nothing_is_charged(path: str) -> None:
    assert on_route(problems.not_an_object(), path).charged is False


@pytest.mark.parametrize("path", MAY_CHARGE)
def test_on_a_route_of_images_it_is_not_known_before_it_is_looked_up(path: str) -> None:
    assert on_route(problems.not_an_object(), path).charged is None
    assert on_route(no_route(path), path).charged is False


@pytest.mark.parametrize("path", [FREE[0], MAY_CHARGE[0]])
def test_what_was_looked_up_is_not_changed(path: str) -> None:
    charged = problems.not_an_object().model_copy(update={"charged": True})
    assert on_route(charged, path).charged is True


def test_so_many_faults_are_listed_and_no_more() -> None:
    problem = invalid_request([a_fault(("body", f"f{at}")) for at in range(30)])
    assert problem.errors is not None
    assert [one["field"] for one in problem.errors] == [f"body.f{at}" for at in range(20)]
    assert problem.detail.count("; ") == 19
    assert problem.detail.startswith("body.f0: Required; body.f1: Required")


def test_a_body_that_is_no_json_has_no_other_fault() -> None:
    problem = invalid_request([a_fault(("query", "a")), a_fault(("body", 3), "json_invalid")])
    assert (problem.status, problem.code, problem.errors) == (400, "invalid_json", None)


@pytest.mark.parametrize(
    ("location", "field"),
    [
        (("body", "size"), "body.size"),
        (("body", "inputs", 0, "image"), "body.inputs.0.image"),
        (("query", "query", "format"), "query.format"),
        (("query", "query"), "query.query"),
        (("body", "body", "a"), "body.body.a"),
    ],
)
def test_a_field_is_named_by_its_place_once(location: tuple[str | int, ...], field: str) -> None:
    problem = invalid_request([a_fault(location)])
    assert problem.errors
    assert problem.errors[0]["field"] == field


STATUSES = (
    (problems.not_an_object(), 422, "invalid_request"),
    (problems.invalid_json(), 400, "invalid_json"),
    (problems.not_utf_8(), 400, "invalid_json"),
    (problems.no_route(), 404, "not_found"),
    (problems.unsupported_media_type(), 415, "unsupported_media_type"),
    (problems.foreign_origin(), 403, "forbidden_origin"),
    (problems.unsupported_event("Send a request."), 400, "unsupported_event"),
)


@pytest.mark.parametrize(("problem", "status", "code"), STATUSES)
def test_a_problem_of_the_edge_has_its_status_and_is_not_worth_another_try(
    problem: Problem, status: int, code: str
) -> None:
    answer = problem_response(problem)
    body = json.loads(answer.body or "")
    assert answer.status_code == body["status"] == status
    assert (body["code"], body["retryable"]) == (code, False)
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert body["title"]
    assert "WWW-Authenticate" not in answer.headers
    assert "Retry-After" not in answer.headers
