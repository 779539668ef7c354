"""The events of function URLs: their one spelling, what is none, and what their parts mean."""

import hashlib
from typing import Any

import pytest

from imagegen.edge.events import (
    ORIGIN_HEADER,
    applied_preference,
    came_through_front,
    is_under_v1,
    task_of,
    url_event,
)

HOST = "a1.lambda-url.test"
CONTEXT = {"domainName": HOST, "domainPrefix": "a1", "stage": "$default"}


def event(**changes: Any) -> dict[str, Any]:
    context = {"http": {"method": "POST"}}
    return {"rawPath": "/chat", "requestContext": context, "headers": {"Host": HOST}, **changes}


def test_what_a_hand_written_event_lacks_has_its_default() -> None:
    assert url_event(event()) == {
        "rawPath": "/chat",
        "rawQueryString": "",
        "headers": {"host": HOST},
        "requestContext": {**CONTEXT, "http": {"method": "POST", "path": "/chat"}},
    }


@pytest.mark.parametrize("headers", [None, {}, [], "Host: a", {"Host": None}])
def test_without_a_host_there_is_no_domain(headers: Any) -> None:
    found: Any = url_event(event(headers=headers))
    assert found["headers"] == {}
    assert found["requestContext"]["domainName"] == ""
    assert found["requestContext"]["domainPrefix"] == ""


def test_what_an_event_has_stays_as_it_is() -> None:
    http = {"method": "GET", "sourceIp": "192.0.2.1"}
    context = {"domainName": "b.test", "domainPrefix": "b", "stage": "other", "requestId": "r"}
    given = event(
        rawQueryString="a=1", body="{}", requestContext={**context, "http": http}, version="2.0"
    )
    found: Any = url_event(given)
    assert found["requestContext"] == {**context, "http": {**http, "path": "/chat"}}
    assert {name: found[name] for name in ("rawQueryString", "body", "version")} == {
        "rawQueryString": "a=1",
        "body": "{}",
        "version": "2.0",
    }


@pytest.mark.parametrize(
    "other",
    [
        *(None, [], "text", 7, {}),
        *(event(rawPath=None), event(rawPath=7)),
        *(event(body={"prompt": "a fox"}), event(body=7)),
        *(event(requestContext=None), event(requestContext="text")),
        *(event(requestContext={"http": None}), event(requestContext={"http": "GET"})),
        *(event(requestContext={"http": {}}), event(requestContext={"http": {"method": 7}})),
    ],
)
def test_any_other_event_is_none_of_a_function_url(other: Any) -> None:
    assert url_event(other) is None


@pytest.mark.parametrize("name", ["version", "rawPath", "requestContext", "headers", "body"])
def test_a_request_is_never_a_task_whichever_part_of_one_it_has(name: str) -> None:
    assert task_of({"task": "probe"}) == "probe"
    assert task_of({"task": "probe", name: None}) is None


@pytest.mark.parametrize(
    ("path", "is_under"),
    [("/v1", True), ("/v1/", True), ("/v1/models", True)]
    + [(path, False) for path in ("/", "/v10", "/v1x/models", "/models", "/a/v1/models")],
)
def test_what_clients_of_openai_call_is_under_v1(path: str, *, is_under: bool) -> None:
    assert is_under_v1(path) is is_under


def test_a_header_that_cannot_be_written_as_utf_8_is_not_the_fronts() -> None:
    digest = hashlib.sha256(b"secret").hexdigest()
    assert came_through_front({ORIGIN_HEADER: "secret"}, digest)
    assert not came_through_front({ORIGIN_HEADER: "\ud800"}, digest)


def test_only_a_preference_that_is_followed_is_named_in_the_answer() -> None:
    assert applied_preference("respond-async") == {"preference_applied": "respond-async"}
    assert applied_preference("wait=10") == applied_preference("") == {}
