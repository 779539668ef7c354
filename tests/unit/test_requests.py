"""What the edge checks before a request is handled: one token, and where it may be."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from imagegen.domain.callers import USER, User
from imagegen.domain.errors import UnauthorizedError
from imagegen.edge.events import plain_path, task_of, url_event
from imagegen.edge.problems import invalid_request
from imagegen.edge.requests import MAX_BODY_BYTES, Access, check_request, raw_body, too_large
from imagegen.openai_api.edit_models import EditRequest
from imagegen.wire.estimates import EstimateRequest
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


def test_a_function_that_takes_no_keys_checks_a_key_as_a_token() -> None:
    key = f"Bearer ik_{'a' * 64}"
    assert ask({"authorization": key})[1] == [key]


def test_who_sends_several_keys_reads_in_which_headers_they_may_be() -> None:
    with pytest.raises(UnauthorizedError) as error:
        ask({"api_key": f"ik_{'a' * 64}", "x_api_key": f"ik_{'b' * 64}"})
    for name in ("Authorization", "x-imagegen-token", "api-key", "x-api-key"):
        assert re.search(rf"[ (]{name}[,)]", str(error.value))


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


SIZE_WORDS = "must be square, landscape, portrait, same, or pixels such as 1024x1024"
HALF_WORDS = "contains half of a character, a surrogate without its pair; leave it out"
ODD_SIZES = ("1024X1024", " 1024x1024", "1024x1024\n", "1024\u00d71024", "1024*1024", "1024x0",
             "01024x1024", "1024x1024x1", "auto", "SQUARE", "", "1024x", "-1x-1", "1e3x1e3",
             "\uff11\uff10\uff12\uff14x1024", 1024, [1024, 1024])  # fmt: skip


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"prompt": "\u2800"}, "prompt: must not be empty: it has no visible character"),
        ({"prompt": "a fox", "maxCost": "free"}, 'maxCost: must be dollars, such as "0.05"'),
        *(({"prompt": "a fox", "size": size}, f"size: {SIZE_WORDS}") for size in ODD_SIZES),
        ({"prompt": "a\ud800b"}, f"prompt: {HALF_WORDS}"),
        ({"prompt": "\udc00\ud800"}, f"prompt: {HALF_WORDS}"),
        ({"prompt": "a fox", "style": "\ud800"}, f"style: {HALF_WORDS}"),
        (
            {"prompt": "a fox", "inputs": [{"upload": "\udfff"}]},
            f"inputs.0.upload: {HALF_WORDS}",
        ),
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
        ([{"role": "user", "content": {"text": "hi"}}], "body.messages.0"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_words_of_json(messages: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ChatRequest.model_validate({"messages": messages})
    found: list[Any] = [{**one, "loc": ("body", *one["loc"])} for one in caught.value.errors()]
    detail = invalid_request(found).detail
    assert said in detail
    assert not re.search(r"tuple|dict|list|ChatMessage|after validation", detail, re.IGNORECASE)


def body_event(
    body: str | None, *, method: str = "POST", path: str = "/estimate", **headers: str
) -> Any:
    return url_event(
        {
            "rawPath": path,
            "requestContext": {"http": {"method": method}},
            "headers": {
                "authorization": "Bearer t",
                "content-type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        }
        | ({} if body is None else {"body": body})
    )


def problem_of(event: Any, **access: Any) -> str | None:
    user, fault = check_request(event, Access(Doorkeeper, **access))
    assert fault is None or fault.code
    assert (user is None) is (fault is not None and fault.code == "body_too_large")
    return None if fault is None else fault.code


BODIES: dict[str, tuple[Any, str | None]] = {
    "an object": (body_event("{}"), None),
    "no body": (body_event(None), None),
    "an empty body": (body_event(""), None),
    "a list": (body_event("[]"), "invalid_request"),
    "a text": (body_event('"a"'), "invalid_request"),
    "null": (body_event("null"), "invalid_request"),
    "no JSON": (body_event("{"), "invalid_json"),
    "half a character": (body_event('{"a": "\ud800"}'), "invalid_json"),
    "a byte order mark": (body_event("\ufeff{}"), "invalid_json"),
    "deep": (body_event("[" * 100_000), "invalid_json"),
    "a GET with a list": (body_event("[]", method="GET"), None),
    "a GET with another type": (
        body_event("x", method="GET", content_type="text/x"),
        "invalid_json",
    ),
    "base64 of an object": (body_event("e30=") | {"isBase64Encoded": True}, None),
    "no base64": (body_event("e30") | {"isBase64Encoded": True}, "invalid_json"),
    "another type": (body_event("{}", content_type="text/plain"), "unsupported_media_type"),
    "a form": (body_event("{}", content_type="multipart/form-data"), "unsupported_media_type"),
    "another charset": (
        body_event("{}", content_type="application/json; charset=latin-1"),
        "unsupported_media_type",
    ),
    "packed": (body_event("{}", content_encoding="gzip"), "unsupported_media_type"),
    "not packed": (body_event("{}", content_encoding=" Identity "), None),
    "as long as may be": (body_event('{"a":"' + "x" * (MAX_BODY_BYTES - 8) + '"}'), None),
    "too long": (body_event('{"a":"' + "x" * (MAX_BODY_BYTES - 7) + '"}'), "body_too_large"),
    "too long in bytes": (
        body_event('{"a":"' + "é" * (MAX_BODY_BYTES // 2) + '"}'),
        "body_too_large",
    ),
    "too long in base64": (
        body_event("A" * (MAX_BODY_BYTES // 3 * 4 + 8)) | {"isBase64Encoded": True},
        "body_too_large",
    ),
    "as long as may be in base64": (
        body_event("A" * (MAX_BODY_BYTES // 3 * 4)) | {"isBase64Encoded": True},
        "invalid_json",
    ),
    "another length without a replacement": (body_event("{}", content_length="99"), None),
    "replaced bytes": (body_event('{"a":"\ufffd"}', content_length="9"), "invalid_json"),
    "a replacement that was sent": (body_event('{"a":"\ufffd"}', content_length="11"), None),
    "a length that is no number": (body_event('{"a":"\ufffd"}', content_length="x"), None),
    "a replacement without a length": (body_event('{"a":"\ufffd"}'), None),
}


@pytest.mark.parametrize(("event", "code"), BODIES.values(), ids=BODIES.keys())
def test_a_body_is_json_of_a_size_and_type_that_is_read(event: Any, code: str | None) -> None:
    assert problem_of(event) == code


def test_a_route_that_reads_json_itself_gets_what_is_no_object_but_no_other_type() -> None:
    own = {"own_json": ("/mcp",)}
    assert problem_of(body_event("[]", path="/mcp"), **own) is None
    assert problem_of(body_event("{", path="/mcp"), **own) is None
    assert problem_of(body_event("[]", path="/estimate"), **own) == "invalid_request"
    assert problem_of(body_event("[]", path="/mcp", content_type="text/x"), **own) is not None


def test_a_good_type_is_passed_on_in_one_spelling_and_a_missing_one_stays_away() -> None:
    event = body_event("{}", content_type="Application/JSON; charset=UTF-8")
    assert problem_of(event) is None
    assert event["headers"]["content-type"] == "application/json"
    event = body_event("{}", content_type="")
    assert problem_of(event) is None
    assert event["headers"]["content-type"] == ""


def test_the_functions_own_reason_comes_before_the_token() -> None:
    fault = too_large(body_event("x" * (MAX_BODY_BYTES + 1)))
    keeper = Doorkeeper()
    access = Access(lambda: keeper, fault=lambda _event: fault)
    assert check_request(body_event("{}"), access) == (None, fault)
    assert keeper.shown == []


@pytest.mark.parametrize(
    ("headers", "is_known"), [({}, False), ({"authorization": "Bearer t"}, True)], ids=str
)
def test_an_open_route_has_a_user_only_with_a_token_that_is_good(
    headers: dict[str, str], *, is_known: bool
) -> None:
    user, shown = ask(headers, is_open=True)
    assert (user is not None) is is_known
    assert shown == (["Bearer t"] if is_known else [])


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (body_event("{}"), b"{}"),
        (body_event("e30=") | {"isBase64Encoded": True}, b"{}"),
        (body_event("e30") | {"isBase64Encoded": True}, b""),
        (body_event("\ud800"), b""),
        (body_event(None), b""),
    ],
)
def test_a_body_that_cannot_be_decoded_has_no_bytes(event: Any, expected: bytes) -> None:
    assert raw_body(event) == expected


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ("text/plain", ""),
        ("", ""),
        ("multipart/form-data; boundary=x", ", not as a form: files cannot be sent"),
        ("MULTIPART/mixed", ", not as a form: files cannot be sent"),
    ],
)
def test_only_a_form_is_told_that_files_cannot_be_sent(given: str, more: str) -> None:
    _, fault = check_request(body_event("{}", content_type=given), Access(Doorkeeper))
    if given:
        assert fault is not None
        assert fault.detail == f"Send the body as application/json{more}."
    else:
        assert fault is None


@pytest.mark.parametrize(
    ("images", "faults"),
    [
        ([], ["images"]),
        ([{}], ["images.0"]),
        ([None], ["images.0"]),
        ([{"image_url": 1}], ["images.0.image_url"]),
        ([{"file_id": "a"}, {}], ["images.1"]),
    ],
)
def test_an_array_with_a_faulty_item_is_not_said_to_be_too_short(
    images: Any, faults: list[str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        EditRequest.model_validate({"prompt": "a fox", "images": images})
    found: list[Any] = list(caught.value.errors())
    assert [one["field"] for one in invalid_request(found).errors or ()] == faults


def test_an_array_that_is_too_short_beside_another_fault_is_named() -> None:
    found: list[Any] = [
        {"type": "too_short", "loc": ("images",), "msg": "Array should have at least 1 item"},
        {"type": "missing", "loc": ("image", 0), "msg": "Field required"},
    ]
    assert [one["field"] for one in invalid_request(found).errors or ()] == ["images", "image.0"]
