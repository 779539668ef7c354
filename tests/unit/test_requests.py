"""What the edge checks before a request is handled: one token, and where it may be."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from imagegen.domain.errors import UnauthorizedError
from imagegen.domain.ports import USER, User
from imagegen.edge.events import plain_path, task_of, url_event
from imagegen.edge.problems import invalid_request
from imagegen.edge.requests import Access, check_request
from imagegen.wire.images import EstimateRequest
from imagegen.wire.messages import ChatRequest

SIGNATURE = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/x, Signature=0"


class Doorkeeper:
    """A verifier that lets every token in and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[str | None] = []

    def verify(self, authorization: str | None) -> User:
        self.shown.append(authorization)
        if authorization is None:
            raise UnauthorizedError("Send a token.")
        return User("a" * 32, frozenset({USER}))


def ask(headers: dict[str, str], *, is_open: bool = False) -> tuple[User | None, list[str | None]]:
    """Return who is let in with these headers, and what the verifier was shown."""
    keeper = Doorkeeper()
    event: Any = url_event(
        {
            "rawPath": "/usage",
            "requestContext": {"http": {"method": "GET"}},
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        }
    )
    user, fault = check_request(
        event, Access(lambda: keeper, is_open=lambda _method, _path: is_open)
    )
    assert fault is None
    return user, keeper.shown


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"authorization": "Bearer t"}, "Bearer t"),
        ({"Authorization": "Bearer t"}, "Bearer t"),
        ({"x_imagegen_token": "t"}, "Bearer t"),
        ({"authorization": SIGNATURE, "x_imagegen_token": "t"}, "Bearer t"),
    ],
)
def test_the_token_is_where_it_may_be(headers: dict[str, str], shown: str) -> None:
    user, seen = ask(headers)
    assert user
    assert seen == [shown]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer t", "x_imagegen_token": "t"},
        {"authorization": "Bearer t", "x_imagegen_token": "other"},
        {"authorization": "Bearer ", "x_imagegen_token": "t"},
        {"authorization": "", "x_imagegen_token": "t"},
        {"authorization": "Basic dTpw", "x_imagegen_token": "t"},
        {"authorization": "aws4-hmac-sha256 x", "x_imagegen_token": "t"},
    ],
)
def test_of_two_tokens_neither_wins(headers: dict[str, str]) -> None:
    with pytest.raises(UnauthorizedError, match="one token"):
        ask(headers)
    assert ask(headers, is_open=True) == (None, [])


def test_a_signature_alone_is_no_token() -> None:
    with pytest.raises(UnauthorizedError):
        ask({"authorization": SIGNATURE})


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/estimate", "/estimate"),
        ("/estimate/", "/estimate"),
        ("//estimate", "/estimate"),
        ("/v1//images/generations", "/v1/images/generations"),
        ("///v1////models///", "/v1/models"),
        ("/", "/"),
        ("//", "/"),
        ("", ""),
        ("/a/../b", "/a/../b"),
        ("/a//%2f/", "/a/%2f"),
    ],
)
def test_slashes_too_many_are_left_out(path: str, plain: str) -> None:
    assert plain_path(path) == plain
    assert plain_path(plain) == plain


def test_an_event_is_not_changed_but_copied() -> None:
    event = {
        "rawPath": "//a/",
        "requestContext": {"http": {"method": "GET"}, "stage": "$default"},
        "headers": {"X-A": "1"},
    }
    found = url_event(event)
    assert found is not None
    assert (found["rawPath"], found["headers"]) == ("/a", {"x-a": "1"})
    found["requestContext"]["http"]["method"] = "POST"
    assert event["rawPath"] == "//a/"
    assert event["requestContext"] == {"http": {"method": "GET"}, "stage": "$default"}


@pytest.mark.parametrize("event", [None, [], "probe", {}, {"task": 5}, {"task": ["probe"]}])
def test_what_asks_for_no_task_has_none(event: Any) -> None:
    assert task_of(event) is None
    assert task_of({"task": "probe"}) == "probe"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"prompt": "\u2800"}, "prompt: must not be empty: it has no visible character"),
        ({"prompt": "a fox", "maxCost": "free"}, 'maxCost: must be dollars, such as "0.05"'),
    ],
)
def test_what_our_own_checks_say_has_nothing_of_the_validator_in_it(
    body: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        EstimateRequest.model_validate(body)
    found: list[Any] = [{**one, "loc": ("body", *one["loc"])} for one in caught.value.errors()]
    assert invalid_request(found).detail == f"body.{said}"


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ("hello", "body.messages: Input should be an array"),
        (None, "body.messages: Input should be an array"),
        ([], "body.messages: Array should have at least 1 item, not 0"),
        ([{"role": "user", "content": "hi"}] * 101, "Array should have at most 100 items, not 101"),
        (["hi"], "body.messages.0: Input should be an object"),
        ([{"role": "user", "content": ["hi"]}], "body.messages.0.content"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_words_of_json(messages: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ChatRequest.model_validate({"messages": messages})
    found: list[Any] = [{**one, "loc": ("body", *one["loc"])} for one in caught.value.errors()]
    detail = invalid_request(found).detail
    assert said in detail
    assert not re.search(r"tuple|dict|list|ChatMessage|after validation", detail, re.IGNORECASE)
